//! Algorithms that learn from rollouts of their current policy.

mod a2c;
mod agents;
mod learners;
mod ppo;
mod reinforce;
mod trpo;

pub use agents::OnPolicy;

use crate::config::{Algo, Config};
use crate::gpu::Recording;
use crate::kernels::Objective;

/// What the policy is trained for.
fn objective(config: &Config) -> Objective {
    match config.algo {
        Algo::Ppo => ppo::objective(config),
        _ => Objective::PolicyGradient,
    }
}

/// One update, from a rollout to new parameters.
fn record(agents: &OnPolicy, config: &Config) -> Recording {
    match config.algo {
        Algo::Ppo => ppo::record(agents, config),
        Algo::A2c => a2c::record(agents),
        Algo::Reinforce => reinforce::record(agents),
        Algo::Npg | Algo::Trpo => trpo::record(agents),
        _ => Recording::default(), // they learn otherwise
    }
}
