//! Worlds that Python steps: one submission a step, and what it leaves is written once, into arrays of NumPy.

use crate::actions::Words;
use crate::device::{self, Own};
use crate::environment::Env;
use crate::failure::{exception, raised, refused};
use crate::shelf::{Shelf, taken};
use manyworlds::stage::PoolSteps;
use manyworlds::{Actions, AutoReset, Environment, Order, SPUN_OUT, Seen, TERMINATED, TRUNCATED, WorldPool};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Mutex, PoisonError};

/// Worlds of one environment.
#[pyclass(frozen, module = "manyworlds._native")]
pub struct Worlds {
    /// None once they are closed. Locked only where the interpreter is let go: who has it may need the interpreter.
    state: Mutex<Option<Own<State>>>,
    shelf: Mutex<Shelf>,
    env: Environment,
    num_envs: usize,
    same_step: bool,
}

struct State {
    pool: WorldPool,
    /// Many steps, as they were asked for last.
    many: Option<(bool, PoolSteps)>,
}

/// What of a step is no array of its own.
#[derive(Default)]
struct Beside {
    /// Places of rows whose episode has ended.
    ended: Vec<usize>,
    /// Their observations before the reset, `[ended][feature]`.
    finals: Vec<f32>,
    /// `[world][action]`
    masks: Vec<i8>,
    spun_out: bool,
}

impl Beside {
    /// Copies what was seen into these arrays.
    fn of(
        seen: &Seen<'_>,
        worlds: &Worlds,
        observations: &mut [f32],
        rewards: &mut [f32],
        flags: [&mut [bool]; 2],
    ) -> Self {
        let features = worlds.env.spec().observation_dim as usize;
        let [terminated, truncated] = flags;
        let mut beside = Self::default();
        // worlds of one step after the other
        let n = worlds.num_envs;
        rewards.copy_from_slice(seen.rewards);
        for row in 0..rewards.len() / n {
            let first = row * n;
            let endings = &seen.endings[first..][..n];
            let (terminated, truncated) = (&mut terminated[row * n..][..n], &mut truncated[row * n..][..n]);
            let mut any = 0;
            for ((terminated, truncated), &ending) in terminated.iter_mut().zip(truncated).zip(endings) {
                *terminated = ending & TERMINATED != 0;
                *truncated = ending & TRUNCATED != 0;
                any |= ending;
            }
            beside.spun_out |= any & SPUN_OUT != 0;
            if !seen.final_observations.is_empty() && any & (TERMINATED | TRUNCATED) != 0 {
                let finals = &seen.final_observations[first * features..][..n * features];
                for (world, _) in
                    endings.iter().enumerate().filter(|(_, ending)| *ending & (TERMINATED | TRUNCATED) != 0)
                {
                    beside.ended.push(row * n + world);
                    beside.finals.extend_from_slice(&finals[world * features..][..features]);
                }
            }
        }
        observations.copy_from_slice(seen.observations);
        let choices = worlds.env.spec().action_space.choices() as usize;
        if !seen.masks.is_empty() {
            let bit = |world: usize, action: usize| (seen.masks[action / 32 * n + world] >> (action % 32) & 1) as i8;
            beside.masks = (0..n).flat_map(|world| (0..choices).map(move |action| bit(world, action))).collect();
        }
        beside
    }
}

#[pymethods]
impl Worlds {
    /// `num_envs` worlds with this seed; `autoreset` is `same-step`, `next-step` or `disabled`.
    #[new]
    fn new(py: Python<'_>, env: &Env, num_envs: u32, seed: u32, autoreset: &str, adapter: &str) -> PyResult<Self> {
        let auto_reset = match autoreset {
            "same-step" => AutoReset::SameStep,
            "next-step" => AutoReset::NextStep,
            "disabled" => AutoReset::Disabled,
            other => return Err(refused(format!("autoreset {other:?}: there are same-step, next-step and disabled"))),
        };
        let state = py.detach(|| {
            let gpu = device::shared(adapter)?;
            let pool = WorldPool::with_order(&gpu, &env.0, num_envs, seed, auto_reset, Order::ByWorld);
            Ok::<_, PyErr>(State { pool: pool.map_err(raised)?, many: None })
        })?;
        Ok(Self {
            state: Mutex::new(Some(Own::new(state))),
            shelf: Mutex::default(),
            env: env.0.clone(),
            num_envs: num_envs as usize,
            same_step: auto_reset == AutoReset::SameStep,
        })
    }

