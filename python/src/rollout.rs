//! Rollouts of a policy, as arrays.

use crate::device::{self, Own};
use crate::environment::Env;
use crate::failure::{exception, raised, refused};
use crate::policy::Learned;
use manyworlds::gpu::{Arrived, Recording};
use manyworlds::{Environment, Gpu, Row, TERMINATED, TRUNCATED};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// Worlds under a policy, which are stepped by it.
#[pyclass(frozen, module = "manyworlds._native", name = "Rollout")]
pub struct Rollout {
    worlds: Own<Mutex<Worlds>>,
}

struct Worlds {
    gpu: Gpu,
    rollout: manyworlds::Rollout,
    env: Environment,
    num_envs: usize,
    num_steps: usize,
}

/// A batch on the host, in the order of Python.
struct Batch {
    /// `[step][world][feature]`
    observations: Vec<f32>,
    /// `[step][world][word]`
    words: Vec<u32>,
    /// `[step][world]` each, by name.
    rows: Vec<(&'static str, Vec<f32>)>,
    terminations: Vec<bool>,
    truncations: Vec<bool>,
    /// `[step][world][action]`, empty where nothing is masked.
    action_masks: Vec<bool>,
    /// `[truncated step][feature]`
    final_observations: Vec<f32>,
    /// `[world][feature]`
    last_observations: Vec<f32>,
}

#[pymethods]
impl Rollout {
    #[new]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        policy: &Learned,
        env: Option<&Env>,
        num_envs: u32,
        num_steps: u32,
        seed: u32,
        adapter: &str,
    ) -> PyResult<Self> {
        let mut policy = policy.0.clone();
        if let Some(Env(env)) = env {
            policy.env = env.clone();
        }
        py.detach(|| {
            let gpu = device::shared(adapter)?;
            let rollout = manyworlds::Rollout::new(&gpu, &policy, num_envs, num_steps, seed).map_err(raised)?;
            let env = policy.env;
            let worlds = Worlds { gpu, rollout, env, num_envs: num_envs as usize, num_steps: num_steps as usize };
            Ok(Self { worlds: Own::new(Mutex::new(worlds)) })
        })
    }

    fn set_parameters(&self, parameters: PyReadonlyArray1<'_, f32>) -> PyResult<()> {
        self.worlds()?.rollout.set_parameters(&parameters.as_array().to_vec()).map_err(raised)
    }

    /// The next rollout with its advantages, by name.
    fn collect<'py>(&self, py: Python<'py>, gamma: f32, gae_lambda: f32) -> PyResult<Bound<'py, PyDict>> {
        let mut guard = self.worlds()?;
        let worlds = &mut *guard;
        let batch = py.detach(|| worlds.collect(gamma, gae_lambda))?;
        let spec = worlds.env.spec();
        let (steps, count, features) = (worlds.num_steps, worlds.num_envs, spec.observation_dim as usize);
        let space = &spec.action_space;
        let arrays = PyDict::new(py);
        let observations = PyArray1::from_vec(py, batch.observations).reshape([steps, count, features])?;
        arrays.set_item("observations", observations)?;
        let shape = [steps, count, space.words() as usize];
        if space.is_box() {
            let numbers = batch.words.into_iter().map(f32::from_bits).collect();
            arrays.set_item("actions", PyArray1::from_vec(py, numbers).reshape(shape)?)?;
        } else {
            let numbers: Vec<i64> = batch.words.into_iter().map(i64::from).collect();
            let actions = PyArray1::from_vec(py, numbers);
            if space.counts().len() == 1 {
                arrays.set_item("actions", actions.reshape([steps, count])?)?;
            } else {
                arrays.set_item("actions", actions.reshape(shape)?)?;
            }
        }
        for (name, numbers) in batch.rows {
            arrays.set_item(name, PyArray1::from_vec(py, numbers).reshape([steps, count])?)?;
        }
        arrays.set_item("terminations", PyArray1::from_vec(py, batch.terminations).reshape([steps, count])?)?;
        arrays.set_item("truncations", PyArray1::from_vec(py, batch.truncations).reshape([steps, count])?)?;
        if space.masked() {
            let shape = [steps, count, space.choices() as usize];
            arrays.set_item("action_masks", PyArray1::from_vec(py, batch.action_masks).reshape(shape)?)?;
        } else {
            arrays.set_item("action_masks", py.None())?;
        }
        let truncated = batch.final_observations.len() / features;
        let finals = PyArray1::from_vec(py, batch.final_observations).reshape([truncated, features])?;
        arrays.set_item("final_observations", finals)?;
        let last = PyArray1::from_vec(py, batch.last_observations).reshape([count, features])?;
        arrays.set_item("last_observations", last)?;
        Ok(arrays)
    }
}

impl Rollout {
    fn worlds(&self) -> PyResult<MutexGuard<'_, Worlds>> {
        match self.worlds.get()?.try_lock() {
            Ok(worlds) => Ok(worlds),
            Err(TryLockError::Poisoned(worlds)) => Ok(worlds.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(refused("this rollout is collecting in another thread; use it in one, or make another"))
            }
        }
    }
}

