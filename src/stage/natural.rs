//! The natural gradient's step: conjugate gradients on products with the policy's Fisher matrix, then a line search.

use super::{Elements, Learner, Reduced, Slicing, forward, one_workgroup};
use crate::batch::{Agents, Batch};
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Gpu, Recording};
use crate::kernels::{Kernels, Objective, Reduction};
use crate::layout::{Columns, Run, Search, Trust};

/// From the gradient of the loss of one network to its new parameters; nothing comes back to the host on the way.
#[derive(Clone, Debug)]
pub struct Natural {
    recording: Recording,
    /// Products with the Fisher matrix: its gradient is F p.
    pub fisher: Learner,
    /// What the next product is taken with: p, `[agent][word]`.
    pub direction: Buffer<f32>,
    /// Where each agent's search has come to, `[agent]`.
    pub search: Buffer<Search>,
    /// `[agent][x, residual, old parameters][word of the network]`
    pub solver: Buffer<f32>,
    /// Mean surrogate and mean KL divergence of what was measured, `[agent][candidate]`, the old parameters first.
    pub trials: Buffer<[f32; 2]>,
}

/// What products with the Fisher matrix are taken over.
#[derive(Clone, Copy, Debug)]
pub struct Products {
    /// Every so-manyeth sample, in one minibatch.
    pub run: Run,
    /// How it is divided.
    pub slicing: Slicing,
}

impl Products {
    /// Over every `stride`-th sample of a batch. `kernels`: those of the products ([`Kernels::untiled`]).
    pub fn new(kernels: &Kernels, network: usize, run: Run, stride: u32) -> Self {
        let minibatch_size = run.batch_size.div_ceil(stride);
        let slicing = Slicing::new(minibatch_size, kernels.agents, kernels.parameters, kernels);
        let mut run = Run { minibatch_size, num_minibatches: 1, stride, norm_adv: 0, ..run };
        run.set_slicing(slicing, kernels, kernels.parameters.span([network]));
        Self { run, slicing }
    }
}

impl Natural {
    /// For the gradients and moments of a learner of the policy `network`. `kernels`: those of the products
    /// ([`Kernels::untiled`]).
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::buffer`].
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        gpu: &Gpu,
        kernels: &Kernels,
        network: usize,
        agents: &Agents,
        batch: &Batch,
        learner: &Learner,
        products: Products,
        trust: Trust,
    ) -> Result<Self> {
        let (count, span) = (agents.count, learner.span);
        let words = u64::from(count) * 4 * u64::from(span.count);
        let of_all = format!("agents {count} × parameters");
        let solver: Buffer<f32> = gpu.buffer("solver", 3 * words, &format!("3 × {of_all}"), "hidden")?;
        let direction: Buffer<f32> =
            gpu.buffer("direction", u64::from(count * kernels.parameters.learned()), &of_all, "hidden")?;
        let search: Buffer<Search> = gpu.buffer("search", u64::from(count), "agents", "agents")?;
        let candidates = u64::from(trust.candidates.max(1)) + 1;
        let trials = gpu.buffer("trials", u64::from(count) * candidates, "agents × candidates", "backtrack_iters")?;
        let trust_uniform = gpu.uniform("trust", &trust)?;
        let buffers = batch
            .buffers(&agents.buffers())
            .with("mw_trust", &trust_uniform)
            .with("mw_search", &search)
            .with("mw_solver", &solver)
            .with("mw_direction", &direction)
            .with("mw_gradient", &learner.gradient)
            .with("mw_trials", &trials);
        let turns = 3 * u64::from(span.count.div_ceil(kernels.form.workgroup));
        let mut recording = Recording::default();

        // x ≈ (F + damping)⁻¹ g
        let fisher_agents = agents.apart(gpu, products.run)?;
        let fisher_buffers = batch.buffers(&fisher_agents.buffers()).with("mw_direction", &direction);
        let objective = [(network, Objective::Fisher)];
        let fisher = Learner::new(gpu, kernels, &fisher_agents, &fisher_buffers, products.slicing, &objective)?;
        let solving = buffers.with("mw_progress", &fisher_agents.progress);
        let solve = |kernel, buffers: &Buffers| one_workgroup(gpu, &gpu.kernel(&kernel)?, count, turns, buffers);
        recording.extend(&solve(kernels.conjugate_begin(span)?, &solving)?);
        let step = solve(kernels.conjugate_step(span)?, &solving.with("mw_gradient", &fisher.gradient))?;
        for _ in 0..trust.iterations {
            fisher.record(&mut recording);
            recording.extend(&step);
        }
        recording.extend(&solve(kernels.conjugate_end(span)?, &buffers)?);

        // θ + fraction · √(2δ/xᵀFx) x, the longest first
        let measures: Buffer<[f32; 2]> = gpu.buffer(
            "measures",
            u64::from(count) * u64::from(trust.samples),
            &format!("agents {count} × samples {}", trust.samples),
            "num_envs",
        )?;
        let mut buffers = buffers.with("mw_observed", &batch.observations).with("mw_measures", &measures);
        if let Some(moments) = &learner.moments {
            buffers = buffers.with("mw_moments", moments);
        } else {
            buffers = buffers.with("mw_moments", &gpu.buffer::<[f32; 4]>("moments", count.into(), "agents", "agents")?);
        }
        let columns = Columns { count: trust.samples, ..Columns::default() };
        let kernel = gpu.kernel(&kernels.surrogate(network)?)?;
        let mut measure = forward(gpu, kernels, &kernel, network, count, columns, &buffers)?;
        let elements = Elements::from(trust.samples);
        let sums = Reduced::new(gpu, kernels, Reduction::Measures, Reduction::Sums, count, elements, &buffers)?;
        sums.record(&mut measure);
        let judge = gpu.kernel(&kernels.judge()?)?;
        measure.push(&judge.pass(gpu, count, 1, 0, &buffers.with("mw_measured", &sums.result))?);
        let kernel = gpu.kernel(&kernels.propose(span)?)?;
        let mut propose = Recording::default();
        propose.push(&kernel.pass(gpu, count, u64::from(span.count), 0, &buffers)?);

        recording.extend(&measure);
        for _ in 0..trust.candidates.max(1) {
            recording.extend(&propose);
            recording.extend(&measure);
        }
        recording.extend(&propose); // back to the old ones where none was accepted
        Ok(Self { recording, fisher, direction, search, solver, trials })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}
