//! `manyworlds train --tui`: a dashboard of a run in the terminal, with keys to pause, save and stop.

mod bins;
mod draw;
mod history;
mod keys;
pub mod screen;
mod text;

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests;

use self::draw::View;
use self::history::{History, Title};
use self::keys::{Command, Controls, command};
use super::progress::Progress;
use super::say::{held, say};
use super::signals;
use super::standing::Standing;
use crate::config::Config;
use crate::env::Environment;
use crate::error::shown;
use crate::train::{Event, Wish};
use crate::{Error, Gpu, Result};
use ratatui::crossterm::event::{self, Event as Input};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is drawn while nothing is pressed: its clock runs while nothing else happens.
const TICK: Duration = Duration::from_millis(500);
/// How soon the end of a run, or of a pause, is seen.
const SOON: Duration = Duration::from_millis(50);
/// Lines of what was said that are kept at hand.
const SAID: usize = 3;

/// What shows a run while it trains.
pub enum Shown {
    /// A bar of one line.
    Bar(Progress),
    /// A dashboard.
    Dashboard(Dashboard),
}

impl Shown {
    /// A run that is being made ready on this device.
    ///
    /// # Errors
    /// Where a dashboard is wanted and cannot be.
    pub fn new(
        tui: bool,
        env: &Environment,
        config: &Config,
        seeds: &[u32],
        directory: &Path,
        gpu: &Gpu,
    ) -> Result<Self> {
        if !tui {
            return Ok(Self::Bar(Progress::new(config, gpu)));
        }
        let seed = match seeds {
            [seed] => format!("seed {seed}"),
            [first, ..] => format!("seed {first} of {}", seeds.len()),
            [] => String::new(),
        };
        let words = vec![shown(env.name()), config.algo.name().to_owned(), seed, gpu.info().name.clone()];
        let title = Title { words, directory: shown(directory.display()) };
        let history = History::new(title, env, config, Standing::new(config, gpu));
        Dashboard::new(history, seeds.len() > 1).map(Self::Dashboard)
    }

    /// Shows what has happened; what is wanted then. While the run is paused it does not return.
    pub fn event(&self, event: &Event) -> Wish {
        match self {
            Self::Bar(bar) => {
                bar.event(event);
                Wish::default()
            }
            Self::Dashboard(dashboard) => dashboard.event(event),
        }
    }

    /// Shows a line besides.
    pub fn above(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.above(text),
            Self::Dashboard(dashboard) => {
                dashboard.shared.state().note = None;
                say(format_args!("{text}"));
            }
        }
    }

    /// Gives the terminal back.
    pub fn end(self) {
        match self {
            Self::Bar(bar) => bar.end(),
            Self::Dashboard(dashboard) => drop(dashboard),
        }
    }
}

/// Refuses a dashboard where there is no terminal to show it in.
///
/// # Errors
/// [`Error::Setting`].
pub fn check() -> Result<()> {
    let refuse = |reason: &str| Err(Error::Setting { name: "tui".to_owned(), reason: reason.to_owned() });
    if !std::io::stderr().is_terminal() {
        return refuse("standard error is no terminal, where --tui shows its dashboard; leave --tui out");
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return refuse("TERM is dumb: a terminal that cannot move its cursor shows no dashboard; leave --tui out");
    }
    Ok(())
}

/// A dashboard that is on.
pub struct Dashboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the run and the dashboard share.
struct Shared {
    state: Mutex<State>,
    /// A key was pressed.
    pressed: Condvar,
    over: AtomicBool,
    /// Whether there are several seeds, which are saved at evaluations alone.
    several: bool,
    plain: bool,
}

struct State {
    history: History,
    controls: Controls,
    /// What became of the last key.
    note: Option<String>,
}

impl Dashboard {
    fn new(history: History, several: bool) -> Result<Self> {
        screen::take().map_err(|error| Error::file("write", "the terminal", &error))?;
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let state = Mutex::new(State { history, controls: Controls::default(), note: None });
        let (pressed, over) = (Condvar::new(), AtomicBool::new(false));
        let shared = Arc::new(Shared { state, pressed, over, several, plain });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("dashboard".to_owned()).spawn(move || own.show());
        // without a thread nothing is shown, and nothing else is lost
        Ok(Self { shared, thread: thread.ok() })
    }

    fn event(&self, event: &Event) -> Wish {
        let mut state = self.shared.state();
        match event {
            Event::Begins { updates, env_steps } => state.history.standing.begins(*updates, *env_steps),
            // of several agents the first speaks for all
            Event::Report(of) if of.agent == 0 => {
                state.history.report(of.report.updates, of.report.env_steps, of.lines, of.evaluated);
                if let Some(watched) = &of.report.watched {
                    state.history.watched(watched);
                }
            }
            Event::Report(_) => {}
            Event::Saved(updates) => state.note = Some(format!("checkpoint of update {updates} is saved")),
            Event::Trouble(trouble) => {
                state.note = None;
                say(format_args!("warning: {trouble}"));
            }
        }
        self.shared.wait(state)
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        screen::restore();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the run is paused, unless a signal has come.
    fn wait(&self, mut state: MutexGuard<State>) -> Wish {
        let since = Instant::now();
        let mut held = Duration::ZERO;
        while state.controls.paused && signals::code().is_none() {
            let waited = self.pressed.wait_timeout(state, SOON);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            held = since.elapsed();
        }
        state.history.standing.held(held);
        Wish { checkpoint: std::mem::take(&mut state.controls.save), held }
    }

    /// Draws and reads keys until it is over.
    fn show(&self) {
        let mut anew = false;
        while !self.over.load(Ordering::Relaxed) {
            let drawn = {
                let state = self.state();
                let mut messages = held(SAID);
                messages.extend(state.note.clone());
                let view = View { history: &state.history, controls: state.controls, messages, plain: self.plain };
                screen::draw(anew, |frame| draw::draw(frame, &view))
            };
            if drawn.is_err() {
                // nobody is there who could let it go on
                self.state().controls.paused = false;
                return;
            }
            anew = self.read() == Some(Command::Redraw);
        }
    }

    /// The next key, or nothing if none is pressed for a while, or if the terminal has another size.
    fn read(&self) -> Option<Command> {
        let until = Instant::now() + TICK;
        while !self.over.load(Ordering::Relaxed) {
            let rest = until.checked_duration_since(Instant::now())?.min(SOON);
            match event::poll(rest) {
                Ok(true) => match event::read() {
                    Ok(Input::Key(key)) => {
                        if let Some(command) = command(key) {
                            self.press(command);
                            return Some(command);
                        }
                    }
                    Ok(Input::Resize(..)) => return None,
                    Ok(_) => {}
                    Err(_) => std::thread::sleep(rest),
                },
                Ok(false) => {}
                // no keys where there is nothing to read them from
                Err(_) => std::thread::sleep(rest),
            }
        }
        None
    }

    fn press(&self, command: Command) {
        let mut state = self.state();
        let stops = state.controls.take(command);
        if command == Command::Save {
            let note = match state.controls {
                _ if self.several => "several seeds side by side are saved at evaluations",
                Controls { paused: true, .. } => "saved as soon as the run goes on",
                _ => "saving after this update",
            };
            state.note = Some(note.to_owned());
        }
        if stops {
            state.note = None;
        }
        drop(state);
        self.pressed.notify_all();
        if stops {
            signals::come(signals::SIGINT);
        }
    }
}
