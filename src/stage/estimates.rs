//! Rollouts of a textbook policy that each leave an estimate of its gradient.

use super::{Elements, Reduced};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, LOOP_BUDGET, Recording};
use crate::kernels::{Kernels, Reduction, Sums, TextbookPolicy};
use crate::layout::Estimate;
use crate::plan::Plan;

/// Rollouts of every agent, an agent being one θ.
#[derive(Clone, Debug)]
pub struct Estimates {
    recording: Recording,
    agents: u32,
    shape: Estimate,
    /// `[agent][row][rollout]`: return, steps made, then the rows of [`Sums`].
    pub rows: Buffer<f32>,
}

impl Estimates {
    /// `shape.rows` is filled in. `buffers` holds `mw_theta`, and where `sums` wants them `mw_baseline`, `mw_values`.
    ///
    /// # Errors
    /// [`Error::LoopBudget`] where rollouts are longer than this adapter's loops, [`Error::TooLarge`] where their rows
    /// do not fit.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        policy: TextbookPolicy,
        sums: Sums,
        shape: Estimate,
        buffers: &Buffers,
    ) -> Result<Self> {
        let agents = kernels.agents;
        let iterations = u64::from(shape.depth).saturating_mul(1 + env.iterations());
        if plan.target().software && iterations > LOOP_BUDGET {
            let (kernel, remedy) = ("estimate".to_owned(), "depth".to_owned());
            return Err(Error::LoopBudget { kernel, iterations, limit: LOOP_BUDGET, remedy });
        }
        let shape = Estimate { rows: sums.rows(policy.parameters(), shape.depth), ..shape };
        let axes = [("agents", agents.into()), ("rows", shape.rows.into()), ("rollouts", shape.rollouts.into())];
        let rows = plan.buffer("rollouts", &axes, "rollouts")?;
        let kernel = plan.kernel(kernels.estimate(env, policy, sums)?);
        let buffers = buffers.with("mw_estimate", &plan.uniform("estimate", &shape)).with("mw_rollout_rows", &rows);
        let mut recording = Recording::default();
        recording.push(&plan.pass(kernel, agents, shape.rollouts.into(), iterations, &buffers));
        Ok(Self { recording, agents, shape, rows })
    }

    /// Adds the stage to a recording.
    pub fn record(&self, recording: &mut Recording) {
        recording.extend(&self.recording);
    }

    /// Shape of the rollouts, [`Estimate::rows`] included.
    pub fn shape(&self) -> Estimate {
        self.shape
    }

    /// Moments (count, mean, sum of squared deviations) of every row, `[agent][row]`.
    pub fn moments(&self, plan: &mut Plan, kernels: &Kernels) -> Result<Reduced> {
        let agents = self.agents * self.shape.rows;
        let buffers = Buffers::default().with("mw_rollout_rows", &self.rows);
        let elements = Elements::from(self.shape.rollouts);
        Reduced::new(plan, kernels, Reduction::Rollouts, Reduction::Moments, agents, elements, &buffers)
    }

    /// The same of the differences of returns between agents 2 i and 2 i + 1, `[i]`.
    pub fn differences(&self, plan: &mut Plan, kernels: &Kernels) -> Result<Reduced> {
        let buffers = Buffers::default().with("mw_rollout_rows", &self.rows);
        let elements =
            Elements { stride: self.shape.rows * self.shape.rollouts, ..Elements::from(self.shape.rollouts) };
        let pairs = self.agents / 2;
        Reduced::new(plan, kernels, Reduction::Differences, Reduction::Moments, pairs, elements, &buffers)
    }
}
