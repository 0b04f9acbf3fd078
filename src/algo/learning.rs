//! A run of any algorithm, as its trainer sees it.

use super::{ActorCritic, OffPolicy};
use crate::config::Config;
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Recording};
use crate::layout::Metrics;
use crate::nn::Parameters;
use crate::stage::Evaluation;

/// One or more independent agents and an update of their algorithm.
#[derive(Debug)]
pub enum Learning {
    /// From rollouts.
    ActorCritic(Box<ActorCritic>),
    /// From rings of transitions.
    OffPolicy(Box<OffPolicy>),
}

impl Learning {
    /// Agents with these seeds. The seed in `config` is not used.
    ///
    /// # Errors
    /// As [`ActorCritic::new`] and [`OffPolicy::new`].
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        if config.algo.is_off_policy() {
            let agents = OffPolicy::new(gpu, env, config, seeds)?;
            agents.begin(gpu)?;
            return Ok(Self::OffPolicy(Box::new(agents)));
        }
        Ok(Self::ActorCritic(Box::new(ActorCritic::new(gpu, env, config, seeds)?)))
    }

    /// The passes of an update; the same for every update.
    pub fn update(&self) -> &Recording {
        match self {
            Self::ActorCritic(agents) => agents.update(),
            Self::OffPolicy(agents) => agents.update(),
        }
    }

    /// `[update % RING][agent]`
    pub fn metrics(&self) -> &Buffer<Metrics> {
        match self {
            Self::ActorCritic(agents) => &agents.metrics,
            Self::OffPolicy(agents) => &agents.metrics,
        }
    }

    /// Whole episodes under the current parameters.
    pub fn evaluation(&self) -> &Evaluation {
        match self {
            Self::ActorCritic(agents) => &agents.evaluation,
            Self::OffPolicy(agents) => &agents.evaluation,
        }
    }

    /// Where an agent's parameters lie, those of all buffers one after the other.
    pub fn layout(&self) -> &Parameters {
        match self {
            Self::ActorCritic(agents) => &agents.layout,
            Self::OffPolicy(agents) => &agents.layout,
        }
    }

    /// Every buffer that a run needs to go on, by name; those of the transitions where `ring` is set.
    pub fn state(&self, ring: bool) -> Vec<(String, &wgpu::Buffer)> {
        match self {
            Self::ActorCritic(agents) => agents.state(),
            Self::OffPolicy(agents) => agents.state(ring),
        }
    }

    /// Schedules (learning rates, clip range, temperature of the Gumbel-softmax) of the update that comes next, for a run
    /// that goes on with another number of updates than its state was made with.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::submit`].
    pub fn reschedule(&self, gpu: &Gpu, env: &Environment, config: &Config) -> Result<()> {
        match self {
            Self::ActorCritic(agents) => agents.reschedule(gpu, env),
            Self::OffPolicy(agents) => agents.reschedule(gpu, env, config),
        }
    }

    /// Makes up for transitions that were not kept.
    ///
    /// # Errors
    /// As [`Gpu::submit`].
    pub fn refill(&self, gpu: &Gpu, config: &Config) -> Result<()> {
        match self {
            Self::ActorCritic(_) => Ok(()),
            Self::OffPolicy(agents) => agents.refill(gpu, config),
        }
    }

    /// Buffers that hold neighbouring networks of every agent, `[agent][word]` each.
    pub fn parameters(&self) -> Vec<&Buffer<f32>> {
        match self {
            Self::ActorCritic(agents) => vec![&agents.agents.parameters],
            Self::OffPolicy(agents) => vec![&agents.actor.parameters, &agents.critic.parameters],
        }
    }
}
