//! The settings of a run: names as in CleanRL's `ppo.py`, each with a sentence, a default, a unit and a source.

use super::Algo::{self, A2c, Ars, Cem, Ddpg, Es, Ga, Npg, Pattern, Ppo, Random, Reinforce, Sac, Td3, Trpo};
use super::Range;
use crate::kernels::{Estimator, Importance, Optimizer};
use crate::nn::Activation;
use serde::{Deserialize, Serialize};

/// What is known about a setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its type in Rust.
    pub kind: &'static str,
    /// Its default, as Rust.
    pub default: &'static str,
    /// What its numbers may be.
    pub range: Range,
    /// The algorithms that read it.
    pub readers: &'static [Algo],
    /// What it is, in which unit.
    pub about: &'static str,
    /// Where name and default come from.
    pub source: &'static str,
}

macro_rules! settings {
    ($(#[$meta:meta])* pub struct $config:ident { $(#[doc = $about:literal] $name:ident: $kind:ty = $default:expr, $range:expr, $readers:expr, $source:literal;)* }) => {
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
                range: $range,
                readers: $readers,
                about: $about,
                source: $source,
            },)*];
        }
    };
}

/// All algorithms.
const ALL: &[Algo] = &Algo::ALL;
/// Those that follow gradients.
const GRADIENT: &[Algo] = &[Ppo, A2c, Reinforce, Npg, Trpo, Ddpg, Td3, Sac];
/// Those that search without them.
const SEARCH: &[Algo] = &[Cem, Ga, Pattern, Es, Ars, Random];
/// Those whose population is a setting.
const POPULATION: &[Algo] = &[Cem, Ga, Es, Ars, Random];
/// Those that learn from rollouts.
const ROLLOUTS: &[Algo] = &[Ppo, A2c, Reinforce, Npg, Trpo];
/// Those whose values and policy learn side by side.
const SIDE_BY_SIDE: &[Algo] = &[Ppo, A2c];
/// Those whose values are fitted apart.
const APART: &[Algo] = &[Reinforce, Npg, Trpo];
const NATURAL: &[Algo] = &[Npg, Trpo];
/// Those whose policy follows a gradient by a step size.
const STEPPED: &[Algo] = &[Ppo, A2c, Reinforce, Ddpg, Td3, Sac, Es, Ars];
/// Those with an optimiser.
const OPTIMIZED: &[Algo] = &[Ppo, A2c, Reinforce, Ddpg, Td3, Sac, Es];
/// Those that learn from rollouts or search: actions may be squashed or clipped, observations normalised.
const EPISODIC: &[Algo] = &[Ppo, A2c, Reinforce, Npg, Trpo, Cem, Ga, Pattern, Es, Ars, Random];
/// Those with a step size of values.
const TWO_RATES: &[Algo] = &[Reinforce, Npg, Trpo, Ddpg, Td3, Sac];
/// Those with a bonus for entropy.
const BONUS: &[Algo] = &[Ppo, A2c, Reinforce, Ddpg];
/// Those that learn from a ring of transitions.
const REPLAY: &[Algo] = &[Ddpg, Td3, Sac];
/// Those that ranks may learn apart for the length of an update.
const SYNCED: &[Algo] = &[Ppo, A2c, Reinforce, Ddpg, Td3, Sac];
/// Those that add noise to actions.
const ADDED_NOISE: &[Algo] = &[Ddpg, Td3];
/// Those that relax choices.
const RELAXED: &[Algo] = &[Ddpg, Sac];

