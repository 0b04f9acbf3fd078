//! Sweeps: many settings of one algorithm beside each other, the better half of them for longer, and the best with fresh seeds.

mod draw;
mod launch;
mod records;
mod vary;

pub use launch::Event;
pub use records::{Record, Records, SWEEP_FILE};
pub use vary::{Values, Vary, short};

use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result, shown};
use crate::gpu::Gpu;
use crate::reference::philox::{philox4x32_10, uniform};
use crate::statistics::Interquartile;
use launch::Agent;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where the places of trials come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// A scrambled Sobol sequence, which leaves no region empty.
    #[default]
    Sobol,
    /// Independent random numbers.
    Random,
}

impl Sampler {
    /// What they are called.
    pub const NAMES: [&'static str; 2] = ["sobol", "random"];

    /// The sampler of a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sobol" => Some(Self::Sobol),
            "random" => Some(Self::Random),
            _ => None,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Settings of all trials; its length is that of the last round.
    pub base: Config,
    /// What varies.
    pub vary: Vec<Vary>,
    /// Number of trials.
    pub trials: u32,
    /// Rounds of successive halving: each has half the trials of the one before, those with the highest returns, and trains
    /// them anew for twice as long.
    pub rounds: u32,
    /// Trials of the last round that are made again with fresh seeds.
    pub finalists: u32,
    /// How many seeds those are.
    pub seeds: u32,
    /// Where the places of trials come from.
    pub sampler: Sampler,
}

/// A trial: settings, and what came of them.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// Its number, from 0.
    pub number: u32,
    /// The values of what varies, by name.
    pub values: BTreeMap<String, String>,
    /// The last round that it was in, from 0.
    pub round: u32,
    /// Steps, or generations, that it was trained for there.
    pub length: u64,
    /// Mean return after them; none where numbers ceased to be finite.
    pub score: Option<f64>,
}

/// A trial with fresh seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Finalist {
    /// The trial.
    pub trial: Trial,
    /// The seeds.
    pub seeds: Vec<u32>,
    /// Mean return of each at the end; none where numbers ceased to be finite.
    pub returns: Vec<Option<f64>>,
    /// Their interquartile mean, where what is none counts as the lowest of all finalists; none where all are.
    pub interquartile_mean: Option<Interquartile>,
    /// Of how many seeds an evaluation has passed the environment's threshold.
    pub solved: usize,
    #[serde(skip)]
    config: Config,
}

impl Finalist {
    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// What a sweep has found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Name of the environment.
    pub env: String,
    /// The algorithm.
    pub algo: &'static str,
    /// All trials, in the order of their numbers.
    pub trials: Vec<Trial>,
    /// The finalists, best first.
    pub finalists: Vec<Finalist>,
    /// Launches that this call has made.
    pub launches: u32,
    /// What varied.
    #[serde(skip)]
    vary: Vec<Vary>,
}

/// Most settings that can vary: dimensions of the Sobol sequence.
const MOST_VARY: usize = 64;
/// Episodes of a trial's evaluation at most: trials need an order, finalists a number.
const TRIAL_EPISODES: u32 = 100;
/// What random words of a sweep are for; other purposes are in `shaders/part/random_words.wgsl`.
const PURPOSE_SWEEP: u32 = 9;

