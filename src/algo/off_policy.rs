//! Deep deterministic policy gradient (Lillicrap et al. 2016), its twin delayed form (Fujimoto, van Hoof & Meger 2018) and
//! soft actor-critic (Haarnoja et al. 2018), with the details of CleanRL's files of those names. They are one loop:
//!
//! | | acts with | y | actor's loss | what follows |
//! |---|---|---|---|---|
//! | `ddpg` | μ(s) + noise | r + γ Q'(s', μ'(s')) | −Q(s, μ(s)) | Q', μ' |
//! | `td3` | μ(s) + noise | r + γ min_j Q'_j(s', μ'(s') + clipped noise) | −Q_1(s, μ(s)), every second time | Q'_1, Q'_2, μ' |
//! | `sac` | a ~ π(s) | r + γ (min_j Q'_j(s', a') − α log π(a'∣s')), a' ~ π(s') | α log π(a∣s) − min_j Q_j(s, a) | Q'_1, Q'_2 |
//!
//! Choices go through the straight-through Gumbel-softmax (Jang, Gu & Poole 2017): critics see a one-hot vector, the actor's
//! gradient is that of the soft one; in `ddpg` and `sac`. With `ent_coef` α above 0 `ddpg` has the terms of `sac` there.

use super::{Algo, OffPolicy};
use crate::env::{ActionSpace, Environment};
use crate::error::{Error, Result};
use crate::gpu::Recording;
use crate::kernels::Decision;
use crate::train::{ActionNoise, Config};

/// One update: steps of all worlds and gradient steps, by turns.
pub(super) fn record(agents: &OffPolicy, config: &Config) -> Recording {
    let mut update = Recording::default();
    let mut steps = 0;
    for round in 0..config.num_steps / config.train_freq {
        for step in 0..config.train_freq {
            let first = (round, step) == (0, 0);
            agents.interact(&mut update, first); // every world acts; (s, a, r, s') into the ring
        }
        for _ in 0..config.gradient_steps {
            steps += 1;
            gradient_step(agents, &mut update, steps % config.policy_frequency == 0);
        }
    }
    agents.finish(&mut update); // metrics
    update
}

/// One gradient step; the actor takes one too if it `acts`.
pub(super) fn gradient_step(agents: &OffPolicy, update: &mut Recording, acts: bool) {
    agents.draw(update); // a minibatch of transitions
    agents.learn_critics(update, acts); // y; ∇ of (Q_j(s, a) − y)², Adam
    if acts {
        agents.learn_actor(update); // ∇ of its loss through ∂Q/∂a, Adam; targets follow
    }
    agents.end_step(update, acts); // sac: log α steers the entropy
}

/// What an algorithm's actor makes of its outputs.
pub(super) fn decision(config: &Config, env: &Environment) -> Decision {
    match config.algo {
        _ if !env.spec().action_space.is_box() => Decision::Gumbel,
        Algo::Sac => Decision::Squashed { log_std: [config.log_std_min as f32, config.log_std_max as f32] },
        Algo::Td3 => Decision::Deterministic { smoothed: config.policy_noise > 0.0 },
        _ => Decision::Deterministic { smoothed: false },
    }
}

/// Critics of an agent, and how many of them judge its action.
pub(super) fn critics(algo: Algo) -> [u32; 2] {
    match algo {
        Algo::Sac => [2, 2],
        Algo::Td3 => [2, 1],
        _ => [1, 1],
    }
}

/// Bounds this far apart mean that there are none.
const UNBOUNDED: f32 = 1e6;

