//! Proximal policy optimisation (Schulman et al. 2017), with the details of CleanRL's `ppo.py`.

use super::OnPolicy;
use crate::config::{Config, Penalty};
use crate::gpu::Recording;
use crate::kernels::Objective;

pub(super) fn objective(config: &Config) -> Objective {
    match config.penalty {
        Penalty::Clip => Objective::PpoClip,
        Penalty::Kl => Objective::PpoKl,
    }
}

/// One update, from a rollout to new parameters.
pub(super) fn record(agents: &OnPolicy, config: &Config) -> Recording {
    let mut update = Recording::default();
    agents.collect(&mut update); // T steps of N worlds, V of every observation, GAE(γ, λ)
    agents.measure(&mut update); // moments of the advantages of each minibatch of each epoch
    for _ in 0..config.update_epochs {
        for _ in 0..agents.minibatches() {
            agents.learn(&mut update); // ∇ of the surrogate, entropy and value loss; limit the norm, Adam
        }
    }
    agents.finish(&mut update); // metrics; the next update's learning rate
    update
}
