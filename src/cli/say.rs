//! What a command says. A line for people goes to standard error, and one that cannot be written is lost without notice: a
//! closed terminal or a log on a full disk ends no work. Results go to standard output, and one that cannot be written is an
//! error. A reader that has seen enough and closes the pipe is none: what is left to print is dropped, and the exit code
//! says what it would have said. While a dashboard has the terminal, lines are held, and written once it is gone.

use crate::{Error, Result};
use serde::Serialize;
use std::fmt::Arguments;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most lines that are held.
const MOST_HELD: usize = 1000;

/// Lines that wait for the terminal, while somebody else has it.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

fn lines_held() -> MutexGuard<'static, Option<Vec<String>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on lines are held.
pub fn hold() {
    lines_held().get_or_insert_default();
}

/// The latest of the lines that are held, at most so many.
pub fn held(most: usize) -> Vec<String> {
    let held = lines_held();
    let lines = held.as_deref().unwrap_or_default();
    lines[lines.len().saturating_sub(most)..].to_vec()
}

/// Writes the lines that were held; further ones are written at once again.
pub fn release() {
    let lines = lines_held().take();
    for line in lines.into_iter().flatten() {
        say(format_args!("{line}"));
    }
}

/// Whether another process prints, and not this one.
static QUIET: AtomicBool = AtomicBool::new(false);
/// A file that has every line too.
static LOG: Mutex<Option<File>> = Mutex::new(None);

/// From here on another process prints.
#[cfg(feature = "mpi")]
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// From here on every line goes into a file too.
#[cfg(feature = "mpi")]
pub fn log_into(file: File) {
    *LOG.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
}

/// Puts a line where else it goes; whether that is all.
fn is_told(text: &str) -> bool {
    if let Some(log) = &mut *LOG.lock().unwrap_or_else(PoisonError::into_inner) {
        let _ = log.write_all(text.as_bytes());
    }
    QUIET.load(Ordering::Relaxed)
}

/// Writes a line to standard error, whoever prints.
#[cfg(feature = "mpi")]
pub fn aloud(line: Arguments) {
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Writes a line to standard error: `say(format_args!("{steps} steps"))`.
pub fn say(line: Arguments) {
    if let Some(lines) = lines_held().as_mut() {
        // a run that complains for days keeps what it said last
        if lines.len() == MOST_HELD {
            lines.remove(0);
        }
        lines.push(line.to_string());
        return;
    }
    // in one piece, so that lines of several processes do not mix
    let mut text = line.to_string();
    text.push('\n');
    if is_told(&text) {
        return;
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether standard output is a pipe that nobody reads any more.
static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Writes a line of the result to standard output: `print(format_args!("{row}"))`.
///
/// # Errors
/// [`Error::File`] where it cannot be written, unless the reader has left.
pub fn print(line: Arguments) -> Result<()> {
    if reader_left() {
        return Ok(());
    }
    let mut text = line.to_string();
    text.push('\n');
    if is_told(&text) {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            READER_LEFT.store(true, Ordering::Relaxed);
            Ok(())
        }
        done => done.map_err(|error| Error::file("write", "standard output", &error)),
    }
}

/// The same of a line of JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|error| Error::file("write", "standard output", &error.into()))?;
    print(format_args!("{text}"))
}

/// Whether the reader of standard output has left, so that work whose only use is to be printed can end.
pub fn reader_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}
