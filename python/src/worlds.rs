//! Worlds that Python steps: one submission a step, and what it leaves is written once, into arrays of NumPy.

use crate::device::{self, Own};
use crate::environment::Env;
use crate::failure::{exception, raised, refused};
use manyworlds::stage::{Packing, PoolSteps};
use manyworlds::{Actions, AutoReset, Environment, Order, SPUN_OUT, Seen, TERMINATED, TRUNCATED, WorldPool};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Mutex, PoisonError};

/// Arrays of a kind that are remembered, to be written into again once nobody else holds them.
const REMEMBERED: usize = 8;

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

/// Arrays that were given out.
#[derive(Default)]
struct Shelf {
    numbers: Vec<Py<PyArrayDyn<f32>>>,
    flags: Vec<Py<PyArrayDyn<bool>>>,
}

impl Shelf {
    fn numbers(&mut self) -> &mut Vec<Py<PyArrayDyn<f32>>> {
        &mut self.numbers
    }

    fn flags(&mut self) -> &mut Vec<Py<PyArrayDyn<bool>>> {
        &mut self.flags
    }
}

/// Whether this is the only reference to an array: views of it, and tensors that share its memory, hold others.
fn is_free<T>(array: &Py<PyArrayDyn<T>>, _py: Python<'_>) -> bool {
    #[allow(unsafe_code)]
    // SAFETY: the object is alive, since `array` holds it, and the interpreter is held.
    let references = unsafe { pyo3::ffi::Py_REFCNT(array.as_ptr()) };
    references == 1
}

/// Whether an array is still what it was given out as: whoever had it may have changed its form in place.
fn is_as_it_was<T: Element>(array: &Py<PyArrayDyn<T>>, py: Python<'_>, shape: &[usize]) -> bool {
    let array = array.bind(py);
    array.shape() == shape
        && array.dtype().is_equiv_to(&T::get_dtype(py))
        && array.is_c_contiguous()
        && array.try_readwrite().is_ok()
}

/// An array that nobody else holds: one that was given out before, or a new one. The shelf is locked for moments in which the
/// interpreter is held throughout; NumPy lets go of it while it makes an array.
fn taken<T: Element>(
    py: Python<'_>,
    shelf: &Mutex<Shelf>,
    of: fn(&mut Shelf) -> &mut Vec<Py<PyArrayDyn<T>>>,
    shape: &[usize],
) -> Py<PyArrayDyn<T>> {
    let lock = || shelf.lock().unwrap_or_else(PoisonError::into_inner);
    let free = |array: &Py<PyArrayDyn<T>>| is_free(array, py) && is_as_it_was(array, py, shape);
    if let Some(found) = of(&mut lock()).iter().find(|array| free(array)) {
        return found.clone_ref(py);
    }
    let array = PyArrayDyn::zeros(py, shape, false).unbind();
    let kept = array.clone_ref(py);
    let mut locked = lock();
    let arrays = of(&mut locked);
    let mut gone = None;
    if arrays.len() == REMEMBERED {
        gone = arrays.iter().position(|array| is_free(array, py)).map(|place| arrays.swap_remove(place));
    }
    if arrays.len() < REMEMBERED {
        arrays.push(kept);
    }
    // memory is given back without the lock
    drop(locked);
    drop(gone);
    array
}

