//! Algorithms, one file each; each reads from top to bottom like its pseudocode. What they are made of is in
//! `actor_critic.rs`.

mod a2c;
mod actor_critic;
mod ppo;

pub(crate) use actor_critic::{ACTOR, CRITIC, HEAD_GAINS};
pub use actor_critic::{ActorCritic, RING, networks, sizes};

use crate::gpu::Recording;
use crate::kernels::Objective;
use crate::train::Config;
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
}

impl Algo {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Ppo, Self::A2c];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ppo => "ppo",
            Self::A2c => "a2c",
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
        }
    }

    /// What the policy is trained for.
    fn objective(self, config: &Config) -> Objective {
        match self {
            Self::Ppo => ppo::objective(config),
            Self::A2c => a2c::OBJECTIVE,
        }
    }

    /// One update, from a rollout to new parameters.
    fn record(self, agents: &ActorCritic, config: &Config) -> Recording {
        match self {
            Self::Ppo => ppo::record(agents, config),
            Self::A2c => a2c::record(agents),
        }
    }
}
