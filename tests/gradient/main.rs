//! Gradients of every loss on the device against the f64 reference and the files of facts, in every form, at sizes that divide
//! nothing.

#[path = "../learned/mod.rs"]
mod learned;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod exploration;
mod gradient_steps;
mod gradients;
mod losses;
mod natural;
mod off_policy_losses;
