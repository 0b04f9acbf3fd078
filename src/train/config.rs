//! The settings of a run: names as in CleanRL's `ppo.py`, each with a sentence, a default, a unit and a source.

use super::table::{self, merge, set};
use crate::algo::{Algo, off_policy};
use crate::env::{Environment, Exploration, Misfit, Spread, StateDependent};
use crate::error::{Error, Result};
use crate::kernels::{Estimator, Importance, Optimizer, Recursion};
use crate::nn::Activation;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What is known about a setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its type in Rust.
    pub kind: &'static str,
    /// Its default, as Rust.
    pub default: &'static str,
    /// What it is, in which unit.
    pub about: &'static str,
    /// Where name and default come from.
    pub source: &'static str,
}

macro_rules! settings {
    ($(#[$meta:meta])* pub struct $config:ident { $(#[doc = $about:literal] $name:ident: $kind:ty = $default:expr, $source:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $config { $(#[doc = $about] pub $name: $kind,)* }

        impl Default for $config {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl $config {
            /// Every setting, in the order of the struct.
            pub const SETTINGS: &'static [Setting] = &[$(Setting {
                name: stringify!($name),
                kind: stringify!($kind),
                default: stringify!($default),
                about: $about,
                source: $source,
            },)*];
        }
    };
}

