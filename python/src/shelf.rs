//! Arrays of NumPy that were given out, to be written into again once nobody else holds them.

use numpy::{Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Arrays of a kind that are remembered.
const REMEMBERED: usize = 8;

/// Arrays that were given out.
#[derive(Default)]
pub struct Shelf {
    numbers: Vec<Py<PyArrayDyn<f32>>>,
    flags: Vec<Py<PyArrayDyn<bool>>>,
}

impl Shelf {
    pub fn numbers(&mut self) -> &mut Vec<Py<PyArrayDyn<f32>>> {
        &mut self.numbers
    }

    pub fn flags(&mut self) -> &mut Vec<Py<PyArrayDyn<bool>>> {
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
pub fn taken<T: Element>(
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
