//! The buffers of a run: what its worlds, its batch and its agents keep on the device.

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Gpu};
use crate::layout::{Progress, Run};

/// Refuses sizes that can never fit, before anything is allocated.
#[derive(Debug, Default)]
pub struct Sizes(Vec<Size>, u64);

/// A buffer, how its bytes come about, and what to reduce.
#[derive(Debug)]
struct Size {
    buffer: &'static str,
    arithmetic: String,
    bytes: u64,
    remedy: &'static str,
}

impl Sizes {
    /// Adds a buffer: its name and the factors of its size in bytes, each with its name.
    pub fn add(&mut self, buffer: &'static str, factors: &[(&str, u64)]) {
        self.add_for("num_envs or num_steps", buffer, factors);
    }

    /// The same where `remedy` is what makes it smaller.
    pub fn add_for(&mut self, remedy: &'static str, buffer: &'static str, factors: &[(&str, u64)]) {
        let arithmetic: Vec<String> = factors.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let bytes = factors.iter().fold(1u64, |product, (_, count)| product.saturating_mul(*count));
        self.0.push(Size { buffer, arithmetic: arithmetic.join(" × "), bytes, remedy });
    }

    /// Bytes that one binding would best hold, and that may lie in several.
    pub fn wish(&mut self, bytes: u64) {
        self.1 = self.1.max(bytes);
    }

    /// Bytes of the largest buffer.
    pub fn largest(&self) -> u64 {
        self.0.iter().map(|size| size.bytes).max().unwrap_or(0).max(self.1)
    }

    /// Bytes of all of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |total, size| total.saturating_add(size.bytes))
    }

    /// Fails for the first buffer that the device cannot bind.
    ///
    /// # Errors
    /// [`Error::TooLarge`] with the arithmetic.
    pub fn check(&self, gpu: &Gpu) -> Result<()> {
        let limit = gpu.largest_binding();
        let Some(size) = self.0.iter().find(|size| size.bytes > limit) else { return Ok(()) };
        Err(Error::TooLarge {
            buffer: size.buffer.to_owned(),
            arithmetic: size.arithmetic.clone(),
            bytes: size.bytes,
            limit,
            remedy: size.remedy.to_owned(),
        })
    }
}

/// The agents of a run: parameters and progress, and what holds for all of them.
#[derive(Clone, Debug)]
pub struct Agents {
    /// Number of agents.
    pub count: u32,
    /// What holds for the whole run.
    pub run: Run,
    /// The same on the device.
    pub run_uniform: Buffer<Run>,
    /// `[agent]`
    pub progress: Buffer<Progress>,
    /// `[agent][word]`, see [`crate::nn::Parameters`].
    pub parameters: Buffer<f32>,
    /// Where gradients and parameters are unsound first (`shaders/part/fault_places.wgsl`), `[agent][gradient, parameter]`.
    pub faults: Buffer<u32>,
    /// Agents whose places lie before theirs in that buffer.
    pub faults_first: u32,
    seeds: Vec<u32>,
    beta: f32,
}

impl Agents {
    /// Agents with these first parameters `[agent][word]` and seeds, and this first weight of the KL penalty.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, run: Run, seeds: &[u32], parameters: &[f32], beta: f32) -> Result<Self> {
        let parameters = gpu.uniform_or_storage("parameters", parameters)?;
        Self::with_parameters(gpu, run, seeds.to_vec(), parameters, no_faults(gpu, seeds.len())?, beta)
    }

    /// The same agents with a progress of their own, for what is learned apart: in other minibatches, at another rate.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn apart(&self, gpu: &Gpu, run: Run) -> Result<Self> {
        Self::with_parameters(gpu, run, self.seeds.clone(), self.parameters.clone(), self.faults.clone(), self.beta)
    }

    /// Puts the faults of `other` agents behind these ones', for a kernel that looks at both.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn share_faults(&mut self, gpu: &Gpu, other: &mut Self) -> Result<()> {
        self.faults = no_faults(gpu, (self.count + other.count) as usize)?;
        (other.faults, other.faults_first) = (self.faults.clone(), self.count);
        Ok(())
    }

    /// The same agents to kernels that see another `run`.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn seen_as(&self, gpu: &Gpu, run: Run) -> Result<Self> {
        Ok(Self { run, run_uniform: gpu.uniform("run", &run)?, ..self.clone() })
    }

    fn with_parameters(
        gpu: &Gpu,
        run: Run,
        seeds: Vec<u32>,
        parameters: Buffer<f32>,
        faults: Buffer<u32>,
        beta: f32,
    ) -> Result<Self> {
        let (learning_rate, clip_coef) = (run.learning_rate, run.clip_coef);
        let first = |&seed: &u32| Progress { seed, learning_rate, clip_coef, beta, ..Progress::default() };
        Ok(Self {
            count: seeds.len() as u32,
            run,
            run_uniform: gpu.uniform("run", &run)?,
            progress: gpu.buffer_of("progress", &seeds.iter().map(first).collect::<Vec<_>>())?,
            parameters,
            faults,
            faults_first: 0,
            seeds,
            beta,
        })
    }

    /// The buffers by the names that shaders know them by.
    pub fn buffers(&self) -> Buffers {
        Buffers::default()
            .with("mw_run", &self.run_uniform)
            .with("mw_progress", &self.progress)
            .with("mw_parameters", &self.parameters)
            .with("mw_faults", &self.faults)
    }
}

