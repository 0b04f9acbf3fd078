//! Where a run stands: what it is doing, how far it has come and how long it will take. The bar and the dashboard show the same.

use crate::Gpu;
use crate::config::Config;
use crate::train::{Evaluated, Line};
use indicatif::HumanCount;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Columns from which the line has room for more.
const ROOMY: usize = 110;

/// Where a run stands.
pub struct Standing {
    doing: Doing,
    since: Instant,
    /// Whether it counts generations: how many steps those will have nobody knows.
    generations: bool,
    /// Steps or generations of the whole run.
    total: u64,
    /// How many there were when this process began, and now.
    first: u64,
    done: u64,
    /// When updates began, and when the last report came.
    began: Instant,
    reported: Instant,
    line: Option<Line>,
    evaluation: Option<f64>,
}

enum Doing {
    /// Making ready; how many kernels are compiled, of how many.
    Compiling(Box<dyn Fn() -> [u64; 2] + Send>),
    FirstUpdate,
    Training,
}

impl Standing {
    /// That of a run which is being made ready on this device.
    pub fn new(config: &Config, gpu: &Gpu) -> Self {
        let gpu = gpu.clone();
        Self::compiling(config, move || gpu.compiled())
    }

    /// The same, with how many kernels are compiled, of how many.
    pub fn compiling(config: &Config, compiled: impl Fn() -> [u64; 2] + Send + 'static) -> Self {
        let generations = config.algo.is_search();
        let total = if generations { config.generations.into() } else { config.env_steps(config.num_updates()) };
        let now = Instant::now();
        Self {
            doing: Doing::Compiling(Box::new(compiled)),
            since: now,
            generations,
            total,
            first: 0,
            done: 0,
            began: now,
            reported: now,
            line: None,
            evaluation: None,
        }
    }

    /// Updates begin, after so many updates and steps.
    pub fn begins(&mut self, updates: u32, env_steps: u64) {
        let now = Instant::now();
        self.doing = Doing::FirstUpdate;
        (self.since, self.began, self.reported) = (now, now, now);
        self.first = if self.generations { updates.into() } else { env_steps };
        self.done = self.first;
    }

    /// So many updates and steps are made, the last of them with these lines and perhaps an evaluation.
    pub fn report(&mut self, updates: u32, env_steps: u64, lines: &[Line], evaluated: Option<&Evaluated>) {
        self.doing = Doing::Training;
        self.done = if self.generations { updates.into() } else { env_steps };
        self.reported = Instant::now();
        self.line = lines.last().cloned().or_else(|| self.line.take());
        self.evaluation = evaluated.map(|evaluated| evaluated.returns.mean).or(self.evaluation);
    }

    /// The run was held for so long, which does not count.
    pub fn held(&mut self, time: Duration) {
        self.began += time;
        self.reported += time;
        self.since += time;
    }

    /// Steps or generations of the whole run.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of them are made.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// What was measured last.
    pub fn line(&self) -> Option<&Line> {
        self.line.as_ref()
    }

    /// A line of at most so many columns.
    pub fn text(&self, room: usize) -> String {
        let waited = clock(self.since.elapsed());
        let text = match &self.doing {
            Doing::Compiling(compiled) => match compiled() {
                [_, 0] => format!("making ready · {waited}"),
                [done, total] if done == total => format!("making buffers · {waited}"),
                [done, total] => format!("compiling shaders, {done} of {total} done · {waited}"),
            },
            Doing::FirstUpdate => format!("first update · {waited}"),
            Doing::Training => self.training(room >= ROOMY),
        };
        text.chars().take(room).collect()
    }

    fn training(&self, roomy: bool) -> String {
        let percent = 100 * self.done / self.total.max(1);
        let unit = if self.generations { " generations" } else { "" };
        let mut text = format!("{percent}% {}/{}{unit}", short(self.done as f64), short(self.total as f64));
        if let Some(line) = &self.line {
            let _ = write!(text, " · {}/s", short(line.steps_per_s));
            if let Some(mean) = line.mean_return {
                let _ = write!(text, " · return {mean:.1}");
                if roomy {
                    let _ = write!(text, " of {} episodes", HumanCount(line.mean_of));
                }
            } else if roomy {
                text += " · no episode has ended";
            }
        }
        if let Some(mean) = self.evaluation {
            let _ = write!(text, " · eval {mean:.1}");
        }
        if let Some(left) = self.left() {
            let _ = write!(text, " · {} left", clock(left));
        }
        text
    }

    /// How long it will take from now on, at the pace so far.
    fn left(&self) -> Option<Duration> {
        let made = self.done.checked_sub(self.first).filter(|made| *made > 0)?;
        let pace = self.reported.saturating_duration_since(self.began).as_secs_f64() / made as f64;
        let wanted = pace * self.total.saturating_sub(self.done) as f64;
        Duration::try_from_secs_f64((wanted - self.reported.elapsed().as_secs_f64()).max(0.0)).ok()
    }
}

/// Three digits and a unit: `4.10M`.
pub fn short(number: f64) -> String {
    let (value, unit) = match number {
        x if x >= 999.5e6 => (x / 1e9, "G"),
        x if x >= 999.5e3 => (x / 1e6, "M"),
        x if x >= 999.5 => (x / 1e3, "k"),
        x => return format!("{x:.0}"),
    };
    let digits = if value >= 99.95 { 0 } else { 1 + usize::from(value < 9.995) };
    format!("{value:.digits$}{unit}")
}

/// `9s`, `1m20s`, `3h05m`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{clock, short};
    use std::time::Duration;

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [7.0, 999.0, 1000.0, 12_345.0, 999_499.0, 999_600.0, 4_100_000.0, 2.5e9];
        assert_eq!(numbers.map(short), ["7", "999", "1.00k", "12.3k", "999k", "1.00M", "4.10M", "2.50G"]);
        let times = [9, 80, 3599, 11_100].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(times, ["9s", "1m20s", "59m59s", "3h05m"]);
    }
}