/// Actions as words, `[step][world][component]`.
enum Words<'py> {
    Choices(Vec<u32>),
    /// Packed, where many steps want that.
    Packed(Vec<u32>),
    Numbers(PyReadonlyArrayDyn<'py, f32>),
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
        let beside = py.detach(|| {
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
        self.masks(py, &beside).map(|masks| (array.into_bound(py).into_any(), masks))
    }

    /// One step: observations, rewards, terminations and truncations, and a dictionary with `final_obs` and `action_mask`, where
    /// there are such.
    fn step<'py>(&self, py: Python<'py>, actions: &Bound<'py, PyAny>) -> PyResult<Stepped<'py>> {
        let words = self.words(actions, &[], None)?;
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
        let words = self.words(actions, &[steps as usize], packing)?;
        let kept = [steps as usize];
        self.stepped(py, &words, if each { &kept } else { &[] }, |State { pool, many }, actions, take| match many {
            Some((_, many)) if many.steps == steps => pool.exchange_many(many, actions, |seen| take(seen)),
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
        let beside = {
            let mut guards = (observations.bind(py).readwrite(), rewards.bind(py).readwrite());
            let mut flags = (terminated.bind(py).readwrite(), truncated.bind(py).readwrite());
            let (observations, rewards) = (guards.0.as_slice_mut()?, guards.1.as_slice_mut()?);
            let (terminated, truncated) = (flags.0.as_slice_mut()?, flags.1.as_slice_mut()?);
            let actions = match words {
                Words::Choices(words) => Actions::Discrete(words),
                Words::Packed(words) => Actions::Packed(words),
                Words::Numbers(numbers) => Actions::Box(numbers.as_slice()?),
            };
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
            self.finals(py, &beside, &each, &infos)?;
        }
        if let Some(masks) = self.masks(py, &beside)? {
            infos.set_item("action_mask", masks)?;
        }
        let flags = (terminated.into_bound(py).into_any(), truncated.into_bound(py).into_any());
        Ok((observations.into_bound(py).into_any(), rewards.into_bound(py).into_any(), flags.0, flags.1, infos))
    }

    /// `final_obs`, an array of objects: an observation where an episode has ended, None elsewhere.
    fn finals<'py>(
        &self,
        py: Python<'py>,
        beside: &Beside,
        shape: &[usize],
        infos: &Bound<'py, PyDict>,
    ) -> PyResult<()> {
        let features = self.env.spec().observation_dim as usize;
        let len = shape.iter().product();
        let mut objects: Vec<Py<PyAny>> = Vec::with_capacity(len);
        // rows of one array: a third of the time of as many arrays
        let rows = beside.finals.clone().into_pyarray(py).reshape([beside.ended.len(), features])?;
        for (&place, row) in beside.ended.iter().zip(rows.try_iter()?) {
            objects.resize_with(place, || py.None());
            objects.push(row?.unbind());
        }
        objects.resize_with(len, || py.None());
        let objects = PyArray1::from_vec(py, objects).reshape(shape)?;
        infos.set_item("final_obs", objects)
    }

    /// Which actions are allowed next, `[world][action]`, where the environment says so.
    fn masks<'py>(&self, py: Python<'py>, beside: &Beside) -> PyResult<Option<Bound<'py, PyAny>>> {
        if beside.masks.is_empty() {
            return Ok(None);
        }
        let choices = self.env.spec().action_space.choices() as usize;
        let masks = beside.masks.clone().into_pyarray(py).reshape([self.num_envs, choices])?;
        Ok(Some(masks.into_any()))
    }

    /// Actions that are of the space, `[world]` or `[world][component]` behind these axes.
    fn words<'py>(
        &self,
        actions: &Bound<'py, PyAny>,
        before: &[usize],
        packing: Option<Packing>,
    ) -> PyResult<Words<'py>> {
        let space = &self.env.spec().action_space;
        let (components, counts) = (space.words() as usize, space.counts());
        let mut shape = [before, &[self.num_envs]].concat();
        if space.is_box() || counts.len() > 1 {
            shape.push(components);
        }
        let found = Found { space: space.to_string(), shape: &shape, worlds_axis: before.len() };
        if space.is_box() {
            let Ok(numbers) = actions.extract::<PyReadonlyArrayDyn<'py, f32>>() else {
                return Err(found.refuse(actions, "float32"));
            };
            found.check_shape(numbers.shape())?;
            let Ok(slice) = numbers.as_slice() else { return Err(found.refuse(actions, "C-contiguous float32")) };
            if let Some(place) = slice.iter().position(|number| !number.is_finite()) {
                return Err(found.value(place, components, &slice[place].to_string(), "not a finite number"));
            }
            return Ok(Words::Numbers(numbers));
        }
        macro_rules! integers {
            ($($kind:ty),*) => {
                $(if let Ok(numbers) = actions.extract::<PyReadonlyArrayDyn<'py, $kind>>() {
                    found.check_shape(numbers.shape())?;
                    let Ok(slice) = numbers.as_slice() else { return Err(found.refuse(actions, "C-contiguous integers")) };
                    let Some(packing) = packing else { return found.choices(slice, &counts).map(Words::Choices) };
                    let packed = packing.pack(slice, self.num_envs, counts[0]);
                    let refuse = |place: usize| found.value(place, components, &slice[place].to_string(), "not one");
                    return packed.map(Words::Packed).map_err(refuse);
                })*
            };
        }
        integers!(i64, i32, u8, u32, i16, u16, i8);
        if let Ok(numbers) = actions.extract::<PyReadonlyArrayDyn<'py, u64>>() {
            // what does not fit is no choice
            let small: Option<Vec<i64>> = numbers.as_array().iter().map(|&number| number.try_into().ok()).collect();
            return match small {
                Some(small) => {
                    let array = PyArrayDyn::<i64>::zeros(actions.py(), numbers.shape(), false);
                    array.readwrite().as_slice_mut()?.copy_from_slice(&small);
                    self.words(&array.into_any(), before, packing)
                }
                None => {
                    let large = numbers.as_array().iter().position(|&number| i64::try_from(number).is_err());
                    let place = large.unwrap_or_default();
                    let value = numbers.as_array().iter().nth(place).map(ToString::to_string).unwrap_or_default();
                    Err(found.value(place, components, &value, "not one"))
                }
            };
        }
        Err(found.refuse(actions, "integers"))
    }
}

