//! What varies from trial to trial: settings, and where their values come from.

use crate::config::Config;
use crate::error::{Error, Result};
use std::fmt;

/// A setting that varies.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    /// Its name.
    pub name: String,
    /// Where its values come from.
    pub values: Values,
}

/// Where values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// An interval, as likely everywhere.
    Uniform(f64, f64),
    /// An interval above 0, as likely at every order of magnitude.
    Log(f64, f64),
    /// Some values as they are written, each as likely.
    Choices(Vec<String>),
}

impl Vary {
    /// `name=low..high`, `name=log:low..high`, or `name=a,b,c`; lists in a list are in brackets: `hidden=[16,16],[64]`.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no such setting, where an interval is not one, and where it is asked for a setting that
    /// is no number with a fraction.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, values) = text
            .split_once('=')
            .ok_or_else(|| Error::setting(text, "expected NAME=VALUES, such as learning_rate=log:1e-4..1e-2"))?;
        let (name, values) = (name.trim(), values.trim());
        let refuse = |reason: String| Err(Error::setting(name, reason));
        let Some(setting) = Config::SETTINGS.iter().find(|setting| setting.name == name) else {
            // the usual words, with the nearest name
            Config::default().with(&[format!("{name}=0")])?;
            return refuse("there is no such setting".to_owned());
        };
        let (log, interval) = values.strip_prefix("log:").map_or((false, values), |rest| (true, rest));
        let Some((low, high)) = interval.split_once("..") else {
            if log {
                return refuse(format!("'{values}' is not an interval; write log:LOW..HIGH"));
            }
            let choices = split(values);
            return match choices.len() {
                0 | 1 => {
                    refuse(format!("'{values}' is one value, which does not vary; set it with --set {name}={values}"))
                }
                _ => Ok(Self { name: name.to_owned(), values: Values::Choices(choices) }),
            };
        };
        if setting.kind != "f64" {
            let reason = format!(
                "{values} is an interval, and this is {}; list values instead: {name}=2,4,8",
                what(setting.kind)
            );
            return refuse(reason);
        }
        let (Ok(low), Ok(high)) = (low.trim().parse::<f64>(), high.trim().parse::<f64>()) else {
            return refuse(format!("'{values}' is not allowed; write LOW..HIGH or log:LOW..HIGH with numbers"));
        };
        if !low.is_finite() || !high.is_finite() || low >= high {
            return refuse(format!("{values} is empty; its lower end comes first"));
        }
        if log && low <= 0.0 {
            return refuse(format!("{values} does not begin above 0, which a logarithm needs"));
        }
        let values = if log { Values::Log(low, high) } else { Values::Uniform(low, high) };
        Ok(Self { name: name.to_owned(), values })
    }

    /// The value at a place from 0 to 1, as it is written; numbers of intervals have six digits.
    pub fn at(&self, place: f64) -> String {
        let number = |x: f64, low: f64, high: f64| format!("{:?}", rounded(x, 6).clamp(low, high));
        match &self.values {
            &Values::Uniform(low, high) => number(low + place * (high - low), low, high),
            &Values::Log(low, high) => number((low.ln() + place * (high.ln() - low.ln())).exp(), low, high),
            Values::Choices(choices) => {
                let n = (place * choices.len() as f64) as usize;
                choices[n.min(choices.len() - 1)].clone()
            }
        }
    }

    /// Both ends of an interval, or all choices: each has to be a value of the setting.
    pub fn extremes(&self) -> Vec<String> {
        match &self.values {
            Values::Uniform(low, high) | Values::Log(low, high) => vec![format!("{low:?}"), format!("{high:?}")],
            Values::Choices(choices) => choices.clone(),
        }
    }
}

/// As it is given on a command line.
impl fmt::Display for Vary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.values {
            Values::Uniform(low, high) => write!(f, "{}={low:?}..{high:?}", self.name),
            Values::Log(low, high) => write!(f, "{}=log:{low:?}..{high:?}", self.name),
            Values::Choices(choices) => write!(f, "{}={}", self.name, choices.join(",")),
        }
    }
}

/// A number with so many digits.
fn rounded(x: f64, digits: usize) -> f64 {
    format!("{x:.*e}", digits - 1).parse().unwrap_or(x)
}

/// A value for tables and pictures: a number with four digits, all else as it is.
pub fn short(value: &str) -> String {
    let Ok(number) = value.parse::<f64>() else { return value.to_owned() };
    let number = rounded(number, 4);
    let small = number != 0.0 && !(1e-3..1e6).contains(&number.abs());
    if small { format!("{number:e}") } else { format!("{number}") }
}

/// What a setting is, in a sentence.
fn what(kind: &str) -> &'static str {
    match kind {
        "u32" | "u64" => "a whole number",
        "bool" => "true or false",
        "Vec<u32>" => "a list",
        _ => "a word",
    }
}

/// Values between commas, but for those in brackets.
fn split(text: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for letter in text.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Values, Vary, short};

    #[test]
    fn intervals_and_lists_are_read() {
        for (text, values) in [
            ("learning_rate=log:1e-4..1e-2", Values::Log(1e-4, 1e-2)),
            ("clip_coef=0.1..0.3", Values::Uniform(0.1, 0.3)),
            ("num_minibatches=2, 4,8", Values::Choices(["2", "4", "8"].map(str::to_owned).to_vec())),
            ("hidden=[16,16],[64]", Values::Choices(["[16,16]", "[64]"].map(str::to_owned).to_vec())),
            ("norm_adv=true,false", Values::Choices(["true", "false"].map(str::to_owned).to_vec())),
        ] {
            let vary = Vary::parse(text).expect(text);
            assert_eq!(vary.values, values, "{text}");
            assert_eq!(Vary::parse(&vary.to_string()).expect(text), vary, "{text}");
        }
        for (text, words) in [
            ("learning_rate", "NAME=VALUES"),
            ("learning_rat=1..2", "learning_rate"),
            ("num_envs=2..8", "a whole number"),
            ("optimizer=log:1..2", "a word"),
            ("gamma=0.9..0.8", "empty"),
            ("gamma=0.9..nan", "empty"),
            ("learning_rate=log:0..1", "above 0"),
            ("learning_rate=log:3", "not an interval"),
            ("learning_rate=a..b", "with numbers"),
            ("gamma=0.9", "does not vary"),
        ] {
            let refused = Vary::parse(text).expect_err(text).to_string();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }

    #[test]
    fn places_have_values() {
        let at = |text: &str, place: f64| Vary::parse(text).expect(text).at(place);
        assert_eq!([at("gamma=0.5..0.75", 0.0), at("gamma=0.5..0.75", 1.0)], ["0.5", "0.75"]);
        assert!((at("learning_rate=log:1e-4..1e-2", 0.5).parse::<f64>().unwrap_or(0.0) - 1e-3).abs() < 1e-12);
        assert_eq!(at("learning_rate=log:1e-4..1e-2", 0.25), "0.000316228");
        assert_eq!(at("gamma=0.91234567..0.91234568", 0.3), "0.91234568");
        let shown = ["0.000316228", "0.05", "12", "0", "1234567", "-0.25", "true", "[16, 16]"].map(short);
        assert_eq!(shown, ["3.162e-4", "0.05", "12", "0", "1.235e6", "-0.25", "true", "[16, 16]"]);
        let thirds = [0.0, 0.33, 0.34, 0.66, 0.67, 1.0].map(|place| at("num_minibatches=2,4,8", place));
        assert_eq!(thirds, ["2", "2", "4", "4", "8", "8"]);
    }
}
