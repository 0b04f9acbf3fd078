//! Loads the oracle files and compares numbers with them. Shared by the integration tests: `mod oracle;`.
//!
//! The files lie in the folder `MANYWORLDS_ORACLES` names, or else in `tests/data`. Sizes, seeds and
//! cases are always read from them, so another file of the same form serves as well. A field is found
//! by its path from the file's root, `"cases.gae.inputs.reward"`; one that is missing or of another
//! kind panics with the file and the path.

#![allow(dead_code)] // every integration test compiles its own copy and uses a part of it

use manyworlds::reference::mlp::{Activation, Mlp};
use serde_json::Value;
use std::path::PathBuf;

/// Key under which a loaded file remembers where it came from, for messages.
const FILE: &str = "file";

/// `losses.json`: losses and gradients by `PyTorch` autograd in float64.
pub fn losses() -> Value {
    load("losses.json")
}

/// `gymnasium_classic.json`: single steps of the classic-control environments.
pub fn classic() -> Value {
    load("gymnasium_classic.json")
}

/// `gymnasium_edges.json`: single steps at walls, goals and bounds, of the form of `classic()`.
pub fn edges() -> Value {
    load("gymnasium_edges.json")
}

/// `gymnasium_autoreset.json`: vectors of environments in the three modes of automatic reset.
pub fn autoreset() -> Value {
    load("gymnasium_autoreset.json")
}

/// Single steps of MinAtar or bsuite: `parity_NAME.json`.
pub fn parity(name: &str) -> Value {
    load(&format!("parity_{name}.json"))
}

/// The value at a dotted `path` from the root of a loaded file.
pub fn field<'a>(root: &'a Value, path: &str) -> &'a Value {
    let mut value = root;
    for name in path.split('.') {
        value = value.get(name).unwrap_or_else(|| panic!("{}: no field `{name}` on the way to `{path}`", file(root)));
    }
    value
}

/// One number.
pub fn number(root: &Value, path: &str) -> f64 {
    field(root, path).as_f64().unwrap_or_else(|| panic!("{}: `{path}` is not a number", file(root)))
}

/// All numbers of an array, however deep, in reading order (so `[sample][feature]` is row-major).
pub fn numbers(root: &Value, path: &str) -> Vec<f64> {
    let mut flat = Vec::new();
    flatten(field(root, path), &mut flat)
        .unwrap_or_else(|other| panic!("{}: `{path}` holds {other}, not a number", file(root)));
    flat
}

/// Lengths of a nested array, outermost first: `[sample][feature]` gives `[samples, features]`.
pub fn shape(root: &Value, path: &str) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut value = Some(field(root, path));
    while let Some(array) = value.and_then(Value::as_array) {
        lengths.push(array.len());
        value = array.first();
    }
    lengths
}

/// Integers that are not negative (actions, sizes), flattened.
pub fn integers(root: &Value, path: &str) -> Vec<u32> {
    let whole = |x: f64| x >= 0.0 && x <= f64::from(u32::MAX) && x.fract() == 0.0;
    numbers(root, path)
        .into_iter()
        .map(|x| {
            assert!(whole(x), "{}: `{path}` holds {x}, not a u32", file(root));
            x as u32
        })
        .collect()
}

/// Flags written as 0 or 1, flattened.
pub fn flags(root: &Value, path: &str) -> Vec<bool> {
    integers(root, path)
        .into_iter()
        .map(|x| {
            assert!(x < 2, "{}: `{path}` holds {x}, not a flag", file(root));
            x == 1
        })
        .collect()
}

/// Strings of an array.
pub fn strings(root: &Value, path: &str) -> Vec<String> {
    let not = || panic!("{}: `{path}` is not an array", file(root));
    let not_string = || panic!("{}: `{path}` holds other things than strings", file(root));
    let array = field(root, path).as_array().unwrap_or_else(not);
    array.iter().map(|x| x.as_str().unwrap_or_else(not_string).to_owned()).collect()
}

/// The network `{sizes, activation, params}` at `path`.
pub fn network(root: &Value, path: &str) -> Mlp {
    let activation = match field(root, &format!("{path}.activation")).as_str() {
        Some("tanh") => Activation::Tanh,
        Some("relu") => Activation::Relu,
        other => panic!("{}: `{path}.activation` is {other:?}", file(root)),
    };
    let sizes = integers(root, &format!("{path}.sizes"));
    Mlp {
        widths: sizes.into_iter().map(|x| x as usize).collect(),
        activation,
        parameters: numbers(root, &format!("{path}.params")),
    }
}

