//! Kernels on the device against the f64 reference and the files of facts, in every form, at sizes that divide nothing.

#[path = "../learned/mod.rs"]
mod learned;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod environments;
mod exploration;
mod gradient_steps;
mod gradients;
mod losses;
mod math;
mod natural;
mod normaliser;
mod off_policy_losses;
mod oracles;
mod random_steps;
mod returns;
mod ring;
mod spaces;
mod stages;
mod sums;
