#![doc = include_str!("../README.md")]

pub mod algo;
pub mod batch;
pub mod bench;
pub mod check;
pub mod config;
pub mod env;
pub mod error;
pub mod estimate;
mod figure;
pub mod file;
pub mod gpu;
pub mod kernels;
pub mod layout;
pub mod nn;
pub mod plan;
pub mod pool;
pub mod reference;
pub mod reproduce;
pub mod rollout;
pub mod shader;
pub mod stage;
pub mod train;

pub use error::{Error, Result};
pub use pool::WorldPool;
pub use rollout::Rollout;
