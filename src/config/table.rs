//! Settings as people write them: TOML files and `key=value` pairs, joined into one table of TOML values.

use super::{Algo, Config};
use crate::error::{Error, Result, did_you_mean};
use toml::Value;

/// Turns a value into one of the setting's kind where that loses nothing: 1e6 is a whole number too, and so is 3 a number with
/// a fraction; `64,64` and `64` are lists. Anything else stays as it is, to be refused as it was written.
pub(super) fn convert(kind: &str, value: &mut Value) {
    let new = match kind {
        "f64" => value.as_integer().map(|whole| Value::Float(whole as f64)),
        "u32" | "u64" => whole(value),
        "Vec<u32>" => list(value),
        _ => None,
    };
    if let Some(new) = new {
        *value = new;
    }
}

/// A number without a fraction, as an integer.
fn whole(value: &Value) -> Option<Value> {
    /// 2⁶³, the first number that TOML's integers do not have.
    const END: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Integer(_) => Some(value.clone()),
        Value::Float(number) if number.fract() == 0.0 && (0.0..END).contains(number) => {
            Some(Value::Integer(*number as i64))
        }
        _ => None,
    }
}

/// A list of whole numbers: one in brackets, numbers with commas between them, or a single number.
fn list(value: &Value) -> Option<Value> {
    let items = match value {
        Value::Array(items) => items.iter().map(whole).collect(),
        Value::String(text) => text.split(',').map(|item| whole(&parsed(item.trim()))).collect(),
        single => whole(single).map(|item| vec![item]),
    };
    items.map(Value::Array)
}

/// A bare word is a string; everything else is TOML.
fn parsed(text: &str) -> Value {
    // one value in one line, and nothing behind it
    let line = Some(text).filter(|text| !text.contains(['\n', '\r']));
    let table = line.and_then(|text| format!("value = {text}").parse::<toml::Table>().ok());
    table.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// What a setting of a kind may be, in words.
pub(super) fn allowed(kind: &str) -> String {
    let words = match kind {
        "Algo" => return Algo::names(),
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number from 0 to 9223372036854775807",
        "f64" => "a number",
        "bool" => "true or false",
        "Vec<u32>" => "a list of whole numbers from 0 to 4294967295, such as 64,64 or [64, 64]",
        "Penalty" => "clip or kl",
        "ActionNoise" => "normal or ornstein-uhlenbeck",
        "Importance" => "full, causal, first-order or per-decision",
        "Estimator" => {
            "total-return, reward-to-go, mean-baseline, optimal-baseline, value-baseline, q, td-residual or gae"
        }
        "Optimizer" => "adam, rmsprop or sgd",
        _ => "tanh or relu",
    };
    words.to_owned()
}

/// Refuses a name that no setting has, with the nearest one that has.
fn known(name: &str) -> Result<()> {
    if Config::SETTINGS.iter().any(|setting| setting.name == name) {
        return Ok(());
    }
    let near = did_you_mean(name, Config::SETTINGS.iter().map(|setting| setting.name));
    Err(Error::setting(name, format!("there is no such setting{near} `manyworlds settings` lists them")))
}

/// Sets `key=value` pairs.
pub(super) fn set(table: &mut toml::Table, pairs: &[String]) -> Result<()> {
    for pair in pairs {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::setting(pair, "expected key=value, such as learning_rate=0.001"))?;
        let (name, value) = (name.trim(), value.trim());
        known(name)?;
        table.insert(name.to_owned(), parsed(value));
    }
    Ok(())
}

/// Sets what a TOML text has.
pub(super) fn merge_text(table: &mut toml::Table, text: &str, from: &str) -> Result<()> {
    let parsed: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| Error::setting(from, format!("not TOML: {}", error.message())))?;
    merge(table, parsed)
}

/// Sets what another table has.
pub(super) fn merge(table: &mut toml::Table, other: toml::Table) -> Result<()> {
    for (name, value) in other {
        known(&name)?;
        table.insert(name, value);
    }
    Ok(())
}
