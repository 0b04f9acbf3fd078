//! Compiled kernels, whose layout comes from the pipeline.

use super::recording::Ready;
use super::{Buffer, Gpu, LOOP_BUDGET, Memory, Pass};
use crate::error::{Error, Result};
use crate::shader::{Linked, Program, carefully};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A kernel that is ready to be dispatched. Clones share the pipeline.
#[derive(Clone, Debug)]
pub struct Kernel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    pipeline: wgpu::ComputePipeline,
    /// Bindings that the entry point uses, by name.
    bindings: HashMap<String, u32>,
    workgroup: u32,
}

/// Bytes of each buffer of a warm-up: more than any structure or uniform of ours.
const WARM_UP_BYTES: u64 = 64 << 10;

impl Gpu {
    /// Links and compiles kernels on all cores, so that [`Gpu::kernel`] finds them ready. Give the one first that takes
    /// longest.
    ///
    /// # Errors
    /// The first error of [`Gpu::kernel`] in the order of the list.
    pub(crate) fn compile(&self, list: &[&Program]) -> Result<()> {
        let next = AtomicUsize::new(0);
        let errors = Mutex::new(Vec::new());
        let failed = |i: usize, error| errors.lock().unwrap_or_else(PoisonError::into_inner).push((i, error));
        self.state.wanted.fetch_add(list.len() as u64, Ordering::Relaxed);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(list.len());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let work = || {
                    let all = carefully("kernels", || {
                        loop {
                            let i = next.fetch_add(1, Ordering::Relaxed);
                            let Some(program) = list.get(i) else { return Ok(()) };
                            if let Err(error) = self.kernel(program).and_then(|kernel| self.warm_up(&kernel)) {
                                failed(i, error);
                            }
                            self.state.ready.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    all.unwrap_or_else(|error| failed(0, error));
                };
                if let Err(error) = std::thread::Builder::new().spawn_scoped(scope, work) {
                    failed(0, Error::Gpu(format!("no thread to compile kernels with: {error}")));
                }
            }
        });
        let mut errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        errors.sort_by_key(|(i, _)| *i);
        errors.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// How many kernels are compiled, of how many that were asked for: what a program shows while it waits for them.
    pub fn compiled(&self) -> [u64; 2] {
        [&self.state.ready, &self.state.wanted].map(|count| count.load(Ordering::Relaxed))
    }

    /// Dispatches nothing. Mesa's software driver makes machine code at the first dispatch, on a thread of its own; so it
    /// does that while the next kernels are still being linked.
    fn warm_up(&self, kernel: &Kernel) -> Result<()> {
        if !self.is_software() {
            return Ok(());
        }
        let layout = kernel.0.pipeline.get_bind_group_layout(0);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM;
        let buffers: Vec<_> = (0..kernel.0.bindings.len())
            .map(|_| self.make::<[f32; 4]>("warm-up", WARM_UP_BYTES / 16, "nothing", "nothing", usage))
            .collect::<Result<_>>()?;
        let entries: Vec<_> = (kernel.0.bindings.values().zip(&buffers))
            .map(|(&binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.raw().as_entire_binding() })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: Some("warm-up"), layout: &layout, entries: &entries };
        let bind_group = (!entries.is_empty()).then(|| self.device().create_bind_group(&descriptor));
        let nothing = Ready { kernel: kernel.clone(), bind_group, groups: [0; 3] };
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        nothing.encode_whatever_the_size(&mut encoder);
        self.submit_commands(encoder);
        self.check()
    }

    /// A kernel, compiled with all of wgpu's run-time checks; one that was compiled before is used again.
    ///
    /// # Errors
    /// [`Error::Shader`] where it does not link, the driver refuses it or its compiler panics, [`Error::EnvironmentFile`] where
    /// that is about an environment that is not built in.
    pub fn kernel(&self, program: &Program) -> Result<Kernel> {
        let key = program.key();
        let known = || self.state.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kernel) = known().get(&key) {
            return Ok(kernel.clone());
        }
        let linked = program.link()?;
        let kernel = carefully(&linked.described(), || self.compile_one(&linked)).map_err(|error| match error {
            Error::Shader(text) => linked.refused(text),
            error => error,
        })?;
        known().insert(key, kernel.clone());
        Ok(kernel)
    }

    fn compile_one(&self, linked: &Linked) -> Result<Kernel> {
        let scope = self.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let module = self.device().create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(linked.name()),
            // parsed already; naga takes a time that grows with the square of a function's length
            source: wgpu::ShaderSource::Naga(Cow::Owned(linked.plain_module())),
        });
        let constants: Vec<(&str, f64)> =
            linked.overrides().iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let pipeline = self.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(linked.name()),
            layout: None,
            module: &module,
            entry_point: Some("mw_main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                // every kernel writes its workgroup memory before it reads it
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::Shader(format!("{} was refused: {error}", linked.described())));
        }
        self.check()?;
        let (bindings, workgroup) = (linked.bindings(), linked.workgroup_size());
        Ok(Kernel(Arc::new(Inner { name: linked.name().to_owned(), pipeline, bindings, workgroup })))
    }
}

impl Kernel {
    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn pipeline(&self) -> &wgpu::ComputePipeline {
        &self.0.pipeline
    }