settings! {
    /// Settings of a run. The defaults of this struct are PPO's as published, for a thousand worlds; what an environment of one's
    /// own gets is [`Config::preset`] with any name (`manyworlds settings --algo a2c` shows it).
    ///
    /// ```
    /// # fn main() -> manyworlds::Result<()> {
    /// use manyworlds::Config;
    ///
    /// let preset = Config::preset("Pendulum-v1", "sac")?;
    /// let config = Config { num_envs: 8, seed: 3, ..preset };
    /// config.check()?;
    /// assert!(Config { gamma: 1.5, ..config }.check().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub struct Config {
        /// The algorithm.
        algo: Algo = Algo::Ppo, Range::ANY, ALL, "ours";
        /// Seed of the run, from 0 to 2³² − 1; the same seed on the same adapter gives the same parameters, bit for bit.
        seed: u32 = 1, Range::ANY, ALL, "CleanRL";
        /// Worlds that run side by side.
        num_envs: u32 = 1024, Range::at_least(1.0), GRADIENT, "CleanRL has 4; a GPU wants thousands";
        /// Blocks of worlds whose samples are shuffled, or drawn, apart, as many of each for a minibatch; 0 = one for each rank. The result is the same with any number of ranks that divides it.
        shards: u32 = 0, Range::ANY, GRADIENT, "ours";
        /// When several ranks agree: minibatch (the mean gradient makes one step on all) or update (each learns by itself, and parameters are averaged at the end).
        sync: SyncEvery = SyncEvery::Minibatch, Range::ANY, SYNCED, "ours";
        /// Steps of each world in a rollout; between two lines of metrics where transitions are replayed.
        num_steps: u32 = 32, Range::at_least(1.0), GRADIENT, "CleanRL has 128 with 4 worlds; thousands of worlds need fewer";
        /// Environment steps of the whole run, summed over worlds; rounded down to whole updates, at least one.
        total_timesteps: u64 = 10_000_000, Range::at_least(1.0), GRADIENT, "CleanRL has 500,000";
        /// Step size α of the optimiser at the start.
        learning_rate: f64 = 2.5e-4, Range::above(0.0), STEPPED, "CleanRL";
        /// Whether the learning rate falls linearly to 0 over the run.
        anneal_lr: bool = true, Range::ANY, GRADIENT, "CleanRL";
        /// Discount γ of a reward one step later.
        gamma: f64 = 0.99, Range::from_to(0.0, 1.0), GRADIENT, "CleanRL";
        /// What the policy gradient weighs ∇log π with: total-return, reward-to-go, mean-baseline, optimal-baseline (pooled over the batch), value-baseline, q, td-residual or gae.
        estimator: Estimator = Estimator::Gae, Range::ANY, APART, "Williams 1992 to Schulman et al. 2016; ppo and a2c have gae only";
        /// Whether Φ has the factor γᵏ of the policy-gradient theorem, k steps after the episode's first; needs fresh_episodes.
        discount_gradient: bool = false, Range::ANY, APART, "Sutton et al. 2000; practice leaves it out";
        /// Whether every rollout begins with new episodes in all worlds; else episodes go on from one to the next.
        fresh_episodes: bool = false, Range::ANY, ROLLOUTS, "Spinning Up (reinforce, trpo)";
        /// Whether only the first episode of each world counts in a rollout, and what begins behind it weighs 0; needs fresh_episodes.
        one_episode: bool = false, Range::ANY, APART, "ours: episodes that end early count no more often than others";
        /// Trace decay λ of generalised advantage estimation.
        gae_lambda: f64 = 0.95, Range::from_to(0.0, 1.0), ROLLOUTS, "CleanRL; Schulman et al. 2016";
        /// Whether a truncated step is worth V(final observation) more; without, time limits count as ends.
        bootstrap_truncated: bool = true, Range::ANY, GRADIENT, "Pardo et al. 2018; ours is the name";
        /// Minibatches into which each epoch divides the batch; what does not divide makes one more, shorter one.
        num_minibatches: u32 = 4, Range::at_least(1.0), &[Ppo], "CleanRL";
        /// Passes over the batch in each update.
        update_epochs: u32 = 4, Range::at_least(1.0), &[Ppo], "CleanRL";
        /// Whether advantages are normalised to mean 0 and deviation 1 in each minibatch.
        norm_adv: bool = true, Range::ANY, ROLLOUTS, "CleanRL";
        /// What keeps a policy near that of the rollout: clip (its ratio) or kl (a penalty on the divergence).
        penalty: Penalty = Penalty::Clip, Range::ANY, &[Ppo], "Schulman et al. 2017";
        /// Weight β of the KL penalty at the start.
        kl_coef: f64 = 1.0, Range::at_least(0.0), &[Ppo], "Schulman et al. 2017: the start hardly matters where it adapts";
        /// KL divergence (nats) of an update that β adapts to, doubled above 1.5 times it, halved below 1/1.5; 0 = fixed β.
        kl_target: f64 = 0.01, Range::at_least(0.0), &[Ppo], "Schulman et al. 2017";
        /// Clip range ε of the probability ratio, and of the value where clip_vloss is set.
        clip_coef: f64 = 0.2, Range::above(0.0), &[Ppo], "CleanRL; Schulman et al. 2017";
        /// Whether the clip range falls linearly to 0 over the run.
        anneal_clip: bool = false, Range::ANY, &[Ppo], "Schulman et al. 2017 (Atari), Stable-Baselines3 (a schedule of clip_range)";
        /// Whether the value loss is clipped around the values of the rollout.
        clip_vloss: bool = true, Range::ANY, &[Ppo], "CleanRL";
        /// Whether networks see observations by their running mean and deviation, held to ±10.
        norm_obs: bool = false, Range::ANY, EPISODIC, "Stable-Baselines3 (VecNormalize)";
        /// Whether rewards are divided by the running deviation of discounted returns, and held to ±10.
        norm_reward: bool = false, Range::ANY, ROLLOUTS, "Stable-Baselines3 (VecNormalize)";
        /// Weight of the entropy bonus, per nat; in ddpg that of a choice, where it keeps the softmax from becoming hard.
        ent_coef: f64 = 0.01, Range::at_least(0.0), BONUS, "CleanRL";
        /// Weight of the value loss.
        vf_coef: f64 = 0.5, Range::at_least(0.0), SIDE_BY_SIDE, "CleanRL";
        /// Limit of the global norm of the gradient; 0 = none.
        max_grad_norm: f64 = 0.5, Range::at_least(0.0), ROLLOUTS, "CleanRL";
        /// Older rollouts that every update learns from beside the newest (reinforce).
        reuse: u32 = 0, Range::ANY, &[Reinforce], "ours";
        /// How their samples are weighted: full, causal, first-order or per-decision.
        importance: Importance = Importance::Causal, Range::ANY, &[Reinforce], "Precup et al. 2000; Peshkin & Shelton 2002";
        /// Largest importance weight; 0 = none.
        importance_clip: f64 = 0.0, Range::at_least(0.0), &[Reinforce], "Ionides 2008 (truncated importance sampling)";
        /// Passes over the batch in which the value network is fitted apart from the policy (reinforce, npg, trpo).
        value_epochs: u32 = 4, Range::at_least(1.0), APART, "Stable-Baselines3 (TRPO) has 10, Spinning Up 80";
        /// Minibatches of each of these passes.
        value_minibatches: u32 = 4, Range::at_least(1.0), APART, "CleanRL's num_minibatches";
        /// Step size for the value network where it is fitted apart, and for the critics of ddpg, td3 and sac.
        value_learning_rate: f64 = 1e-3, Range::above(0.0), TWO_RATES, "Spinning Up, Stable-Baselines3 (TRPO)";
        /// Largest mean KL divergence δ of a step, nats (npg, trpo).
        delta: f64 = 0.01, Range::above(0.0), NATURAL, "Schulman et al. 2015";
        /// Iterations of conjugate gradients (npg, trpo).
        cg_iters: u32 = 10, Range::from_to(1.0, 1000.0), NATURAL, "Schulman et al. 2015";
        /// ‖r‖² relative to that of the gradient below which conjugate gradients end early; 0 = never.
        cg_tolerance: f64 = 0.0, Range::at_least(0.0), NATURAL, "OpenAI Baselines has 1e-10, absolute";
        /// Multiple of the identity that is added to the Fisher matrix.
        damping: f64 = 0.1, Range::at_least(0.0), NATURAL, "Spinning Up, Stable-Baselines3";
        /// Share of the samples that Fisher-vector products are taken over, every n-th.
        fisher_subsample: f64 = 1.0, Range::above_to(0.0, 1.0), NATURAL, "Schulman et al. 2015 have 0.1";
        /// Steps of the line search (trpo).
        backtrack_iters: u32 = 10, Range::from_to(1.0, 1000.0), &[Trpo], "Spinning Up, Stable-Baselines3";
        /// Factor from one step of the line search to the next.
        backtrack_coeff: f64 = 0.8, Range::between(0.0, 1.0), &[Trpo], "Spinning Up, Stable-Baselines3";
        /// Transitions that the ring of each agent holds (ddpg, td3, sac, as all settings up to log_std_max).
        buffer_size: u32 = 1_000_000, Range::at_least(1.0), REPLAY, "CleanRL, Stable-Baselines3";
        /// Transitions with uniformly random actions before the first gradient step; rounded up to whole steps of all worlds.
        learning_starts: u32 = 25_000, Range::ANY, REPLAY, "CleanRL; Stable-Baselines3 has 100";
        /// Transitions of a gradient step.
        batch_size: u32 = 256, Range::at_least(1.0), REPLAY, "CleanRL, Stable-Baselines3";
        /// Steps of all worlds between two rounds of gradient steps.
        train_freq: u32 = 1, Range::at_least(1.0), REPLAY, "Stable-Baselines3";
        /// Gradient steps of a round.
        gradient_steps: u32 = 1, Range::at_least(1.0), REPLAY, "Stable-Baselines3";
        /// Gradient steps of the critics for each of the actor and the targets.
        policy_frequency: u32 = 1, Range::at_least(1.0), REPLAY, "CleanRL; Fujimoto et al. 2018 (td3: 2)";
        /// Steps of the reward window of a transition; its value counts from behind it.
        n_steps: u32 = 1, Range::from_to(1.0, 1000.0), REPLAY, "Stable-Baselines3; Barth-Maron et al. 2018 have 5";
        /// Share τ of the way that targets go towards what learns, at each of their steps.
        tau: f64 = 0.005, Range::above_to(0.0, 1.0), REPLAY, "CleanRL, Stable-Baselines3";
        /// Noise of actions in worlds, its deviation in halves of their range (ddpg, td3); share of uniformly random choices.
        exploration_noise: f64 = 0.1, Range::at_least(0.0), REPLAY, "CleanRL; Stable-Baselines3 (NormalActionNoise)";
        /// What that noise is: normal or ornstein-uhlenbeck, one process for each world that begins with the episode.
        action_noise: ActionNoise = ActionNoise::Normal, Range::ANY, ADDED_NOISE, "Stable-Baselines3; Lillicrap et al. 2016";
        /// Rate θ at which an Ornstein-Uhlenbeck process returns to 0, per unit of time.
        ou_theta: f64 = 0.15, Range::above(0.0), ADDED_NOISE, "Stable-Baselines3; Lillicrap et al. 2016";
        /// Time step of an Ornstein-Uhlenbeck process.
        ou_dt: f64 = 0.01, Range::above(0.0), ADDED_NOISE, "Stable-Baselines3";
        /// Deviation of the noise of the target's action, in halves of its range (td3).
        policy_noise: f64 = 0.2, Range::at_least(0.0), &[Td3], "CleanRL; Fujimoto et al. 2018";
        /// Limit of that noise, in halves of the range (td3).
        noise_clip: f64 = 0.5, Range::at_least(0.0), &[Td3], "CleanRL; Fujimoto et al. 2018";
        /// Temperature α, the weight of a nat of entropy (sac); where it adapts, the first one.
        alpha: f64 = 0.2, Range::above(0.0), &[Sac], "CleanRL";
        /// Whether α adapts so that the entropy becomes the target's (sac).
        autotune: bool = true, Range::ANY, &[Sac], "CleanRL; Haarnoja et al. 2018";
        /// Target entropy: times −1 nat for each number of an action, in halves of its range; times log n for n choices (sac).
        target_entropy_scale: f64 = 1.0, Range::at_least(0.0), &[Sac], "Haarnoja et al. 2018; CleanRL (sac_atari: 0.89)";
        /// Temperature T of the Gumbel-softmax at the start (ddpg and sac with choices).
        gumbel_temperature: f64 = 1.0, Range::above(0.0), RELAXED, "Jang et al. 2017";
        /// Temperature T of the Gumbel-softmax at the end; between them it changes linearly with the updates.
        gumbel_temperature_final: f64 = 1.0, Range::above(0.0), RELAXED, "Jang et al. 2017 anneal to 0.5";
        /// Least logarithm of the deviation of sac's actions, before they are squashed.
        log_std_min: f64 = -5.0, Range::from_to(-20.0, 20.0), &[Sac], "CleanRL; Stable-Baselines3 has -20";
        /// Greatest of them.
        log_std_max: f64 = 2.0, Range::from_to(-20.0, 20.0), &[Sac], "CleanRL, Stable-Baselines3";
        /// KL divergence (nats, last minibatch of an epoch) above which the remaining epochs are skipped; 0 = never.
        target_kl: f64 = 0.0, Range::at_least(0.0), &[Ppo], "CleanRL, where None is never";
        /// What makes a step of a gradient: adam, rmsprop or sgd.
        optimizer: Optimizer = Optimizer::Adam, Range::ANY, OPTIMIZED, "CleanRL";
        /// ε of Adam and of RMSprop.
        adam_eps: f64 = 1e-5, Range::above(0.0), &[Ppo, A2c, Reinforce, Npg, Trpo, Ddpg, Td3, Sac, Es], "CleanRL";
        /// Decay α of RMSprop's mean square.
        rmsprop_alpha: f64 = 0.99, Range::from_to_below(0.0, 1.0), OPTIMIZED, "PyTorch, Stable-Baselines3 (A2C)";
        /// Generations of a search without gradients.
        generations: u32 = 100, Range::at_least(1.0), SEARCH, "ours";
        /// Members of a generation; even for es and ars, which mirror them.
        population: u32 = 256, Range::from_to(2.0, 65_535.0), POPULATION, "ours";
        /// Episodes that each member plays; its fitness is their mean return.
        episodes_per_member: u32 = 1, Range::from_to(1.0, 1000.0), SEARCH, "Salimans et al. 2017";
        /// Whether all members of a generation see the same random numbers, episode by episode; else each its own.
        common_noise: bool = true, Range::ANY, SEARCH, "Mania et al. 2018 compare under one seed; ours is the name";
        /// Share of the members that a generation leaves: the elite (cem), the parents (ga), the directions that count (ars).
        elite_fraction: f64 = 0.1, Range::above_to(0.0, 1.0), &[Cem, Ga, Ars], "Szita & Lőrincz 2006; ars: b/N of Mania et al. 2018";
        /// Deviation of what is added to parameters: at the start (cem), of perturbations (es, ars), of mutations (ga), of members (random).
        sigma: f64 = 1.0, Range::above(0.0), POPULATION, "ours";
        /// What is added to cem's variances in the first generation, and ever less later, so that they do not collapse.
        extra_noise: f64 = 0.0, Range::at_least(0.0), &[Cem], "Szita & Lőrincz 2006";
        /// Share of the generations after which nothing is added any more.
        extra_noise_until: f64 = 0.5, Range::above_to(0.0, 1.0), &[Cem], "Szita & Lőrincz 2006, where it falls linearly too";
        /// Parents that live on unchanged (ga).
        unchanged: u32 = 1, Range::ANY, &[Ga], "Such et al. 2017";
        /// Whether children have two parents, and each number is that of one of them (ga).
        crossover: bool = false, Range::ANY, &[Ga], "uniform crossover (Syswerda 1989); Such et al. 2017 have none";
        /// First step of a pattern search.
        step_size: f64 = 0.5, Range::above(0.0), &[Pattern], "ours";
        /// Factor of that step where no neighbour is better.
        step_shrink: f64 = 0.5, Range::between(0.0, 1.0), &[Pattern], "Hooke & Jeeves 1961";
        /// Widths of the hidden layers of actor and critic.
        hidden: Vec<u32> = vec![64, 64], Range::from_to(1.0, 4096.0), ALL, "CleanRL";
        /// What follows every hidden layer: tanh or relu.
        activation: Activation = Activation::Tanh, Range::ANY, ALL, "CleanRL";
        /// Logarithm of the deviation of continuous actions at the start; with use_sde at observations of mean square 1.
        log_std_init: f64 = 0.0, Range::from_to(-20.0, 20.0), ROLLOUTS, "CleanRL, Stable-Baselines3";
        /// Whether continuous actions are squashed into their bounds by tanh, not clipped to them; true in ddpg, td3 and sac.
        squash: bool = false, Range::ANY, EPISODIC, "Haarnoja et al. 2018; Stable-Baselines3 (squash_output)";
        /// Whether the noise of continuous actions is a random matrix times the observation, kept for several steps.
        use_sde: bool = false, Range::ANY, ROLLOUTS, "Rückstieß et al. 2008; Raffin et al. 2022; Stable-Baselines3";
        /// Steps of an episode between new matrices of use_sde, also new at its beginning; 0 = num_steps.
        sde_sample_freq: u32 = 16, Range::ANY, ROLLOUTS, "Stable-Baselines3, where -1 is once in a rollout and its Zoo takes 4; 16 measured best";
        /// Updates, or generations, between evaluations of the deterministic policy; 0 = only at the end.
        eval_every: u32 = 10, Range::ANY, ALL, "ours";
        /// Episodes of an evaluation, each in a world of its own; of one alone nothing counts as solved.
        eval_episodes: u32 = 1000, Range::at_least(1.0), ALL, "ours: 3 standard errors of CartPole's return are then under 10";
        /// Seconds between checkpoints, which evaluations and the last update write too; 0 = those only.
        checkpoint_every: u64 = 600, Range::ANY, ALL, "ours: what a crash may cost";
        /// Newest checkpoints that are kept, beside the best by evaluation.
        keep_checkpoints: u32 = 2, Range::at_least(1.0), ALL, "ours: one to fall back to";
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

/// When ranks of a run agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncEvery {
    /// Gradients are exchanged at every minibatch: the same algorithm as in one process.
    #[default]
    Minibatch,
    /// Parameters are averaged at the end of every update: for slow networks.
    Update,
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
