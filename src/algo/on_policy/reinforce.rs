//! The policy gradient (Williams 1992), with what the thirty years after it put in the place of the return (`estimator`).

use super::OnPolicy;
use crate::gpu::Recording;

/// One update, from a rollout to new parameters.
pub(super) fn record(agents: &OnPolicy) -> Recording {
    let mut update = Recording::default();
    agents.collect(&mut update); // T steps of N worlds, V where the estimator wants it, Φ and returns
    agents.weigh(&mut update); // Φ of older rollouts by their importance
    agents.measure(&mut update); // moments of Φ, where it is normalised
    agents.learn(&mut update); // ∇ of −log π Φ − c_H H; limit the norm, the optimiser's step
    agents.fit(&mut update); // some epochs of V on the returns
    agents.finish(&mut update); // metrics; the next update's learning rate
    update
}