    /// A dispatch of `threads` threads for each of `agents` agents over buffers, given by the names that the
    /// shader knows them by. Buffers that the kernel does not use are passed over, so one list can serve several
    /// kernels. `iterations` is the number of iterations of all loops in one invocation, counted from static shapes.
    ///
    /// # Errors
    /// [`Error::Gpu`] where a buffer is missing or given twice, [`Error::LoopBudget`] where this adapter would cut the loops short.
    pub fn pass(&self, gpu: &Gpu, agents: u32, threads: u64, iterations: u64, buffers: &Buffers) -> Result<Pass> {
        let pass = Pass::declared(self.name(), threads, agents);
        self.bind(gpu, &pass, iterations, buffers)?;
        Ok(pass)
    }

    /// Makes a pass of this kernel ready to be run.
    ///
    /// # Errors
    /// Those of [`Kernel::pass`].
    pub(crate) fn bind(&self, gpu: &Gpu, pass: &Pass, iterations: u64, buffers: &Buffers) -> Result<()> {
        let (threads, agents) = (pass.threads(), pass.agents());
        if gpu.is_software() && iterations > LOOP_BUDGET {
            return Err(Error::LoopBudget {
                kernel: self.0.name.clone(),
                iterations,
                limit: LOOP_BUDGET,
                remedy: "num_steps, batch_size, n_steps, or the widths in hidden".to_owned(),
            });
        }
        if agents > MOST_AGENTS {
            let reason =
                format!("kernel '{}' would run for {agents} agents, at most {MOST_AGENTS} are possible", self.0.name);
            return Err(Error::setting("agents", reason));
        }
        if let Some(name) = buffers.twice() {
            return Err(Error::Gpu(format!("kernel {}: two buffers were given for '{name}'", self.0.name)));
        }
        let mut entries = Vec::with_capacity(self.0.bindings.len());
        for (name, &binding) in &self.0.bindings {
            let complain = |reason: &str| Error::Gpu(format!("kernel {}: {reason} '{name}'", self.0.name));
            let memory = buffers.get(name).ok_or_else(|| complain("no buffer was given for"))?;
            let raw = memory.raw().ok_or_else(|| complain("a buffer of a plan that was not built was given for"))?;
            entries.push(wgpu::BindGroupEntry { binding, resource: raw.as_entire_binding() });
        }
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let bind_group = (!entries.is_empty()).then(|| {
            gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&self.0.name),
                layout: &self.0.pipeline.get_bind_group_layout(0),
                entries: &entries,
            })
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Error::Gpu(format!("kernel {}: {error}", self.0.name)));
        }
        let groups = workgroups(threads, self.0.workgroup, agents);
        pass.make_ready(Ready { kernel: self.clone(), bind_group, groups });
        Ok(())
    }
}

/// Buffers by the names that shaders know them by, each name once.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Vec<(&'static str, Memory)>);

impl Buffers {
    /// The same buffers and one more. A name that is there already is a mistake, which [`Buffers::twice`] finds.
    #[must_use]
    pub fn with<T>(&self, name: &'static str, buffer: &Buffer<T>) -> Self {
        let mut all = self.clone();
        all.0.push((name, buffer.memory().clone()));
        all
    }

    /// The same buffers, with this one in the place of the one of that name.
    #[must_use]
    pub fn instead<T>(&self, name: &'static str, buffer: &Buffer<T>) -> Self {
        let mut all = self.clone();
        all.0.retain(|(known, _)| *known != name);
        all.with(name, buffer)
    }

    /// All of these and of `more`.
    #[must_use]
    pub fn and(&self, more: &Self) -> Self {
        Self(self.0.iter().chain(&more.0).cloned().collect())
    }

    /// The buffer of a name.
    pub fn get(&self, name: &str) -> Option<&Memory> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, memory)| memory)
    }

    /// A name that two different buffers have.
    pub fn twice(&self) -> Option<&'static str> {
        let other = |(i, (name, memory)): (usize, &(&'static str, Memory))| {
            self.0[..i]
                .iter()
                .any(|(known, first)| known == name && first.identity() != memory.identity())
                .then_some(*name)
        };
        self.0.iter().enumerate().find_map(other)
    }

    /// Name and memory of each.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Memory)> {
        self.0.iter().map(|(name, memory)| (*name, memory))
    }
}

/// Most workgroups of a dispatch in a dimension; agents are the last one.
const MOST_AGENTS: u32 = 65_535;

/// Workgroups in x, y and z for `threads` threads of each agent: the one place that knows that a dimension holds at
/// most 65,535. Empty work has no workgroups.
pub(crate) fn workgroups(threads: u64, workgroup: u32, agents: u32) -> [u32; 3] {
    const LIMIT: u64 = MOST_AGENTS as u64;
    let groups = threads.div_ceil(u64::from(workgroup.max(1)));
    let y = groups.div_ceil(LIMIT).max(1);
    let x = groups.div_ceil(y);
    [x as u32, if groups == 0 { 0 } else { y as u32 }, agents]
}

#[cfg(test)]
mod tests {
    use super::workgroups;

    #[test]
    fn workgroups_cover_the_work_within_the_limit() {
        for threads in [0, 1, 63, 64, 65, 64 * 65_535, 64 * 65_535 + 1, 123_456_789] {
            let [x, y, z] = workgroups(threads, 64, 3);
            let covered = u64::from(x) * u64::from(y) * 64;
            assert!(x <= 65_535 && y <= 65_535 && z == 3, "{threads} threads: {x} × {y} × {z}");
            assert!(
                covered >= threads && covered < threads + 64 * u64::from(y.max(1)),
                "{threads} threads: {covered} covered"
            );
        }
    }
}