settings! {
    /// Settings of a run; defaults are those of PPO (`manyworlds settings --algo a2c` shows others).
    pub struct Config {
        /// The algorithm: ppo, a2c, reinforce, npg, trpo, ddpg, td3 or sac.
        algo: Algo = Algo::Ppo, "ours";
        /// Seed of the run, from 0 to 2³² − 1; the same seed on the same adapter gives the same parameters, bit for bit.
        seed: u32 = 1, "CleanRL";
        /// Worlds that run side by side.
        num_envs: u32 = 1024, "CleanRL has 4; a GPU wants thousands";
        /// Steps of each world in a rollout; between two lines of metrics where transitions are replayed.
        num_steps: u32 = 32, "CleanRL has 128 with 4 worlds; thousands of worlds need fewer";
        /// Environment steps of the whole run, summed over worlds; rounded down to whole updates, at least one.
        total_timesteps: u64 = 10_000_000, "CleanRL has 500,000";
        /// Step size α of the optimiser at the start.
        learning_rate: f64 = 2.5e-4, "CleanRL";
        /// Whether the learning rate falls linearly to 0 over the run.
        anneal_lr: bool = true, "CleanRL";
        /// Discount γ of a reward one step later.
        gamma: f64 = 0.99, "CleanRL";
        /// What the policy gradient weighs ∇log π with: total-return, reward-to-go, mean-baseline, optimal-baseline (pooled over the batch), value-baseline, q, td-residual or gae.
        estimator: Estimator = Estimator::Gae, "Williams 1992 to Schulman et al. 2016; ppo and a2c have gae only";
        /// Whether Φ has the factor γᵏ of the policy-gradient theorem, k steps after the episode's first; needs fresh_episodes.
        discount_gradient: bool = false, "Sutton et al. 2000; practice leaves it out";
        /// Whether every rollout begins with new episodes in all worlds; else episodes go on from one to the next.
        fresh_episodes: bool = false, "Spinning Up (reinforce, trpo)";
        /// Whether only the first episode of each world counts in a rollout, and what begins behind it weighs 0; needs fresh_episodes.
        one_episode: bool = false, "ours: episodes that end early count no more often than others";
        /// Trace decay λ of generalised advantage estimation.
        gae_lambda: f64 = 0.95, "CleanRL; Schulman et al. 2016";
        /// Whether a truncated step is worth V(final observation) more; without, time limits count as ends.
        bootstrap_truncated: bool = true, "Pardo et al. 2018; ours is the name";
        /// Minibatches into which each epoch divides the batch; what does not divide makes one more, shorter one.
        num_minibatches: u32 = 4, "CleanRL";
        /// Passes over the batch in each update.
        update_epochs: u32 = 4, "CleanRL";
        /// Whether advantages are normalised to mean 0 and deviation 1 in each minibatch.
        norm_adv: bool = true, "CleanRL";
        /// What keeps a policy near that of the rollout: clip (its ratio) or kl (a penalty on the divergence).
        penalty: Penalty = Penalty::Clip, "Schulman et al. 2017";
        /// Weight β of the KL penalty at the start.
        kl_coef: f64 = 1.0, "Schulman et al. 2017: the start hardly matters where it adapts";
        /// KL divergence (nats) of an update that β adapts to, doubled above 1.5 times it, halved below 1/1.5; 0 = fixed β.
        kl_target: f64 = 0.01, "Schulman et al. 2017";
        /// Clip range ε of the probability ratio, and of the value where clip_vloss is set.
        clip_coef: f64 = 0.2, "CleanRL; Schulman et al. 2017";
        /// Whether the clip range falls linearly to 0 over the run.
        anneal_clip: bool = false, "Schulman et al. 2017 (Atari), Stable-Baselines3 (a schedule of clip_range)";
        /// Whether the value loss is clipped around the values of the rollout.
        clip_vloss: bool = true, "CleanRL";
        /// Whether networks see observations by their running mean and deviation, held to ±10.
        norm_obs: bool = false, "Stable-Baselines3 (VecNormalize)";
        /// Whether rewards are divided by the running deviation of discounted returns, and held to ±10.
        norm_reward: bool = false, "Stable-Baselines3 (VecNormalize)";
        /// Weight of the entropy bonus, per nat; in ddpg that of a choice, where it keeps the softmax from becoming hard.
        ent_coef: f64 = 0.01, "CleanRL";
        /// Weight of the value loss.
        vf_coef: f64 = 0.5, "CleanRL";
        /// Limit of the global norm of the gradient; 0 = none.
        max_grad_norm: f64 = 0.5, "CleanRL";
        /// Older rollouts that every update learns from beside the newest (reinforce).
        reuse: u32 = 0, "ours";
        /// How their samples are weighted: full, causal, first-order or per-decision.
        importance: Importance = Importance::Causal, "Precup et al. 2000; Peshkin & Shelton 2002";
        /// Largest importance weight; 0 = none.
        importance_clip: f64 = 0.0, "Ionides 2008 (truncated importance sampling)";
        /// Passes over the batch in which the value network is fitted apart from the policy (reinforce, npg, trpo).
        value_epochs: u32 = 4, "Stable-Baselines3 (TRPO) has 10, Spinning Up 80";
        /// Minibatches of each of these passes.
        value_minibatches: u32 = 4, "CleanRL's num_minibatches";
        /// Step size for the value network where it is fitted apart, and for the critics of ddpg, td3 and sac.
        value_learning_rate: f64 = 1e-3, "Spinning Up, Stable-Baselines3 (TRPO)";
        /// Largest mean KL divergence δ of a step, nats (npg, trpo).
        delta: f64 = 0.01, "Schulman et al. 2015";
        /// Iterations of conjugate gradients (npg, trpo).
        cg_iters: u32 = 10, "Schulman et al. 2015";
        /// ‖r‖² relative to that of the gradient below which conjugate gradients end early; 0 = never.
        cg_tolerance: f64 = 0.0, "OpenAI Baselines has 1e-10, absolute";
        /// Multiple of the identity that is added to the Fisher matrix.
        damping: f64 = 0.1, "Spinning Up, Stable-Baselines3";
        /// Share of the samples that Fisher-vector products are taken over, every so-manyeth.
        fisher_subsample: f64 = 1.0, "Schulman et al. 2015 have 0.1";
        /// Steps of the line search (trpo).
        backtrack_iters: u32 = 10, "Spinning Up, Stable-Baselines3";
        /// Factor from one step of the line search to the next.
        backtrack_coeff: f64 = 0.8, "Spinning Up, Stable-Baselines3";
        /// Transitions that the ring of each agent holds (ddpg, td3, sac, as all settings up to log_std_max).
        buffer_size: u32 = 1_000_000, "CleanRL, Stable-Baselines3";
        /// Transitions with uniformly random actions before the first gradient step; rounded up to whole steps of all worlds.
        learning_starts: u32 = 25_000, "CleanRL; Stable-Baselines3 has 100";
        /// Transitions of a gradient step.
        batch_size: u32 = 256, "CleanRL, Stable-Baselines3";
        /// Steps of all worlds between two rounds of gradient steps.
        train_freq: u32 = 1, "Stable-Baselines3";
        /// Gradient steps of a round.
        gradient_steps: u32 = 1, "Stable-Baselines3";
        /// Gradient steps of the critics for each of the actor and the targets.
        policy_frequency: u32 = 1, "CleanRL; Fujimoto et al. 2018 (td3: 2)";
        /// Steps of the reward window of a transition; its value counts from behind it.
        n_steps: u32 = 1, "Stable-Baselines3; Barth-Maron et al. 2018 have 5";
        /// Share τ of the way that targets go towards what learns, at each of their steps.
        tau: f64 = 0.005, "CleanRL, Stable-Baselines3";
        /// Noise of actions in worlds, its deviation in halves of their range (ddpg, td3); share of uniformly random choices.
        exploration_noise: f64 = 0.1, "CleanRL; Stable-Baselines3 (NormalActionNoise)";
        /// What that noise is: normal or ornstein-uhlenbeck, one process for each world that begins with the episode.
        action_noise: ActionNoise = ActionNoise::Normal, "Stable-Baselines3; Lillicrap et al. 2016";
        /// Rate θ at which an Ornstein-Uhlenbeck process returns to 0, per unit of time.
        ou_theta: f64 = 0.15, "Stable-Baselines3; Lillicrap et al. 2016";
        /// Time step of an Ornstein-Uhlenbeck process.
        ou_dt: f64 = 0.01, "Stable-Baselines3";
        /// Deviation of the noise of the target's action, in halves of its range (td3).
        policy_noise: f64 = 0.2, "CleanRL; Fujimoto et al. 2018";
        /// Limit of that noise, in halves of the range (td3).
        noise_clip: f64 = 0.5, "CleanRL; Fujimoto et al. 2018";
        /// Temperature α, the weight of a nat of entropy (sac); where it adapts, the first one.
        alpha: f64 = 0.2, "CleanRL";
        /// Whether α adapts so that the entropy becomes the target's (sac).
        autotune: bool = true, "CleanRL; Haarnoja et al. 2018";
        /// Target entropy: times −1 nat for each number of an action, in halves of its range; times log n for n choices (sac).
        target_entropy_scale: f64 = 1.0, "Haarnoja et al. 2018; CleanRL (sac_atari: 0.89)";
        /// Temperature T of the Gumbel-softmax at the start (ddpg and sac with choices).
        gumbel_temperature: f64 = 1.0, "Jang et al. 2017";
        /// The same at the end; between them it changes linearly with the updates.
        gumbel_temperature_final: f64 = 1.0, "Jang et al. 2017 anneal to 0.5";
        /// Least logarithm of the deviation of sac's actions, before they are squashed.
        log_std_min: f64 = -5.0, "CleanRL; Stable-Baselines3 has -20";
        /// Greatest of them.
        log_std_max: f64 = 2.0, "CleanRL, Stable-Baselines3";
        /// KL divergence (nats, last minibatch of an epoch) above which the remaining epochs are skipped; 0 = never.
        target_kl: f64 = 0.0, "CleanRL, where None is never";
        /// What makes a step of a gradient: adam, rmsprop or sgd.
        optimizer: Optimizer = Optimizer::Adam, "CleanRL";
        /// ε of Adam and of RMSprop.
        adam_eps: f64 = 1e-5, "CleanRL";
        /// Decay α of RMSprop's mean square.
        rmsprop_alpha: f64 = 0.99, "PyTorch, Stable-Baselines3 (A2C)";
        /// Widths of the hidden layers of actor and critic.
        hidden: Vec<u32> = vec![64, 64], "CleanRL";
        /// What follows every hidden layer: tanh or relu.
        activation: Activation = Activation::Tanh, "CleanRL";
        /// Logarithm of the deviation of continuous actions at the start; with use_sde at observations of mean square 1.
        log_std_init: f64 = 0.0, "CleanRL, Stable-Baselines3";
        /// Whether continuous actions are squashed into their bounds by tanh, not clipped to them; true in ddpg, td3 and sac.
        squash: bool = false, "Haarnoja et al. 2018; Stable-Baselines3 (squash_output)";
        /// Whether the noise of continuous actions is a random matrix times the observation, kept for several steps.
        use_sde: bool = false, "Rückstieß et al. 2008; Raffin et al. 2022; Stable-Baselines3";
        /// Steps of an episode between new matrices of use_sde, also new at its beginning; 0 = num_steps.
        sde_sample_freq: u32 = 16, "Stable-Baselines3, where -1 is once in a rollout and its Zoo takes 4; 16 measured best";
        /// Updates between evaluations of the deterministic policy; 0 = only at the end.
        eval_every: u32 = 10, "ours";
        /// Episodes of an evaluation, each in a world of its own; of one alone nothing counts as solved.
        eval_episodes: u32 = 1000, "ours: 3 standard errors of CartPole's return are then under 10";
        /// Seconds between checkpoints, which evaluations and the last update write too; 0 = those only.
        checkpoint_every: u64 = 600, "ours: what a crash may cost";
        /// Newest checkpoints that are kept, beside the best by evaluation.
        keep_checkpoints: u32 = 2, "ours: one to fall back to";
    }
}

