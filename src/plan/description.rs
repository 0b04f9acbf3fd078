//! A plan in words and as JSON: all that somebody without this library needs to run it.

use super::{Contents, Kernel, Plan};
use crate::error::Result;
use crate::gpu::{Memory, Recording, workgroups};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// A plan, written down. Passes name kernels and buffers by their places in the lists, recordings name passes.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Buffers, in the order in which they are made.
    pub buffers: Vec<BufferDescription>,
    /// Kernels.
    pub kernels: Vec<KernelDescription>,
    /// Passes, each once.
    pub passes: Vec<PassDescription>,
    /// What is run when: lists of passes by the name of their occasion.
    pub recordings: Vec<RecordingDescription>,
    /// Places of the buffers that a host reads or writes, by what they are to it.
    pub roles: BTreeMap<String, Vec<usize>>,
    /// Sums over all of it.
    pub totals: Totals,
}

/// A buffer.
#[derive(Clone, Debug, Serialize)]
pub struct BufferDescription {
    /// Its name.
    pub name: String,
    /// Name and length of each axis, the slowest first; a uniform has none.
    pub axes: Vec<(&'static str, u64)>,
    /// Its size.
    pub bytes: u64,
    /// Whether kernels bind it as a uniform alone.
    pub uniform: bool,
    /// Its name in files of a state, where a run needs it to go on.
    pub kept: Option<String>,
    /// The words that it holds at first; zeros where there are none.
    pub words: Option<Vec<u32>>,
}

/// A kernel.
#[derive(Clone, Debug, Serialize)]
pub struct KernelDescription {
    /// Its name.
    pub name: String,
    /// Its parts in order, by their paths; what is made for an environment has a name instead.
    pub parts: Vec<String>,
    /// The choice of each slot.
    pub slots: BTreeMap<String, String>,
    /// Invocations of a workgroup.
    pub workgroup: u32,
    /// Values of its override constants.
    pub overrides: BTreeMap<String, f64>,
    /// Binding number of each buffer in group 0, by its name in the shader.
    pub bindings: BTreeMap<String, u32>,
    /// The whole module, whose entry point is `mw_main`.
    pub wgsl: String,
}

/// A pass.
#[derive(Clone, Debug, Serialize)]
pub struct PassDescription {
    /// Place of its kernel.
    pub kernel: usize,
    /// Threads for each agent.
    pub threads: u64,
    /// Number of agents.
    pub agents: u32,
    /// Workgroups in x, y and z.
    pub groups: [u32; 3],
    /// Places of its buffers, by their names in the shader.
    pub buffers: BTreeMap<String, usize>,
}

/// A list of passes that are run together.
#[derive(Clone, Debug, Serialize)]
pub struct RecordingDescription {
    /// When they are run.
    pub name: String,
    /// Places of the passes, in order.
    pub passes: Vec<usize>,
}

/// Sums over a plan.
#[derive(Clone, Debug, Serialize)]
pub struct Totals {
    /// Bytes of all buffers.
    pub bytes: u64,
    /// Bytes of those that a run needs to go on.
    pub kept_bytes: u64,
    /// Bytes of the largest buffer.
    pub largest_binding: u64,
    /// Name of that buffer.
    pub largest_buffer: String,
    /// Passes of each recording.
    pub dispatches: BTreeMap<String, usize>,
}

impl Plan {
    /// Links every kernel and writes the plan down; `recordings` says what of it is run when, `roles` which buffers a host
    /// reads or writes.
    ///
    /// # Errors
    /// [`crate::Error::Shader`] and [`crate::Error::EnvironmentFile`] where a kernel does not link.
    pub fn describe(&self, recordings: &[(&str, &Recording)], roles: &[(&str, &[&Memory])]) -> Result<Description> {
        let kernels = self.kernels.iter().map(KernelDescription::of).collect::<Result<Vec<_>>>()?;
        let places = |identities: &mut dyn Iterator<Item = usize>| -> HashMap<usize, usize> {
            identities.enumerate().map(|(place, identity)| (identity, place)).collect()
        };
        let buffer_places = places(&mut self.buffers.iter().map(|buffer| buffer.memory.identity()));
        let pass_places = places(&mut self.passes.iter().map(|dispatch| dispatch.pass.identity()));
        let place = |memory: &Memory| buffer_places.get(&memory.identity()).copied();
        let kept = |memory: &Memory| self.kept.iter().find(|kept| kept.memory.identity() == memory.identity());
        let passes = self.passes.iter().map(|dispatch| {
            let Kernel(kernel) = dispatch.kernel;
            let (threads, agents) = (dispatch.pass.threads(), dispatch.pass.agents());
            let wanted = dispatch.buffers.iter().filter(|(name, _)| kernels[kernel].bindings.contains_key(*name));
            PassDescription {
                kernel,
                threads,
                agents,
                groups: workgroups(threads, kernels[kernel].workgroup, agents),
                buffers: wanted.filter_map(|(name, memory)| Some((name.to_owned(), place(memory)?))).collect(),
            }
        });
        let role = |(name, memories): &(&str, &[&Memory])| {
            ((*name).to_owned(), memories.iter().filter_map(|memory| place(memory)).collect())
        };
        let of_recording = |(name, recording): &(&str, &Recording)| RecordingDescription {
            name: (*name).to_owned(),
            passes: recording.passes().iter().filter_map(|pass| pass_places.get(&pass.identity()).copied()).collect(),
        };
        let buffers = self.buffers.iter().map(|buffer| BufferDescription {
            name: buffer.memory.label().to_owned(),
            axes: buffer.axes.clone(),
            bytes: buffer.bytes,
            uniform: buffer.usage == wgpu::BufferUsages::UNIFORM,
            kept: kept(&buffer.memory).map(|kept| kept.name.clone()),
            words: match &buffer.contents {
                Contents::Zeros => None,
                Contents::Words(words) => Some(bytemuck::pod_collect_to_vec(words)),
                Contents::Made(make) => Some(bytemuck::pod_collect_to_vec(&make())),
            },
        });
        let largest = self.buffers.iter().max_by_key(|buffer| buffer.bytes);
        let recordings: Vec<RecordingDescription> = recordings.iter().map(of_recording).collect();
        Ok(Description {
            buffers: buffers.collect(),
            passes: passes.collect(),
            roles: roles.iter().map(role).collect(),
            totals: Totals {
                bytes: self.total(),
                kept_bytes: self.kept.iter().map(|kept| kept.bytes).sum(),
                largest_binding: self.largest,
                largest_buffer: largest.map_or(String::new(), |buffer| buffer.memory.label().to_owned()),
                dispatches: recordings.iter().map(|of| (of.name.clone(), of.passes.len())).collect(),
            },
            kernels,
            recordings,
        })
    }
}

impl KernelDescription {
    fn of(program: &crate::shader::Program) -> Result<Self> {
        let linked = program.link()?;
        let slot = |path: &str| {
            let mut names = path.strip_prefix("shaders/slot/")?.strip_suffix(".wgsl")?.split('/');
            Some((names.next()?.to_owned(), names.next()?.to_owned()))
        };
        Ok(Self {
            name: program.name().to_owned(),
            parts: program.paths().map(str::to_owned).collect(),
            slots: program.paths().filter_map(slot).collect(),
            workgroup: linked.workgroup_size(),
            overrides: linked.overrides().iter().cloned().collect(),
            bindings: linked.bindings().into_iter().collect(),
            wgsl: linked.source().to_owned(),
        })
    }
}

/// A run of passes: one of them, or a list that is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// A pass.
    Pass(usize),
    /// So many times the same list.
    Times(usize, Vec<Self>),
}

