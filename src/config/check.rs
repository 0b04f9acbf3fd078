//! What settings have to be together, beyond the range of each.

use super::{ActionNoise, Algo, Config, Penalty};
use crate::env::{ActionSpace, Environment, UNBOUNDED};
use crate::error::{Error, Result};
use crate::kernels::{Estimator, Importance};

/// Samples of a batch; kernels count samples in words, slices filled up.
const LARGEST_BATCH: u64 = 1 << 30;

/// Most gradient steps of an update: it is recorded ahead.
const MOST_STEPS: u64 = 1 << 13;
/// Most steps of each world in an update, and before the first one.
const MOST_ROUNDS: u32 = 1 << 13;
const MOST_WARM_UP: u32 = 1 << 18;

impl Config {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let table = self.table()?;
        for setting in Self::SETTINGS {
            if let Some(value) = table.get(setting.name) {
                setting.range.check(setting.name, value)?;
            }
        }
        if self.hidden.len() > 16 {
            return Err(Error::setting(
                "hidden",
                format!("{} layers are not allowed; at most 16 are", self.hidden.len()),
            ));
        }
        self.check_algo()?;
        if self.algo.is_search() {
            return Ok(());
        }
        let batch = u64::from(self.num_envs) * u64::from(self.num_steps);
        let held = batch.saturating_mul(u64::from(self.reuse) + 1);
        if held > LARGEST_BATCH {
            let (envs, steps) = (self.num_envs, self.num_steps);
            let rollouts = if self.reuse > 0 { format!(" × (reuse {} + 1)", self.reuse) } else { String::new() };
            return Err(Error::setting(
                "num_envs",
                format!(
                    "num_envs {envs} × num_steps {steps}{rollouts} = {held} samples, at most {LARGEST_BATCH} are \
                     possible; reduce one of them"
                ),
            ));
        }
        let passes = [
            ("num_minibatches", self.num_minibatches, "update_epochs", self.update_epochs),
            ("value_minibatches", self.value_minibatches, "value_epochs", self.value_epochs),
        ];
        let apart = usize::from(self.algo.fits_apart() && self.estimator.has_critic());
        for (name, count, epochs_name, epochs) in passes.into_iter().take(1 + apart) {
            if u64::from(count) > batch {
                return Err(Error::setting(
                    name,
                    format!("{count} minibatches of {batch} samples would be empty; set it to {batch} at most"),
                ));
            }
            // what does not divide makes one more
            let made = batch.div_ceil((batch / u64::from(count)).max(1));
            let passes = u64::from(epochs) * made;
            if passes > 1 << 16 {
                let reason = format!(
                    "{epochs_name} {epochs} × minibatches {made} = {passes} steps in an update, at most 65536 are possible"
                );
                return Err(Error::setting(epochs_name, reason));
            }
        }
        if self.estimator == Estimator::OptimalBaseline && (self.norm_adv || self.discount_gradient) {
            let name = if self.norm_adv { "norm_adv" } else { "discount_gradient" };
            let reason = "optimal-baseline weighs plain returns; it must be false, or the estimator another";
            return Err(Error::setting(name, reason));
        }
        let means = matches!(self.estimator, Estimator::MeanBaseline | Estimator::OptimalBaseline);
        if self.one_episode && (means || self.norm_adv) {
            let reason = "means over the batch would count what weighs 0: choose another estimator, and norm_adv=false";
            return Err(Error::setting("one_episode", reason));
        }
        let wants_whole = self.discount_gradient || self.one_episode || self.estimator == Estimator::TotalReturn;
        if wants_whole && !self.fresh_episodes {
            let name = match (self.discount_gradient, self.one_episode) {
                (true, _) => "discount_gradient",
                (_, true) => "one_episode",
                _ => "estimator",
            };
            let reason = "it counts from the first step of an episode: set fresh_episodes=true as well";
            return Err(Error::setting(name, reason));
        }
        if self.log_std_max <= self.log_std_min {
            let reason =
                format!("{} is not allowed; it must be above log_std_min {}", self.log_std_max, self.log_std_min);
            return Err(Error::setting("log_std_max", reason));
        }
        Ok(())
    }

    /// Checks every value, and whether the environment can have them.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value, what is allowed, and the actions of the environment.
    pub fn check_for(&self, env: &Environment) -> Result<()> {
        self.check()?;
        if self.algo.is_off_policy() {
            return off_policy_for(self, env);
        }
        self.exploration(env).check(env.name(), &env.spec().action_space)?;
        if self.algo == Algo::Pattern { pattern_for(self, env) } else { Ok(()) }
    }

    /// Refuses what the algorithm does not have.
    fn check_algo(&self) -> Result<()> {
        let name = self.algo.name();
        if self.reuse > 0 && self.algo != Algo::Reinforce {
            let reason = format!("{} is not allowed: {name} learns from its newest rollout only", self.reuse);
            return Err(Error::setting("reuse", reason));
        }
        match self.algo {
            Algo::Ppo => gae_only(self, name),
            Algo::A2c => one_step(self, name).and_then(|()| gae_only(self, name)),
            Algo::Reinforce => one_step(self, name).and_then(|()| reinforce(self)),
            Algo::Npg | Algo::Trpo => one_step(self, name).and_then(|()| natural(self, name)),
            Algo::Ddpg | Algo::Td3 | Algo::Sac => off_policy(self, name),
            Algo::Cem | Algo::Ga | Algo::Pattern | Algo::Es | Algo::Ars | Algo::Random => search(self, name),
        }
    }
}

