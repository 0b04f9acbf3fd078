//! The policy gradient (Williams 1992), with what the thirty years after it put in the place of the return (`estimator`).

use super::ActorCritic;
use crate::error::{Error, Result};
use crate::gpu::Recording;
use crate::kernels::{Estimator, Importance};
use crate::train::Config;

/// One update, from a rollout to new parameters.
pub(super) fn record(agents: &ActorCritic) -> Recording {
    let mut update = Recording::default();
    agents.collect(&mut update); // T steps of N worlds, V where the estimator wants it, Φ and returns
    agents.weigh(&mut update); // Φ of older rollouts by their importance
    agents.learn(&mut update); // ∇ of −log π Φ − c_H H; limit the norm, the optimiser's step
    agents.fit(&mut update); // some epochs of V on the returns
    agents.finish(&mut update); // metrics; the next update's learning rate
    update
}

pub(super) fn check(config: &Config) -> Result<()> {
    super::one_step(config, "reinforce")?;
    if config.reuse == 0 {
        return Ok(());
    }
    if !config.fresh_episodes {
        let reason = "weights are products along whole episodes: set fresh_episodes=true as well";
        return Err(Error::setting("reuse", reason));
    }
    let weighed = match config.importance {
        Importance::PerDecision => &[Estimator::RewardToGo][..],
        _ => &[Estimator::TotalReturn, Estimator::RewardToGo, Estimator::ValueBaseline],
    };
    if !weighed.contains(&config.estimator) {
        let names: Vec<&str> = weighed.iter().map(|estimator| estimator.name()).collect();
        let reason = format!(
            "{} takes values or means of older policies for the new one's; with reuse and importance={} there are: {}",
            config.estimator.name(),
            config.importance.name(),
            names.join(", ")
        );
        return Err(Error::setting("estimator", reason));
    }
    for (name, wrong, reason) in [
        ("norm_adv", config.norm_adv, "weighted samples have another mean; it must be false with reuse"),
        ("ent_coef", config.ent_coef > 0.0, "older samples would count in full; it must be 0 with reuse"),
        ("use_sde", config.use_sde, "noise that lasts makes steps depend on each other; it must be false with reuse"),
    ] {
        if wrong {
            return Err(Error::setting(name, reason));
        }
    }
    if config.importance == Importance::PerDecision && (config.discount_gradient || config.one_episode) {
        let name = if config.discount_gradient { "discount_gradient" } else { "one_episode" };
        let reason = "per-decision weights make returns of their own; it must be false, or the importance another";
        return Err(Error::setting(name, reason));
    }
    if config.norm_obs || config.norm_reward {
        let name = if config.norm_obs { "norm_obs" } else { "norm_reward" };
        let reason = "older rollouts were seen through other moments; it must be false with reuse";
        return Err(Error::setting(name, reason));
    }
    Ok(())
}
