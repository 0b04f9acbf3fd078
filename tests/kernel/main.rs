//! Kernels on the device against the f64 reference and the files of facts, in every form, at sizes that divide nothing. Those
//! that make gradients have a folder of their own.

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod environments;
mod exchange;
mod math;
mod normaliser;
mod oracles;
mod pictures;
mod random_steps;
mod replay_buffer;
mod returns;
mod search;
mod spaces;
mod stages;
mod sums;
