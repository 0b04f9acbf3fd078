//! What a command says. A line for people goes to standard error, and one that cannot be written is lost without notice: a
//! closed terminal or a log on a full disk ends no work.

use std::fmt::Arguments;
use std::io::Write;

/// Writes a line to standard error: `say(format_args!("{steps} steps"))`.
pub fn say(line: Arguments) {
    // in one piece, so that lines of several processes do not mix
    let mut text = line.to_string();
    text.push('\n');
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
