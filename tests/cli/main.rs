//! The command line as a user meets it.

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod checkpoint_page;
mod commands;
mod gradient;
mod own_environment;
mod run_directory;
mod trial;
