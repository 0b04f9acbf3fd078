//! The outermost names of an environment's file, found before anything is parsed.

use super::Loop;
use crate::error::{Error, Result};
use crate::shader::{Edit, Part, comment_end};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Constant,
    Override,
    Struct,
    Function,
    Alias,
}

/// An outermost declaration.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub kind: Kind,
    pub name: String,
    /// Of the name.
    pub offset: usize,
    /// From its keyword to its end: the `;` or the closing brace.
    pub range: Range<usize>,
}

/// A file and its outermost declarations.
pub(super) struct File {
    pub part: Part,
    pub declarations: Vec<Declaration>,
    /// Which of them is the first of a name.
    names: HashMap<String, usize>,
    /// Places behind the opening brace of every loop's body.
    pub loops: Vec<(usize, usize)>,
}

/// Bytes of the longest file.
pub(super) const LONGEST: usize = 256 << 10;

/// The words and signs of a text and where they stand, comments and blanks left out; a comment without an end is a sign.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let first = rest.chars().next()?;
            let begun = at;
            if let Some(length) = comment_end(rest) {
                at += length;
                // it would go on where there was more
                if length == rest.len() && rest.starts_with("/*") && comment_end(&format!("{rest} ")) > Some(length) {
                    return Some((begun, &rest[..2]));
                }
                continue;
            }
            let end =
                if is_word(first) { rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
            at += end;
            if !first.is_whitespace() {
                return Some((begun, &rest[..end]));
            }
        }
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl File {
    /// Scans a text; refuses what an environment cannot have and what needs no parser to be seen.
    pub fn new(path: &str, text: &str) -> Result<Self> {
        let part = Part::new(path, text);
        if text.starts_with('\u{feff}') {
            let reason =
                "it begins with a byte order mark; save it as UTF-8 without one (\"UTF-8\", not \"UTF-8 with BOM\")";
            return Err(Error::Environment { name: path.to_owned(), reason: reason.to_owned() });
        }
        if text.len() > LONGEST {
            let reason = format!(
                "error: {path} has {} bytes; an environment may have {LONGEST}; it is parsed as a whole",
                text.len()
            );
            return Err(Error::Shader(reason));
        }
        let mut scan =
            Scan { part: &part, declarations: Vec::new(), loops: Vec::new(), depth: 0, pending: None, header: None };
        for (at, token) in tokens(text) {
            let first = token.chars().next().unwrap_or(' ');
            if is_word(first) { scan.word(token, at)? } else { scan.character(first, at)? }
        }
        let (declarations, loops) = (scan.declarations, scan.loops);
        let names = declarations.iter().enumerate().rev().map(|(i, found)| (found.name.clone(), i)).collect();
        Ok(Self { part, declarations, names, loops })
    }

    pub fn find(&self, name: &str) -> Option<&Declaration> {
        self.names.get(name).map(|&i| &self.declarations[i])
    }

    /// An error at the declaration of a name.
    pub fn complaint(&self, name: &str, reason: &str) -> Error {
        let offset = self.find(name).map_or(0, |found| found.offset);
        Error::Shader(self.part.complain(offset, name.len(), &format!("error: {name}: {reason}"), ""))
    }

    /// The constants of the contract and what they refer to, everything else blanked, so that they can be read before the
    /// rest is parsed.
    pub fn constants(&self, contract: &[&str]) -> String {
        let text = &self.part.text;
        let mut bytes: Vec<u8> = text.bytes().map(|b| if b == b'\n' { b } else { b' ' }).collect();
        let mut wanted: Vec<&str> = contract.to_vec();
        let mut seen: HashSet<&str> = contract.iter().copied().collect();
        while let Some(name) = wanted.pop() {
            let kinds = |found: &&Declaration| matches!(found.kind, Kind::Constant | Kind::Alias | Kind::Override);
            let Some(range) = self.find(name).filter(kinds).map(|found| found.range.clone()) else { continue };
            bytes[range.clone()].copy_from_slice(&text.as_bytes()[range.clone()]);
            wanted.extend(tokens(&text[range]).map(|(_, word)| word).filter(|word| seen.insert(word)));
        }
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// A call of `mw_spin` at the head of every loop's body, which leaves the loop when a step has looped too often. Loops
    /// count from 1.
    pub fn guards(&self) -> impl Iterator<Item = Edit> {
        self.loops.iter().enumerate().map(|(n, &(_, place))| Edit {
            at: place,
            removed: 0,
            text: Cow::Owned(format!(" if mw_spin({}u) {{ break; }}", n + 1)),
        })
    }

    /// The loops in the order of those guards: in which function, and on which line.
    pub fn places_of_loops(&self) -> Vec<Loop> {
        let place = |&(keyword, _): &(usize, usize)| {
            let within = self.declarations.iter().find(|found| found.range.contains(&keyword));
            let line = self.part.text[..keyword].matches('\n').count() as u32 + 1;
            Loop { function: within.map(|found| found.name.clone()).unwrap_or_default(), line }
        };
        self.loops.iter().map(place).collect()
    }
}

struct Scan<'a> {
    part: &'a Part,
    declarations: Vec<Declaration>,
    /// Where each keyword stands, and where its body begins, in the order of the bodies.
    loops: Vec<(usize, usize)>,
    depth: i32,
    /// A keyword whose name comes next, and where it stands.
    pending: Option<(Kind, usize)>,
    /// A loop whose body comes next: the depth at its keyword, and where that stands.
    header: Option<(i32, usize)>,
}

