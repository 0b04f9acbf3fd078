//! The training loop: updates are submitted ahead, results are read behind, the device never waits.

use super::{Config, Policy, State, fault};
use crate::algo::{Learning, RING};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, Readback, Recording};
use crate::layout::Metrics;
use serde::Serialize;
use std::collections::VecDeque;

/// Bytes that are read beside a state: metrics, outcomes and parameters, more or less.
const READ_BESIDE: u64 = 16 << 20;

/// Submissions that may be under way at once: one runs while the host reads the one before.
const AHEAD: usize = 2;

/// A training run of one or more agents that is read by plain iteration: each item is a [`Report`] of some updates.
///
/// Evaluations happen at fixed update numbers, on the device, with the parameters of that update. Updates that were
/// submitted after an evaluation at which the caller stops are simply never read, so timing cannot change a result.
///
/// An update that meets a number that is not finite ends the run: the item behind the report of the updates before it is
/// [`Error::NotFinite`] or [`Error::LoopCut`], the one of an evaluation that does [`Error::EpisodeNotFinite`], and none follows.
#[derive(Debug)]
pub struct Trainer {
    gpu: Gpu,
    env: Environment,
    config: Config,
    seeds: Vec<u32>,
    learning: Learning,
    submitted: u32,
    /// Whether evaluations are read before anything is submitted behind them.
    patient: bool,
    /// Whether the state is kept at every evaluation, and the transitions with it.
    keeps: Option<bool>,
    pending: VecDeque<Pending>,
    /// Why the run ends behind the report before.
    failed: Option<Error>,
}

#[derive(Debug)]
struct Pending {
    first: u32,
    count: u32,
    evaluated: bool,
    readback: Readback,
}

/// What some updates did.
#[derive(Clone, Debug)]
pub struct Report {
    /// `[update][agent]`
    pub metrics: Vec<Vec<Metrics>>,
    /// Updates that are finished, these included.
    pub updates: u32,
    /// Steps that all worlds of one agent have made.
    pub env_steps: u64,
    /// For each agent, if the last of these updates was evaluated: how its policy fared, and the policy.
    pub evaluation: Option<Vec<(Returns, Policy)>>,
    /// The state then, where it is kept ([`Trainer::keeping`]).
    pub state: Option<State>,
}

/// Returns of whole episodes under a policy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Returns {
    /// Number of episodes.
    pub episodes: u32,
    /// Mean return.
    pub mean: f64,
    /// Standard deviation of the returns (n − 1).
    pub std: f64,
    /// Smallest return.
    pub min: f64,
    /// Largest return.
    pub max: f64,
    /// Mean length in steps.
    pub mean_length: f64,
}

impl Returns {
    /// Of these (return, length, ending, 0).
    pub fn of(outcomes: &[[f32; 4]]) -> Self {
        let count = outcomes.len().max(1) as f64;
        let returns = || outcomes.iter().map(|outcome| f64::from(outcome[0]));
        let mean = returns().sum::<f64>() / count;
        let variance = returns().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        Self {
            episodes: outcomes.len() as u32,
            mean,
            std: variance.sqrt(),
            min: returns().fold(f64::INFINITY, f64::min),
            max: returns().fold(f64::NEG_INFINITY, f64::max),
            mean_length: outcomes.iter().map(|outcome| f64::from(outcome[1])).sum::<f64>() / count,
        }
    }

    /// Whether the mean is at least the threshold with three standard errors to spare.
    pub fn passes(&self, threshold: f64) -> bool {
        self.mean - 3.0 * self.std / f64::from(self.episodes).sqrt() >= threshold
    }
}

