//! A command in one process: what `ranks.rs` is where this program is built without MPI.

use super::{ExitCode, drivers};
use crate::gpu::{Rank, Ranks};
use crate::{Error, Result};
use std::ffi::OsString;

pub fn are_several() -> bool {
    false
}

pub fn is_quiet() -> bool {
    false
}

pub fn guard(_: drivers::Work, _: &[OsString], _: &str) -> Option<ExitCode> {
    None
}

#[allow(clippy::unnecessary_wraps)] // as the other one
pub fn join() -> Result<()> {
    Ok(())
}

pub fn leave() {}

pub fn joined() -> Option<&'static Ranks> {
    None
}

pub fn local() -> Rank {
    Rank::ALONE
}

pub fn agree<T>(result: Result<T>) -> Result<T> {
    result
}

#[allow(clippy::unnecessary_wraps)] // as the other one
pub fn of_first(text: &str) -> Result<String> {
    Ok(text.to_owned())
}

#[allow(clippy::unnecessary_wraps)] // as the other one
pub fn same(_: &str, _: &[u8]) -> Result<()> {
    Ok(())
}

pub fn abort_after(_: &Error) {}
