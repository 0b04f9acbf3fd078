//! Environments: built in by name, from a file, or from a text.

use crate::failure::{exception, raised};
use manyworlds::{ActionSpace, Environment};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;

/// An environment that has been read and checked.
#[pyclass(frozen, module = "manyworlds._native", name = "Environment")]
#[derive(Clone)]
pub struct Env(pub Environment);

#[pymethods]
impl Env {
    /// A built-in environment by name, or one from a file whose name ends in `.wgsl`.
    #[staticmethod]
    fn load(py: Python<'_>, name: &str, overrides: BTreeMap<String, f64>) -> PyResult<Self> {
        py.detach(|| Environment::load(name).and_then(|env| with(env, &overrides))).map_err(raised).and_then(spelt)
    }

    /// An environment from its text.
    #[staticmethod]
    fn from_source(py: Python<'_>, name: &str, text: &str, overrides: BTreeMap<String, f64>) -> PyResult<Self> {
        let path = format!("{name}.wgsl");
        let read = || Environment::from_source(name, &path, text).and_then(|env| with(env, &overrides));
        py.detach(read).map_err(raised).and_then(spelt)
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn text(&self) -> &str {
        self.0.text()
    }

    #[getter]
    fn observation_dim(&self) -> u32 {
        self.0.spec().observation_dim
    }

    #[getter]
    fn max_episode_steps(&self) -> u32 {
        self.0.spec().max_episode_steps
    }

    #[getter]
    fn reward_threshold(&self) -> Option<f32> {
        self.0.spec().reward_threshold
    }

    #[getter]
    fn overrides(&self) -> BTreeMap<String, f64> {
        self.0.overrides().iter().map(|known| (known.name.clone(), known.value)).collect()
    }

    /// What an agent may do: `kind` (`discrete`, `multi-discrete` or `box`), `counts`, `low`, `high` and `masked`.
    #[getter]
    fn actions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let space = &self.0.spec().action_space;
        let (kind, low, high) = match space {
            ActionSpace::Discrete { .. } => ("discrete", Vec::new(), Vec::new()),
            ActionSpace::MultiDiscrete { .. } => ("multi-discrete", Vec::new(), Vec::new()),
            ActionSpace::Box { low, high } => ("box", low.clone(), high.clone()),
        };
        let actions = PyDict::new(py);
        actions.set_item("kind", kind)?;
        actions.set_item("counts", space.counts())?;
        actions.set_item("low", low)?;
        actions.set_item("high", high)?;
        actions.set_item("masked", space.masked())?;
        Ok(actions)
    }
}

fn with(mut env: Environment, overrides: &BTreeMap<String, f64>) -> manyworlds::Result<Environment> {
    env.set_all(overrides.iter().map(|(name, value)| (name.as_str(), *value)))?;
    Ok(env)
}

/// Refuses an environment with a misspelt optional part: it would be another one than its author thinks.
fn spelt(env: Environment) -> PyResult<Env> {
    match env.remarks().into_iter().find(|remark| remark.misspelt) {
        Some(remark) => Err(exception("UsageError", format!("{}:{}: {}", env.path(), remark.line, remark.text))),
        None => Ok(Env(env)),
    }
}

/// Names of the environments that are built in.
#[pyfunction]
fn built_in() -> Vec<&'static str> {
    Environment::names().collect()
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Env>()?;
    module.add_function(wrap_pyfunction!(built_in, module)?)
}
