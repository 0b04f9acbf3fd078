//! What the number of a setting may be.

use crate::error::{Error, Result};
use std::fmt;
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use toml::Value;

/// An interval of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Where it begins.
    pub low: Bound<f64>,
    /// Where it ends.
    pub high: Bound<f64>,
}

impl Range {
    /// Whatever the type has.
    pub(super) const ANY: Self = Self { low: Unbounded, high: Unbounded };

    pub(super) const fn at_least(low: f64) -> Self {
        Self { low: Included(low), high: Unbounded }
    }

    pub(super) const fn above(low: f64) -> Self {
        Self { low: Excluded(low), high: Unbounded }
    }

    /// Numbers between two, both included.
    pub(super) const fn from_to(low: f64, high: f64) -> Self {
        Self { low: Included(low), high: Included(high) }
    }

    /// Numbers between two, the lower one included.
    pub(super) const fn from_to_below(low: f64, high: f64) -> Self {
        Self { low: Included(low), high: Excluded(high) }
    }

    /// Numbers between two, the upper one included.
    pub(super) const fn above_to(low: f64, high: f64) -> Self {
        Self { low: Excluded(low), high: Included(high) }
    }

    /// Numbers between two, neither included.
    pub(super) const fn between(low: f64, high: f64) -> Self {
        Self { low: Excluded(low), high: Excluded(high) }
    }

    fn has(self, value: f64) -> bool {
        use std::ops::RangeBounds;
        (self.low, self.high).contains(&value)
    }

    /// Refuses a value with a number that is not in it. Numbers with a fraction have to be finite as the device has them, in
    /// 32 bits, and in the range as such too.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value and what is allowed.
    pub(super) fn check(self, name: &str, value: &Value) -> Result<()> {
        let refuse = |number: String, kind: &str| {
            Err(Error::setting(name, format!("{number} is not allowed; it must be {kind}{self}")))
        };
        match value {
            Value::Integer(number) if !self.has(*number as f64) => refuse(number.to_string(), ""),
            Value::Float(number) => {
                let small = f64::from(*number as f32);
                let ends = number.is_finite() && number.abs() < f64::from(f32::MAX);
                // what is below the smallest normal number counts as 0 on some devices
                let small = if small.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { small };
                if ends && self.has(*number) && self.has(small) {
                    return Ok(());
                }
                refuse(number.to_string(), "a finite number ")
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.check(name, item)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Included(low), Included(high)) => write!(f, "from {low} to {high}"),
            (Included(low), Excluded(high)) => write!(f, "from {low} to below {high}"),
            (Excluded(low), Included(high)) => write!(f, "above {low}, at most {high}"),
            (Excluded(low), Excluded(high)) => write!(f, "above {low} and below {high}"),
            (Included(low), Unbounded) => write!(f, "at least {low}"),
            (Excluded(low), Unbounded) => write!(f, "above {low}"),
            (Unbounded, Included(high)) => write!(f, "at most {high}"),
            (Unbounded, Excluded(high)) => write!(f, "below {high}"),
            (Unbounded, Unbounded) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_what_they_say() {
        let has = |range: Range, value: f64| range.check("x", &Value::Float(value)).is_ok();
        for (range, inside, outside, text) in [
            (Range::from_to(0.0, 1.0), [0.0, 1.0], [-1e-9, 1.000_000_1], "from 0 to 1"),
            (Range::from_to_below(0.0, 1.0), [0.0, 0.999], [-0.1, 0.999_999_999_9], "from 0 to below 1"),
            (Range::above_to(0.0, 1.0), [1e-30, 1.0], [0.0, 1.1], "above 0, at most 1"),
            (Range::between(0.0, 1.0), [1e-30, 0.5], [0.0, 1.0], "above 0 and below 1"),
            (Range::at_least(0.0), [0.0, 1e38], [-0.1, 1e39], "at least 0"),
            (Range::above(0.0), [1e-37, 1e38], [1e-39, f64::NAN], "above 0"),
            (Range::ANY, [-1e38, 1e38], [f64::INFINITY, f64::NAN], ""),
        ] {
            for value in inside {
                assert!(has(range, value), "{value} is {text}");
            }
            for value in outside {
                assert!(!has(range, value), "{value} is not {text}");
            }
            assert_eq!(range.to_string(), text);
        }
    }
}
