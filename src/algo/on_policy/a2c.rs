//! Advantage actor-critic (Mnih et al. 2016), all worlds in step, with the defaults of Stable-Baselines3: short rollouts,
//! one step on the whole batch, λ = 1.

use super::OnPolicy;
use crate::gpu::Recording;

/// One update, from a rollout to new parameters.
pub(super) fn record(agents: &OnPolicy) -> Recording {
    let mut update = Recording::default();
    agents.collect(&mut update); // T steps of N worlds, V of every observation, advantages G − V
    agents.measure(&mut update); // their moments, where they are normalised
    agents.learn(&mut update); // ∇ of −log π A, entropy and value loss; limit the norm, RMSprop
    agents.finish(&mut update); // metrics; the next update's learning rate
    update
}
