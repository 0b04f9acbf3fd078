//! Runs that learn.

#[path = "../support/mod.rs"]
mod support;

mod off_policy;
mod probes;
mod search;