/// Refuses settings that it does not have.
pub(super) fn check(config: &Config, name: &str) -> Result<()> {
    let refused = [
        ("use_sde", config.use_sde, "state-dependent exploration is for algorithms with rollouts; leave it false"),
        ("norm_obs", config.norm_obs, "the ring holds what was seen through other moments; leave it false"),
        ("norm_reward", config.norm_reward, "the ring holds what was seen through other moments; leave it false"),
    ];
    if let Some((setting, _, reason)) = refused.into_iter().find(|(_, set, _)| *set) {
        return Err(Error::setting(setting, format!("{name} has it not: {reason}")));
    }
    if !config.squash {
        let reason =
            format!("false is not allowed: {name} sends real numbers through tanh into their bounds; leave it true");
        return Err(Error::setting("squash", reason));
    }
    if config.max_grad_norm != 0.0 {
        let reason =
            format!("{} is not allowed: {name} takes every gradient as it is; it must be 0", config.max_grad_norm);
        return Err(Error::setting("max_grad_norm", reason));
    }
    let (worlds, capacity, batch) = (config.num_envs, config.buffer_size, config.batch_size);
    if worlds > capacity {
        let reason = format!("{capacity} transitions are fewer than those of one step of num_envs {worlds}");
        return Err(Error::setting("buffer_size", reason));
    }
    if config.num_steps > MOST_ROUNDS {
        let reason = format!("{} is not allowed; it must be at most {MOST_ROUNDS} with {name}", config.num_steps);
        return Err(Error::setting("num_steps", reason));
    }
    if config.warm_up_steps() > MOST_WARM_UP {
        let reason = format!(
            "{} transitions are {} steps of num_envs {worlds}, at most {MOST_WARM_UP} are possible",
            config.learning_starts,
            config.warm_up_steps()
        );
        return Err(Error::setting("learning_starts", reason));
    }
    if config.warm_up() >= config.total_timesteps {
        let reason = format!(
            "{} steps without learning leave none of total_timesteps {}; lower it, or raise those",
            config.warm_up(),
            config.total_timesteps
        );
        return Err(Error::setting("learning_starts", reason));
    }
    if config.ou_theta * config.ou_dt >= 1.0 {
        let reason = format!("{} × ou_dt {} is not below 1: the process would swing", config.ou_theta, config.ou_dt);
        return Err(Error::setting("ou_theta", reason));
    }
    let stored = (config.warm_up() + u64::from(worlds) * u64::from(config.train_freq)).min(u64::from(capacity));
    if u64::from(batch) > stored {
        let reason = format!(
            "{batch} is more than the {stored} transitions that are stored at the first gradient step; reduce it, or raise \
             learning_starts ({}) or buffer_size ({capacity})",
            config.learning_starts
        );
        return Err(Error::setting("batch_size", reason));
    }
    if !config.num_steps.is_multiple_of(config.train_freq) {
        let reason = format!("{} does not divide num_steps {}", config.train_freq, config.num_steps);
        return Err(Error::setting("train_freq", reason));
    }
    let steps = config.update_gradient_steps();
    if steps > MOST_STEPS {
        let reason = format!(
            "num_steps {} / train_freq {} × gradient_steps {} = {steps} gradient steps in an update, at most {MOST_STEPS} \
             are possible",
            config.num_steps, config.train_freq, config.gradient_steps
        );
        return Err(Error::setting("gradient_steps", reason));
    }
    if !steps.is_multiple_of(u64::from(config.policy_frequency)) {
        let reason = format!(
            "{} does not divide the {steps} gradient steps of an update (num_steps {} / train_freq {} × gradient_steps {})",
            config.policy_frequency, config.num_steps, config.train_freq, config.gradient_steps
        );
        return Err(Error::setting("policy_frequency", reason));
    }
    if config.n_steps > MOST_WINDOW {
        let reason = format!("{} is not allowed; it must be at most {MOST_WINDOW}", config.n_steps);
        return Err(Error::setting("n_steps", reason));
    }
    Ok(())
}

/// Most gradient steps of an update: it is recorded ahead.
const MOST_STEPS: u64 = 1 << 13;
/// Most steps of each world in an update, and before the first one.
const MOST_ROUNDS: u32 = 1 << 13;
const MOST_WARM_UP: u32 = 1 << 18;
/// Most steps of the window of a transition.
const MOST_WINDOW: u32 = 1000;

/// Refuses environments whose actions it does not have.
///
/// # Errors
/// [`Error::Setting`] with the actions and the remedy.
pub(crate) fn check_for(config: &Config, env: &Environment) -> Result<()> {
    let (name, algo, space) = (env.name(), config.algo.name(), &env.spec().action_space);
    let refuse = |reason: String| Err(Error::setting("algo", reason));
    match space {
        ActionSpace::Box { low, high } => match (0..low.len()).find(|&i| high[i] - low[i] >= UNBOUNDED) {
            Some(i) => refuse(format!(
                "{algo} squashes actions into their bounds, and number {i} of an action of {name} has none ({:e} to {:e}); \
                 give the environment bounds, or take ppo",
                low[i], high[i]
            )),
            None => Ok(()),
        },
        ActionSpace::Discrete { .. } if config.algo == Algo::Td3 => {
            refuse(format!("td3 is for real numbers, and {name} has {space} actions; ddpg and sac have choices too"))
        }
        ActionSpace::Discrete { masked: false, count } => {
            if config.algo == Algo::Sac && config.autotune && config.target_entropy_scale >= 1.0 {
                let reason = format!(
                    "{} × log {count} nats is the entropy of a policy that only guesses in {name}; set it below 1, such as \
                     0.3",
                    config.target_entropy_scale
                );
                return Err(Error::setting("target_entropy_scale", reason));
            }
            if config.exploration_noise > 1.0 {
                let reason = format!(
                    "{} is not allowed: in {name} it is the share of random choices; it must be from 0 to 1",
                    config.exploration_noise
                );
                return Err(Error::setting("exploration_noise", reason));
            }
            Ok(())
        }
        _ => refuse(format!("{algo} has one choice or real numbers, and {name} has {space} actions; take ppo")),
    }?;
    let drawn = !matches!(decision(config, env), Decision::Deterministic { .. });
    if drawn && config.action_noise != ActionNoise::Normal {
        let reason = format!(
            "ornstein-uhlenbeck is added to actions that an actor chooses without chance, and those of {algo} in {name} are \
             drawn; leave it normal"
        );
        return Err(Error::setting("action_noise", reason));
    }
    Ok(())
}
