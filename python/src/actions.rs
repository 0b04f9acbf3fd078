//! Actions that Python gives, looked at and turned into words.

use crate::failure::refused;
use manyworlds::stage::Packing;
use manyworlds::{ActionSpace, Actions};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Actions as words, `[step][world][component]`.
pub enum Words<'py> {
    Choices(Vec<u32>),
    /// Packed, where many steps want that.
    Packed(Vec<u32>),
    Numbers(PyReadonlyArrayDyn<'py, f32>),
}

impl<'py> Words<'py> {
    /// Actions of this many worlds that are of the space, `[world]` or `[world][component]` behind these axes.
    pub fn of(
        actions: &Bound<'py, PyAny>,
        space: &ActionSpace,
        num_envs: usize,
        before: &[usize],
        packing: Option<Packing>,
    ) -> PyResult<Self> {
        let (components, counts) = (space.words() as usize, space.counts());
        let mut shape = [before, &[num_envs]].concat();
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
                    let packed = packing.pack(slice, num_envs, counts[0]);
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
                    Self::of(&array.into_any(), space, num_envs, before, packing)
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

    /// The same as a pool takes them.
    pub fn given(&self) -> PyResult<Actions<'_>> {
        Ok(match self {
            Self::Choices(words) => Actions::Discrete(words),
            Self::Packed(words) => Actions::Packed(words),
            Self::Numbers(numbers) => Actions::Box(numbers.as_slice()?),
        })
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
