//! What keeps a foreign file from stopping the program that reads it: naga recurses with the nesting of expressions, and
//! compilers of drivers take as long as they like.

use super::scan::File;
use crate::error::{Error, Result};
use crate::shader::{Linked, comment_end};
use naga::TypeInner;

/// Deepest nesting of brackets, and most words and signs of a statement.
const DEEPEST: usize = 64;
const LONGEST_STATEMENT: usize = 2048;
/// Bytes of the variables of all functions together, and of any value.
const MEMORY: u32 = 64 << 10;
/// Words of the state of a world.
const STATE_WORDS: u32 = 4096;
/// Stack of the thread that parses a file.
const STACK: usize = 256 << 20;

/// Runs what may recurse deeply on a thread with a large stack.
///
/// # Errors
/// Those of `work`, and [`Error::Gpu`] where the system gives no thread.
pub(super) fn with_large_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| Error::Gpu(format!("no thread to read an environment with: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Error::Gpu("the WGSL parser panicked".to_owned())))
    })
}

impl File {
    /// Refuses expressions that nest deeper, and statements that go on longer, than any that a person writes.
    pub fn check_nesting(&self) -> Result<()> {
        let text = &self.part.text;
        let (mut at, mut depth, mut begun, mut count) = (0, 0_usize, 0, 0);
        while at < text.len() {
            let rest = &text[at..];
            let first = rest.chars().next().unwrap_or(' ');
            if let Some(length) = comment_end(rest) {
                at += length;
                continue;
            }
            if first.is_whitespace() {
                at += first.len_utf8();
                continue;
            }
            if count == 0 {
                begun = at;
            }
            count += 1;
            match first {
                '(' | '[' | '<' => depth += 1,
                ')' | ']' | '>' => depth = depth.saturating_sub(1),
                ';' | '{' | '}' => (depth, count) = (0, 0),
                _ => {}
            }
            let complain = |message: &str| {
                Error::Shader(self.part.complain(begun, 1, &format!("error: {message}"), "begins here"))
            };
            if depth > DEEPEST {
                return Err(complain(&format!("this nests deeper than {DEEPEST} brackets; give its parts names")));
            }
            if count > LONGEST_STATEMENT {
                let message = format!("this has more than {LONGEST_STATEMENT} words and signs; divide it");
                return Err(complain(&message));
            }
            at += if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
        }
        Ok(())
    }

    /// Bounds what functions and values hold.
    pub fn check_memory(&self, linked: &Linked, state_words: u32) -> Result<()> {
        let module = linked.module();
        let mut layouter = naga::proc::Layouter::default();
        layouter
            .update(module.to_ctx())
            .map_err(|error| Error::Shader(format!("error: {}: {error}", self.part.path)))?;
        let size = |kind: naga::Handle<naga::Type>| match module.types[kind].inner {
            TypeInner::Pointer { .. } => 0,
            _ => layouter[kind].size,
        };
        for (_, function) in module.functions.iter() {
            let name = function.name.as_deref().unwrap_or_default();
            let Some(found) = self.find(name) else { continue };
            let values = function.expressions.iter().filter_map(|(_, expression)| match expression {
                naga::Expression::Compose { ty, .. } | naga::Expression::ZeroValue(ty) => Some(size(*ty)),
                _ => None,
            });
            let variables: u64 = function.local_variables.iter().map(|(_, v)| u64::from(size(v.ty))).sum();
            let largest = variables.max(u64::from(values.max().unwrap_or(0)));
            if largest > u64::from(MEMORY) {
                let reason =
                    format!("it holds {largest} bytes in variables or in one value; at most {MEMORY} are allowed");
                return Err(self.complaint(&found.name, &reason));
            }
        }
        if state_words > STATE_WORDS {
            let reason = format!("it has {state_words} words; a world may have {STATE_WORDS}");
            return Err(self.complaint("State", &reason));
        }
        Ok(())
    }
}
