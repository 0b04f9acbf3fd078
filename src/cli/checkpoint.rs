//! Checkpoints that commands use.

use super::say::say;
use manyworlds::Result;
use manyworlds::train::Policy;
use std::path::Path;

/// The policy of a checkpoint or of a run; what should be known about it is said.
pub fn load(path: &Path) -> Result<Policy> {
    let (policy, notes) = Policy::load_with_notes(path)?;
    notes.iter().for_each(|note| say(format_args!("note: {note}")));
    Ok(policy)
}
