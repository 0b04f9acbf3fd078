//! What is shown while a run trains: a bar of one line where a person is watching, with a line above it for each evaluation; the
//! evaluations alone elsewhere.

use super::say::say;
use super::standing::Standing;
use crate::Gpu;
use crate::config::Config;
use crate::train::{Evaluated, Event, Line, Progress as Report};
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Width of the bar itself.
const BAR: usize = 8;
/// Columns where a terminal does not tell.
const COLUMNS: usize = 80;
/// How often the line is drawn anew: its clock runs while nothing else happens.
const TICK: Duration = Duration::from_millis(250);

/// A bar where a person is watching, a line for each evaluation elsewhere.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
    standing: Arc<Mutex<Standing>>,
}

impl Progress {
    /// That of a run which is being made ready on this device.
    pub fn new(config: &Config, gpu: &Gpu) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let standing = Standing::new(config, gpu);
        let bar = if terminal { ProgressBar::new(standing.total()) } else { ProgressBar::hidden() };
        let standing = Arc::new(Mutex::new(standing));
        let told = Arc::clone(&standing);
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
        Self { bar, terminal, standing }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows what has happened.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Begins { updates, env_steps } => {
                let mut standing = self.standing();
                standing.begins(*updates, *env_steps);
                self.bar.set_position(standing.done());
            }
            // of several agents the first speaks for all
            Event::Report(report) if report.agent == 0 => self.report(report),
            Event::Report(_) | Event::Saved(_) => {}
            Event::Trouble(trouble) => self.above(&format!("warning: {trouble}")),
        }
    }

    fn report(&self, Report { report, lines, evaluated, .. }: &Report) {
        let done = {
            let mut standing = self.standing();
            standing.report(report.updates, report.env_steps, lines, *evaluated);
            standing.done()
        };
        self.bar.set_position(done);
        if let Some(evaluated) = evaluated {
            self.above(&evaluation(evaluated, lines.last()));
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
