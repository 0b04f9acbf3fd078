//! What is shown while a run trains: a bar of one line where a person is watching, with a line above it for each evaluation; the
//! evaluations alone elsewhere.

use super::say::say;
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use manyworlds::Gpu;
use manyworlds::config::Config;
use manyworlds::train::{Evaluated, Event, Line, Progress as Report};
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Width of the bar itself.
const BAR: usize = 8;
/// Columns where a terminal does not tell.
const COLUMNS: usize = 80;
/// How often the line is drawn anew: its clock runs while nothing else happens.
const TICK: Duration = Duration::from_millis(250);
/// Columns from which the line has room for more.
const ROOMY: usize = 110;

/// A bar where a person is watching, a line for each evaluation elsewhere.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
    state: Arc<Mutex<State>>,
}

/// What the line is made of.
struct State {
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
    Compiling(Gpu),
    FirstUpdate,
    Training,
}

impl Progress {
    /// That of a run which is being made ready on this device.
    pub fn new(config: &Config, gpu: &Gpu) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let generations = config.algo.is_search();
        let total = if generations { config.generations.into() } else { config.env_steps(config.num_updates()) };
        let now = Instant::now();
        let state = Arc::new(Mutex::new(State {
            doing: Doing::Compiling(gpu.clone()),
            since: now,
            generations,
            total,
            first: 0,
            done: 0,
            began: now,
            reported: now,
            line: None,
            evaluation: None,
        }));
        let bar = if terminal { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let told = Arc::clone(&state);
        let status = move |_: &ProgressState, to: &mut dyn Write| {
            let columns = console::Term::stderr().size_checked().map_or(COLUMNS, |(_, columns)| columns.into());
            let room = columns.saturating_sub(BAR + 2);
            let _ = to.write_str(&told.lock().unwrap_or_else(PoisonError::into_inner).text(room));
        };
        if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:{BAR}}} {{status}}")) {
            bar.set_style(style.with_key("status", status).progress_chars("━━─"));
        }
        if terminal {
            bar.tick();
            bar.enable_steady_tick(TICK);
        }
        Self { bar, terminal, state }
    }

    /// Shows what has happened.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Begins { updates, env_steps } => {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                state.doing = Doing::FirstUpdate;
                (state.since, state.began, state.reported) = (now, now, now);
                state.first = if state.generations { u64::from(*updates) } else { *env_steps };
                state.done = state.first;
                self.bar.set_position(state.done);
            }
            // of several agents the first speaks for all
            Event::Report(report) if report.agent == 0 => self.report(report),
            Event::Report(_) | Event::Saved(_) => {}
            Event::Trouble(trouble) => self.above(&format!("warning: {trouble}")),
        }
    }

    fn report(&self, report: &Report) {
        let position = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.doing = Doing::Training;
            state.done = if state.generations { report.report.updates.into() } else { report.report.env_steps };
            state.reported = Instant::now();
            state.line = report.lines.last().cloned().or_else(|| state.line.take());
            state.evaluation = report.evaluated.map(|evaluated| evaluated.returns.mean).or(state.evaluation);
            state.done
        };
        self.bar.set_position(position);
        if let Some(evaluated) = report.evaluated {
            self.above(&evaluation(evaluated, report.lines.last()));
        }
    }

    /// A line above the bar.
    pub fn above(&self, text: &str) {
        if self.terminal { self.bar.suspend(|| say(format_args!("{text}"))) } else { say(format_args!("{text}")) }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// An evaluation in a line of 80 columns.
fn evaluation(evaluated: &Evaluated, line: Option<&Line>) -> String {
    let steps = HumanCount(evaluated.step);
    let returns = line.and_then(|line| line.mean_return).map_or(String::new(), |mean| format!(" · return {mean:.1}"));
    let best = evaluated.best_member.map_or(String::new(), |best| format!(" · best member {:.1}", best.mean));
    format!("{steps} steps · {:.1} s{returns} · evaluation {}{best}", evaluated.seconds, evaluated.returns)
}

impl State {
    /// The line behind the bar, at most so many columns.
    fn text(&self, room: usize) -> String {
        let waited = clock(self.since.elapsed());
        let text = match &self.doing {
            Doing::Compiling(gpu) => match gpu.compiled() {
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
        let pace = self.reported.duration_since(self.began).as_secs_f64() / made as f64;
        let wanted = pace * self.total.saturating_sub(self.done) as f64;
        Duration::try_from_secs_f64((wanted - self.reported.elapsed().as_secs_f64()).max(0.0)).ok()
    }
}

/// Three digits and a unit: `4.10M`.
fn short(number: f64) -> String {
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
fn clock(time: Duration) -> String {
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
