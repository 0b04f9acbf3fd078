//! Natural policy gradient (Kakade 2001) and trust-region policy optimisation (Schulman et al. 2015).

use super::OnPolicy;
use crate::gpu::Recording;

/// One update, from a rollout to new parameters.
pub(super) fn record(agents: &OnPolicy) -> Recording {
    let mut update = Recording::default();
    agents.collect(&mut update); // T steps of N worlds, V of every observation, GAE(γ, λ)
    agents.measure(&mut update); // moments of the advantages
    agents.gradient(&mut update); // g = ∇ of the surrogate
    agents.natural_step(&mut update); // x ≈ F⁻¹g, θ ← θ + √(2δ/xᵀFx) x; trpo: shorter until KL ≤ δ and the surrogate grows
    agents.fit(&mut update); // some epochs of V on the returns
    agents.finish(&mut update); // metrics
    update
}
