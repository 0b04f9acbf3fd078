//! Algorithms, one file each; each reads from top to bottom like its pseudocode. What they are made of is in
//! `actor_critic.rs`.

mod a2c;
mod actor_critic;
mod learning;
mod networks;
pub(crate) mod off_policy;
mod ppo;
mod reinforce;
mod replayed;
mod setup;
mod trpo;

pub use actor_critic::{ActorCritic, RING};
pub use learning::{Learning, describe, sizes};
pub use networks::networks;
pub(crate) use networks::{ACTOR, CRITIC, HEAD_GAINS};
pub use replayed::OffPolicy;

use crate::config::{Algo, Config};
use crate::gpu::Recording;
use crate::kernels::Objective;

impl Algo {
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