impl Sweep {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value and what is allowed.
    pub fn check(&self, env: &Environment) -> Result<()> {
        self.base.check_for(env)?;
        for (name, value, most) in [
            ("trials", self.trials, 1 << 16),
            ("rounds", self.rounds, 16),
            ("finalists", self.finalists, 1 << 10),
            ("seeds", self.seeds, 1 << 10),
        ] {
            if value == 0 || value > most {
                return Err(Error::setting(name, format!("{value} is not allowed; it must be from 1 to {most}")));
            }
        }
        if self.vary.is_empty() || self.vary.len() > MOST_VARY {
            let reason = match self.vary.len() {
                0 => "nothing varies; name a setting, such as learning_rate=log:1e-4..1e-2".to_owned(),
                many => format!("{many} settings vary; at most {MOST_VARY} can"),
            };
            return Err(Error::setting("vary", reason));
        }
        let halvings = self.rounds - 1;
        if self.trials >> halvings == 0 {
            let reason = format!("{} halvings leave none of {} trials; ask for fewer rounds", halvings, self.trials);
            return Err(Error::setting("rounds", reason));
        }
        let (name, length) = self.base.length();
        let least = self.shortest();
        if self.length(0) < least {
            let reason = format!(
                "the first of {} rounds would have {name} = {} / {}, and one update takes {least}; ask for fewer rounds or \
                 more {name}",
                self.rounds,
                length,
                1 << halvings
            );
            return Err(Error::setting("rounds", reason));
        }
        let mut known = BTreeSet::new();
        for vary in &self.vary {
            if !known.insert(&vary.name) {
                return Err(Error::setting(&vary.name, "it varies twice; list all its values in one --vary"));
            }
            if FIXED.contains(&vary.name.as_str()) {
                return Err(Error::setting(&vary.name, "trials are compared at the same one; it cannot vary"));
            }
            for value in vary.extremes() {
                self.base.with(&[format!("{}={value}", vary.name)])?.check_for(env)?;
            }
        }
        // what each value may be alone, some may not be together
        (0..self.trials).try_for_each(|number| self.config_in(&self.first(number), 0)?.check_for(env))
    }

    /// A trial that nothing has come of yet.
    fn first(&self, number: u32) -> Trial {
        Trial { number, values: self.values(number), round: 0, length: 0, score: None }
    }

    /// What the length of a run has to be at least: of one update.
    fn shortest(&self) -> u64 {
        if self.base.algo.is_search() { 1 } else { self.base.env_steps(1) }
    }

    /// Length of a round, from 0.
    fn length(&self, round: u32) -> u64 {
        self.base.length().1 >> (self.rounds - 1 - round)
    }

    /// The values of a trial.
    fn values(&self, number: u32) -> BTreeMap<String, String> {
        let place = |dimension: u32| match self.sampler {
            Sampler::Sobol => f64::from(sobol_burley::sample(number, dimension, self.base.seed)),
            Sampler::Random => uniform(philox4x32_10([number, dimension, PURPOSE_SWEEP, 0], [self.base.seed, 0])[0]),
        };
        (0..).zip(&self.vary).map(|(dimension, vary)| (vary.name.clone(), vary.at(place(dimension)))).collect()
    }

    /// The settings of a trial, with the length and the evaluations of the sweep's own.
    fn config(&self, trial: &Trial) -> Result<Config> {
        let pairs: Vec<String> = trial.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.base.with(&pairs)
    }

    /// The same for a round: as long as that is, and evaluated at its end.
    fn config_in(&self, trial: &Trial, round: u32) -> Result<Config> {
        let episodes = self.base.eval_episodes.min(TRIAL_EPISODES);
        let (name, length) = (self.base.length().0, self.length(round));
        let own = [format!("{name}={length}"), "eval_every=0".to_owned(), format!("eval_episodes={episodes}")];
        self.config(trial)?.with(&own)
    }

    /// Gradients of single samples that all trials and finalists take, more or less.
    fn work(&self) -> u64 {
        let of_round =
            |round: u32| (self.base.work() >> (self.rounds - 1 - round)).saturating_mul((self.trials >> round).into());
        let finals = self.base.work().saturating_mul(u64::from(self.finalists) * u64::from(self.seeds));
        (0..self.rounds).map(of_round).fold(finals, u64::saturating_add)
    }

    /// Bytes of the largest buffer that all agents of the first round would bind side by side.
    pub fn largest_binding(&self, env: &Environment) -> u64 {
        let sizes = crate::algo::sizes(&self.base, env, self.trials.max(self.finalists * self.seeds));
        sizes.map_or(u64::MAX, |sizes| sizes.largest())
    }