impl Scan<'_> {
    fn refuse(&self, at: usize, length: usize, message: &str, label: &str) -> Error {
        Error::Shader(self.part.complain(at, length, &format!("error: {message}"), label))
    }

    fn word(&mut self, word: &str, at: usize) -> Result<()> {
        if let Some((kind, start)) = self.pending.take() {
            let range = start..self.part.text.len();
            self.declarations.push(Declaration { kind, name: word.to_owned(), offset: at, range });
            return Ok(());
        }
        if ["mw_", "MW_", "Mw"].iter().any(|prefix| word.starts_with(prefix)) {
            let message =
                format!("'{word}' is the engine's; names that begin with mw_, MW_ or Mw are not for environments");
            return Err(self.refuse(at, word.len(), &message, "use what the contract gives you"));
        }
        match word {
            "for" | "while" | "loop" => self.header = Some((self.depth, at)),
            "workgroupBarrier" | "storageBarrier" | "textureBarrier" | "workgroupUniformLoad" => {
                let message = "an environment has no barriers: worlds share nothing and wait for nobody";
                return Err(self.refuse(at, word.len(), message, "remove this call"));
            }
            _ if word == "atomic"
                || word.strip_prefix("atomic").is_some_and(|rest| rest.starts_with(char::is_uppercase)) =>
            {
                let message = "an environment has no atomics: worlds share nothing";
                return Err(self.refuse(at, word.len(), message, "use a plain u32 or i32 in State"));
            }
            _ if word.starts_with("subgroup")
                || word.strip_prefix("quad").is_some_and(|rest| rest.starts_with(char::is_uppercase)) =>
            {
                let message = format!("'{word}' is not for environments: subgroups and quads look at other worlds");
                return Err(self.refuse(at, word.len(), &message, "compute it from this world's State"));
            }
            _ if ["dpdx", "dpdy", "fwidth"]
                .iter()
                .any(|name| word.strip_prefix(name).is_some_and(|rest| ["", "Coarse", "Fine"].contains(&rest))) =>
            {
                let message = format!("'{word}' is not for environments: derivatives look at other worlds");
                return Err(self.refuse(at, word.len(), &message, "compute it from this world's State"));
            }
            _ if self.depth == 0 => {
                self.pending = match word {
                    "const" => Some((Kind::Constant, at)),
                    "override" => Some((Kind::Override, at)),
                    "struct" => Some((Kind::Struct, at)),
                    "fn" => Some((Kind::Function, at)),
                    "alias" => Some((Kind::Alias, at)),
                    "var" => {
                        let message =
                            "an environment keeps nothing but its State; put this into State or make it a const";
                        return Err(self.refuse(at, 3, message, ""));
                    }
                    "enable" | "requires" | "diagnostic" => {
                        let message = "an environment asks for no extensions; the engine decides what is enabled";
                        return Err(self.refuse(at, word.len(), message, "remove this line"));
                    }
                    _ => None,
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn character(&mut self, c: char, at: usize) -> Result<()> {
        match c {
            '{' | '(' => {
                if let Some((_, keyword)) = self.header.filter(|&(depth, _)| c == '{' && depth == self.depth) {
                    self.loops.push((keyword, at + 1));
                    self.header = None;
                }
                self.depth += 1;
            }
            '}' | ')' => {
                self.depth -= 1;
                if c == '}' && self.depth == 0 {
                    self.end(at + 1);
                }
            }
            ';' if self.depth == 0 => self.end(at + 1),
            '@' => {
                let message = "an environment has no attributes: bindings, entry points and unrolling are the engine's";
                return Err(self.refuse(at, 1, message, "remove this attribute"));
            }
            '\0' => {
                let line = self.part.text[..at].matches('\n').count() + 1;
                let reason = format!("line {line} is no text; an environment is a WGSL file in UTF-8");
                return Err(Error::Environment { name: self.part.path.to_string(), reason });
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, at: usize) {
        if let Some(last) = self.declarations.last_mut().filter(|last| last.range.end == self.part.text.len()) {
            last.range.end = at;
        }
    }
}
