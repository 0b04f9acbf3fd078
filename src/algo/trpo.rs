//! Natural policy gradient (Kakade 2001) and trust-region policy optimisation (Schulman et al. 2015).

use super::ActorCritic;
use crate::error::{Error, Result};
use crate::gpu::Recording;
use crate::kernels::Estimator;
use crate::train::Config;

/// One update, from a rollout to new parameters.
pub(super) fn record(agents: &ActorCritic) -> Recording {
    let mut update = Recording::default();
    agents.collect(&mut update); // T steps of N worlds, V of every observation, GAE(γ, λ)
    agents.gradient(&mut update); // g = ∇ of the surrogate
    agents.natural_step(&mut update); // x ≈ F⁻¹g, θ ← θ + √(2δ/xᵀFx) x; trpo: shorter until KL ≤ δ and the surrogate grows
    agents.fit(&mut update); // some epochs of V on the returns
    agents.finish(&mut update); // metrics
    update
}

pub(super) fn check(config: &Config, name: &str) -> Result<()> {
    super::one_step(config, name)?;
    if config.ent_coef > 0.0 {
        let reason = format!("{} is not allowed: {name} has no entropy bonus, ent_coef must be 0", config.ent_coef);
        return Err(Error::setting("ent_coef", reason));
    }
    if config.estimator == Estimator::OptimalBaseline {
        let reason = format!("{name} measures one surrogate, not one for each parameter; choose another estimator");
        return Err(Error::setting("estimator", reason));
    }
    Ok(())
}
