//! The baseline that makes the variance of the policy gradient smallest, for each parameter apart.

use super::{Learner, Portion, Slicing};
use crate::batch::{Agents, Batch};
use crate::error::Result;
use crate::gpu::Recording;
use crate::kernels::{Kernels, Objective};
use crate::plan::Plan;

/// Subtracts it from the gradient of a policy over the whole batch.
#[derive(Clone, Debug)]
pub struct Baseline {
    recording: Recording,
}

impl Baseline {
    /// The baseline for a learner of the policy `network` alone, over the whole batch.
    pub fn new(
        plan: &mut Plan,
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
        let score = Learner::new(plan, kernels, agents, &buffers, slicing, &[(network, Objective::Score)])?;
        score.record(&mut recording);
        sums.push(score.gradient);
        // squares of products need the products of single samples
        let traced = kernels.traced();
        let portion = Portion::new(&traced, network, agents.run, 1);
        let apart = agents.apart(plan, portion.run)?;
        let buffers = batch.buffers(&apart.buffers());
        for weighted in [false, true] {
            let objective = [(network, Objective::Squares { weighted })];
            let squares = Learner::new(plan, &traced, &apart, &buffers, portion.slicing, &objective)?;
            squares.record(&mut recording);
            sums.push(squares.gradient);
        }
        let buffers = agents
            .buffers()
            .with("mw_score", &sums[0])
            .with("mw_squares", &sums[1])
            .with("mw_weighted", &sums[2])
            .with("mw_gradient", &learner.gradient)
            .with("mw_sums", &learner.sums);
        let kernel = plan.kernel(kernels.subtract_baseline(learner.span)?);
        recording.push(&plan.pass(kernel, agents.count, learner.span.count.into(), 0, &buffers));
        Ok(Self { recording })
    }

    /// Adds the stage to an update, behind the learner's.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}
