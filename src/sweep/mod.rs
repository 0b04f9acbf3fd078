//! Sweeps: many settings of one algorithm beside each other, the better half of them for longer, and the best with fresh seeds.

mod vary;

pub use vary::{Values, Vary};

use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::reference::philox::{philox4x32_10, uniform};
use crate::statistics::Interquartile;
use crate::train::Trainer;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How trials are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Draws {
    /// A scrambled Sobol sequence, which leaves no place empty.
    #[default]
    Sobol,
    /// Independently.
    Random,
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
    /// Rounds: every one has half the trials of the one before, those with the highest returns, and twice its length.
    pub rounds: u32,
    /// Trials of the last round that are made again with fresh seeds.
    pub finalists: u32,
    /// How many seeds those are.
    pub seeds: u32,
    /// How trials are drawn.
    pub draws: Draws,
}

/// A trial: settings, and what came of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, from 0.
    pub number: u32,
    /// The values of what varies, by name.
    pub values: BTreeMap<String, String>,
    /// The last round that it was in, from 0.
    pub round: u32,
    /// Mean return of the last evaluation of that round; none where numbers ceased to be finite.
    pub score: Option<f64>,
}

/// A trial with fresh seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Finalist {
    /// The trial.
    pub trial: Trial,
    /// Mean return of each seed; none where numbers ceased to be finite.
    pub returns: Vec<Option<f64>>,
    /// Their interquartile mean, what is none counting as the lowest of all.
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
    /// All trials, in the order of their numbers.
    pub trials: Vec<Trial>,
    /// The finalists, best first.
    pub finalists: Vec<Finalist>,
    /// Launches that it took.
    pub launches: u32,
}

/// What one agent of a launch came to.
#[derive(Clone, Copy, Debug)]
struct Came {
    score: Option<f64>,
    solved: bool,
}

/// Agents of a launch: what a uniform holds of numbers of their own (`part/own.wgsl`).
const MOST: usize = 256;

impl Sweep {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value and what is allowed.
    pub fn check(&self, env: &Environment) -> Result<()> {
        self.base.check_for(env)?;
        for (name, value, most) in
            [("trials", self.trials, 1 << 16), ("rounds", self.rounds, 16), ("seeds", self.seeds, 1 << 10)]
        {
            if value == 0 || value > most {
                return Err(Error::setting(name, format!("{value} is not allowed; it must be from 1 to {most}")));
            }
        }
        if self.vary.is_empty() {
            return Err(Error::setting("vary", "nothing varies; name a setting, such as learning_rate=log:1e-4..1e-2"));
        }
        if self.trials >> (self.rounds - 1) == 0 {
            let reason = format!("{} halvings leave none of {} trials", self.rounds - 1, self.trials);
            return Err(Error::setting("rounds", reason));
        }
        let mut known = BTreeSet::new();
        for vary in &self.vary {
            if !known.insert(&vary.name) {
                return Err(Error::setting(&vary.name, "it varies twice"));
            }
            if ["seed", "algo", "total_timesteps", "generations"].contains(&vary.name.as_str()) {
                return Err(Error::setting(&vary.name, "trials are compared at the same; it cannot vary"));
            }
            for value in vary.extremes() {
                self.base.with(&[format!("{}={value}", vary.name)])?.check_for(env)?;
            }
        }
        Ok(())
    }

    /// The values of a trial.
    fn values(&self, number: u32) -> BTreeMap<String, String> {
        let place = |dimension: u32| match self.draws {
            Draws::Sobol => f64::from(sobol_burley::sample(number, dimension, self.base.seed)),
            Draws::Random => uniform(philox4x32_10([number, dimension, 0, 0], [self.base.seed, PURPOSE_SWEEP])[0]),
        };
        (0..).zip(&self.vary).map(|(dimension, vary)| (vary.name.clone(), vary.at(place(dimension)))).collect()
    }

    /// The settings of a trial in a round.
    fn config(&self, trial: &Trial, round: u32) -> Result<Config> {
        let pairs: Vec<String> = trial.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (name, length) = self.base.length();
        let shorter = (length >> (self.rounds - 1 - round)).max(1);
        self.base.with(&[&pairs[..], &[format!("{name}={shorter}")]].concat())
    }

