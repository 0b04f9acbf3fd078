//! Devices: one for each adapter of a process, shared by everything that is made on it; and what must not outlive a fork.

use crate::failure::{exception, raised};
use manyworlds::cli::drivers;
use manyworlds::{AdapterChoice, Gpu};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

/// Devices that are open, by the words that they were asked for with.
static OPEN: Mutex<Option<Own<HashMap<String, Gpu>>>> = Mutex::new(None);

/// Something that lives on a device, and is of the process that made it: a child that was forked off has none of the threads that
/// serve it. What a child inherits it neither uses nor drops.
pub struct Own<T> {
    process: u32,
    value: ManuallyDrop<T>,
}

impl<T> Own<T> {
    /// Something of this process.
    pub fn new(value: T) -> Self {
        Self { process: std::process::id(), value: ManuallyDrop::new(value) }
    }

    /// Whether this is the process that made it.
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// It, where this is the process that made it.
    pub fn get(&self) -> PyResult<&T> {
        if self.is_here() { Ok(&self.value) } else { Err(forked(self.process)) }
    }

    /// It, to be changed.
    pub fn get_mut(&mut self) -> PyResult<&mut T> {
        if self.is_here() { Ok(&mut self.value) } else { Err(forked(self.process)) }
    }
}

impl<T> Drop for Own<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: it is dropped here and nowhere else, and nothing reads it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}

fn forked(process: u32) -> PyErr {
    let text = format!(
        "this was made in process {process} and is used in its fork {}, which has no device; make environments, trainers and \
         policies' rollouts after forking, or start processes with multiprocessing.get_context('spawn')",
        std::process::id()
    );
    exception("DeviceError", text)
}

/// The device of an adapter, shared by all that ask for it with the same words.
pub fn shared(adapter: &str) -> PyResult<Gpu> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let devices = open.get_or_insert_with(|| Own::new(HashMap::new())).get_mut()?;
    if let Some(gpu) = devices.get(adapter) {
        return Ok(gpu.clone());
    }
    // as large as the adapter has them: what is made here later is not known yet
    let gpu = opened(adapter, u64::MAX)?;
    devices.insert(adapter.to_owned(), gpu.clone());
    Ok(gpu)
}

/// A device of an adapter for buffers of so many bytes, for one alone.
pub fn alone(adapter: &str, largest_binding: u64) -> PyResult<Gpu> {
    // which also notes that this process, and no fork of it, uses devices
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.get_or_insert_with(|| Own::new(HashMap::new())).get_mut()?;
    opened(adapter, largest_binding)
}

fn opened(adapter: &str, largest_binding: u64) -> PyResult<Gpu> {
    let choice: AdapterChoice =
        adapter.parse().map_err(|reason| exception("UsageError", format!("adapter: {reason}")))?;
    Gpu::new(&choice, largest_binding).map_err(raised)
}

/// Variables that drivers read when they are loaded, as `(name, value)`: those that are set already are left out. `exchange` says
/// whether the first that a device is opened for is worlds that Python steps.
#[pyfunction]
#[pyo3(signature = (exchange = false))]
fn driver_variables(exchange: bool) -> Vec<(String, String)> {
    let wanted = drivers::wanted(drivers::Work { exchange, ..drivers::Work::default() });
    wanted.into_iter().map(|(name, value)| (name.to_owned(), value.to_string_lossy().into_owned())).collect()
}

/// Names of the adapters of this machine, the preferred first.
#[pyfunction]
fn adapters(py: Python<'_>) -> Vec<String> {
    py.detach(|| manyworlds::adapters().iter().map(|adapter| adapter.get_info().name).collect())
}

/// Name and driver of the adapter that is used, and whether a processor plays it.
#[pyfunction]
fn device(py: Python<'_>, adapter: &str) -> PyResult<(String, String, bool)> {
    let gpu = py.detach(|| shared(adapter))?;
    Ok((gpu.info().name.clone(), gpu.driver(), gpu.is_software()))
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(driver_variables, module)?)?;
    module.add_function(wrap_pyfunction!(adapters, module)?)?;
    module.add_function(wrap_pyfunction!(device, module)?)
}