impl Trainer {
    /// Agents with these seeds; the seed in `config` is not used.
    ///
    /// # Errors
    /// As [`Learning::new`].
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        let learning = Learning::new(gpu, env, config, seeds)?;
        Ok(Self {
            gpu: gpu.clone(),
            env: env.clone(),
            config: config.clone(),
            seeds: seeds.to_vec(),
            learning,
            submitted: 0,
            patient: false,
            keeps: None,
            pending: VecDeque::new(),
            failed: None,
        })
    }

    /// Submits nothing behind an evaluation before it was read: for callers who may stop there, and would otherwise wait for
    /// work that nobody reads. Results are the same.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Reports the state at every evaluation, with the transitions where `ring` is set.
    #[must_use]
    pub fn keeping(mut self, ring: bool) -> Self {
        self.keeps = Some(ring);
        self
    }

    /// Refuses a state that is too large to be read back at once.
    ///
    /// # Errors
    /// [`crate::Error::TooLarge`] with the arithmetic.
    pub(super) fn check_state(&self, gpu: &Gpu) -> Result<()> {
        let buffers = self.keeps.map(|ring| self.learning.state(ring)).unwrap_or_default();
        let bytes: u64 = buffers.iter().map(|(_, buffer)| buffer.size()).sum();
        let limit = gpu.device().limits().max_buffer_size;
        if bytes.saturating_add(READ_BESIDE) <= limit {
            return Ok(());
        }
        let arithmetic =
            format!("{} buffers, the ring of buffer_size {} among them,", buffers.len(), self.config.buffer_size);
        let remedy = "buffer_size or num_envs, or leave --save-replay out".to_owned();
        Err(crate::Error::TooLarge { buffer: "state".to_owned(), arithmetic, bytes, limit, remedy })
    }

    /// Goes on from a state, which a run of the same configuration has reported. Transitions that were not kept are made
    /// anew by the policy, and do not count as steps.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] where the state is of another configuration, and as [`Gpu::submit`].
    pub fn resume(mut self, state: &State) -> Result<Self> {
        state.restore(&self.gpu, &self.learning.state(state.ring))?;
        if !state.ring {
            self.learning.refill(&self.gpu, &self.config)?;
        }
        self.submitted = state.updates;
        Ok(self)
    }

    /// Updates of the whole run.
    pub fn num_updates(&self) -> u32 {
        self.config.num_updates()
    }

    /// The algorithm with its buffers.
    pub fn learning(&self) -> &Learning {
        &self.learning
    }

    /// Submits updates up to the next evaluation, or as many as the metrics' ring holds.
    fn submit(&mut self) -> Result<()> {
        let every = if self.config.eval_every == 0 { u32::MAX } else { self.config.eval_every };
        let first = self.submitted;
        let next_evaluation = (first / every).saturating_add(1).saturating_mul(every).min(self.num_updates());
        let count = (next_evaluation - first).min(RING);
        let evaluated = first + count == next_evaluation;

        let mut work = Recording::default();
        for _ in 0..count {
            work.extend(self.learning.update());
        }
        let mut sources = vec![self.learning.metrics().raw()];
        if evaluated {
            let evaluation = self.learning.evaluation();
            evaluation.record(&mut work);
            sources.push(evaluation.outcomes.raw());
            sources.extend(self.learning.parameters().iter().map(|buffer| buffer.raw()));
            sources.extend(self.keeps.iter().flat_map(|&ring| self.learning.state(ring)).map(|(_, buffer)| buffer));
        }
        let readback = self.gpu.submit_and_read(&work, &sources)?;
        self.pending.push_back(Pending { first, count, evaluated, readback });
        self.submitted += count;
        Ok(())
    }

    /// The first of these updates `[update][agent]` that met something unsound, and what that was.
    fn unsound(&self, metrics: &[Vec<Metrics>]) -> Option<(usize, Error)> {
        metrics.iter().enumerate().find_map(|(update, agents)| {
            let check = |(metrics, &seed)| {
                fault::check_update(metrics, &self.env, &self.config, seed, self.learning.layout()).err()
            };
            agents.iter().zip(&self.seeds).find_map(check).map(|error| (update, error))
        })
    }

    /// Ends the run: what was submitted is never read.
    fn end(&mut self) {
        self.submitted = self.num_updates();
        self.pending.clear();
    }

    fn report(&mut self) -> Result<Option<Report>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        while self.submitted < self.num_updates() && self.pending.len() < AHEAD {
            if self.patient && self.pending.iter().any(|block| block.evaluated) {
                break;
            }
            self.submit()?;
        }
        let Some(Pending { first, count, evaluated, readback }) = self.pending.pop_front() else {
            return Ok(None);
        };
        let arrived = readback.wait(&self.gpu)?;
        let agents = self.seeds.len();
        let ring: Vec<Metrics> = arrived.take(0);
        let row = |update: u32| {
            let at = (update % RING) as usize * agents;
            ring[at..at + agents].to_vec()
        };
        let updates = first + count;
        let mut metrics: Vec<Vec<Metrics>> = (first..updates).map(row).collect();
        if let Some((sound, error)) = self.unsound(&metrics) {
            self.end();
            if sound == 0 {
                return Err(error);
            }
            // updates before it are told as ever
            self.failed = Some(error);
            metrics.truncate(sound);
            let updates = first + sound as u32;
            let env_steps = self.config.env_steps(updates);
            return Ok(Some(Report { metrics, updates, env_steps, evaluation: None, state: None }));
        }
        let env_steps = self.config.env_steps(updates);
        if evaluated {
            let outcomes: Vec<[f32; 4]> = arrived.take(1);
            for (outcomes, &seed) in outcomes.chunks_exact(self.config.eval_episodes as usize).zip(&self.seeds) {
                fault::check_outcomes(outcomes, &self.env, seed, updates)?;
            }
        }
        let evaluation: Option<Vec<(Returns, Policy)>> = evaluated.then(|| {
            let outcomes: Vec<[f32; 4]> = arrived.take(1);
            let buffers: Vec<Vec<f32>> = (0..self.learning.parameters().len()).map(|n| arrived.take(2 + n)).collect();
            let outcomes = outcomes.chunks_exact(self.config.eval_episodes as usize);
            // an agent's networks, one buffer after the other
            let own = |agent: usize| -> Vec<f32> {
                buffers
                    .iter()
                    .filter_map(|words| words.chunks_exact(words.len() / agents).nth(agent))
                    .flatten()
                    .copied()
                    .collect()
            };
            let agent = |((outcomes, agent), &seed): ((&[[f32; 4]], usize), &u32)| {
                let parameters = self.learning.layout().compact(&own(agent));
                let config = Config { seed, ..self.config.clone() };
                (Returns::of(outcomes), Policy::new(&self.env, config, updates, parameters))
            };
            outcomes.zip(0..agents).zip(&self.seeds).map(agent).collect()
        });
        for (_, policy) in evaluation.iter().flatten() {
            let (seed, layout) = (policy.config.seed, self.learning.layout());
            fault::check_parameters(policy.parameters(), &self.config, seed, updates, layout)?;
        }
        let first_kept = 2 + self.learning.parameters().len();
        let state = self.keeps.zip(evaluation.as_ref()).map(|(ring, agents)| {
            let names = self.learning.state(ring).into_iter().map(|(name, _)| name);
            let words = names.enumerate().map(|(n, name)| (name, arrived.take(first_kept + n))).collect();
            State::new(updates, agents.first().map(|(_, policy)| policy.hash()).unwrap_or_default(), ring, words)
        });
        Ok(Some(Report { metrics, updates, env_steps, evaluation, state }))
    }
}

impl Iterator for Trainer {
    type Item = Result<Report>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.report().transpose();
        if let Some(Err(_)) = item {
            self.end();
        }
        item
    }
}
