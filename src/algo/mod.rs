//! Algorithms, one file each; each reads from top to bottom like its pseudocode. What they are made of is in
//! `actor_critic.rs`.

mod a2c;
mod actor_critic;
mod learning;
pub(crate) mod off_policy;
mod ppo;
mod reinforce;
mod replayed;
mod setup;
mod trpo;

pub use actor_critic::{ActorCritic, RING};
pub use learning::Learning;
pub use replayed::OffPolicy;
pub(crate) use setup::{ACTOR, CRITIC, HEAD_GAINS};
pub use setup::{networks, sizes};

use crate::error::{Error, Result};
use crate::gpu::Recording;
use crate::kernels::{Estimator, Objective};
use crate::train::{Config, Penalty};
use serde::{Deserialize, Serialize};

/// An algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algo {
    /// Proximal policy optimisation.
    #[default]
    Ppo,
    /// Advantage actor-critic.
    A2c,
    /// The policy gradient.
    Reinforce,
    /// Natural policy gradient.
    Npg,
    /// Trust-region policy optimisation.
    Trpo,
    /// Deep deterministic policy gradient.
    Ddpg,
    /// Twin delayed deep deterministic policy gradient.
    Td3,
    /// Soft actor-critic.
    Sac,
}

impl Algo {
    /// Every algorithm.
    pub const ALL: [Self; 8] =
        [Self::Ppo, Self::A2c, Self::Reinforce, Self::Npg, Self::Trpo, Self::Ddpg, Self::Td3, Self::Sac];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ppo => "ppo",
            Self::A2c => "a2c",
            Self::Reinforce => "reinforce",
            Self::Npg => "npg",
            Self::Trpo => "trpo",
            Self::Ddpg => "ddpg",
            Self::Td3 => "td3",
            Self::Sac => "sac",
        }
    }

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algo| algo.name() == name)
    }

    /// Settings whose defaults are others than PPO's, as TOML.
    pub(crate) fn defaults(self) -> &'static str {
        match self {
            Self::Ppo => "",
            Self::A2c => include_str!("../../presets/a2c.toml"),
            Self::Reinforce => include_str!("../../presets/reinforce.toml"),
            Self::Npg | Self::Trpo => include_str!("../../presets/trpo.toml"),
            Self::Ddpg => include_str!("../../presets/ddpg.toml"),
            Self::Td3 => include_str!("../../presets/td3.toml"),
            Self::Sac => include_str!("../../presets/sac.toml"),
        }
    }

    /// Refuses settings that it does not have.
    pub(crate) fn check(self, config: &Config) -> Result<()> {
        if config.reuse > 0 && self != Self::Reinforce {
            let reason =
                format!("{} is not allowed: {} learns from its newest rollout only", config.reuse, self.name());
            return Err(Error::setting("reuse", reason));
        }
        match self {
            Self::Ppo => ppo::check(config),
            Self::A2c => a2c::check(config),
            Self::Reinforce => reinforce::check(config),
            Self::Npg | Self::Trpo => trpo::check(config, self.name()),
            Self::Ddpg | Self::Td3 | Self::Sac => off_policy::check(config, self.name()),
        }
    }

    /// Whether it learns from a ring of transitions.
    pub fn is_off_policy(self) -> bool {
        matches!(self, Self::Ddpg | Self::Td3 | Self::Sac)
    }

    /// Whether the value network is fitted apart from the policy.
    pub(crate) fn fits_apart(self) -> bool {
        matches!(self, Self::Reinforce | Self::Npg | Self::Trpo)
    }

    /// Whether its step is a natural gradient's.
    pub(crate) fn is_natural(self) -> bool {
        matches!(self, Self::Npg | Self::Trpo)
    }

    /// Whether one pass over the whole batch is all that the policy takes.
    pub(crate) fn takes_one_step(self) -> bool {
        self != Self::Ppo
    }

    /// What the policy is trained for.
    fn objective(self, config: &Config) -> Objective {
        match self {
            Self::Ppo => ppo::objective(config),
            _ => Objective::PolicyGradient,
        }
    }

    /// One update of an algorithm with rollouts, to new parameters.
    fn record(self, agents: &ActorCritic, config: &Config) -> Recording {
        match self {
            Self::Ppo => ppo::record(agents, config),
            Self::A2c => a2c::record(agents),
            Self::Reinforce => reinforce::record(agents),
            Self::Npg | Self::Trpo => trpo::record(agents),
            // they learn from replay
            Self::Ddpg | Self::Td3 | Self::Sac => Recording::default(),
        }
    }
}

/// Refuses what an algorithm that takes one step on the whole batch does not have.
fn one_step(config: &Config, name: &str) -> Result<()> {
    if (config.update_epochs, config.num_minibatches) != (1, 1) {
        let reason = format!("{name} takes one step on the whole batch: update_epochs and num_minibatches must be 1");
        return Err(Error::setting("update_epochs", reason));
    }
    if config.penalty == Penalty::Kl {
        let reason = format!("{name} has no penalty: its one step starts at the policy that acted");
        return Err(Error::setting("penalty", reason));
    }
    Ok(())
}

/// Refuses other estimators where actor and critic learn side by side.
fn gae_only(config: &Config, name: &str) -> Result<()> {
    if config.estimator == Estimator::Gae && !config.discount_gradient && !config.one_episode {
        return Ok(());
    }
    let reason = format!("{name} has generalised advantages only (gae); reinforce, npg and trpo have the others");
    let setting = match (config.discount_gradient, config.one_episode) {
        (true, _) => "discount_gradient",
        (_, true) => "one_episode",
        _ => "estimator",
    };
    Err(Error::setting(setting, reason))
}
