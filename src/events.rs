//! Event files for TensorBoard, with the names that CleanRL's runs have there.
//!
//! An event file is a list of records, each a protocol buffer of TensorFlow's `event.proto` between two checksums:
//!
//! ```text
//! length (u64)   masked CRC-32C of the length (u32)   the message   masked CRC-32C of the message (u32)
//! ```
//!
//! Of the messages, what is written here is declared here.

use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::error::Result;
use crate::file::Growing;
use crate::layout::Measured;
use crate::train::{Evaluated, Line};
use prost::Message;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Most updates that are written of a run; of longer ones every so-manieth.
const MOST: u32 = 5000;
/// `DataType::DT_STRING`.
const STRING: i32 = 7;
/// `SessionLog::START`: what was written before of this step and later ones is void.
const START: i32 = 1;

/// Writes the event file of one agent's run.
#[derive(Debug)]
pub struct Events {
    file: Growing,
    algo: Algo,
    /// Of how many updates one is written.
    every: u32,
}

impl Events {
    /// A new event file in a run directory, for a run that begins or goes on behind this step; its settings are the first entry.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn open(folder: &Path, env: &Environment, config: &Config, step: u64) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("events.out.tfevents.{}.manyworlds.{}", now.as_secs(), std::process::id());
        let mut file = Growing::open(&folder.join(name), 0)?;
        let time = now.as_secs_f64();
        let version = Event { file_version: Some("brain.Event:2".to_owned()), ..Event::at(time, 0) };
        file.push(&version.record());
        if step > 0 {
            let log = SessionLog { status: START };
            file.push(&Event { session_log: Some(log), ..Event::at(time, step.cast_signed()) }.record());
        } else {
            file.push(&Event::of(time, 0, vec![settings(env, config)]).record());
        }
        file.write()?;
        let every = config.num_updates().div_ceil(MOST).max(1);
        Ok(Self { file, algo: config.algo, every })
    }

    /// Writes what a report has of the agent: a line for each update, and the evaluation at their end.
    ///
    /// # Errors
    /// [`crate::Error::File`] where the disk does not take it; it waits for the next ones.
    pub fn write(&mut self, lines: &[Line], evaluated: Option<&Evaluated>) -> Result<()> {
        let last = lines.last().map_or_else(|| evaluated.map_or(0.0, |of| of.seconds), |line| line.seconds);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        // time of day when seconds of the run were 0
        let zero = now - last;
        for line in lines.iter().filter(|line| line.update % self.every == 0) {
            let event = Event::of(zero + line.seconds, line.step.cast_signed(), of_line(self.algo, line));
            self.file.push(&event.record());
        }
        if let Some(evaluated) = evaluated {
            let event = Event::of(zero + evaluated.seconds, evaluated.step.cast_signed(), of_evaluation(evaluated));
            self.file.push(&event.record());
        }
        self.file.write()
    }
}

/// What a line of metrics is called there.
fn of_line(algo: Algo, line: &Line) -> Vec<Value> {
    let mut values = vec![scalar("charts/SPS", line.steps_per_s)];
    values.extend(line.mean_return.map(|mean| scalar("charts/episodic_return", mean)));
    values.extend(line.mean_length.map(|mean| scalar("charts/episodic_length", mean)));
    for (name, measured) in line.measures.iter() {
        let number = match measured {
            Measured::Real(number) => f64::from(number),
            Measured::Count(count) => f64::from(count),
        };
        values.push(scalar(&tag(algo, name), number));
    }
    values
}

/// What a measure is called there.
fn tag(algo: Algo, name: &str) -> String {
    let name = match name {
        "learning_rate" => return "charts/learning_rate".to_owned(),
        "clip_fraction" => "clipfrac",
        "policy_loss" if algo.is_off_policy() => "actor_loss",
        "value_loss" if algo.is_off_policy() => "qf_loss",
        "q_value" => "qf_values",
        name => name,
    };
    let folder = if algo.is_search() { "charts" } else { "losses" };
    format!("{folder}/{name}")
}

