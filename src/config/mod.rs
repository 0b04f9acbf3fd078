//! The settings of a run, as data: their table, where their values come from, what they have to be together, and what
//! follows from them.

mod algo;
mod check;
mod file;
mod range;
mod resolve;
mod settings;
mod share;
mod table;

pub use algo::Algo;
pub use file::{ConfigFile, EnvTable, RunTable};
pub use range::Range;
pub use settings::{ActionNoise, Config, Penalty, Setting, SyncEvery};

use crate::env::{Deviation, Environment, Exploration, Misfit, StateDependent};
use crate::error::{Error, Result};
use crate::kernels::Recursion;
use crate::layout::{Metrics, Run};

impl Config {
    /// Gradients of single samples that a whole run takes.
    pub fn work(&self) -> u64 {
        if self.algo.is_search() {
            return 0;
        }
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

    /// Whether the device gets its work in pieces so small that a processor does not gain by sharing them among threads
    /// (`benches/NOTES.md`): gradient steps of little work, weights times samples, and rollouts of few samples. Runs that
    /// learn from rollouts are evaluated more often, which several threads do gain at.
    pub fn is_small(&self) -> bool {
        if self.algo.is_search() {
            return false;
        }
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

    /// Whether its networks are too wide for registers wherever they come from: every second layer counts.
    pub fn is_wide(&self) -> bool {
        self.hidden.iter().skip(1).step_by(2).any(|&width| width > crate::nn::NARROW)
    }

    /// What a run measures of each update, by the names of [`crate::Metrics`]: the columns of `metrics.jsonl` that are its
    /// algorithm's own.
    pub fn measures(&self) -> Vec<&'static str> {
        let has_critic = self.algo != Algo::Reinforce || self.estimator.has_critic();
        let penalised = self.algo != Algo::Ppo || self.penalty == Penalty::Kl;
        let measured = |name: &&'static str| match *name {
            "value_loss" | "explained_variance" => has_critic,
            "kl" | "kl_coef" => penalised,
            "effective_samples" => self.reuse > 0,
            _ => true,
        };
        self.algo.measures().iter().copied().filter(measured).collect()
    }

    /// How a policy explores in an environment.
    pub fn exploration(&self, env: &Environment) -> Exploration {
        if self.algo.is_search() {
            return Exploration { squash: self.squash, deviation: Deviation::None };
        }
        if self.algo.is_off_policy() {
            let deviation = match self.algo {
                _ if !env.spec().action_space.is_box() => Deviation::Free,
                Algo::Sac => Deviation::Clamped { log_std: [self.log_std_min as f32, self.log_std_max as f32] },
                _ => Deviation::None,
            };
            return Exploration { squash: env.spec().action_space.is_box(), deviation };
        }
        let steps = if self.sde_sample_freq == 0 { self.num_steps } else { self.sde_sample_freq };
        let state = StateDependent { features: env.spec().observation_dim.saturating_add(1), steps };
        let deviation = if self.use_sde { Deviation::StateDependent(state) } else { Deviation::Free };
        Exploration { squash: self.squash, deviation }
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

    /// Steps of each world before the first gradient step.
    pub(crate) fn warm_up_steps(&self) -> u32 {
        self.learning_starts.div_ceil(self.num_envs.max(1))
    }

    /// Gradient steps of an update that learns from replay.
    pub(crate) fn update_gradient_steps(&self) -> u64 {
        u64::from(self.num_steps / self.train_freq.max(1)) * u64::from(self.gradient_steps)
    }

    /// Settings in which agents of one launch may differ: numbers that kernels read, and nothing is planned by.
    pub const NUMBERS: [&'static str; 12] = [
        "learning_rate",
        "value_learning_rate",
        "gamma",
        "gae_lambda",
        "clip_coef",
        "ent_coef",
        "vf_coef",
        "kl_coef",
        "kl_target",
        "max_grad_norm",
        "target_kl",
        "importance_clip",
    ];

    /// Checks the configurations of a launch of so many agents, one for all or one for each; gives the first.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is none, one is wrong, or they differ in more than seeds and numbers.
    pub(crate) fn check_each<'a>(configs: &'a [Self], agents: usize, env: &Environment) -> Result<&'a Self> {
        let [first, others @ ..] = configs else {
            return Err(Error::setting("seed", "at least one agent needs a configuration"));
        };
        first.check_for(env)?;
        if agents == 0 || !others.is_empty() && configs.len() != agents {
            let reason = match agents {
                0 => "at least one agent needs a seed".to_owned(),
                _ => format!("{agents} seeds do not go with {} configurations", configs.len()),
            };
            return Err(Error::setting("seed", reason));
        }
        if configs.len() > Run::MOST {
            let reason = format!("{} agents have numbers of their own; at most {} can in a launch", agents, Run::MOST);
            return Err(Error::setting("seed", reason));
        }
        let shared = first.values();
        for config in others {
            config.check_for(env)?;
            let values = config.values();
            let fixed = |name: &str| name != "seed" && !Self::NUMBERS.contains(&name);
            let apart = Self::SETTINGS.iter().zip(values.iter().zip(&shared));
            if let Some((setting, (own, first))) = apart.filter(|(s, _)| fixed(s.name)).find(|(_, (a, b))| a != b) {
                let reason = format!("{own} of one agent is not {first} of another; they may differ in numbers only");
                return Err(Error::setting(setting.name, reason));
            }
        }
        Ok(first)
    }

    /// How many members, or pairs of them, a generation leaves to the next.
    pub(crate) fn elites(&self) -> u32 {
        let all = if self.algo == Algo::Ars { self.population / 2 } else { self.population };
        ((self.elite_fraction * f64::from(all)).round() as u32).clamp(1, all.max(1))
    }

    /// Updates of the whole run.
    pub fn num_updates(&self) -> u32 {
        if self.algo.is_search() {
            return self.generations;
        }
        let steps = self.total_timesteps.saturating_sub(self.warm_up());
        u32::try_from((steps / u64::from(self.rollout_size())).max(1)).unwrap_or(u32::MAX)
    }

    /// The setting that says how long a run is, and its value.
    pub fn length(&self) -> (&'static str, u64) {
        if self.algo.is_search() {
            ("generations", self.generations.into())
        } else {
            ("total_timesteps", self.total_timesteps)
        }
    }

    /// Steps of all worlds of an agent in the update that left these metrics.
    pub(crate) fn steps_of(&self, metrics: &Metrics) -> u64 {
        if self.algo.is_search() { metrics.steps.into() } else { self.rollout_size().into() }
    }

    /// Steps of all worlds of an agent after so many updates. How many a search makes is known only when its episodes have
    /// ended: [`crate::Report::env_steps`].
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
        let table = self.table().unwrap_or_default();
        let value = |setting: &Setting| table.get(setting.name).map(ToString::to_string).unwrap_or_default();
        Self::SETTINGS.iter().map(value).collect()
    }
}
