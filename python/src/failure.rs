//! Errors of the library as exceptions of `manyworlds.errors`, with the library's texts.

use manyworlds::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The exception that tells of an error.
pub fn raised(error: Error) -> PyErr {
    let text = error.to_string();
    let class = match error {
        Error::File { .. } => "FileError",
        Error::NotFinite { .. } | Error::EpisodeNotFinite { .. } | Error::LoopCut { .. } => "TrainingError",
        Error::NoAdapter { .. }
        | Error::AdapterNotFound { .. }
        | Error::Device { .. }
        | Error::DeviceLost { .. }
        | Error::OutOfMemory { .. } => "DeviceError",
        Error::Gpu(_) | Error::Shader(_) => "InternalError",
        _ => "UsageError",
    };
    exception(class, text)
}

/// An exception of `manyworlds.errors` by name.
pub fn exception(class: &str, text: String) -> PyErr {
    Python::attach(|py| {
        let found = py.import("manyworlds.errors").and_then(|errors| errors.getattr(class));
        match found.and_then(|found| Ok(found.cast_into::<PyType>()?)) {
            Ok(class) => PyErr::from_type(class, text),
            Err(_) => PyRuntimeError::new_err(text),
        }
    })
}

/// A value that is not allowed.
pub fn refused(text: impl Into<String>) -> PyErr {
    exception("UsageError", text.into())
}
