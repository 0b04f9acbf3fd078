//! What a dashboard remembers of a run, in bounded memory however long it runs.

use super::bins::Bins;
use crate::cli::standing::Standing;
use crate::config::Config;
use crate::env::{ActionSpace, Environment};
use crate::layout::Measured;
use crate::train::{Evaluated, Line, Stage, Watched};
use std::collections::VecDeque;
use std::time::Duration;

/// Most points of a curve; as many again are held in pairs.
const MOST: usize = 1024;
/// Episodes whose endings are counted at least, where there were so many: the last ones.
const RECENT: u64 = 100;

/// A curve of bounded length: each point the mean of as many neighbours as that takes.
#[derive(Clone, Debug)]
pub struct Curve {
    points: Vec<(f64, f64)>,
    /// How many numbers a point stands for.
    every: u32,
    sum: (f64, f64),
    count: u32,
    last: Option<f64>,
}

impl Default for Curve {
    fn default() -> Self {
        Self { points: Vec::new(), every: 1, sum: (0.0, 0.0), count: 0, last: None }
    }
}

impl Curve {
    /// Adds a number; one that is none is left out.
    pub fn push(&mut self, x: f64, y: f64) {
        if !y.is_finite() {
            return;
        }
        self.last = Some(y);
        (self.sum.0, self.sum.1, self.count) = (self.sum.0 + x, self.sum.1 + y, self.count + 1);
        if self.count < self.every {
            return;
        }
        let count = f64::from(self.count);
        self.points.push((self.sum.0 / count, self.sum.1 / count));
        (self.sum, self.count) = ((0.0, 0.0), 0);
        if self.points.len() == MOST {
            let middle = |pair: &[(f64, f64)]| (pair[0].0.midpoint(pair[1].0), pair[0].1.midpoint(pair[1].1));
            self.points = self.points.chunks_exact(2).map(middle).collect();
            self.every *= 2;
        }
    }

    /// The points, oldest first.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The number that was added last.
    pub fn last(&self) -> Option<f64> {
        self.last
    }
}

/// How episodes ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Endings {
    /// How many there were.
    pub episodes: u64,
    /// How many of them terminated.
    pub terminated: u64,
    /// How many of them were truncated.
    pub truncated: u64,
    /// How many of them had not ended.
    pub unfinished: u64,
    /// Their mean length.
    pub mean_length: Option<f64>,
}

/// What stays the same.
#[derive(Clone, Debug)]
pub struct Title {
    /// Environment, algorithm, seeds, adapter.
    pub words: Vec<String>,
    /// The run directory.
    pub directory: String,
}

/// What a dashboard shows.
pub struct History {
    /// What stays the same.
    pub title: Title,
    /// Where the run stands.
    pub standing: Standing,
    /// Mean return of the latest episodes, over steps.
    pub returns: Curve,
    /// Mean returns of evaluations, over steps.
    pub evaluations: Curve,
    /// Mean return from which on the environment is solved.
    pub threshold: Option<f64>,
    /// Steps per second.
    pub speed: Curve,
    /// What the algorithm measures.
    pub measures: Vec<(&'static str, Curve)>,
    /// The last evaluation.
    pub evaluated: Option<Evaluated>,
    /// How many of the last episodes ended how, update by update.
    latest: VecDeque<Endings>,
    /// Mean times of stages of an update, and of an evaluation, and how many of them were timed.
    times: Vec<(Stage, Duration, u32)>,
    /// Updates and evaluations so far, of this process.
    counts: [u32; 2],
    /// How often worlds took which action.
    pub actions: Option<Bins>,
    space: ActionSpace,
    squashed: bool,
}

impl History {
    /// Of a run that is being made ready.
    pub fn new(title: Title, env: &Environment, config: &Config, standing: Standing) -> Self {
        Self {
            title,
            standing,
            returns: Curve::default(),
            evaluations: Curve::default(),
            threshold: env.spec().reward_threshold.map(f64::from),
            speed: Curve::default(),
            measures: config.measures().into_iter().map(|name| (name, Curve::default())).collect(),
            evaluated: None,
            latest: VecDeque::new(),
            times: Vec::new(),
            counts: [0; 2],
            actions: None,
            space: env.spec().action_space.clone(),
            // rings hold what environments got
            squashed: config.squash && config.algo.is_on_policy(),
        }
    }

    /// So many updates and steps are made, the last of them with these lines and perhaps an evaluation.
    pub fn report(&mut self, updates: u32, env_steps: u64, lines: &[Line], evaluated: Option<&Evaluated>) {
        self.standing.report(updates, env_steps, lines, evaluated);
        for line in lines {
            self.line(line);
        }
        if let Some(evaluated) = evaluated {
            self.counts[1] += 1;
            self.evaluations.push(evaluated.step as f64, evaluated.returns.mean);
            self.evaluated = Some(evaluated.clone());
        }
    }

