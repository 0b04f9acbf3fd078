//! Laws of whole runs: what repeats, what is independent of what, what a run tells of itself, and that it goes on as if it had never stopped.

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../replay/mod.rs"]
mod replay;
#[path = "../support/mod.rs"]
mod support;

mod estimates;
mod exploring;
mod family;
mod faults;
mod off_policy;
mod ranks;
mod resume;
mod rollouts;
mod trainer;