/// What keeps a policy near the one that its samples are from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Penalty {
    /// The ratio of probabilities is clipped.
    #[default]
    Clip,
    /// The divergence costs.
    Kl,
}

/// What is added to actions to explore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionNoise {
    /// Independent normal numbers.
    #[default]
    Normal,
    /// A process that returns to 0.
    OrnsteinUhlenbeck,
}

/// Samples of a batch; kernels count samples in words, slices filled up.
const LARGEST_BATCH: u64 = 1 << 30;

/// Bytes of the longest file of settings.
const LONGEST: u64 = 1 << 20;

/// Presets that are built in: environment, algorithm, text.
const PRESETS: &[(&str, &str, &str)] = &[
    ("Acrobot-v1", "a2c", include_str!("../../presets/Acrobot-v1.a2c.toml")),
    ("Acrobot-v1", "ddpg", include_str!("../../presets/Acrobot-v1.ddpg.toml")),
    ("Acrobot-v1", "npg", include_str!("../../presets/Acrobot-v1.trpo.toml")),
    ("Acrobot-v1", "ppo", include_str!("../../presets/Acrobot-v1.ppo.toml")),
    ("Acrobot-v1", "reinforce", include_str!("../../presets/Acrobot-v1.reinforce.toml")),
    ("Acrobot-v1", "trpo", include_str!("../../presets/Acrobot-v1.trpo.toml")),
    ("CartPole-v1", "a2c", include_str!("../../presets/CartPole-v1.a2c.toml")),
    ("CartPole-v1", "ddpg", include_str!("../../presets/CartPole-v1.ddpg.toml")),
    ("CartPole-v1", "npg", include_str!("../../presets/CartPole-v1.trpo.toml")),
    ("CartPole-v1", "ppo", include_str!("../../presets/CartPole-v1.ppo.toml")),
    ("CartPole-v1", "reinforce", include_str!("../../presets/CartPole-v1.reinforce.toml")),
    ("CartPole-v1", "trpo", include_str!("../../presets/CartPole-v1.trpo.toml")),
    ("Catch", "ppo", include_str!("../../presets/Catch.ppo.toml")),
    ("MountainCar-v0", "ppo", include_str!("../../presets/MountainCar-v0.ppo.toml")),
    ("MountainCarContinuous-v0", "ddpg", include_str!("../../presets/MountainCarContinuous-v0.ddpg.toml")),
    ("MountainCarContinuous-v0", "ppo", include_str!("../../presets/MountainCarContinuous-v0.ppo.toml")),
    ("Pendulum-v1", "a2c", include_str!("../../presets/Pendulum-v1.a2c.toml")),
    ("Pendulum-v1", "ddpg", include_str!("../../presets/Pendulum-v1.ddpg.toml")),
    ("Pendulum-v1", "npg", include_str!("../../presets/Pendulum-v1.trpo.toml")),
    ("Pendulum-v1", "ppo", include_str!("../../presets/Pendulum-v1.ppo.toml")),
    ("Pendulum-v1", "reinforce", include_str!("../../presets/Pendulum-v1.reinforce.toml")),
    ("Pendulum-v1", "sac", include_str!("../../presets/Pendulum-v1.sac.toml")),
    ("Pendulum-v1", "td3", include_str!("../../presets/Pendulum-v1.td3.toml")),
    ("Pendulum-v1", "trpo", include_str!("../../presets/Pendulum-v1.trpo.toml")),
    ("QuadrotorHover", "ppo", include_str!("../../presets/QuadrotorHover.ppo.toml")),
    ("QuadrotorHover", "sac", include_str!("../../presets/QuadrotorHover.sac.toml")),
];