impl Worlds {
    /// Makes a rollout and reads it in one copy.
    fn collect(&mut self, gamma: f32, gae_lambda: f32) -> PyResult<Batch> {
        // first, so that a batch is not lost
        manyworlds::Rollout::check(gamma, gae_lambda).map_err(raised)?;
        self.rollout.collect().map_err(raised)?;
        let batch = self.rollout.estimate(gamma, gae_lambda).map_err(raised)?;
        let sources = [batch.samples.raw(), batch.observations.raw(), batch.final_observations.raw()];
        let read = self.gpu.submit_and_read(&Recording::default(), &sources).and_then(|read| read.wait(&self.gpu));
        self.batch(&read.map_err(raised)?)
    }

    fn batch(&self, arrived: &Arrived) -> PyResult<Batch> {
        let spec = self.env.spec();
        let (worlds, size, features) = (self.num_envs, self.num_steps * self.num_envs, spec.observation_dim as usize);
        let (samples, by_feature): (Vec<u32>, Vec<f32>) = (arrived.take(0), arrived.take(1));
        let mut finals: Vec<f32> = arrived.take(2);
        finals.truncate(self.rollout.batch().final_observations.len());
        let row = |row: u32| &samples[row as usize * size..][..size];
        let numbers = |row_: Row| -> Vec<f32> { row(row_ as u32).iter().copied().map(f32::from_bits).collect() };
        let rewards = numbers(Row::Reward);
        self.check("reward", &rewards, 1)?;
        let observations = turned(&by_feature[..features * size], size);
        self.check("observation", &observations, features)?;

        let space = &spec.action_space;
        let words = space.words();
        let words_of: Vec<&[u32]> = (0..words).map(|word| row(Row::Action as u32 + word)).collect();
        let words: Vec<u32> = (0..size).flat_map(|at| words_of.iter().map(move |word| word[at])).collect();
        let masks: Vec<&[u32]> =
            (0..space.mask_words()).map(|word| row(Row::Action as u32 + space.words() + word)).collect();
        let choices = if masks.is_empty() { 0 } else { space.choices() as usize };
        let action_masks = (0..size)
            .flat_map(|at| {
                let masks = &masks;
                (0..choices).map(move |choice| masks[choice / 32][at] >> (choice % 32) & 1 == 1)
            })
            .collect();

        let endings = row(Row::Ending as u32);
        // `[feature][slot][world]`: of each world those of truncated steps, oldest first; the last is that behind the rollout
        let slots = finals.len() / (features * worlds);
        let kept = |slot: usize, world: usize| {
            (0..features).map({
                let finals = &finals;
                move |feature| finals[(feature * slots + slot) * worlds + world]
            })
        };
        let mut next = vec![0; worlds];
        let mut final_observations = Vec::new();
        for (at, ending) in endings.iter().enumerate() {
            if *ending & (TERMINATED | TRUNCATED) == TRUNCATED {
                let slot = &mut next[at % worlds];
                final_observations.extend(kept(*slot, at % worlds));
                *slot += 1;
            }
        }
        Ok(Batch {
            observations,
            words,
            rows: vec![
                ("log_probs", numbers(Row::LogProb)),
                ("rewards", rewards),
                ("values", numbers(Row::Value)),
                ("advantages", numbers(Row::Advantage)),
                ("returns", numbers(Row::Target)),
            ],
            terminations: endings.iter().map(|ending| ending & TERMINATED != 0).collect(),
            truncations: endings.iter().map(|ending| ending & TRUNCATED != 0).collect(),
            action_masks,
            final_observations,
            last_observations: (0..worlds).flat_map(|world| kept(slots - 1, world)).collect(),
        })
    }

    /// Refuses numbers `[step][world][of one]` that are not finite.
    fn check(&self, what: &str, numbers: &[f32], of_one: usize) -> PyResult<()> {
        let Some(place) = numbers.iter().position(|number| !number.is_finite()) else { return Ok(()) };
        let (step, world) = (place / of_one / self.num_envs, place / of_one % self.num_envs);
        let (env, number) = (self.env.name(), numbers[place]);
        let text = format!(
            "{env}: the {what} of world {world} in step {step} of this rollout is {number}; look for a division by 0, or a \
             state without bounds, in the environment, and for parameters that grew without bounds"
        );
        Err(exception("TrainingError", text))
    }
}

/// `[row][column]` as `[column][row]`.
fn turned(numbers: &[f32], columns: usize) -> Vec<f32> {
    /// Columns at a time, which a cache holds.
    const BLOCK: usize = 1024;
    let rows = numbers.len() / columns;
    let mut turned = vec![0.0; numbers.len()];
    for first in (0..columns).step_by(BLOCK) {
        for row in 0..rows {
            for column in first..columns.min(first + BLOCK) {
                turned[column * rows + row] = numbers[row * columns + column];
            }
        }
    }
    turned
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Rollout>()
}
