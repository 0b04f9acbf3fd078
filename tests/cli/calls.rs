//! Calls of the program, and what they must answer.

// a test may panic
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs use every core; two at once would only time each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other run is under way.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the program.
pub fn manyworlds(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_manyworlds")).args(arguments).output().unwrap()
}

/// What it has written.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The last line of standard output of a run that must have ended with `code`.
pub fn json(arguments: &[&str], code: i32) -> Value {
    let output = manyworlds(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "manyworlds {}:\n{out}\n{err}", arguments.join(" "));
    assert_eq!(out.lines().count(), 1, "everything but the JSON goes to standard error:\n{out}");
    serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error} in {out}"))
}

/// A run must fail with this code, one line that holds `words`, and leave nothing at `out`.
pub fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let output = manyworlds(arguments);
    let err = text(&output.stderr);
    let shown = format!("manyworlds {}:\n{err}", arguments.join(" "));
    assert_eq!(output.status.code(), Some(code), "{shown}");
    let errors: Vec<&str> =
        err.lines().filter(|line| line.starts_with("error: ") && !line.contains("XDG_RUNTIME_DIR")).collect();
    assert_eq!(errors.len(), 1, "one line of error expected from {shown}");
    for word in words {
        assert!(errors[0].contains(word), "'{word}' is missing in {shown}");
    }
}

/// Arguments of a small run into a directory.
pub fn small(out: &Path, more: &[&str]) -> Vec<String> {
    let out = out.to_str().unwrap();
    let fixed = ["train", "CartPole-v1", "--json", "--out", out, "--set", "hidden=[8]", "--set", "eval_episodes=65"];
    fixed.iter().chain(more).map(ToString::to_string).collect()
}

/// What such a run says at its end.
pub fn run_small(out: &Path, more: &[&str]) -> Value {
    let arguments = small(out, more);
    json(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 0)
}