impl Config {
    /// The built-in preset of an environment, or the defaults where it has none.
    ///
    /// # Errors
    /// [`Error::Setting`] if a preset of ours is broken.
    pub fn preset(env: &str, algo: &str) -> Result<Self> {
        Self::resolve(env, algo, None, &[])
    }

    /// Gradients of single samples that a whole run takes.
    pub fn work(&self) -> u64 {
        let batch = u64::from(self.num_envs) * u64::from(self.num_steps); // at least one update
        if self.algo.is_off_policy() {
            return u64::from(self.num_updates()) * self.update_gradient_steps() * u64::from(self.batch_size);
        }
        let mut passes = u64::from(self.update_epochs);
        if self.algo.fits_apart() && self.estimator.has_critic() {
            passes = (passes + u64::from(self.value_epochs)).div_ceil(2); // each for one network
        }
        if self.algo.is_natural() {
            passes += u64::from(self.cg_iters);
        }
        self.total_timesteps.max(batch).saturating_mul(passes)
    }

    /// Whether there is a built-in preset of an environment for an algorithm.
    pub fn has_preset(env: &str, algo: &str) -> bool {
        PRESETS.iter().any(|(e, a, _)| *e == env && *a == algo)
    }

    /// Whether the device gets its work in pieces so small that a processor does not gain by sharing them among threads
    /// (`benches/NOTES.md`): gradient steps of little work, weights times samples, and rollouts of few samples. Runs that
    /// learn from rollouts are evaluated more often, which several threads do gain at.
    pub fn is_small(&self) -> bool {
        let rollout = u64::from(self.num_envs) * u64::from(self.num_steps);
        let (samples, most) = if self.algo.is_off_policy() {
            (self.batch_size.into(), 4_000_000)
        } else if rollout <= 4096 {
            (rollout / u64::from(self.num_minibatches.max(1)), 1_500_000)
        } else {
            return false;
        };
        let weights: u64 = self.hidden.windows(2).map(|pair| u64::from(pair[0]) * u64::from(pair[1])).sum();
        weights.saturating_mul(samples) < most
    }