/// Places of faults of so many agents, none of which has one.
fn no_faults(gpu: &Gpu, agents: usize) -> Result<Buffer<u32>> {
    gpu.buffer_of("faults", &vec![u32::MAX; 2 * agents])
}

/// One rollout of every agent.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[agent][feature][step][world]`
    pub observations: Buffer<f32>,
    /// `[agent][row][step][world]`, rows as in [`crate::layout::Row`].
    pub samples: Buffer<u32>,
    /// Observations to bootstrap from, `[agent][feature][slot][world]`: those of truncated steps, oldest first, then
    /// the one after the last step.
    pub final_observations: Buffer<f32>,
    /// Their values as bits of `f32`, `[agent][slot][world]`.
    pub final_values: Buffer<u32>,
}

impl Batch {
    /// Adds the buffers to a list of sizes.
    pub fn sizes(sizes: &mut Sizes, agents: u32, run: &Run, features: u32, rows: u32) {
        let agents = ("agents", u64::from(agents));
        let columns = [("steps", u64::from(run.num_steps)), ("worlds", u64::from(run.num_envs)), ("bytes", 4)];
        let slots = [("slots", u64::from(run.bootstrap_slots)), ("worlds", u64::from(run.num_envs)), ("bytes", 4)];
        let features = ("features", u64::from(features));
        sizes.add("samples", &[[agents, ("rows", u64::from(rows))].as_slice(), &columns].concat());
        sizes.add("observations", &[[agents, features].as_slice(), &columns].concat());
        sizes.add("final observations", &[[agents, features].as_slice(), &slots].concat());
        sizes.add("final values", &[[agents].as_slice(), &slots].concat());
    }

    /// An empty batch.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, agents: u32, run: &Run, features: u32, rows: u32) -> Result<Self> {
        let rows = u64::from(rows);
        let (agents, columns) = (u64::from(agents), u64::from(run.batch_size));
        let slots = u64::from(run.bootstrap_slots) * u64::from(run.num_envs);
        let features = u64::from(features);
        let remedy = "num_envs or num_steps";
        let arithmetic = |rows: u64, columns: u64| format!("agents {agents} × rows {rows} × columns {columns}");
        let make = |label, rows: u64, columns: u64| {
            gpu.buffer(label, agents * rows * columns, &arithmetic(rows, columns), remedy)
        };
        Ok(Self {
            observations: make("observations", features, columns)?,
            samples: gpu.buffer("samples", agents * rows * columns, &arithmetic(rows, columns), remedy)?,
            final_observations: make("final observations", features, slots)?,
            final_values: gpu.buffer("final values", agents * slots, &arithmetic(1, slots), remedy)?,
        })
    }

    /// The buffers by the names that shaders know them by.
    pub fn buffers(&self, more: &Buffers) -> Buffers {
        more.with("mw_observations", &self.observations)
            .with("mw_observed", &self.observations)
            .with("mw_samples", &self.samples)
            .with("mw_final_observations", &self.final_observations)
            .with("mw_final_values", &self.final_values)
    }
}
