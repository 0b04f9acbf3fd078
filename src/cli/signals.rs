//! SIGINT, SIGTERM and SIGHUP. The first one lets a run that trains finish its update and save; whatever has nothing to save
//! ends at once, and so does everything at the second one.

use super::say::say;
use super::tui::screen;
use crate::Result;
use crate::train::{Claim, RunDirectory};
#[cfg(unix)]
use signal_hook::low_level::exit;
#[cfg(not(unix))]
use std::process::exit;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Its number everywhere, whether or not the system has signals.
pub const SIGINT: i32 = 2;

/// The signal that has come; 0 = none.
static CAME: AtomicI32 = AtomicI32::new(0);
/// What this process is doing.
static DOING: Mutex<Doing> = Mutex::new(Doing::Nothing);

enum Doing {
    /// Nothing that could be saved.
    Nothing,
    /// Making ready to train into a directory.
    Preparing(Arc<Claim>),
    /// Training.
    Training,
}

/// The exit code of a process that a signal has ended, if one has come.
pub fn code() -> Option<u8> {
    let signal = CAME.load(Ordering::Relaxed);
    (signal != 0).then_some(128 + signal as u8)
}

/// Claims a directory, which goes again where nothing is trained into it. A signal waits for the end of the claim: between
/// the two there is no moment.
pub fn prepare(claim: impl FnOnce() -> Result<RunDirectory>) -> Result<RunDirectory> {
    let mut doing = doing();
    let directory = claim()?;
    *doing = Doing::Preparing(directory.handle());
    Ok(directory)
}

/// From here on a signal is left to the run, which asks for [`code`].
pub fn train() {
    *doing() = Doing::Training;
}

/// From here on there is nothing to save any more.
pub fn done() {
    *doing() = Doing::Nothing;
}

fn doing() -> std::sync::MutexGuard<'static, Doing> {
    DOING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a signal does, whether the system or a key sends it.
pub fn come(signal: i32) {
    let before = CAME.swap(signal, Ordering::Relaxed);
    // held to the end, so that nothing begins any more
    let doing = doing();
    match &*doing {
        Doing::Training if before == 0 => {
            say(format_args!("finishing the update and saving; a second signal ends at once"));
            return;
        }
        Doing::Preparing(claim) => claim.give_up(),
        Doing::Training | Doing::Nothing => {}
    }
    screen::restore();
    exit(128 + signal);
}

/// Listens for signals, once. Those that were ignored when the process began stay so: SIGHUP under nohup.
#[cfg(unix)]
pub fn listen() {
    let Ok(mut signals) = signal_hook::iterator::Signals::new(heard()) else { return };
    std::thread::spawn(move || signals.forever().for_each(come));
}

/// The signals that end a run: not those that were ignored when the process began.
#[cfg(unix)]
pub fn heard() -> Vec<i32> {
    use signal_hook::consts::{SIGHUP, SIGTERM};
    let ignored = ignored();
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0).collect()
}

/// Ctrl-C ends the process at once elsewhere; what was saved by then is whole.
#[cfg(not(unix))]
pub fn listen() {}

/// The signals that are ignored, a bit for each: bit n − 1 is signal n. Linux tells.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
