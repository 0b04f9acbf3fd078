//! The f64 reference against closed forms, finite differences and the files of facts.

#[path = "../exact/mod.rs"]
mod exact;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod basics;
mod losses;
mod off_policy;
