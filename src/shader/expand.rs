//! The three things that parts may say beyond WGSL.
//!
//! `@bind var<…> …;` takes the next free binding of group 0.
//!
//! `@unroll for i in A..B { body }` becomes `{ const i = 0u; body }` for each value, so that private arrays are
//! indexed by constants and live in registers; `rev(A..B)` counts down. Bounds are integers, constants of the
//! prelude (also `NAME[expression]`), variables of enclosing unrolled loops, what a `const` before it makes of these, and
//! `+ - * /` of them. `break`, `continue` and `return` may not leave an unrolled body. Comments are dropped.
//!
//! `@rare if condition { body }` is a branch that is hardly ever taken: it becomes a loop of at most one turn, because adapters
//! that mask branches make both sides of one, and leave a loop that no lane needs. There is no `else`.
//!
//! In our own parts, what is known is written as a number: variables of unrolled loops, constants of functions, and indices and
//! arguments that are made of constants. naga's parser takes a time that grows with the square of the expressions in a
//! function.

use super::source::{Part, Traced};
use super::{Constant, Constants};
use crate::error::{Error, Result};

/// Appends `part` (the `index`-th) to `out`.
pub(crate) fn expand(
    part: &Part,
    index: usize,
    constants: &Constants,
    bindings: &mut u32,
    out: &mut Traced,
) -> Result<()> {
    let folds = part.path.starts_with("shaders/") && !part.path.starts_with("shaders/env/");
    let mut expander = Expander { part, index, constants, bindings, out, variables: Vec::new(), unrolled: 0, folds };
    expander.run(0, part.text.len())
}

/// Copies that an unrolled loop may have.
const LONGEST: u32 = 1 << 16;

struct Expander<'a> {
    part: &'a Part,
    index: usize,
    constants: &'a Constants,
    bindings: &'a mut u32,
    out: &'a mut Traced,
    /// Variables of unrolled loops and constants of the source that are in scope, and what hides them.
    variables: Vec<(&'a str, Option<Value>)>,
    /// How many unrolled loops are around.
    unrolled: u32,
    /// Whether what is known is written as numbers.
    folds: bool,
}

/// What is known of a constant.
#[derive(Clone, Copy)]
struct Value {
    number: u32,
    /// Whether it is of type `u32`, and not a number that could be of any.
    typed: bool,
}

