//! Running moments of observations and of discounted rewards.

use super::{Elements, Reduced};
use crate::batch::{Agents, Batch};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Gpu, Recording};
use crate::kernels::{Kernels, Reduction};
use crate::layout::Blocks;

/// Joins each batch's moments to the running ones, which stand among the agents' parameters.
#[derive(Clone, Debug)]
pub struct Normaliser {
    observations: Recording,
    rewards: Recording,
    /// Discounted sums of rewards that go on into the next rollout, `[agent][world]`.
    pub discounted: Buffer<f32>,
}

impl Normaliser {
    /// Of observations, of rewards, or of both.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::buffer`].
    pub fn new(
        gpu: &Gpu,
        kernels: &Kernels,
        agents: &Agents,
        batch: &Batch,
        features: u32,
        [observed, rewarded]: [bool; 2],
    ) -> Result<Self> {
        let (count, run) = (agents.count, &agents.run);
        if observed && u64::from(count) * u64::from(features) > 65_535 {
            let reason =
                format!("{count} agents × {features} features are more than 65,535; train fewer agents at once");
            return Err(Error::setting("norm_obs", reason));
        }
        let worlds = u64::from(count) * u64::from(run.num_envs);
        let discounted = gpu.buffer("discounted rewards", worlds, "agents × worlds", "num_envs")?;
        let buffers = batch.buffers(&agents.buffers()).with("mw_discounted", &discounted);
        let elements = Elements::from(run.batch_size);
        let merge = |recording: &mut Recording, moments: &Reduced, first: u32, entries: u32| -> Result<()> {
            moments.record(recording);
            let blocks = Blocks { count: entries, stride: first, ..Blocks::default() };
            let buffers: Buffers = agents
                .buffers()
                .with("mw_moments", &moments.result)
                .with("mw_blocks", &gpu.uniform("entries", &blocks)?);
            recording.push(&gpu.kernel(&kernels.merge_moments()?)?.pass(gpu, count, entries.into(), 0, &buffers)?);
            Ok(())
        };
        let moments = |kind, agents| Reduced::new(gpu, kernels, kind, Reduction::Moments, agents, elements, &buffers);

        let mut observations = Recording::default();
        if observed {
            merge(&mut observations, &moments(Reduction::Observations, count * features)?, 0, features)?;
        }
        let mut rewards = Recording::default();
        if rewarded {
            let kernel = gpu.kernel(&kernels.discount_rewards()?)?;
            rewards.push(&kernel.pass(gpu, count, run.num_envs.into(), run.num_steps.into(), &buffers)?);
            merge(&mut rewards, &moments(Reduction::Discounted, count)?, features, 1)?;
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
