//! Policies: what they are made of, as data, and how they fare on a device.

use crate::device;
use crate::environment::Env;
use crate::failure::raised;
use crate::training::resolved;
use manyworlds::{Config, Dense, Layer, Policy};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use std::path::PathBuf;

/// Returns of episodes.
#[pyclass(frozen, eq, module = "manyworlds._native", name = "Returns")]
#[derive(Clone, PartialEq)]
pub struct Returns(pub manyworlds::Returns);

#[pymethods]
impl Returns {
    /// Returns whose numbers are these, by name as `evaluations.jsonl` has them.
    #[staticmethod]
    fn of(numbers: &Bound<'_, PyDict>) -> PyResult<Self> {
        let missing = |name: &str| crate::failure::refused(format!("returns: there is no {name}"));
        let number = |name: &str| numbers.get_item(name)?.ok_or_else(|| missing(name));
        let whole = |name: &str| -> PyResult<u32> { number(name)?.extract() };
        let real = |name: &str| -> PyResult<f64> { number(name)?.extract() };
        let maybe = |name: &str| -> PyResult<Option<f64>> { number(name)?.extract() };
        Ok(Self(manyworlds::Returns {
            episodes: whole("episodes")?,
            terminated: whole("terminated")?,
            truncated: whole("truncated")?,
            unfinished: whole("unfinished")?,
            cut_off_at: number("cut_off_at")?.extract()?,
            mean: real("mean")?,
            std: maybe("std")?,
            standard_error: maybe("standard_error")?,
            min: real("min")?,
            lower_quartile: real("lower_quartile")?,
            median: real("median")?,
            upper_quartile: real("upper_quartile")?,
            max: real("max")?,
            mean_length: real("mean_length")?,
        }))
    }

    #[getter]
    fn episodes(&self) -> u32 {
        self.0.episodes
    }

    #[getter]
    fn terminated(&self) -> u32 {
        self.0.terminated
    }

    #[getter]
    fn truncated(&self) -> u32 {
        self.0.truncated
    }

    #[getter]
    fn unfinished(&self) -> u32 {
        self.0.unfinished
    }

    #[getter]
    fn mean(&self) -> f64 {
        self.0.mean
    }

    #[getter]
    fn std(&self) -> Option<f64> {
        self.0.std
    }

    #[getter]
    fn standard_error(&self) -> Option<f64> {
        self.0.standard_error
    }

    #[getter]
    fn min(&self) -> f64 {
        self.0.min
    }

    #[getter]
    fn lower_quartile(&self) -> f64 {
        self.0.lower_quartile
    }

    #[getter]
    fn median(&self) -> f64 {
        self.0.median
    }

    #[getter]
    fn upper_quartile(&self) -> f64 {
        self.0.upper_quartile
    }

    #[getter]
    fn max(&self) -> f64 {
        self.0.max
    }

    #[getter]
    fn mean_length(&self) -> f64 {
        self.0.mean_length
    }

    fn passes(&self, threshold: f64) -> bool {
        self.0.passes(threshold)
    }

    fn __repr__(&self) -> String {
        format!("Returns({:#})", self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

/// A policy, which is never changed: other parameters make another one.
#[pyclass(frozen, module = "manyworlds._native", name = "Policy")]
#[derive(Clone)]
pub struct Learned(pub Policy);

#[pymethods]
impl Learned {
    /// Reads a checkpoint or a run directory; and what somebody should know about it, a sentence each.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<(Self, Vec<String>)> {
        let (policy, notes) = py.detach(|| Policy::load_with_notes(&path)).map_err(raised)?;
        Ok((Self(policy), notes))
    }

    /// A policy at the start of training.
    #[staticmethod]
    fn untrained(env: &Env, algo: &str, seed: u32, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let config = Config { seed, ..resolved(&env.0, algo, settings)? };
        Policy::untrained(&env.0, config).map(Self).map_err(raised)
    }

    /// A policy of the bytes of a checkpoint.
    #[staticmethod]
    fn from_bytes(checkpoint: &[u8]) -> PyResult<Self> {
        Policy::from_checkpoint(checkpoint).map(Self).map_err(raised)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.to_bytes().map_err(raised)?))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.save(&path)).map_err(raised)
    }

    #[getter]
    fn env(&self) -> Env {
        Env(self.0.env.clone())
    }

    #[getter]
    fn algo(&self) -> &'static str {
        self.0.config.algo.name()
    }

    /// Every setting, as JSON.
    #[getter]
    fn config(&self) -> String {
        json(&self.0.config)
    }

    #[getter]
    fn updates(&self) -> u32 {
        self.0.updates
    }

    #[getter]
    fn evaluation(&self) -> Option<Returns> {
        self.0.evaluation.map(Returns)
    }

    #[getter]
    fn params_hash(&self) -> String {
        self.0.hash()
    }

    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_slice(py, self.0.parameters())
    }

    /// The same policy with other parameters.
    fn with_parameters(&self, parameters: PyReadonlyArray1<'_, f32>) -> PyResult<Self> {
        let mut policy = self.0.clone();
        policy.set_parameters(&parameters.as_array().to_vec()).map_err(raised)?;
        Ok(Self(policy))
    }

    /// Names and shapes of the tensors that the parameters are.
    fn tensors(&self) -> PyResult<Vec<(String, Vec<usize>)>> {
        self.0.tensors().map_err(raised)
    }

    /// The deterministic policy as a list of tuples, each a layer's name and its numbers; the last is the head.
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        self.0.layers().map_err(raised)?.iter().map(|layer| described(py, layer)).collect()
    }

    /// V of its critic likewise, without a head.
    fn value_layers<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyTuple>>>> {
        let layers = self.0.value_layers().map_err(raised)?;
        layers.map(|layers| layers.iter().map(|layer| described(py, layer)).collect()).transpose()
    }

    /// Plays whole episodes on the device.
    fn evaluate(&self, py: Python<'_>, episodes: u32, seed: u32, sampled: bool, adapter: &str) -> PyResult<Returns> {
        py.detach(|| {
            let gpu = device::shared(adapter)?;
            self.0.evaluate(&gpu, episodes, seed, sampled).map(Returns).map_err(raised)
        })
    }
}

/// A configuration, as JSON.
pub fn json(config: &Config) -> String {
    serde_json::to_string(config).unwrap_or_default()
}

fn described<'py>(py: Python<'py>, layer: &Layer) -> PyResult<Bound<'py, PyTuple>> {
    let array = |numbers: &[f32]| PyArray1::from_slice(py, numbers);
    match layer {
        Layer::Normalise { mean, scale } => ("normalise", array(mean), array(scale)).into_pyobject(py),
        Layer::Dense(Dense { inputs, outputs, weight, bias, .. }) => {
            ("dense", array(weight).reshape([*outputs, *inputs])?, array(bias)).into_pyobject(py)
        }
        Layer::Tanh => ("tanh",).into_pyobject(py),
        Layer::Relu => ("relu",).into_pyobject(py),
        Layer::Argmax { counts, masked } => ("argmax", counts.clone(), *masked).into_pyobject(py),
        Layer::Clip(bounds) => ("clip", array(&bounds.low), array(&bounds.high)).into_pyobject(py),
        Layer::Squash(bounds) => ("squash", array(&bounds.low), array(&bounds.high)).into_pyobject(py),
    }
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Returns>()?;
    module.add_class::<Learned>()
}
