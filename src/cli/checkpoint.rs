//! Checkpoints that commands use.

use super::say::say;
use crate::Result;
use crate::train::Policy;
use std::path::Path;

/// The policy of a checkpoint or of a run; what should be known about it is said.
pub fn load(path: &Path) -> Result<Policy> {
    let (policy, notes) = Policy::load_with_notes(path)?;
    say_all(&notes);
    Ok(policy)
}

/// Says each of some notes on a line of its own.
pub fn say_all(notes: &[String]) {
    for note in notes {
        say(format_args!("note: {note}"));
    }
}
