//! Text that remembers where each byte came from, so that an error names the part's own file, line and column.

use crate::error::shown;
use std::borrow::Cow;
use std::sync::Arc;

/// A change that the linker makes to a part: `text` takes the place of the bytes from `at` to `at + removed`.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// A byte outside comments and words.
    pub at: usize,
    pub removed: usize,
    pub text: Cow<'static, str>,
}

/// One file of WGSL.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Where it is, such as `shaders/serial.wgsl`.
    pub path: Arc<str>,
    pub text: Arc<str>,
    /// What the linker changes, in ascending order.
    pub edits: Arc<[Edit]>,
}

impl Part {
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into(), edits: Arc::default() }
    }

    /// `message` with the place in this file: path, line and column from 1, the line, and a caret under the span. Of a long
    /// line the part around it is shown.
    pub fn complain(&self, offset: usize, length: usize, message: &str, label: &str) -> String {
        let offset = self.text.floor_char_boundary(offset);
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[start..].lines().next().unwrap_or("");
        let number = self.text[..offset].matches('\n').count() + 1;
        let (before, rest) = line.split_at((offset - start).min(line.len()));
        let (marked, behind) = rest.split_at(rest.ceil_char_boundary(length.max(1)));
        let column = before.chars().count();
        let margin = " ".repeat(number.to_string().len());
        let (before, marked, behind) = (ending(before), beginning(marked), beginning(behind));
        format!(
            "{message}\n{margin}--> {}:{number}:{}\n{margin} |\n{number} | {before}{marked}{behind}\n{margin} | {}{} {label}",
            shown(&self.path),
            column + 1,
            " ".repeat(before.chars().count()),
            "^".repeat(marked.chars().count().max(1)),
        )
        .trim_end()
        .to_owned()
    }
}

/// Characters of a piece of a line that is shown.
const WIDEST: usize = 120;

/// The first characters of a piece of a line, as they may be printed.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        None => printed(text),
        Some((end, _)) => printed(&text[..end]) + "…",
    }
}

/// The last ones.
fn ending(text: &str) -> String {
    match text.char_indices().nth_back(WIDEST) {
        None => printed(text),
        Some((first, c)) => format!("…{}", printed(&text[first + c.len_utf8()..])),
    }
}

/// Source code as it may be printed, its tabs being as wide as the carets below think.
fn printed(text: &str) -> String {
    shown(text.replace('\t', "    "))
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

    /// Where a part lies in the linked text.
    pub fn range(&self, part: usize) -> Option<std::ops::Range<usize>> {
        let is_of = |origin: &(u32, u32)| origin.0 as usize == part;
        let (first, last) = (self.origin.iter().position(is_of)?, self.origin.iter().rposition(is_of)?);
        Some(first..last + 1)
    }

    /// Part and offset of a byte of the linked text.
    pub fn origin(&self, at: usize) -> (usize, usize) {
        self.origin.get(at).or(self.origin.last()).map_or((0, 0), |&(part, offset)| (part as usize, offset as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn the_caret_stands_under_the_place() {
        let part = Part::new("a\nb.wgsl", "\tlet ü = \u{1b}x;\r\nnext");
        let at = part.text.find('x').expect("x");
        let text = part.complain(at, 1, "error: no", "here");
        let expected = "error: no\n --> a\\nb.wgsl:1:11\n  |\n1 |     let ü = \\u{1b}x;\n  |                   ^ here";
        assert_eq!(text, expected);
        // inside a character, behind the end, longer than the line, on its end
        for (offset, length) in [(6, 1), (500, 3), (0, 500), (part.text.find('\r').expect("end"), 1)] {
            assert!(part.complain(offset, length, "error: no", "").contains('^'));
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let part = Part::new("long.wgsl", "a".repeat(5000) + "b" + &"c".repeat(5000));
        let text = part.complain(5000, 1, "error: no", "");
        assert!(
            text.contains(":1:5001") && text.contains("…aaa") && text.contains("ccc…") && text.len() < 600,
            "{text}"
        );
        let lines: Vec<&str> = text.lines().collect();
        let place = |line: &str, c: char| line.chars().position(|found| found == c);
        assert_eq!(place(lines[3], 'b'), place(lines[4], '^'));
    }
}
