//! A run of any algorithm, as its trainer sees it.

use super::{ActorCritic, OffPolicy};
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu, Recording};
use crate::layout::Metrics;
use crate::nn::Parameters;
use crate::stage::Evaluation;
use crate::train::Config;

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
            return Ok(Self::OffPolicy(Box::new(OffPolicy::new(gpu, env, config, seeds)?)));
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

    /// Buffers that hold neighbouring networks of every agent, `[agent][word]` each.
    pub fn parameters(&self) -> Vec<&Buffer<f32>> {
        match self {
            Self::ActorCritic(agents) => vec![&agents.agents.parameters],
            Self::OffPolicy(agents) => vec![&agents.actor.parameters, &agents.critic.parameters],
        }
    }
}
