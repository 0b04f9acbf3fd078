//! States and actions that a trace is given: transitions of a file, and lists on the command line.

use crate::env::{ActionSpace, Environment};
use crate::{Error, Result, file};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::path::Path;

/// Bytes of the longest file of transitions.
const LONGEST: u64 = 256 << 20;

#[derive(Deserialize)]
struct Given {
    state: Numbers,
    action: Numbers,
}

/// A number or a list of them from a file, NaN where something else stands: Python writes infinities and NaN as words, which
/// JSON has no numbers for.
struct Numbers(Vec<f64>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(Several)
    }
}

struct Several;

impl<'de> Visitor<'de> for Several {
    type Value = Numbers;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a number or a list of numbers")
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Numbers, E> {
        Ok(Numbers(vec![number]))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Numbers, E> {
        Ok(Numbers(vec![number as f64]))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Numbers, E> {
        Ok(Numbers(vec![number as f64]))
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Numbers, E> {
        Ok(Numbers(vec![f64::from(u8::from(flag))]))
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<Numbers, E> {
        Ok(Numbers(vec![f64::NAN]))
    }

    fn visit_unit<E>(self) -> std::result::Result<Numbers, E> {
        Ok(Numbers(vec![f64::NAN]))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Numbers, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Numbers(vec![f64::NAN]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Numbers, A::Error> {
        let mut numbers = Vec::new();
        while let Some(value) = list.next_element::<Value>()? {
            numbers.push(number(&value));
        }
        Ok(Numbers(numbers))
    }
}

/// The states and actions of a file `[{"state": […], "action": …}, …]`.
#[allow(clippy::type_complexity)] // `[transition][number]` and `[transition][word]`
pub fn transitions(path: &Path, space: &ActionSpace) -> Result<(Vec<Vec<f64>>, Vec<Vec<u32>>)> {
    let failed = |reason: String| Error::File { action: "read", path: path.to_owned(), reason };
    let given: Vec<Given> = serde_json::from_slice(&file::read(path, LONGEST)?)
        .map_err(|error| failed(format!("{error}; expected [{{\"state\": […], \"action\": …}}, …]")))?;
    if given.is_empty() {
        return Err(failed("it holds no transitions".to_owned()));
    }
    let mut states = Vec::new();
    let mut actions = Vec::new();
    for (i, one) in given.into_iter().enumerate() {
        let at = |reason: String| failed(format!("transition {i}: {reason}"));
        let wrong = |numbers: &Numbers| numbers.0.iter().any(|number| number.is_nan());
        if wrong(&one.state) {
            return Err(at("its state is not a list of numbers".to_owned()));
        }
        if wrong(&one.action) {
            return Err(at("its action is neither a number nor a list of them".to_owned()));
        }
        actions.push(words(space, &one.action.0).map_err(at)?);
        states.push(one.state.0);
    }
    Ok((states, actions))
}

/// Actions of the command line, such as `0,1` or `0.5:-0.2,0:0`.
pub fn actions(list: &str, env: &Environment) -> Result<Vec<Vec<u32>>> {
    let complain = |reason: String| Error::Environment { name: env.name().to_owned(), reason };
    let one = |text: &str| -> Result<Vec<u32>> {
        let numbers: Option<Vec<f64>> = text.split(':').map(|x| x.trim().parse().ok()).collect();
        let numbers = numbers.ok_or_else(|| complain(format!("--actions: '{text}' is not a number")))?;
        words(&env.spec().action_space, &numbers).map_err(|reason| complain(format!("--actions: {reason}")))
    };
    list.split(',').map(one).collect()
}

/// A state of the command line.
pub fn state(list: &str, env: &Environment) -> Result<Vec<f64>> {
    let numbers: Option<Vec<f64>> = list.split(',').map(|x| x.trim().parse().ok()).collect();
    numbers.ok_or_else(|| Error::Environment {
        name: env.name().to_owned(),
        reason: format!("--state: '{list}' is not a list of numbers"),
    })
}

/// A number of a file, or NaN.
fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        _ => f64::NAN,
    }
}

/// The words of an action.
fn words(space: &ActionSpace, numbers: &[f64]) -> std::result::Result<Vec<u32>, String> {
    if numbers.len() != space.words() as usize {
        return Err(format!("an action of {space} has {} numbers, not {}", space.words(), numbers.len()));
    }
    if space.is_box() {
        return Ok(numbers.iter().map(|number| (*number as f32).to_bits()).collect());
    }
    let one = |(number, count): (&f64, u32)| {
        let whole = number.fract() == 0.0 && (0.0..f64::from(count)).contains(number);
        if whole { Ok(*number as u32) } else { Err(format!("{number} is none of the actions 0 to {}", count - 1)) }
    };
    numbers.iter().zip(space.counts()).map(one).collect()
}