/// One recorded step of an environment of `classic()`.
pub struct Transition {
    /// The environment's own state before the step.
    pub state: Vec<f64>,
    /// One action number, or the action's components.
    pub action: Vec<f64>,
    /// The environment's own state after the step.
    pub next_state: Vec<f64>,
    /// The observation after the step, rounded to f32.
    pub observation: Vec<f64>,
    /// The step's reward.
    pub reward: f64,
    /// Whether the step ended the episode (truncation is not in the file).
    pub terminated: bool,
}

/// All recorded steps of the environment of that name.
pub fn transitions(root: &Value, environment: &str) -> Vec<Transition> {
    let path = format!("environments.{environment}");
    let not = || panic!("{}: `{path}` is not an array", file(root));
    let records = field(root, &path).as_array().unwrap_or_else(not);
    (0..records.len())
        .map(|at| {
            let mut record = records[at].clone();
            record[FILE] = format!("{} ({path}[{at}])", file(root)).into();
            Transition {
                state: numbers(&record, "state"),
                action: numbers(&record, "action"),
                next_state: numbers(&record, "next_state"),
                observation: numbers(&record, "obs"),
                reward: number(&record, "reward"),
                terminated: field(&record, "terminated")
                    .as_bool()
                    .unwrap_or_else(|| panic!("{}: `terminated` is not a flag", file(&record))),
            }
        })
        .collect()
}

/// How a message names a case: file, seed and path.
pub fn label(root: &Value, path: &str) -> String {
    format!("{} (seed {}): {path}", file(root), field(root, "seed"))
}

/// Asserts `|got − expected| ≤ relative · |expected| + absolute` for every element.
///
/// Fails on a NaN, on other lengths, and with the case, the index, both numbers and the tolerance.
#[track_caller]
pub fn assert_close(case: &str, got: &[f64], expected: &[f64], relative: f64, absolute: f64) {
    assert_eq!(got.len(), expected.len(), "{case}: number of elements");
    let tolerance = |e: f64| relative * e.abs() + absolute;
    let wrong = |i: &usize| {
        let within = (got[*i] - expected[*i]).abs() <= tolerance(expected[*i]);
        !within
    };
    let failures: Vec<usize> = (0..got.len()).filter(wrong).collect();
    if let Some(&i) = failures.first() {
        panic!(
            "{case}[{i}]: got {:e}, expected {:e}, difference {:e}, tolerance {:e} \
             ({relative:e} relative + {absolute:e} absolute); {} of {} elements differ",
            got[i],
            expected[i],
            got[i] - expected[i],
            tolerance(expected[i]),
            failures.len(),
            got.len()
        );
    }
}

/// Compares a gradient with central differences `D(h) = (f(x + h) − f(x − h)) / 2h`, h = 2⁻¹³.
///
/// Tolerance: D(h) is off by h² f'''/6, a third of `|D(2h) − D(h)|`; and by the rounding of f, taken
/// as 64 ulp of its size, over h. A tolerance above 1e-6 means that a kink lies within 2h: the drawn
/// inputs are no good, and the test says so.
#[track_caller]
pub fn assert_gradient(case: &str, gradient: &[f64], x: &[f64], f: impl Fn(&[f64]) -> f64) {
    assert_eq!(gradient.len(), x.len(), "{case}: length of the gradient");
    assert!(gradient.iter().any(|g| g.abs() > 1e-3), "{case}: the gradient is nothing");
    let h = 1.0 / 8192.0;
    let rounding = 64.0 * f64::EPSILON * f(x).abs().max(1.0) / h;
    for (i, g) in gradient.iter().enumerate() {
        let moved = |by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            f(&x)
        };
        let difference = |h: f64| (moved(h) - moved(-h)) / (2.0 * h);
        let (near, far) = (difference(h), difference(2.0 * h));
        let tolerance = (far - near).abs() + rounding;
        assert!(tolerance < 1e-6, "{case}[{i}]: a kink nearby, {near:e} and {far:e}");
        assert_close(&format!("{case}[{i}]"), &[*g], &[near], 0.0, tolerance);
    }
}

fn load(name: &str) -> Value {
    let folder = std::env::var_os("MANYWORLDS_ORACLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")), PathBuf::from);
    let path = folder.join(name);
    let shown = path.display();
    let text =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read the oracle file {shown}: {error}"));
    let mut root: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("the oracle file {shown} is not JSON: {error}"));
    assert!(root.is_object(), "the oracle file {shown} is not an object");
    root[FILE] = shown.to_string().into();
    root
}

fn file(root: &Value) -> &str {
    root.get(FILE).and_then(Value::as_str).expect("a path starts at the root of a file loaded here")
}

fn flatten<'a>(value: &'a Value, flat: &mut Vec<f64>) -> Result<(), &'a Value> {
    if let Some(array) = value.as_array() {
        return array.iter().try_for_each(|element| flatten(element, flat));
    }
    flat.push(value.as_f64().ok_or(value)?);
    Ok(())
}
