//! The baseline that makes the variance of the policy gradient smallest, for each parameter apart.

use super::{Learner, Portion, Slicing};
use crate::batch::{Agents, Batch};
use crate::error::Result;
use crate::gpu::{Gpu, Recording};
use crate::kernels::{Kernels, Objective};

/// Subtracts it from the gradient of a policy over the whole batch.
#[derive(Clone, Debug)]
pub struct Baseline {
    recording: Recording,
}

impl Baseline {
    /// For a learner of the policy `network` alone, over the whole batch.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::buffer`].
    pub fn new(
        gpu: &Gpu,
        kernels: &Kernels,
        network: usize,
        agents: &Agents,
        batch: &Batch,
        learner: &Learner,
        slicing: Slicing,
    ) -> Result<Self> {
        let mut recording = Recording::default();
        let mut sums = Vec::new();
        let buffers = batch.buffers(&agents.buffers());
        let score = Learner::new(gpu, kernels, agents, &buffers, slicing, &[(network, Objective::Score)])?;
        score.record(&mut recording);
        sums.push(score.gradient);
        // squares of products need the products of single samples
        let traced = kernels.traced();
        let portion = Portion::new(&traced, network, agents.run, 1);
        let apart = agents.apart(gpu, portion.run)?;
        let buffers = batch.buffers(&apart.buffers());
        for weighted in [false, true] {
            let objective = [(network, Objective::Squares { weighted })];
            let squares = Learner::new(gpu, &traced, &apart, &buffers, portion.slicing, &objective)?;
            squares.record(&mut recording);
            sums.push(squares.gradient);
        }
        let buffers = agents
            .buffers()
            .with("mw_score", &sums[0])
            .with("mw_squares", &sums[1])
            .with("mw_weighted", &sums[2])
            .with("mw_gradient", &learner.gradient)
            .with("mw_norms", &learner.norms);
        let kernel = gpu.kernel(&kernels.subtract_baseline(learner.span)?)?;
        recording.push(&kernel.pass(gpu, agents.count, u64::from(learner.span.count), 0, &buffers)?);
        Ok(Self { recording })
    }

    /// Adds the stage to an update, behind the learner's.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}
