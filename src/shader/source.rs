//! Text that remembers where each byte came from, so that an error names the part's own file, line and column.

use std::sync::Arc;

/// One file of WGSL.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Where it is, such as `shaders/walk.wgsl`.
    pub path: Arc<str>,
    pub text: Arc<str>,
    /// What the linker puts in, and before which byte, in ascending order.
    pub inserted: Arc<[(usize, String)]>,
}

impl Part {
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into(), inserted: Arc::default() }
    }

    /// `message` with the place in this file: path, line and column from 1, the line, and a caret under the span.
    pub fn complain(&self, offset: usize, length: usize, message: &str, label: &str) -> String {
        let offset = offset.min(self.text.len());
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[start..].lines().next().unwrap_or("");
        let number = self.text[..offset].matches('\n').count() + 1;
        let column = self.text[start..offset].chars().count();
        let carets = length.clamp(1, line.chars().count().saturating_sub(column).max(1));
        let margin = " ".repeat(number.to_string().len());
        format!(
            "{message}\n{margin}--> {}:{number}:{}\n{margin} |\n{number} | {line}\n{margin} | {}{} {label}",
            self.path,
            column + 1,
            " ".repeat(column),
            "^".repeat(carets),
        )
        .trim_end()
        .to_owned()
    }
}

/// Linked text; `origin[i]` is the part and the offset there that byte i came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traced {
    pub text: String,
    origin: Vec<(u32, u32)>,
}

impl Traced {
    pub fn push(&mut self, text: &str, part: usize, offset: usize) {
        self.text.push_str(text);
        self.origin.extend((0..text.len()).map(|i| (part as u32, (offset + i) as u32)));
    }

    /// Text that was made for the place `offset` of a part.
    pub fn push_made(&mut self, text: &str, part: usize, offset: usize) {
        self.text.push_str(text);
        self.origin.extend(std::iter::repeat_n((part as u32, offset as u32), text.len()));
    }

    /// Part and offset of a byte of the linked text.
    pub fn origin(&self, at: usize) -> (usize, usize) {
        self.origin.get(at).or(self.origin.last()).map_or((0, 0), |&(part, offset)| (part as usize, offset as usize))
    }
}