    /// Makes all rounds and the finals. `known` are trials of earlier calls that need not be made again; `told` hears of every
    /// launch as it ends.
    ///
    /// # Errors
    /// Those of [`Sweep::check`] and [`Trainer::of_each`].
    pub fn run(
        &self,
        gpu: &Gpu,
        env: &Environment,
        known: &[Trial],
        mut told: impl FnMut(&[Trial]) -> Result<()>,
    ) -> Result<Found> {
        self.check(env)?;
        let mut launches = 0;
        let first = |number| Trial { number, values: self.values(number), round: 0, score: None };
        let mut trials: Vec<Trial> = (0..self.trials).map(first).collect();
        let mut standing: Vec<usize> = (0..trials.len()).collect();
        for round in 0..self.rounds {
            if round > 0 {
                best_first(&trials, &mut standing);
                standing.truncate((self.trials >> round).max(1) as usize);
            }
            let mut open = Vec::new();
            for &n in &standing {
                match known.iter().find(|of| of.number == trials[n].number && of.round == round) {
                    Some(done) => trials[n] = done.clone(),
                    None => open.push(n),
                }
            }
            let configs = open.iter().map(|&n| self.config(&trials[n], round)).collect::<Result<Vec<_>>>()?;
            for group in groups(&configs) {
                let own: Vec<Config> = group.iter().map(|&n| configs[n].clone()).collect();
                let came = launch(gpu, env, &own, &vec![self.base.seed; own.len()])?;
                launches += 1;
                for (&n, came) in group.iter().zip(came) {
                    (trials[open[n]].round, trials[open[n]].score) = (round, came.score);
                }
                told(&group.iter().map(|&n| trials[open[n]].clone()).collect::<Vec<_>>())?;
            }
        }
        best_first(&trials, &mut standing);
        standing.truncate(self.finalists.max(1) as usize);
        let finalists: Vec<Trial> = standing.iter().map(|&n| trials[n].clone()).collect();
        let finalists = self.finals(gpu, env, &finalists, &mut launches)?;
        Ok(Found { trials, finalists, launches })
    }

    /// Finalists with seeds that no trial has seen.
    fn finals(&self, gpu: &Gpu, env: &Environment, trials: &[Trial], launches: &mut u32) -> Result<Vec<Finalist>> {
        let configs = trials.iter().map(|trial| self.config(trial, self.rounds - 1)).collect::<Result<Vec<_>>>()?;
        let fresh = |n: u32| self.base.seed.wrapping_add(1 + n);
        let all: Vec<(usize, u32)> =
            (0..trials.len()).flat_map(|n| (0..self.seeds).map(move |s| (n, fresh(s)))).collect();
        let each: Vec<Config> = all.iter().map(|&(n, _)| configs[n].clone()).collect();
        let mut came = vec![Came { score: None, solved: false }; all.len()];
        for group in groups(&each) {
            let own: Vec<Config> = group.iter().map(|&n| each[n].clone()).collect();
            let seeds: Vec<u32> = group.iter().map(|&n| all[n].1).collect();
            for (&n, found) in group.iter().zip(launch(gpu, env, &own, &seeds)?) {
                came[n] = found;
            }
            *launches += 1;
        }
        let worst = came.iter().filter_map(|came| came.score).fold(f64::INFINITY, f64::min);
        let of_trial = |(n, trial): (usize, &Trial)| {
            let own = &came[n * self.seeds as usize..][..self.seeds as usize];
            let scores: Vec<f64> = own.iter().map(|came| came.score.unwrap_or(worst)).collect();
            Finalist {
                trial: trial.clone(),
                returns: own.iter().map(|came| came.score).collect(),
                interquartile_mean: worst.is_finite().then(|| Interquartile::of(&scores)),
                solved: own.iter().filter(|came| came.solved).count(),
                config: configs[n].clone(),
            }
        };
        let mut finalists: Vec<Finalist> = trials.iter().enumerate().map(of_trial).collect();
        let mean = |of: &Finalist| of.interquartile_mean.map_or(f64::NEG_INFINITY, |of| of.mean);
        finalists.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        Ok(finalists)
    }
}

/// What random words of a sweep are for: a stream of their own.
const PURPOSE_SWEEP: u32 = 9;

/// Sorts numbers of trials by their scores, the highest first; of equals the first number comes first.
fn best_first(trials: &[Trial], numbers: &mut [usize]) {
    let score = |n: usize| trials[n].score.unwrap_or(f64::NEG_INFINITY);
    numbers.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
}

/// Numbers of configurations that one launch can have, in their order.
fn groups(configs: &[Config]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (n, config) in configs.iter().enumerate() {
        let fits = |group: &&mut Vec<usize>| group.len() < MOST && config.goes_with(&configs[group[0]]);
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(n),
            None => groups.push(vec![n]),
        }
    }
    groups
}

/// Trains agents to the end; gives what each came to.
fn launch(gpu: &Gpu, env: &Environment, configs: &[Config], seeds: &[u32]) -> Result<Vec<Came>> {
    let threshold = env.spec().reward_threshold.map(f64::from);
    let mut came = vec![Came { score: None, solved: false }; seeds.len()];
    let same = configs.iter().all(|config| *config == configs[0]);
    let configs = if same { &configs[..1] } else { configs };
    for report in Trainer::of_each(gpu, env, configs, seeds)?.forgiving() {
        let report = report?;
        for (agent, (returns, _)) in report.evaluation.into_iter().flatten().enumerate() {
            let fell = report.fallen.iter().any(|fallen| fallen.0 == agent);
            came[agent].score = (!fell).then_some(returns.mean);
            came[agent].solved |= !fell && threshold.is_some_and(|threshold| returns.passes(threshold));
        }
    }
    Ok(came)
}
