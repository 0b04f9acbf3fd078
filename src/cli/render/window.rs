//! `manyworlds render --watch`
use super::Render;
use manyworlds::Result;
use std::process::ExitCode;
pub fn watch(_render: &Render) -> Result<ExitCode> { Ok(ExitCode::SUCCESS) }
