//! Overrides that the shape of an environment follows from: its spaces, its step limit, the sizes of its arrays.
//!
//! WGSL sizes arrays by constants alone. Overrides behind the contract's constants, and behind any `const`, `alias` or
//! `struct`, are therefore linked as constants, with the values that they have then; the contract is read after that. All
//! others stay overrides, which a driver is told when it compiles.

use super::Override;
use super::contract::{CONSTANTS, number};
use super::scan::{Declaration, File, Kind};
use crate::error::Result;
use crate::shader::{Edit, Linked, comment_end};
use naga::{Literal, ScalarKind};
use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::ops::Range;

/// The step limit. The engine applies it, so it can be set wherever it is declared, as a `const` too.
pub(super) const LIMIT: &str = "MAX_EPISODE_STEPS";

impl File {
    /// Overrides that are linked as constants.
    pub fn fixed(&self) -> Vec<&Declaration> {
        let shapes = self.declarations.iter().filter(|found| {
            matches!(found.kind, Kind::Constant | Kind::Alias | Kind::Struct)
                || CONSTANTS.contains(&found.name.as_str())
        });
        let all = self.behind(shapes.map(|found| found.name.as_str()).collect());
        all.into_iter().filter(|found| found.kind == Kind::Override).collect()
    }

    /// Declarations of these names, and all that they refer to.
    fn behind<'a>(&'a self, names: Vec<&'a str>) -> Vec<&'a Declaration> {
        let mut seen: HashSet<&str> = names.iter().copied().collect();
        let (mut all, mut wanted) = (Vec::new(), VecDeque::from(names));
        while let Some(name) = wanted.pop_front() {
            let Some(found) = self.find(name).filter(|found| found.kind != Kind::Function) else { continue };
            all.push(found);
            wanted.extend(self.words(found.range.clone()).into_iter().filter(|word| seen.insert(word)));
        }
        all
    }

    /// Words of a piece of the text, but for comments and for names that a `:` follows: those of the piece itself.
    pub fn words(&self, range: Range<usize>) -> Vec<&str> {
        let text = &self.part.text[range];
        let (mut words, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let rest = &text[at..];
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let first = rest.chars().next().unwrap_or(' ');
            if let Some(length) = comment_end(rest) {
                at += length;
            } else if is_word(first) {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                if !rest[length..].trim_start().starts_with(':') {
                    words.push(&rest[..length]);
                }
                at += length;
            } else {
                at += first.len_utf8();
            }
        }
        words
    }

    /// What stands between `=` and `;` of a constant or an override.
    pub fn initialiser(&self, found: &Declaration) -> Option<Range<usize>> {
        let text = &self.part.text;
        let end = found.range.end.checked_sub(1).filter(|&end| text.as_bytes()[end] == b';')?;
        let mut at = found.offset;
        while at < end {
            if let Some(length) = comment_end(&text[at..]) {
                at += length;
                continue;
            }
            if text.as_bytes()[at] == b'=' {
                return Some(at + 1..end);
            }
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// Turns overrides into constants, and gives declarations values `(name, WGSL)`.
    pub fn fixing(&self, fixed: &[&Declaration], values: &[(String, String)]) -> Vec<Edit> {
        let keyword = |found: &&Declaration| Edit {
            at: found.range.start,
            removed: "override".len(),
            text: Cow::Borrowed("const"),
        };
        let mut edits: Vec<Edit> = fixed.iter().map(keyword).collect();
        for (name, value) in values {
            if let Some(range) = self.find(name).and_then(|found| self.initialiser(found)) {
                edits.push(Edit { at: range.start, removed: range.len(), text: Cow::Owned(format!(" {value}")) });
            }
        }
        edits.sort_by_key(|edit| edit.at);
        edits
    }

    /// Overrides that can be set, in the order of the file. `constants` holds those that are fixed, `linked` all others;
    /// `values` are names that have been set. What is made of other overrides is not among them.
    pub fn overrides(
        &self,
        fixed: &[&Declaration],
        constants: &Linked,
        linked: &Linked,
        values: &[(String, f64)],
    ) -> Result<Vec<Override>> {
        let mut all = Vec::new();
        for found in &self.declarations {
            let set = values.iter().any(|(name, _)| *name == found.name);
            let is_fixed = fixed.iter().any(|one| one.name == found.name);
            if found.kind != Kind::Override && !set {
                continue;
            }
            let literal = if is_fixed || set {
                let made = self.behind(vec![&found.name]).iter().filter(|one| one.kind == Kind::Override).count() > 1;
                let literal = self.single(constants, &found.name)?;
                if made && !set { None } else { Some(literal) }
            } else {
                let module = linked.module();
                let known = module.overrides.iter().find(|(_, known)| known.name.as_ref() == Some(&found.name));
                known.and_then(|(_, known)| known.init).and_then(|init| match module.global_expressions[init] {
                    naga::Expression::Literal(literal) => Some(literal),
                    _ => None,
                })
            };
            if let Some((literal, value)) = literal.and_then(|literal| Some((literal, number(literal)?))) {
                let name = found.name.clone();
                all.push(Override { name, value, kind: kind(literal), fixed: is_fixed || set });
            }
        }
        Ok(all)
    }

    /// Values as WGSL, each of the type that it has in `constants`.
    pub fn written(&self, constants: &Linked, values: &[(String, f64)]) -> Result<Vec<(String, String)>> {
        let one = |(name, value): &(String, f64)| {
            let text = match kind(self.single(constants, name)?) {
                ScalarKind::Uint => format!("{}u", *value as u32),
                ScalarKind::Sint => format!("i32({})", *value as i32),
                ScalarKind::Bool => (*value != 0.0).to_string(),
                _ => format!("{:?}f", *value as f32),
            };
            Ok((name.clone(), text))
        };
        values.iter().map(one).collect()
    }
}

/// A text with its edits made.
pub(super) fn edited(text: &str, edits: &[Edit]) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        out += &text[at..edit.at];
        out += &edit.text;
        at = edit.at + edit.removed;
    }
    out + &text[at..]
}

impl Override {
    /// Why it cannot have this value, if so.
    pub(super) fn refuses(&self, value: f64) -> Option<String> {
        let name = &self.name;
        let whole = |low: f64, high: f64| value.fract() == 0.0 && (low..=high).contains(&value);
        match self.kind {
            ScalarKind::Uint if !whole(0.0, u32::MAX.into()) => {
                Some(format!("'{name}' must be a whole number from 0 to {}, not {value}", u32::MAX))
            }
            ScalarKind::Sint if !whole(i32::MIN.into(), i32::MAX.into()) => {
                Some(format!("'{name}' must be a whole number from {} to {}, not {value}", i32::MIN, i32::MAX))
            }
            ScalarKind::Bool if !whole(0.0, 1.0) => {
                Some(format!("'{name}' must be 0 (false) or 1 (true), not {value}"))
            }
            _ if !(value as f32).is_finite() => {
                Some(format!("'{name}' must be a finite number that f32 can hold, not {value}"))
            }
            _ => None,
        }
    }
}

fn kind(literal: Literal) -> ScalarKind {
    match literal {
        Literal::U32(_) => ScalarKind::Uint,
        Literal::I32(_) => ScalarKind::Sint,
        Literal::Bool(_) => ScalarKind::Bool,
        _ => ScalarKind::Float,
    }
}