    fn line(&mut self, line: &Line) {
        self.counts[0] += 1;
        let step = line.step as f64;
        self.returns.push(step, line.mean_return.unwrap_or(f64::NAN));
        self.speed.push(step, line.steps_per_s);
        for (name, curve) in &mut self.measures {
            let number = match line.measures.get(name) {
                Some(Measured::Count(count)) => f64::from(count),
                Some(Measured::Real(real)) => f64::from(real),
                None => f64::NAN,
            };
            curve.push(step, number);
        }
        if line.episodes > 0 {
            self.latest.push_back(Endings {
                episodes: line.episodes.into(),
                terminated: line.terminated.into(),
                truncated: line.truncated.into(),
                unfinished: 0,
                mean_length: line.update_length.map(f64::from),
            });
            let mut episodes: u64 = self.latest.iter().map(|update| update.episodes).sum();
            while let Some(oldest) = self.latest.front()
                && episodes - oldest.episodes >= RECENT
            {
                episodes -= oldest.episodes;
                self.latest.pop_front();
            }
        }
    }

    /// What is told now and then.
    pub fn watched(&mut self, watched: &Watched) {
        for &(stage, time) in &watched.stages {
            match self.times.iter_mut().find(|(known, ..)| *known == stage) {
                // a mean of the last ten or so
                Some((_, mean, count)) => {
                    *count = (*count + 1).min(10);
                    let share = 1.0 / f64::from(*count);
                    *mean = mean.mul_f64(1.0 - share) + time.mul_f64(share);
                }
                None => self.times.push((stage, time, 1)),
            }
        }
        if !watched.actions.is_empty() {
            self.actions = Bins::of(&watched.actions, &self.space, self.squashed);
        }
    }

    /// How the last episodes of training ended.
    pub fn endings(&self) -> Endings {
        let sum = |part: fn(&Endings) -> u64| self.latest.iter().map(part).sum::<u64>();
        let episodes = sum(|update| update.episodes);
        let steps: f64 =
            self.latest.iter().filter_map(|of| of.mean_length.map(|length| length * of.episodes as f64)).sum();
        Endings {
            episodes,
            terminated: sum(|update| update.terminated),
            truncated: sum(|update| update.truncated),
            unfinished: 0,
            mean_length: (episodes > 0).then(|| steps / episodes as f64),
        }
    }

    /// How those of the last evaluation did.
    pub fn evaluated_endings(&self) -> Option<Endings> {
        self.evaluated.as_ref().map(|evaluated| Endings {
            episodes: evaluated.returns.episodes.into(),
            terminated: evaluated.returns.terminated.into(),
            truncated: evaluated.returns.truncated.into(),
            unfinished: evaluated.returns.unfinished.into(),
            mean_length: Some(evaluated.returns.mean_length),
        })
    }

    /// What share of the time so far each stage has had, in the order of [`Stage::ALL`], and what an update takes.
    pub fn shares(&self) -> (Vec<(Stage, f64)>, Duration) {
        let [updates, evaluations] = self.counts;
        let mut shares = Vec::new();
        let mut update = Duration::ZERO;
        for stage in Stage::ALL {
            let Some((_, time, _)) = self.times.iter().find(|(known, ..)| *known == stage) else { continue };
            let count = if stage == Stage::Evaluation { evaluations } else { updates };
            if stage != Stage::Evaluation {
                update += *time;
            }
            shares.push((stage, time.as_secs_f64() * f64::from(count)));
        }
        let sum: f64 = shares.iter().map(|(_, time)| time).sum();
        for (_, time) in &mut shares {
            *time /= sum.max(f64::MIN_POSITIVE);
        }
        (shares, update)
    }
}

#[cfg(test)]
mod tests {
    use super::{Curve, MOST};

    #[test]
    fn a_curve_stays_short_and_keeps_its_means() {
        let mut curve = Curve::default();
        for n in 0..100_000 {
            curve.push(f64::from(n), 3.0 * f64::from(n) + 1.0);
        }
        curve.push(1e9, f64::NAN);
        assert!(curve.points().len() < MOST && curve.points().len() >= MOST / 4, "{}", curve.points().len());
        assert_eq!(curve.last(), Some(299_998.0));
        for &(x, y) in curve.points() {
            assert!((3.0 * x + 1.0 - y).abs() < 1e-6, "{x} {y}");
        }
        assert!(curve.points().is_sorted_by(|a, b| a.0 < b.0));
    }
}