    /// Makes all rounds and the finals. What `records` knows is not made again, and what is made goes there as each launch
    /// ends. `watch` hears how far it is.
    ///
    /// # Errors
    /// Those of [`Sweep::check`] and [`Trainer::of_each`](crate::Trainer::of_each), and of what writes the records.
    pub fn run(
        &self,
        gpu: &Gpu,
        env: &Environment,
        records: &mut Records,
        mut watch: impl FnMut(Event),
    ) -> Result<Found> {
        self.check(env)?;
        // short work many times over is long work, whose kernels are compiled once
        let gpu = &gpu.clone().with_form(gpu.form_for(self.work()));
        let mut launches = 0;
        let mut trials: Vec<Trial> = (0..self.trials).map(|number| self.first(number)).collect();
        let mut standing: Vec<usize> = (0..trials.len()).collect();
        for round in 0..self.rounds {
            standing.truncate((self.trials >> round) as usize);
            let agent = |&n: &usize| {
                let config = self.config_in(&trials[n], round)?;
                Ok(Agent { trial: trials[n].number, seed: self.base.seed, config })
            };
            let agents = standing.iter().map(agent).collect::<Result<Vec<_>>>()?;
            watch(Event::Round { round, trials: standing.len() });
            let came = launch::all(gpu, env, &agents, records, &mut launches, &mut watch)?;
            for (&n, record) in standing.iter().zip(came) {
                (trials[n].round, trials[n].length, trials[n].score) = (round, self.length(round), record.score);
            }
            best_first(&trials, &mut standing);
        }
        standing.truncate(self.finalists as usize);
        let chosen: Vec<Trial> = standing.iter().map(|&n| trials[n].clone()).collect();
        let finalists = self.finals(gpu, env, chosen, records, &mut launches, &mut watch)?;
        let (env, algo, vary) = (shown(env.name()), self.base.algo.name(), self.vary.clone());
        Ok(Found { env, algo, trials, finalists, launches, vary })
    }

    /// Trials with seeds that none has seen, the best first.
    fn finals(
        &self,
        gpu: &Gpu,
        env: &Environment,
        trials: Vec<Trial>,
        records: &mut Records,
        launches: &mut u32,
        watch: &mut impl FnMut(Event),
    ) -> Result<Vec<Finalist>> {
        let seeds: Vec<u32> = (1..=self.seeds).map(|n| self.base.seed.wrapping_add(n)).collect();
        let configs = trials.iter().map(|trial| self.config(trial)).collect::<Result<Vec<_>>>()?;
        let of_trial = |(trial, config): (&Trial, &Config)| {
            let agent = |&seed: &u32| Agent { trial: trial.number, seed, config: config.clone() };
            seeds.iter().map(agent).collect::<Vec<_>>()
        };
        let agents: Vec<Agent> = trials.iter().zip(&configs).flat_map(of_trial).collect();
        watch(Event::Finals { trials: trials.len(), seeds: seeds.len() });
        let came = launch::all(gpu, env, &agents, records, launches, watch)?;
        let worst = came.iter().filter_map(|came| came.score).fold(f64::INFINITY, f64::min);
        let finalist = |((trial, config), own): ((Trial, Config), &[Record])| {
            let scores: Vec<f64> = own.iter().map(|came| came.score.unwrap_or(worst)).collect();
            Finalist {
                trial,
                seeds: seeds.clone(),
                returns: own.iter().map(|came| came.score).collect(),
                interquartile_mean: worst.is_finite().then(|| Interquartile::of(&scores)),
                solved: own.iter().filter(|came| came.solved).count(),
                config,
            }
        };
        let own = came.chunks_exact(seeds.len());
        let mut finalists: Vec<Finalist> = trials.into_iter().zip(configs).zip(own).map(finalist).collect();
        let mean = |of: &Finalist| of.interquartile_mean.map_or(f64::NEG_INFINITY, |of| of.mean);
        finalists.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        Ok(finalists)
    }
}

/// Settings at which trials are compared.
const FIXED: [&str; 6] = ["seed", "algo", "total_timesteps", "generations", "eval_every", "eval_episodes"];

/// Sorts numbers of trials by their scores, the highest first; of equals the first number comes first.
fn best_first(trials: &[Trial], numbers: &mut [usize]) {
    let score = |n: usize| trials[n].score.unwrap_or(f64::NEG_INFINITY);
    numbers.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
}
