//! Steps as JSON, and as lines of 80 columns for people.

use super::super::say::{print, print_json};
use super::super::text;
use crate::Result;
use crate::env::{ActionSpace, Environment};
use crate::train::Thought;
use serde::Serialize;
use serde_json::{Number, Value};

/// Columns of a line, and of what stands before its text.
const COLUMNS: usize = 80;
const MARGIN: usize = 10;
/// Numbers that are shown one by one; of more, those that are not 0.
const FEW: usize = 32;
/// Actions whose probabilities are shown; of more, the likeliest.
const LIKELIEST: usize = 6;

/// One step of one world.
#[derive(Serialize)]
#[allow(clippy::struct_field_names)] // keys of the JSON
pub struct Step {
    pub step: u32,
    pub state: Vec<Value>,
    /// Before the step: what the action was chosen by.
    pub seen: Vec<Value>,
    /// Which actions were allowed, those of one choice after those of the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<bool>>,
    /// Of the actions of each choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Vec<Vec<f64>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f64>>,
    /// V of what was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    pub action: Value,
    /// After the step, before any reset.
    pub observation: Vec<Value>,
    pub reward: Value,
    /// With this reward.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub return_so_far: Option<f64>,
    pub terminated: bool,
    pub truncated: bool,
    pub next_state: Vec<Value>,
}

impl Step {
    /// What a policy thought, and the return up to this step.
    pub fn tell(&mut self, thought: Option<&Thought>, so_far: f64) {
        self.return_so_far = Some(so_far);
        let Some(thought) = thought else { return };
        let some = |list: &Vec<f64>| (!list.is_empty()).then(|| list.clone());
        self.probabilities = (!thought.probabilities.is_empty()).then(|| thought.probabilities.clone());
        (self.mean, self.std, self.value) = (some(&thought.mean), some(&thought.std), thought.value);
    }
}

/// Prints a step.
pub fn step(env: &Environment, step: &Step, json: bool) -> Result<()> {
    if json {
        return print_json(step);
    }
    print(format_args!("step {}", step.step))?;
    let fields: Vec<String> = env.state_fields().iter().map(|field| field.name.clone()).collect();
    let names = env.observation_names();
    lines("state", &numbers(&fields, &step.state))?;
    lines("sees", &numbers(&names, &step.seen))?;
    let space = &env.spec().action_space;
    let actions = env.action_names();
    if let Some(allowed) = &step.allowed {
        lines("allowed", &masks(space, &actions, allowed))?;
    }
    let mut policy = Vec::new();
    if let Some(probabilities) = &step.probabilities {
        policy.extend(chances(&actions, probabilities));
    }
    if let Some(mean) = &step.mean {
        policy.extend(mean.iter().enumerate().map(|(i, mean)| {
            let std = step.std.as_ref().and_then(|std| std.get(i));
            let std = std.map_or_else(String::new, |std| format!(" σ {}", text::number(*std)));
            format!("{} {}{std}", label(&actions[i]), text::number(*mean))
        }));
    }
    policy.extend(step.value.map(|value| format!("V {}", text::number(value))));
    lines("policy", &policy)?;
    let mut done = chosen(space, &actions, &step.action);
    done.push(format!("reward {}", shown(&step.reward)));
    done.extend(step.return_so_far.map(|so_far| format!("return {}", text::number(so_far))));
    lines("action", &done)?;
    let ending = match (step.terminated, step.truncated) {
        (true, _) => "terminated",
        (_, true) => "truncated",
        _ if step.return_so_far.is_none() => "then",
        _ => return Ok(()),
    };
    lines(ending, &numbers(&names, &step.observation))
}

/// Pieces behind a word at the margin; nothing where there are none.
fn lines(name: &str, pieces: &[String]) -> Result<()> {
    let mut name = name;
    for line in text::wrapped(pieces, COLUMNS - MARGIN - 3) {
        print(format_args!("  {}{line}", text::padded(name, MARGIN)))?;
        name = "";
    }
    Ok(())
}

/// A name, or a place in brackets.
fn label(name: &str) -> String {
    if name.parse::<u32>().is_ok() { format!("[{name}]") } else { name.to_owned() }
}

fn numbers(names: &[String], values: &[Value]) -> Vec<String> {
    let one = |(name, value): (&String, &Value)| format!("{} {}", label(name), shown(value));
    let all = names.iter().zip(values);
    if values.len() <= FEW {
        return all.map(one).collect();
    }
    let mut some: Vec<String> = all.filter(|(_, value)| value.as_f64() != Some(0.0)).map(one).collect();
    let (count, shown) = (some.len(), some.len().min(FEW));
    some.truncate(FEW);
    let more = if count > shown { format!("and {} more", count - shown) } else { String::new() };
    some.extend((!more.is_empty()).then_some(more));
    some.push(format!("{} of {} are not 0", count, values.len()));
    some
}

/// The choice that an action counted through all choices is of, and its number there.
fn choices(space: &ActionSpace) -> Vec<(usize, usize)> {
    space
        .counts()
        .iter()
        .enumerate()
        .flat_map(|(choice, &count)| (0..count as usize).map(move |a| (choice, a)))
        .collect()
}

fn masks(space: &ActionSpace, names: &[String], allowed: &[bool]) -> Vec<String> {
    let single = space.counts().len() == 1;
    let name = |(choice, action): (usize, usize)| {
        if single { action_name(names, action) } else { format!("{} {action}", names[choice]) }
    };
    let flags = choices(space).into_iter().zip(allowed);
    let [mut yes, no] = [true, false].map(|wanted| -> Vec<String> {
        flags.clone().filter(|(_, allowed)| **allowed == wanted).map(|(place, _)| name(place)).collect()
    });
    if yes.is_empty() {
        yes.push("nothing".to_owned());
    }
    if !no.is_empty() {
        yes.push(format!("not {}", no.join(", ")));
    }
    yes
}

/// `1 (right)`, or the number alone.
fn action_name(names: &[String], action: usize) -> String {
    match names.get(action) {
        Some(name) if *name != action.to_string() => format!("{action} {name}"),
        _ => action.to_string(),
    }
}

fn chances(names: &[String], probabilities: &[Vec<f64>]) -> Vec<String> {
    let mut pieces = Vec::new();
    for (choice, chances) in probabilities.iter().enumerate() {
        let mut order: Vec<usize> = (0..chances.len()).collect();
        let many = chances.len() > LIKELIEST;
        if many {
            order.sort_by(|&a, &b| chances[b].total_cmp(&chances[a]));
            order.truncate(LIKELIEST);
        }
        let name = |action: usize| {
            if probabilities.len() == 1 { action_name(names, action) } else { format!("{} {action}", names[choice]) }
        };
        pieces.extend(order.into_iter().map(|action| format!("p({}) {:.3}", name(action), chances[action])));
        if many {
            pieces.push("…".to_owned());
        }
    }
    pieces
}

fn chosen(space: &ActionSpace, names: &[String], action: &Value) -> Vec<String> {
    match action {
        Value::Array(values) => {
            names.iter().zip(values).map(|(name, value)| format!("{} {}", label(name), shown(value))).collect()
        }
        one if space.is_box() => vec![format!("{} {}", label(&names[0]), shown(one))],
        one => vec![action_name(names, one.as_u64().unwrap_or_default() as usize)],
    }
}

/// A number as JSON; what is not finite becomes null.
pub fn value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return (number as i64).into();
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn shown(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.to_string(), text::number)
}