    /// Lets go of the worlds; anything else is an error afterwards.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.state.lock().unwrap_or_else(PoisonError::into_inner).take());
        let shelf = std::mem::take(&mut *self.shelf.lock().unwrap_or_else(PoisonError::into_inner));
        drop(shelf);
    }

    /// First observations: of first episodes under a seed, or of the next episodes of some worlds or of all; and the masks.
    #[pyo3(signature = (seed, which))]
    fn reset<'py>(
        &self,
        py: Python<'py>,
        seed: Option<u32>,
        which: Option<Vec<bool>>,
    ) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
        let array = taken(py, &self.shelf, Shelf::numbers, &self.observed(&[]));
        let mut guard = array.bind(py).readwrite();
        let observations = guard.as_slice_mut()?;
        let mut beside = py.detach(|| {
            self.with(|State { pool, .. }| {
                match (seed, &which) {
                    (Some(seed), _) => pool.reseed(seed),
                    (None, Some(which)) => pool.reset_worlds(which),
                    (None, None) => Ok(()),
                }?;
                let (mut rewards, mut flags) = (vec![0.0; self.num_envs], vec![false; self.num_envs]);
                let mut more = flags.clone();
                pool.look(|seen| Beside::of(seen, self, observations, &mut rewards, [&mut flags, &mut more]))
            })
        })?;
        drop(guard);
        self.masks(py, &mut beside).map(|masks| (array.into_bound(py).into_any(), masks))
    }

    /// One step: observations, rewards, terminations and truncations, and a dictionary with `final_obs` and `action_mask`, where
    /// there are such.
    fn step<'py>(&self, py: Python<'py>, actions: &Bound<'py, PyAny>) -> PyResult<Stepped<'py>> {
        let words = Words::of(actions, &self.env.spec().action_space, self.num_envs, &[], None)?;
        self.stepped(py, &words, &[], |State { pool, .. }, actions, take| {
            pool.exchange(actions, self.same_step, |seen| take(seen))
        })
    }

    /// Many steps in one submission, each kept or summed.
    fn step_many<'py>(
        &self,
        py: Python<'py>,
        actions: &Bound<'py, PyAny>,
        steps: u32,
        each: bool,
    ) -> PyResult<Stepped<'py>> {
        let packing = py.detach(|| {
            self.with(|State { pool, many }| {
                if many.as_ref().is_none_or(|(kept, many)| *kept != each || many.steps != steps) {
                    // those that were there go first: both may not fit
                    *many = None;
                    *many = Some((each, pool.steps(steps, each)?));
                }
                Ok(many.as_ref().and_then(|(_, many)| many.packing()))
            })
        })?;
        let words = Words::of(actions, &self.env.spec().action_space, self.num_envs, &[steps as usize], packing)?;
        let kept = [steps as usize];
        self.stepped(py, &words, if each { &kept } else { &[] }, |State { pool, many }, actions, take| match many {
            Some((kept, many)) if *kept == each && many.steps == steps => {
                pool.exchange_many(many, actions, |seen| take(seen))
            }
            // another thread has asked for others meanwhile
            _ => pool.exchange_many(&pool.steps(steps, each)?, actions, |seen| take(seen)),
        })
    }

    /// States of all worlds `[world][word]`, words in the order of the fields of `State`.
    fn states<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let states = py.detach(|| self.with(|State { pool, .. }| pool.states()))?;
        Ok(PyArray2::from_vec2(py, &states)?)
    }

    /// Puts worlds into states, at the start of an episode.
    fn set_states(&self, py: Python<'_>, states: Vec<Vec<f64>>) -> PyResult<()> {
        py.detach(|| self.with(|State { pool, .. }| pool.set_states(&states)))
    }
}

/// What steps leave.
type Stepped<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyDict>);