    /// Defaults, then the preset of the environment, then a TOML file, then `key=value` pairs, each over the one before.
    ///
    /// # Errors
    /// [`Error::Setting`] with the nearest name where one is unknown and with what is allowed where a value is not;
    /// [`Error::File`] where the file cannot be read.
    pub fn resolve(env: &str, algo: &str, file: Option<&Path>, pairs: &[String]) -> Result<Self> {
        let algo = Algo::named(algo).ok_or_else(|| {
            let names: Vec<&str> = Algo::ALL.iter().map(|algo| algo.name()).collect();
            Error::setting("algo", format!("there is no such algorithm '{algo}'; there are: {}", names.join(", ")))
        })?;
        let mut table = toml::Table::new();
        merge(&mut table, algo.defaults(), &format!("defaults of {}", algo.name()))?;
        table.insert("algo".to_owned(), toml::Value::String(algo.name().to_owned()));
        if let Some((_, _, text)) = PRESETS.iter().find(|(e, a, _)| *e == env && *a == algo.name()) {
            merge(&mut table, text, &format!("preset of {env}"))?;
        }
        if let Some(path) = file {
            let text = crate::file::read_text(path, LONGEST)?;
            merge(&mut table, &text, &path.display().to_string())?;
        }
        set(&mut table, pairs)?;
        let config = Self::from_table(table)?;
        config.check()?;
        Ok(config)
    }

    /// The same settings with `key=value` pairs over them.
    ///
    /// # Errors
    /// As [`Config::resolve`].
    pub fn with(&self, pairs: &[String]) -> Result<Self> {
        let broken = |error: toml::ser::Error| Error::setting("configuration", error.to_string());
        let mut table = toml::Table::try_from(self).map_err(broken)?;
        set(&mut table, pairs)?;
        let config = Self::from_table(table)?;
        config.check()?;
        Ok(config)
    }

