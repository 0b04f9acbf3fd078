//! The record of a run: what is written down of an agent while it trains.

use super::evaluations::{EVALUATIONS_FILE, Evaluated};
use super::lines::Lines;
use super::metrics::{Earlier, Line, METRICS_FILE, Recent};
use super::{Policy, Report, Returns};
use crate::config::Config;
use crate::error::Result;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is told of an agent, update by update: the lines of `metrics.jsonl` and `evaluations.jsonl`, which nobody has to write.
#[derive(Debug)]
pub struct Account {
    recent: Recent,
    seed: u32,
    /// How many evaluations there were.
    evaluated: u32,
    /// Steps of the agent's worlds, and seconds of the run, when the last report was made.
    step: u64,
    seconds: f64,
    /// Seconds of the run in processes before this one, less those of this one before the run went on.
    offset: f64,
    started: Instant,
}

impl Account {
    /// That of an agent with this seed whose worlds have made so many steps before the first update, of a run that has begun then.
    pub fn new(seed: u32, step: u64, started: Instant) -> Self {
        let (recent, evaluated, offset) = (Recent::default(), 0, 0.0);
        let mut account = Self { recent, seed, evaluated, step, seconds: 0.0, offset, started };
        account.begin();
        account
    }

    fn now(&self) -> f64 {
        self.offset + self.started.elapsed().as_secs_f64()
    }

    /// From here on time counts as that of updates.
    pub(super) fn begin(&mut self) {
        self.seconds = self.now();
    }

    /// What an agent did in a report: a line for each update, and one for the evaluation at its end, if there was one.
    pub fn add(&mut self, report: &Report, agent: usize, config: &Config) -> (Vec<Line>, Option<Evaluated>) {
        let (count, now) = (report.metrics.len() as f64, self.now());
        let made: u64 = report.metrics.iter().map(|agents| config.steps_of(&agents[agent])).sum();
        let steps_per_s = made as f64 / (now - self.seconds).max(1e-9);
        let mut lines = Vec::with_capacity(report.metrics.len());
        for (n, agents) in report.metrics.iter().enumerate() {
            self.step += config.steps_of(&agents[agent]);
            let seconds = milliseconds(self.seconds + (now - self.seconds) * (n + 1) as f64 / count);
            lines.push(Line::of(&agents[agent], config, self.step, seconds, steps_per_s, &mut self.recent));
        }
        self.seconds = now;
        let of_agent = report.evaluation.as_ref().and_then(|agents| agents.get(agent));
        let evaluated = of_agent.map(|(returns, policy)| self.evaluated(returns, policy));
        (lines, evaluated)
    }

    fn evaluated(&mut self, returns: &Returns, policy: &Policy) -> Evaluated {
        self.evaluated += 1;
        Evaluated {
            evaluation: self.evaluated,
            seed: self.seed,
            update: policy.updates.saturating_sub(1),
            step: self.step,
            seconds: milliseconds(self.seconds),
            returns: *returns,
            best_member: policy.evaluation_of_best,
        }
    }
}

/// Writes `metrics.jsonl` and `evaluations.jsonl` of one agent.
#[derive(Debug)]
pub(super) struct Record {
    metrics: Lines,
    evaluations: Lines,
    account: Account,
}

impl Record {
    /// That of an agent whose worlds have made so many steps in as many updates as are done. Lines of earlier updates are kept.
    pub fn open(folder: &Path, seed: u32, done: u32, step: u64, started: Instant) -> Result<Self> {
        let mut account = Account::new(seed, step, started);
        let metrics = Lines::open(&folder.join(METRICS_FILE), done > 0, |line: Earlier| {
            let earlier = line.update < done;
            if earlier {
                account.recent.add(line.episodes, line.update_return.zip(line.update_length).map(|(a, b)| [a, b]));
                account.offset = line.seconds;
            }
            earlier
        })?;
        let evaluations = Lines::open(&folder.join(EVALUATIONS_FILE), done > 0, |line: Evaluated| {
            let earlier = line.update < done;
            account.evaluated += u32::from(earlier);
            earlier
        })?;
        account.begin();
        Ok(Self { metrics, evaluations, account })
    }

    /// From here on time counts as that of updates.
    pub fn begin(&mut self) {
        self.account.begin();
    }

    /// The run was held for so long, which does not count.
    pub fn held(&mut self, time: Duration) {
        self.account.offset -= time.as_secs_f64();
    }

    /// What an agent did in a report: a line for each update, and one for the evaluation at its end, if there was one.
    pub fn add(&mut self, report: &Report, agent: usize, config: &Config) -> (Vec<Line>, Option<Evaluated>) {
        self.account.add(report, agent, config)
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`crate::Error::File`] where the disk does not take them; they wait for the next ones.
    pub fn write(&mut self, lines: &[Line], evaluated: Option<&Evaluated>) -> Result<()> {
        let metrics = self.metrics.append(lines);
        let evaluations = self.evaluations.append(evaluated.as_slice());
        metrics.and(evaluations)
    }

    /// Lines that are not in the files.
    pub fn missing(&self) -> u64 {
        self.metrics.missing() + self.evaluations.missing()
    }
}

/// Seconds, to three digits behind the point.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