/// What actions have to be.
struct Found<'a> {
    space: String,
    shape: &'a [usize],
    /// Which axis counts worlds.
    worlds_axis: usize,
}

impl Found<'_> {
    fn check_shape(&self, shape: &[usize]) -> PyResult<()> {
        if shape == self.shape {
            return Ok(());
        }
        Err(refused(format!("actions have shape {shape:?}, expected {:?} of {}", self.shape, self.space)))
    }

    fn refuse(&self, actions: &Bound<'_, PyAny>, kind: &str) -> PyErr {
        let given = actions.getattr("dtype").and_then(|dtype| dtype.str()).map(|dtype| dtype.to_string());
        let given = given.unwrap_or_else(|_| actions.get_type().to_string());
        refused(format!(
            "actions are {given}, expected an array of {kind} of shape {:?} for {}",
            self.shape, self.space
        ))
    }

    fn value(&self, place: usize, components: usize, value: &str, what: &str) -> PyErr {
        let (row, component) = (place / components, place % components);
        let worlds = self.shape.get(self.worlds_axis);
        let step = match worlds {
            Some(&worlds) if self.worlds_axis > 0 => format!(", step {}", row / worlds.max(1)),
            _ => String::new(),
        };
        let world = worlds.map_or(row, |&worlds| row % worlds.max(1));
        let of = if components > 1 { format!("[{component}]") } else { String::new() };
        refused(format!("action{of} of world {world}{step} is {value}, which is {what} of {}", self.space))
    }

    /// Numbers of actions as words, all of which are there.
    fn choices<T: Copy + TryInto<u32> + std::fmt::Display>(&self, given: &[T], counts: &[u32]) -> PyResult<Vec<u32>> {
        let components = counts.len();
        let mut words = Vec::with_capacity(given.len());
        if let &[count] = counts {
            words.extend(given.iter().map(|&action| action.try_into().unwrap_or(u32::MAX)));
            if words.iter().all(|&word| word < count) {
                return Ok(words);
            }
        } else {
            words.extend(given.iter().map(|&action| action.try_into().unwrap_or(u32::MAX)));
        }
        let unknown = words.iter().zip(counts.iter().cycle()).position(|(word, count)| word >= count);
        match unknown {
            Some(place) => Err(self.value(place, components, &given[place].to_string(), "not one")),
            None => Ok(words),
        }
    }
}

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Worlds>()
}
