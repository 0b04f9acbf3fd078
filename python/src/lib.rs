//! The native half of the Python package: what touches a device, and nothing that Python can do as well.

// pyo3 takes arguments by value, and its generated code is for it to answer for
#![allow(clippy::needless_pass_by_value, missing_docs)]

mod actions;
mod device;
mod environment;
mod failure;
mod policy;
mod rollout;
mod shelf;
mod training;
mod worlds;

use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs a command of the command line, in a process that was started as `started` says; gives its exit code.
#[pyfunction]
fn command_line(py: Python<'_>, started: Vec<OsString>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| manyworlds::cli::main_of(started, arguments).0)
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(command_line, module)?)?;
    device::add(module)?;
    environment::add(module)?;
    policy::add(module)?;
    rollout::add(module)?;
    training::add(module)?;
    worlds::add(module)
}