/// Refuses what an algorithm that takes one step on the whole batch does not have.
fn one_step(config: &Config, name: &str) -> Result<()> {
    if (config.update_epochs, config.num_minibatches) != (1, 1) {
        let reason = format!("{name} takes one step on the whole batch: update_epochs and num_minibatches must be 1");
        return Err(Error::setting("update_epochs", reason));
    }
    if config.penalty == Penalty::Kl {
        let reason = format!("{name} has no penalty: its one step starts at the policy that acted");
        return Err(Error::setting("penalty", reason));
    }
    Ok(())
}

/// Refuses other estimators where actor and critic learn side by side.
fn gae_only(config: &Config, name: &str) -> Result<()> {
    if config.estimator == Estimator::Gae && !config.discount_gradient && !config.one_episode {
        return Ok(());
    }
    let reason = format!("{name} has generalised advantages only (gae); reinforce, npg and trpo have the others");
    let setting = match (config.discount_gradient, config.one_episode) {
        (true, _) => "discount_gradient",
        (_, true) => "one_episode",
        _ => "estimator",
    };
    Err(Error::setting(setting, reason))
}

fn reinforce(config: &Config) -> Result<()> {
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

fn natural(config: &Config, name: &str) -> Result<()> {
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

/// Refuses settings that it does not have.
fn off_policy(config: &Config, name: &str) -> Result<()> {
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
    Ok(())
}

/// Most parameters of a pattern search, every generation of which has two members for each.
const MOST_PATTERN: u32 = 1000;

/// Refuses populations that a search cannot have.
fn search(config: &Config, name: &str) -> Result<()> {
    let (population, counted) = (config.population, config.elites());
    let mirrored = matches!(config.algo, Algo::Es | Algo::Ars);
    if mirrored && !population.is_multiple_of(2) {
        let reason = format!("{population} is not allowed: {name} mirrors every perturbation; it must be even");
        return Err(Error::setting("population", reason));
    }
    if config.algo == Algo::Cem && counted < 2 {
        let reason = format!(
            "{} of population {population} is {counted} member, which has no deviation; it must be at least {}",
            config.elite_fraction,
            2.0 / f64::from(population)
        );
        return Err(Error::setting("elite_fraction", reason));
    }
    if config.algo == Algo::Ga && config.unchanged > counted {
        let reason = format!(
            "{} is not allowed: elite_fraction {} of population {population} leaves {counted} parents",
            config.unchanged, config.elite_fraction
        );
        return Err(Error::setting("unchanged", reason));
    }
    let worlds = u64::from(population) * u64::from(config.episodes_per_member);
    if worlds > 1 << 24 {
        let reason = format!(
            "{} × population {population} = {worlds} episodes in a generation, at most {} are possible",
            config.episodes_per_member,
            1 << 24
        );
        return Err(Error::setting("episodes_per_member", reason));
    }
    Ok(())
}

/// Refuses networks that are too large for a pattern search.
fn pattern_for(config: &Config, env: &Environment) -> Result<()> {
    let outputs = env.spec().action_space.outputs(config.exploration(env));
    let widths = [&[env.spec().observation_dim], config.hidden.as_slice(), &[outputs]].concat();
    let parameters: u64 = widths.windows(2).map(|pair| (u64::from(pair[0]) + 1) * u64::from(pair[1])).sum();
    if parameters <= MOST_PATTERN.into() {
        return Ok(());
    }
    let shown: Vec<String> = widths.iter().map(ToString::to_string).collect();
    let reason = format!(
        "layers {} have {parameters} parameters; pattern search tries every one of them in every generation, and takes at \
         most {MOST_PATTERN}: make them narrower (hidden=[] is linear), or take cem or es",
        shown.join("-")
    );
    Err(Error::setting("hidden", reason))
}

/// Refuses environments whose actions it does not have.
///
/// # Errors
/// [`Error::Setting`] with the actions and the remedy.
fn off_policy_for(config: &Config, env: &Environment) -> Result<()> {
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
    let drawn = config.algo == Algo::Sac || !space.is_box();
    if drawn && config.action_noise != ActionNoise::Normal {
        let reason = format!(
            "ornstein-uhlenbeck is added to actions that an actor chooses without chance, and those of {algo} in {name} are \
             drawn; leave it normal"
        );
        return Err(Error::setting("action_noise", reason));
    }
    Ok(())
}
