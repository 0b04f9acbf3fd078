//! What keeps a foreign file from stopping the program that reads it: naga recurses with the nesting of expressions, and
//! compilers of drivers take as long as they like.

use super::scan::{File, tokens};
use crate::error::{Error, Result};
use crate::shader::Linked;
use naga::TypeInner;

/// Deepest nesting of brackets, longest chain of `else`, and most words and signs of a statement.
const DEEPEST: usize = 64;
const LONGEST_CHAIN: usize = 64;
const LONGEST_STATEMENT: usize = 2048;
/// Bytes of the longest word: names of fields are repeated for every word of `State`.
const LONGEST_WORD: usize = 128;
/// Bytes of the variables of all functions together, and of any value.
pub(super) const MEMORY: u32 = 64 << 10;

impl File {
    /// Refuses expressions that nest deeper, and statements that go on longer, than any that a person writes.
    pub fn check_nesting(&self) -> Result<()> {
        let (mut depth, mut begun, mut count) = (0_usize, 0, 0);
        // a chain of `else if` nests as deeply as it is long; any statement between two blocks ends it
        let mut chain = 0;
        for (at, token) in tokens(&self.part.text) {
            if count == 0 {
                begun = at;
            }
            count += 1;
            match token {
                "(" | "[" | "<" => depth += 1,
                ")" | "]" | ">" => depth = depth.saturating_sub(1),
                ";" | "{" | "}" => (depth, count) = (0, 0),
                _ => {}
            }
            if count == 1 {
                chain = if token == "else" { chain + 1 } else { 0 };
            }
            let complain = |at: usize, message: &str| {
                Err(Error::Shader(self.part.complain(at, 1, &format!("error: {message}"), "begins here")))
            };
            if depth > DEEPEST {
                return complain(begun, &format!("this nests deeper than {DEEPEST} brackets; give its parts names"));
            }
            if chain > LONGEST_CHAIN {
                return complain(
                    begun,
                    &format!("this is `else` number {chain} of a chain; use a switch or a formula"),
                );
            }
            if count > LONGEST_STATEMENT {
                return complain(begun, &format!("this has more than {LONGEST_STATEMENT} words and signs; divide it"));
            }
            if token == "/*" {
                return complain(at, "this comment has no end; close it with */");
            }
            if token.len() > LONGEST_WORD {
                return complain(at, &format!("this word is longer than {LONGEST_WORD} bytes; choose a shorter one"));
            }
        }
        Ok(())
    }

    /// Bounds what functions and values hold.
    pub fn check_memory(&self, linked: &Linked) -> Result<()> {
        let module = linked.module();
        let mut layouter = naga::proc::Layouter::default();
        layouter
            .update(module.to_ctx())
            .map_err(|error| Error::Shader(format!("error: {}: {error}", self.part.path)))?;
        let size = |kind: naga::Handle<naga::Type>| match module.types[kind].inner {
            TypeInner::Pointer { .. } => 0,
            _ => layouter[kind].size,
        };
        let refuse = |name: &str, bytes: u64| {
            let reason = format!("it holds {bytes} bytes in variables or in one value; at most {MEMORY} are allowed");
            Err(self.complaint(name, &reason))
        };
        for (_, constant) in module.constants.iter() {
            let (name, bytes) = (constant.name.as_deref().unwrap_or_default(), size(constant.ty));
            if bytes > MEMORY {
                return refuse(name, bytes.into());
            }
        }
        let mut all = 0;
        for (_, function) in module.functions.iter() {
            let name = function.name.as_deref().unwrap_or_default();
            if self.find(name).is_none() {
                continue;
            }
            let values = function.expressions.iter().filter_map(|(_, expression)| match expression {
                naga::Expression::Compose { ty, .. } | naga::Expression::ZeroValue(ty) => Some(size(*ty)),
                _ => None,
            });
            all += function.local_variables.iter().map(|(_, v)| u64::from(size(v.ty))).sum::<u64>();
            let largest = all.max(u64::from(values.max().unwrap_or(0)));
            if largest > u64::from(MEMORY) {
                return refuse(name, largest);
            }
        }
        Ok(())
    }
}