impl<'a> Expander<'a> {
    fn text(&self) -> &'a str {
        // the part outlives the expander; borrow its text, not the expander's
        let part: &'a Part = self.part;
        &part.text
    }

    fn complaint(&self, at: usize, length: usize, message: &str) -> Error {
        Error::Shader(self.part.complain(at, length, &format!("error: {message}"), ""))
    }

    fn run(&mut self, from: usize, to: usize) -> Result<()> {
        let text = self.text();
        let mut at = from;
        // how many variables there were where blocks began
        let mut blocks = Vec::new();
        // parameters of the function that comes next
        let mut hidden = Vec::new();
        while at < to {
            let rest = &text[at..to];
            if let Ok(i) = self.part.edits.binary_search_by_key(&at, |edit| edit.at) {
                let edit = &self.part.edits[i];
                self.out.push_made(&edit.text, self.index, at);
                if edit.removed > 0 {
                    at += edit.removed;
                    continue;
                }
            }
            if let Some(after) = comment_end(rest) {
                // a comment separates words; keep the line structure, so that the linked text can be read
                self.out.push_made(" ", self.index, at);
                for (i, _) in rest[..after].match_indices('\n') {
                    self.out.push("\n", self.index, at + i);
                }
                at += after;
            } else if rest.strip_prefix("@bind").is_some_and(|after| identifier(after).is_none()) {
                let made = format!("@group(0) @binding({})", self.bindings);
                *self.bindings += 1;
                self.out.push_made(&made, self.index, at);
                at += "@bind".len();
            } else if rest.starts_with("@unroll") {
                at = self.unroll(at, to)?;
            } else if rest.starts_with("@rare") {
                at = self.rare(at, to)?;
            } else {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                let word = identifier(rest);
                let length = word.map_or(length, str::len);
                let mut folded = None;
                if let Some(number) =
                    word.filter(|_| at == 0 || text.as_bytes()[at - 1] != b'.').and_then(|w| self.number(w))
                {
                    self.out.push_made(&format!("{number}u"), self.index, at);
                    at += length;
                    continue;
                }
                match rest.as_bytes()[0] {
                    b'{' => {
                        blocks.push(self.variables.len());
                        self.variables.extend(hidden.drain(..).map(|name| (name, None)));
                    }
                    b'}' => self.variables.truncate(blocks.pop().unwrap_or(self.variables.len())),
                    b'(' | b'[' | b',' if self.folds => folded = self.argument(at + 1, to),
                    _ => match word {
                        Some("const") => {
                            let end = self.constant(at + length, to);
                            // other parts may know one that stands outside of functions
                            if let Some(end) = end.filter(|_| self.unrolled > 0 || !blocks.is_empty()) {
                                at = end;
                                continue;
                            }
                            // its name is not one to be replaced
                            let name = rest[length..].find(['=', ':', ';']).map_or(length, |i| length + i);
                            self.out.push(&rest[..name], self.index, at);
                            at += name;
                            continue;
                        }
                        Some("fn") => hidden.extend(self.parameters(&rest[length..])),
                        Some("let" | "var") => self.hide(&rest[length..]),
                        _ => {}
                    },
                }
                if self.unrolled > 0 && word.is_some_and(|w| ["break", "continue", "return"].contains(&w)) {
                    return Err(self.complaint(at, length, "an unrolled loop cannot be left early"));
                }
                self.out.push(&rest[..length], self.index, at);
                at += length;
                if let Some((made, end)) = folded {
                    self.out.push_made(&made, self.index, at);
                    at = end;
                }
            }
        }
        Ok(())
    }

    /// Expands the loop at `at`; returns the place after it.
    fn unroll(&mut self, at: usize, to: usize) -> Result<usize> {
        let text = self.text();
        let open = text[at..to].find('{').map(|i| at + i);
        let open = open.ok_or_else(|| self.complaint(at, 7, "an unrolled loop has no body"))?;
        let header = text[at + "@unroll".len()..open].trim();
        let shape = "expected `@unroll for NAME in FIRST..END {`";
        let mut words =
            header.strip_prefix("for").ok_or_else(|| self.complaint(at, open - at, shape))?.splitn(2, " in ");
        let (Some(name), Some(range)) = (words.next(), words.next()) else {
            return Err(self.complaint(at, open - at, shape));
        };
        let (name, range) = (name.trim(), range.trim());
        let (range, reversed) = match range.strip_prefix("rev(").and_then(|r| r.strip_suffix(')')) {
            Some(inner) => (inner, true),
            None => (range, false),
        };
        let (first, end) = range.split_once("..").ok_or_else(|| self.complaint(at, open - at, shape))?;
        let bound = |expression: &str| {
            self.evaluate(expression).map(|value| value.number).ok_or_else(|| {
                self.complaint(
                    at,
                    open - at,
                    &format!("'{}' is not made of integers and constants of the prelude", expression.trim()),
                )
            })
        };
        let (first, end) = (bound(first)?, bound(end)?);
        if end.saturating_sub(first) > LONGEST {
            return Err(self.complaint(at, open - at, &format!("at most {LONGEST} copies are possible")));
        }
        let close = closing_brace(&text[open..to]).map(|i| open + i);
        let close = close.ok_or_else(|| self.complaint(open, 1, "this body has no end"))?;

        let mut values: Vec<u32> = (first..end).collect();
        if reversed {
            values.reverse();
        }
        for value in values {
            let constant = if self.folds { String::new() } else { format!(" const {name} = {value}u;") };
            self.out.push_made(&format!("\n{{{constant}"), self.index, at);
            let known = self.variables.len();
            self.variables.push((name, Some(Value { number: value, typed: true })));
            self.unrolled += 1;
            self.run(open + 1, close)?;
            self.unrolled -= 1;
            self.variables.truncate(known);
            self.out.push("}", self.index, close);
        }
        Ok(close + 1)
    }

    /// Writes the head of the loop that stands for the branch at `at`; returns the place of its brace.
    fn rare(&mut self, at: usize, to: usize) -> Result<usize> {
        let text = self.text();
        let head = &text[at..to];
        let condition = head["@rare".len()..].trim_start().strip_prefix("if ");
        let (Some(condition), Some(open)) = (condition, head.find('{')) else {
            return Err(self.complaint(at, "@rare".len(), "expected `@rare if CONDITION {`"));
        };
        let from = to - condition.len();
        self.out.push_made("for (var mw_rare = ", self.index, at);
        self.run(from, from + text[from..at + open].trim_end().len())?;
        self.out.push_made("; mw_rare; mw_rare = false) ", self.index, at);
        Ok(at + open)
    }

    /// Remembers the constant whose `const` ends at `at`, if its value is made of what is known here; gives the place behind its
    /// declaration, where that is not needed.
    fn constant(&mut self, at: usize, to: usize) -> Option<usize> {
        let text = self.text();
        let end = at + text[at..to].find(';')?;
        let (head, expression) = text[at..end].split_once('=')?;
        let (name, kind) = head.split_once(':').unwrap_or((head, "u32"));
        let name = name.trim();
        let value = self.evaluate(expression).filter(|_| kind.trim() == "u32");
        if value.is_some() || self.is_known(name) {
            self.variables.push((name, value));
        }
        value.filter(|value| value.typed && self.folds).map(|_| end + 1)
    }

    /// What is written for a name.
    fn number(&self, name: &str) -> Option<u32> {
        let (_, value) = self.variables.iter().rev().find(|(known, _)| *known == name).filter(|_| self.folds)?;
        value.filter(|value| value.typed).map(|value| value.number)
    }

    /// The argument or index from `at` on as a number, and the place after it, if it is made of what is known here.
    fn argument(&self, at: usize, to: usize) -> Option<(String, usize)> {
        let text = &self.text()[at..to];
        let mut depth = 0;
        let end = text.find(|c| {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                ',' if depth == 0 => return true,
                '{' | '}' | ';' => return true,
                _ => {}
            }
            depth < 0
        })?;
        let expression = text[..end].trim();
        if expression.parse::<u32>().is_ok() || !expression.contains(|c: char| c.is_alphabetic() && c != 'u') {
            return None; // there is nothing to fold
        }
        let Value { number, typed } = self.evaluate(expression)?;
        typed.then(|| (format!("{number}u"), at + end))
    }

    fn is_known(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| *known == name)
    }

    /// Names of parameters, given the text behind `fn`, that hide something.
    fn parameters(&self, text: &'a str) -> Vec<&'a str> {
        let list = text.split_once('(').map_or("", |(_, rest)| rest.split('{').next().unwrap_or(""));
        let names = list.split(',').filter_map(|one| identifier(one.split(':').next()?.trim()));
        names.filter(|name| self.is_known(name)).collect()
    }

    /// Forgets what a variable hides, given the text behind `let` or `var`.
    fn hide(&mut self, text: &'a str) {
        let text = text.trim_start();
        let text = if text.starts_with('<') { text.split_once('>').map_or("", |(_, rest)| rest) } else { text };
        if let Some(name) = identifier(text.trim_start()).filter(|name| self.is_known(name)) {
            self.variables.push((name, None));
        }
    }

    /// Value of an expression over integers, constants and loop variables.
    fn evaluate(&self, expression: &str) -> Option<Value> {
        let expression = expression.trim();
        // the last operator that binds least, outside of brackets
        let last = |operators: &str| {
            let mut depth = 0;
            expression.char_indices().rev().find(|&(_, c)| {
                match c {
                    ']' | ')' => depth += 1,
                    '[' | '(' => depth -= 1,
                    _ => {}
                }
                depth == 0 && operators.contains(c)
            })
        };
        if let Some((i, operator)) = last("+-").or_else(|| last("*/%")) {
            let (a, b) = (self.evaluate(&expression[..i])?, self.evaluate(&expression[i + 1..])?);
            let (typed, a, b) = (a.typed || b.typed, a.number, b.number);
            let number = match operator {
                '+' => a.checked_add(b),
                '-' => a.checked_sub(b),
                '*' => a.checked_mul(b),
                '/' => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            return number.map(|number| Value { number, typed });
        }
        if let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            return self.evaluate(inner);
        }
        let digits = expression.strip_suffix('u').unwrap_or(expression);
        if let Ok(number) = digits.parse() {
            return Some(Value { number, typed: digits.len() < expression.len() });
        }
        let typed = |number| Value { number, typed: true };
        if let Some((name, rest)) = expression.split_once('[') {
            let index = self.evaluate(rest.strip_suffix(']')?)?;
            return match self.constants.get(name.trim())? {
                Constant::Words(words) => words.get(index.number as usize).copied().map(typed),
                _ => None,
            };
        }
        match self.variables.iter().rev().find(|(name, _)| *name == expression) {
            Some((_, value)) => *value,
            None => match self.constants.get(expression)? {
                Constant::Word(word) => Some(typed(*word)),
                _ => None,
            },
        }
    }
}

/// The identifier that `text` begins with.
fn identifier(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    if !(first.is_alphabetic() || first == '_') {
        return None;
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    Some(&text[..end])
}

/// Length of the comment that `text` begins with. Block comments nest.
pub(crate) fn comment_end(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

/// Place of the brace that closes the one that `text` begins with; braces in comments do not count.
fn closing_brace(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if let Some(length) = comment_end(&text[at..]) {
            at += length;
            continue;
        }
        match text.as_bytes()[at] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        at += 1;
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    None
}