fn of_evaluation(evaluated: &Evaluated) -> Vec<Value> {
    let returns = &evaluated.returns;
    let share = |count: u32| f64::from(count) / f64::from(returns.episodes.max(1));
    let mut values = vec![
        scalar("eval/episodic_return", returns.mean),
        scalar("eval/median_return", returns.median),
        scalar("eval/episodic_length", returns.mean_length),
        scalar("eval/terminated", share(returns.terminated)),
        scalar("eval/truncated", share(returns.truncated)),
    ];
    values.extend(returns.standard_error.map(|error| scalar("eval/standard_error", error)));
    values.extend(evaluated.best_member.map(|best| scalar("eval/best_member_return", best.mean)));
    values
}

/// All settings that the algorithm reads, and the environment's overrides, as a table in Markdown.
fn settings(env: &Environment, config: &Config) -> Value {
    let mut rows = vec![format!("|env|{}|", env.name())];
    rows.extend(env.overrides().iter().map(|known| format!("|{}|{}|", known.name, known.value)));
    let read = Config::SETTINGS.iter().zip(config.values()).filter(|(of, _)| of.readers.contains(&config.algo));
    rows.extend(read.map(|(setting, value)| format!("|{}|{value}|", setting.name)));
    let text = format!("|param|value|\n|-|-|\n{}", rows.join("\n"));
    let tensor = Tensor {
        dtype: STRING,
        shape: Some(Shape { dim: vec![Dimension { size: 1 }] }),
        string_val: vec![text.into_bytes()],
    };
    let plugin = Plugin { name: "text".to_owned() };
    Value {
        tag: "hyperparameters/text_summary".to_owned(),
        simple_value: None,
        tensor: Some(tensor),
        metadata: Some(Metadata { plugin: Some(plugin) }),
    }
}

fn scalar(tag: &str, number: f64) -> Value {
    Value { tag: tag.to_owned(), simple_value: Some(number as f32), ..Value::default() }
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
#[allow(clippy::struct_field_names)] // names of event.proto
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin: Option<Plugin>,
}

#[derive(Clone, PartialEq, Message)]
struct Plugin {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    string_val: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, tag = "1")]
    size: i64,
}

impl Event {
    fn at(wall_time: f64, step: i64) -> Self {
        Self { wall_time, step, ..Self::default() }
    }

    fn of(wall_time: f64, step: i64, value: Vec<Value>) -> Self {
        Self { summary: Some(Summary { value }), ..Self::at(wall_time, step) }
    }

    /// The bytes of its record.
    fn record(&self) -> Vec<u8> {
        let message = self.encode_to_vec();
        let length = (message.len() as u64).to_le_bytes();
        let mut record = Vec::with_capacity(message.len() + 16);
        record.extend_from_slice(&length);
        record.extend_from_slice(&masked(&length));
        record.extend_from_slice(&message);
        record.extend_from_slice(&masked(&message));
        record
    }
}

/// The checksum of some bytes, turned and shifted as records have it.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Event, masked, scalar, tag};
    use crate::config::Algo;

    #[test]
    fn records_have_the_bytes_that_tensorboard_writes() {
        // tensorboard 2.20: EventFileWriter of an Event(wall_time=1.5, step=3, summary=[Value(tag="a", simple_value=0.0)])
        let record = Event::of(1.5, 3, vec![scalar("a", 0.0)]).record();
        let hex: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "1700000000000000e7cef81e09000000000000f83f10032a0a0a080a01611500000000be9b5264");
        // CRC-32C of "123456789" is e3069283
        assert_eq!(masked(b"123456789"), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes());
    }

    #[test]
    fn names_are_those_of_cleanrl() {
        let tags = [
            (Algo::Ppo, "clip_fraction", "losses/clipfrac"),
            (Algo::Ppo, "value_loss", "losses/value_loss"),
            (Algo::A2c, "learning_rate", "charts/learning_rate"),
            (Algo::Sac, "policy_loss", "losses/actor_loss"),
            (Algo::Td3, "value_loss", "losses/qf_loss"),
            (Algo::Ddpg, "q_value", "losses/qf_values"),
            (Algo::Sac, "alpha", "losses/alpha"),
            (Algo::Cem, "fitness_mean", "charts/fitness_mean"),
        ];
        for (algo, name, wanted) in tags {
            assert_eq!(tag(algo, name), wanted);
        }
    }
}
