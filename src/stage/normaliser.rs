//! Running moments of observations and of discounted rewards.

use super::{Elements, Reduced};
use crate::batch::{Agents, Batch};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Recording};
use crate::kernels::{Kernels, Reduction};
use crate::layout::Blocks;
use crate::plan::{Plan, Split};

/// Joins each batch's moments to the running ones, which stand among the agents' parameters.
#[derive(Clone, Debug)]
pub struct Normaliser {
    observations: Recording,
    rewards: Recording,
    /// Discounted sums of rewards that go on into the next rollout, `[agent][world]`.
    pub discounted: Buffer<f32>,
}

impl Normaliser {
    /// Moments of observations, of rewards, or of both.
    ///
    /// # Errors
    /// [`Error::Setting`] where agents and features are too many, and those of [`Plan::buffer`].
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        agents: &Agents,
        batch: &Batch,
        features: u32,
        [observed, rewarded]: [bool; 2],
    ) -> Result<Self> {
        let (count, run) = (agents.count, &agents.run);
        if observed && u64::from(count) * u64::from(features) > 65_535 {
            let reason = format!(
                "{count} agents × {features} features are more than 65,535; train fewer agents at once, or set norm_obs=false"
            );
            return Err(Error::setting("norm_obs", reason));
        }
        let axes = [("agents", count.into()), ("worlds", run.num_envs.into())];
        let discounted = plan.buffer("discounted rewards", &axes, "num_envs")?;
        plan.keep_worlds("discounted rewards", &discounted, Split { worlds: run.num_envs, inner: 1, places: 0 });
        let buffers = batch.buffers(&agents.buffers()).with("mw_discounted", &discounted);
        let elements = Elements::from(run.batch_size);
        // moments of a batch, joined to the running ones from entry `first` on
        let joined = |plan: &mut Plan, kind, agent_rows, first: u32, entries: u32| -> Result<Recording> {
            let moments =
                Reduced::new(plan, kernels, kind, Reduction::Moments, agent_rows, elements, &buffers)?.of_ranks(plan);
            let mut recording = Recording::default();
            moments.record(&mut recording);
            let blocks = Blocks { count: entries, stride: first, ..Blocks::default() };
            let buffers = agents
                .buffers()
                .with("mw_moments", &moments.result)
                .with("mw_blocks", &plan.uniform("entries", &blocks));
            let kernel = plan.kernel(kernels.merge_moments()?);
            recording.push(&plan.pass(kernel, count, entries.into(), 0, &buffers));
            Ok(recording)
        };

        let mut observations = Recording::default();
        if observed {
            observations = joined(plan, Reduction::Observations, count * features, 0, features)?;
        }
        let mut rewards = Recording::default();
        if rewarded {
            let kernel = plan.kernel(kernels.discount_rewards()?);
            rewards.push(&plan.pass(kernel, count, run.num_envs.into(), run.num_steps.into(), &buffers));
            rewards.extend(&joined(plan, Reduction::Discounted, count, features, 1)?);
        }
        Ok(Self { observations, rewards, discounted })
    }

    /// Before the advantages, which see rewards by the deviation up to this batch.
    pub fn record_rewards(&self, update: &mut Recording) {
        update.extend(&self.rewards);
    }

    /// At the end of an update, all of which sees observations by the moments that its rollout saw.
    pub fn record_observations(&self, update: &mut Recording) {
        update.extend(&self.observations);
    }
}