    fn from_table(mut table: toml::Table) -> Result<Self> {
        // one after the other, so that an error names its setting
        for setting in Self::SETTINGS {
            if let Some(value) = table.get_mut(setting.name) {
                table::convert(setting.kind, value);
                let single = toml::Table::from_iter([(setting.name.to_owned(), value.clone())]);
                if single.try_into::<Self>().is_err() {
                    let kind = table::allowed(setting.kind);
                    return Err(Error::setting(setting.name, format!("{value} is not {kind}")));
                }
            }
        }
        table.try_into().map_err(|error| Error::setting("configuration", error.to_string()))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let at_least_1 = [
            ("num_envs", self.num_envs),
            ("train_freq", self.train_freq),
            ("gradient_steps", self.gradient_steps),
            ("policy_frequency", self.policy_frequency),
            ("n_steps", self.n_steps),
            ("buffer_size", self.buffer_size),
            ("batch_size", self.batch_size),
            ("num_steps", self.num_steps),
            ("num_minibatches", self.num_minibatches),
            ("update_epochs", self.update_epochs),
            ("value_epochs", self.value_epochs),
            ("value_minibatches", self.value_minibatches),
            ("cg_iters", self.cg_iters),
            ("backtrack_iters", self.backtrack_iters),
            ("eval_episodes", self.eval_episodes),
            ("keep_checkpoints", self.keep_checkpoints),
        ];
        for (name, value) in at_least_1 {
            if value == 0 {
                return Err(Error::setting(name, "0 is not allowed; it must be at least 1"));
            }
        }
        self.algo.check(self)?;
        if self.total_timesteps == 0 {
            return Err(Error::setting("total_timesteps", "0 is not allowed; it must be at least 1"));
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
                return Err(Error::setting(name, format!("{count} minibatches of {batch} samples would be empty")));
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
        for (name, value) in [("cg_iters", self.cg_iters), ("backtrack_iters", self.backtrack_iters)] {
            if value > 1000 {
                return Err(Error::setting(name, format!("{value} is not allowed; it must be at most 1000")));
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
        if self.hidden.len() > 16 || self.hidden.iter().any(|&width| width == 0 || width > 4096) {
            return Err(Error::setting(
                "hidden",
                format!("{:?} must be at most 16 widths from 1 to 4096", self.hidden),
            ));
        }
        let unit = |name, value: f64| in_range(name, value, (0.0..=1.0).contains(&value), "from 0 to 1");
        let positive = |name, value: f64| in_range(name, value, value as f32 >= f32::MIN_POSITIVE, "above 0");
        let not_negative = |name, value: f64| in_range(name, value, value >= 0.0, "at least 0");
        in_range("log_std_init", self.log_std_init, self.log_std_init.abs() <= 20.0, "from -20 to 20")?;
        unit("gamma", self.gamma)?;
        unit("gae_lambda", self.gae_lambda)?;
        let alpha = self.rmsprop_alpha;
        in_range("rmsprop_alpha", alpha, (0.0..1.0).contains(&alpha), "from 0 to below 1")?;
        positive("learning_rate", self.learning_rate)?;
        positive("clip_coef", self.clip_coef)?;
        positive("adam_eps", self.adam_eps)?;
        positive("value_learning_rate", self.value_learning_rate)?;
        positive("delta", self.delta)?;
        let share = self.fisher_subsample;
        in_range("fisher_subsample", share, share > 0.0 && share <= 1.0, "above 0, at most 1")?;
        let factor = self.backtrack_coeff;
        in_range("backtrack_coeff", factor, factor > 0.0 && factor < 1.0, "above 0 and below 1")?;
        not_negative("exploration_noise", self.exploration_noise)?;
        not_negative("policy_noise", self.policy_noise)?;
        not_negative("noise_clip", self.noise_clip)?;
        not_negative("target_entropy_scale", self.target_entropy_scale)?;
        positive("alpha", self.alpha)?;
        positive("ou_theta", self.ou_theta)?;
        positive("ou_dt", self.ou_dt)?;
        positive("gumbel_temperature", self.gumbel_temperature)?;
        positive("gumbel_temperature_final", self.gumbel_temperature_final)?;
        in_range("tau", self.tau, self.tau > 0.0 && self.tau <= 1.0, "above 0, at most 1")?;
        in_range("log_std_min", self.log_std_min, self.log_std_min.abs() <= 20.0, "from -20 to 20")?;
        let most = self.log_std_max;
        in_range("log_std_max", most, most.abs() <= 20.0 && most > self.log_std_min, "above log_std_min, at most 20")?;
        not_negative("damping", self.damping)?;
        not_negative("importance_clip", self.importance_clip)?;
        not_negative("cg_tolerance", self.cg_tolerance)?;
        not_negative("ent_coef", self.ent_coef)?;
        not_negative("vf_coef", self.vf_coef)?;
        not_negative("max_grad_norm", self.max_grad_norm)?;
        not_negative("kl_coef", self.kl_coef)?;
        not_negative("kl_target", self.kl_target)?;
        not_negative("target_kl", self.target_kl)
    }

    /// The same, and whether the environment can have it.
    ///
    /// # Errors
    /// As [`Config::check`] and [`Exploration::check`].
    pub fn check_for(&self, env: &Environment) -> Result<()> {
        self.check()?;
        if self.algo.is_off_policy() {
            return off_policy::check_for(self, env);
        }
        self.exploration(env).check(env.name(), &env.spec().action_space)
    }

    /// How a policy explores in an environment.
    pub fn exploration(&self, env: &Environment) -> Exploration {
        if self.algo.is_off_policy() {
            let spread = match self.algo {
                _ if !env.spec().action_space.is_box() => Spread::Free,
                Algo::Sac => Spread::Clamped { log_std: [self.log_std_min as f32, self.log_std_max as f32] },
                _ => Spread::None,
            };
            return Exploration { squash: env.spec().action_space.is_box(), state_dependent: None, spread };
        }
        let steps = if self.sde_sample_freq == 0 { self.num_steps } else { self.sde_sample_freq };
        let state = StateDependent { features: env.spec().observation_dim.saturating_add(1), steps };
        Exploration { squash: self.squash, state_dependent: self.use_sde.then_some(state), spread: Spread::Free }
    }

    /// Bounds of real numbers that the first policy of a run hardly reaches, if there are such: a warning, not an error.
    pub fn misfit(&self, env: &Environment) -> Option<Misfit> {
        self.exploration(env).misfit(&env.spec().action_space, self.log_std_init)
    }

    /// Whether rollouts keep the distributions of their policy.
    pub(crate) fn keeps(&self) -> bool {
        self.algo.is_natural() || self.algo == Algo::Ppo && self.penalty == Penalty::Kl
    }

    /// What the estimator computes along time.
    pub(crate) fn recursions(&self) -> Vec<Recursion> {
        self.estimator.recursions(self.discount_gradient, self.one_episode)
    }

    /// Samples of a rollout of one agent: steps of all its worlds in an update.
    pub fn rollout_size(&self) -> u32 {
        self.num_envs * self.num_steps
    }

    /// Samples of a full minibatch of a rollout.
    pub fn minibatch_size(&self) -> u32 {
        (self.rollout_size() / self.num_minibatches).max(1)
    }

    /// Steps of all worlds before the first update, with random actions.
    pub fn warm_up(&self) -> u64 {
        if self.algo.is_off_policy() { u64::from(self.warm_up_steps()) * u64::from(self.num_envs) } else { 0 }
    }

    /// The same, of each world.
    pub(crate) fn warm_up_steps(&self) -> u32 {
        self.learning_starts.div_ceil(self.num_envs.max(1))
    }

    /// Gradient steps of an update that learns from replay.
    pub(crate) fn update_gradient_steps(&self) -> u64 {
        u64::from(self.num_steps / self.train_freq.max(1)) * u64::from(self.gradient_steps)
    }

    /// Updates of the whole run.
    pub fn num_updates(&self) -> u32 {
        let steps = self.total_timesteps.saturating_sub(self.warm_up());
        u32::try_from((steps / u64::from(self.rollout_size())).max(1)).unwrap_or(u32::MAX)
    }

    /// Steps of all worlds of an agent after so many updates.
    pub fn env_steps(&self, updates: u32) -> u64 {
        self.warm_up() + u64::from(updates) * u64::from(self.rollout_size())
    }

    /// The configuration as TOML, every setting with its sentence.
    pub fn to_toml(&self) -> String {
        let line =
            |(setting, value): (&Setting, String)| format!("# {}\n{} = {value}\n", setting.about.trim(), setting.name);
        Self::SETTINGS.iter().zip(self.values()).map(line).collect()
    }

    /// The values of all settings as TOML, in the order of [`Config::SETTINGS`].
    pub fn values(&self) -> Vec<String> {
        let table = toml::Table::try_from(self).unwrap_or_default();
        let value = |setting: &Setting| table.get(setting.name).map(ToString::to_string).unwrap_or_default();
        Self::SETTINGS.iter().map(value).collect()
    }
}

fn in_range(name: &str, value: f64, ok: bool, range: &str) -> Result<()> {
    if ok && value.is_finite() && value.abs() < f64::from(f32::MAX) {
        return Ok(());
    }
    Err(Error::setting(name, format!("{value} is not allowed; it must be a finite number {range}")))
}
