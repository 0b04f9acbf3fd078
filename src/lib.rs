#![doc = include_str!("../README.md")]

// Rust on the pages of `docs/` is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;

// What a program needs is below, by its plain name. The modules are for the command line, tests and benchmarks of this
// project; they are public, and change as they have to.
#[doc(hidden)]
pub mod algo;
#[doc(hidden)]
pub mod batch;
#[doc(hidden)]
pub mod bench;
#[doc(hidden)]
pub mod check;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod config;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod curves;
#[doc(hidden)]
pub mod env;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod estimate;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod events;
#[cfg(feature = "cli")]
pub mod export;
#[cfg(feature = "cli")]
mod figure;
#[doc(hidden)]
pub mod file;
#[doc(hidden)]
pub mod gpu;
#[doc(hidden)]
pub mod kernels;
#[doc(hidden)]
pub mod layout;
#[cfg(feature = "mpi")]
pub mod mpi;
#[doc(hidden)]
pub mod nn;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod page;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod pool;
#[doc(hidden)]
pub mod reference;
#[doc(hidden)]
pub mod render;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod reproduce;
#[doc(hidden)]
pub mod rollout;
#[doc(hidden)]
pub mod shader;
#[doc(hidden)]
pub mod stage;
#[doc(hidden)]
pub mod statistics;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod sweep;
#[doc(hidden)]
pub mod train;

pub use batch::Batch;
pub use config::{ActionNoise, Algo, Config, Penalty, Range, Setting};
pub use env::{ActionSpace, Environment, Field, Override, Spec};
pub use error::{Error, Result};
pub use gpu::{AdapterChoice, Buffer, Gpu, adapters};
pub use kernels::{Estimator, Importance, Optimizer};
pub use layout::{Metrics, Row, SPUN_OUT, TERMINATED, TRUNCATED};
pub use nn::Activation;
pub use pool::{Actions, AutoReset, Order, Seen, WorldPool};
pub use render::Show;
pub use rollout::Rollout;
pub use train::{Actor, Bounds, Dense, Fitted, Init, Layer, Policy, Report, Returns, State, Trainer};

/// The version of wgpu whose devices and buffers this crate takes and gives.
pub use wgpu;
