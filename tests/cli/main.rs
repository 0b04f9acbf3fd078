//! The command line as a user meets it.

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod alone;
mod beginnings;
mod calls;
mod checkpoint_page;
mod commands;
mod dashboard;
mod exports;
mod film;
mod gradient;
mod own_environment;
mod page;
mod pages;
mod record;
mod run_directory;
mod several;
mod trial;