impl RecordingDescription {
    /// Its passes, repetitions folded.
    pub fn folded(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.passes.iter().map(|&pass| Run::Pass(pass)).collect();
        // from short periods to long ones, so that loops fold from the innermost outwards
        let mut period = 1;
        while 2 * period <= runs.len() {
            let mut folded = Vec::with_capacity(runs.len());
            let mut at = 0;
            while at < runs.len() {
                let list = &runs[at..(at + period).min(runs.len())];
                let times = runs[at..].chunks_exact(period).take_while(|chunk| *chunk == list).count();
                if times > 1 {
                    folded.push(Run::Times(times, list.to_vec()));
                    at += times * period;
                } else {
                    folded.push(runs[at].clone());
                    at += 1;
                }
            }
            period = if folded.len() < runs.len() { 1 } else { period + 1 };
            runs = folded;
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordingDescription, Run};

    #[test]
    fn loops_are_folded_from_the_innermost_outwards() {
        let inner = [3, 4, 4, 5];
        let passes = [vec![1, 2], inner.repeat(2), vec![9]].concat();
        let recording = RecordingDescription { name: String::new(), passes: [passes.repeat(2), vec![7]].concat() };
        let four = Run::Times(2, vec![Run::Pass(4)]);
        let inner = Run::Times(2, vec![Run::Pass(3), four, Run::Pass(5)]);
        let outer = Run::Times(2, vec![Run::Pass(1), Run::Pass(2), inner, Run::Pass(9)]);
        assert_eq!(recording.folded(), [outer, Run::Pass(7)]);
    }
}
