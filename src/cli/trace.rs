//! `manyworlds trace`

use super::say::{print, print_json, reader_left};
use super::{AdapterArgument, foreign};
use manyworlds::env::{ActionSpace, Environment};
use manyworlds::gpu::Gpu;
use manyworlds::pool::{AutoReset, WorldPool};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::{Error, Result, file};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use std::path::PathBuf;
use std::process::ExitCode;

/// Bytes of the longest file of transitions.
const LONGEST: u64 = 256 << 20;

#[derive(clap::Args)]
pub struct Trace {
    /// Name of a built-in environment, or path of a .wgsl file
    env: String,
    /// The first state, its numbers in the order of State's fields [default: a reset]
    #[arg(long, value_name = "A,B,…", allow_hyphen_values = true)]
    state: Option<String>,
    /// random, or actions one after the other, over and over; numbers of one action are joined by colons: 0.5:-0.2
    #[arg(long, value_name = "A,B,…", default_value = "random", allow_hyphen_values = true)]
    actions: String,
    /// Steps
    #[arg(long, default_value_t = 10)]
    steps: u32,
    /// Seed of the world and of random actions
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Instead: step once from each state of a JSON file `[{"state": […], "action": …}, …]`, all in one launch
    #[arg(long, value_name = "FILE", conflicts_with_all = ["state", "actions", "steps"])]
    transitions: Option<PathBuf>,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Print one JSON object for each step
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

/// One step of one world.
#[derive(Serialize)]
struct Line {
    step: u32,
    state: Vec<Value>,
    action: Value,
    /// After the step, before any reset.
    observation: Vec<Value>,
    reward: Value,
    terminated: bool,
    truncated: bool,
    next_state: Vec<Value>,
}

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

impl Trace {
    pub fn run(self) -> Result<ExitCode> {
        let env = foreign::load(&self.env, &self.set_env, &self.adapter)?;
        let complain = |reason: String| Error::Environment { name: env.name().to_owned(), reason };
        let space = &env.spec().action_space;
        if let Some(path) = &self.transitions {
            let failed = |reason: String| Error::File { action: "read", path: path.clone(), reason };
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
            let gpu = self.adapter.quietly(0)?;
            let worlds = u32::try_from(states.len()).unwrap_or(u32::MAX);
            let pool = WorldPool::with_auto_reset(&gpu, &env, worlds, self.seed, AutoReset::Disabled)?;
            pool.set_states(&states)?;
            self.print(&env, &step(&gpu, &pool, &actions, 0)?)?;
            return Ok(ExitCode::SUCCESS);
        }

        let listed = match self.actions.as_str() {
            "random" => Vec::new(),
            list => {
                let one = |text: &str| -> Result<Vec<u32>> {
                    let numbers: Option<Vec<f64>> = text.split(':').map(|x| x.trim().parse().ok()).collect();
                    let numbers = numbers.ok_or_else(|| complain(format!("--actions: '{text}' is not a number")))?;
                    words(space, &numbers).map_err(|reason| complain(format!("--actions: {reason}")))
                };
                list.split(',').map(one).collect::<Result<Vec<_>>>()?
            }
        };
        let first = match &self.state {
            None => None,
            Some(list) => {
                let numbers: Option<Vec<f64>> = list.split(',').map(|x| x.trim().parse().ok()).collect();
                Some(numbers.ok_or_else(|| complain(format!("--state: '{list}' is not a list of numbers")))?)
            }
        };
        let gpu = self.adapter.quietly(0)?;
        let pool = WorldPool::with_auto_reset(&gpu, &env, 1, self.seed, AutoReset::Disabled)?;
        if let Some(first) = first {
            pool.set_states(&[first])?;
        }
        for t in 0..self.steps {
            let mut action = match listed.len() {
                0 => random(space, t, self.seed),
                count => listed[t as usize % count].clone(),
            };
            if listed.is_empty() {
                pool.make_legal(&mut action)?;
            }
            self.print(&env, &step(&gpu, &pool, &[action], t)?)?;
            if reader_left() {
                break;
            }
            pool.reset_ended()?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, env: &Environment, lines: &[Line]) -> Result<()> {
        let names: Vec<&str> = env.state_fields().iter().map(|field| field.name.as_str()).collect();
        for line in lines {
            if self.json {
                print_json(line)?;
                continue;
            }
            let list = |values: &[Value]| values.iter().map(shown).collect::<Vec<_>>().join(" ");
            let state = names.iter().zip(&line.state).map(|(name, value)| format!("{name} {}", shown(value)));
            let ending = match (line.terminated, line.truncated) {
                (true, _) => "  terminated",
                (_, true) => "  truncated",
                _ => "",
            };
            let state = state.collect::<Vec<_>>().join(", ");
            print(format_args!(
                "{:>4}  {state}\n      action {}  reward {}  observation {}{ending}",
                line.step,
                line.action,
                shown(&line.reward),
                list(&line.observation)
            ))?;
        }
        Ok(())
    }
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

/// A uniformly random action.
fn random(space: &ActionSpace, step: u32, seed: u32) -> Vec<u32> {
    let word = |component: usize| philox4x32_10([0, step, component as u32, 0], [seed, 0x0074_7261])[0];
    match space {
        ActionSpace::Box { low, high } => {
            let number = |i: usize| {
                // nobody means a billion: where there are no bounds, numbers of size 1
                let (low, high) = if high[i] - low[i] >= 1e6 { (-1.0, 1.0) } else { (low[i], high[i]) };
                (low + (high - low) * uniform(word(i)) as f32).to_bits()
            };
            (0..low.len()).map(number).collect()
        }
        _ => space.counts().iter().enumerate().map(|(i, count)| word(i) % count).collect(),
    }
}

/// One step of every world of a pool, `actions` being `[world][word]`.
fn step(gpu: &Gpu, pool: &WorldPool, actions: &[Vec<u32>], t: u32) -> Result<Vec<Line>> {
    let env = pool.env();
    let (n, space) = (actions.len(), &env.spec().action_space);
    let before = pool.states()?;
    let turned: Vec<u32> =
        (0..space.words() as usize).flat_map(|c| actions.iter().map(move |action| action[c])).collect();
    gpu.write(&pool.actions, &turned);
    pool.step_on_device()?;
    pool.check_loops()?;
    let (after, rewards) = (pool.states()?, pool.rewards()?);
    let (terminated, truncated) = (pool.terminated()?, pool.truncated()?);
    let seen = pool.final_observations()?;
    let exact = |x: f32| f64::from(x);
    let list = |numbers: &[f64]| numbers.iter().map(|number| value(*number)).collect();
    let action = |words: &[u32]| {
        let one = |word: &u32| if space.is_box() { value(exact(f32::from_bits(*word))) } else { (*word).into() };
        if matches!(space, ActionSpace::Discrete { .. }) { one(&words[0]) } else { words.iter().map(one).collect() }
    };
    let line = |world: usize| Line {
        step: t,
        state: list(&before[world]),
        action: action(&actions[world]),
        observation: (0..seen.len() / n).map(|f| value(exact(seen[f * n + world]))).collect(),
        reward: value(exact(rewards[world])),
        terminated: terminated[world],
        truncated: truncated[world],
        next_state: list(&after[world]),
    };
    Ok((0..n).map(line).collect())
}

/// A number as JSON; what is not finite becomes null.
fn value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return (number as i64).into();
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn shown(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() != 0.0 => format!("{number:.6}"),
        _ => value.to_string(),
    }
}
