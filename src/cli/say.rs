//! What a command says. A line for people goes to standard error, and one that cannot be written is lost without notice: a
//! closed terminal or a log on a full disk ends no work. Results go to standard output, and one that cannot be written is an
//! error. A reader that has seen enough and closes the pipe is none: what is left to print is dropped, and the exit code
//! says what it would have said.

use manyworlds::{Error, Result};
use serde::Serialize;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes a line to standard error: `say(format_args!("{steps} steps"))`.
pub fn say(line: Arguments) {
    // in one piece, so that lines of several processes do not mix
    let mut text = line.to_string();
    text.push('\n');
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
