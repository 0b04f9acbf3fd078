//! Training runs: settings, the loop, metrics, checkpoints.

mod config;

pub use config::{Config, Setting};