impl Worlds {
    /// What is done with the worlds, where the interpreter was let go.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> manyworlds::Result<T>) -> PyResult<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.as_mut() {
            Some(state) => work(state.get_mut()?).map_err(raised),
            None => {
                let text = format!("these worlds of {} were closed; make new ones", self.env.name());
                Err(exception("ClosedError", text))
            }
        }
    }

    /// Axes of observations of all worlds, behind these.
    fn observed(&self, before: &[usize]) -> Vec<usize> {
        [before, &[self.num_envs, self.env.spec().observation_dim as usize]].concat()
    }

    fn stepped<'py>(
        &self,
        py: Python<'py>,
        words: &Words<'py>,
        before: &[usize],
        exchange: impl FnOnce(&mut State, Actions<'_>, &mut dyn FnMut(&Seen<'_>) -> Beside) -> manyworlds::Result<Beside>
        + Send,
    ) -> PyResult<Stepped<'py>> {
        let each = [before, &[self.num_envs]].concat();
        let observations = taken(py, &self.shelf, Shelf::numbers, &self.observed(before));
        let rewards = taken(py, &self.shelf, Shelf::numbers, &each);
        let terminated = taken(py, &self.shelf, Shelf::flags, &each);
        let truncated = taken(py, &self.shelf, Shelf::flags, &each);
        let mut beside = {
            let mut guards = (observations.bind(py).readwrite(), rewards.bind(py).readwrite());
            let mut flags = (terminated.bind(py).readwrite(), truncated.bind(py).readwrite());
            let (observations, rewards) = (guards.0.as_slice_mut()?, guards.1.as_slice_mut()?);
            let (terminated, truncated) = (flags.0.as_slice_mut()?, flags.1.as_slice_mut()?);
            let actions = words.given()?;
            py.detach(|| {
                self.with(|state| {
                    let mut take = |seen: &Seen<'_>| {
                        Beside::of(seen, self, observations, rewards, [&mut *terminated, &mut *truncated])
                    };
                    let beside = exchange(state, actions, &mut take)?;
                    if beside.spun_out {
                        state.pool.check_loops()?;
                    }
                    Ok(beside)
                })
            })?
        };
        let infos = PyDict::new(py);
        if !beside.ended.is_empty() {
            self.finals(py, &mut beside, &each, &infos)?;
        }
        if let Some(masks) = self.masks(py, &mut beside)? {
            infos.set_item("action_mask", masks)?;
        }
        let flags = (terminated.into_bound(py).into_any(), truncated.into_bound(py).into_any());
        Ok((observations.into_bound(py).into_any(), rewards.into_bound(py).into_any(), flags.0, flags.1, infos))
    }

    /// `final_obs`, an array of objects: an observation where an episode has ended, None elsewhere.
    fn finals<'py>(
        &self,
        py: Python<'py>,
        beside: &mut Beside,
        shape: &[usize],
        infos: &Bound<'py, PyDict>,
    ) -> PyResult<()> {
        let features = self.env.spec().observation_dim as usize;
        let len = shape.iter().product();
        let mut objects: Vec<Py<PyAny>> = Vec::with_capacity(len);
        // rows of one array: a third of the time of as many arrays
        let rows = std::mem::take(&mut beside.finals).into_pyarray(py).reshape([beside.ended.len(), features])?;
        for (&place, row) in beside.ended.iter().zip(rows.try_iter()?) {
            objects.resize_with(place, || py.None());
            objects.push(row?.unbind());
        }
        objects.resize_with(len, || py.None());
        let objects = PyArray1::from_vec(py, objects).reshape(shape)?;
        infos.set_item("final_obs", objects)
    }

    /// Which actions are allowed next, `[world][action]`, where the environment says so.
    fn masks<'py>(&self, py: Python<'py>, beside: &mut Beside) -> PyResult<Option<Bound<'py, PyAny>>> {
        if beside.masks.is_empty() {
            return Ok(None);
        }
        let choices = self.env.spec().action_space.choices() as usize;
        let masks = std::mem::take(&mut beside.masks).into_pyarray(py).reshape([self.num_envs, choices])?;
        Ok(Some(masks.into_any()))
    }
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Worlds>()
}
