//! The library as a program meets it.

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod input;
mod mistakes;
mod overrides;
mod pages;
mod parity;
mod slips;
