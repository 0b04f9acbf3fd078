//! Files of a JSON object a line, which grow while a run goes on.

use crate::error::{Error, Result};
use crate::file::{self, Growing};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Most bytes of a line that is read again.
const LONGEST_LINE: u64 = 1 << 16;

/// A file that lines are appended to. What it does not take waits and is tried again with the next lines.
#[derive(Debug)]
pub(super) struct Lines {
    file: Growing,
    /// Lines that will not be written any more.
    lost: u64,
}

impl Lines {
    /// A file to go on with behind the lines that `keep` takes: it sees each from the first on. What follows the last that it
    /// takes is of updates that are made again, or was being written when a process died, and is forgotten.
    pub fn open<T: DeserializeOwned>(path: &Path, again: bool, keep: impl FnMut(T) -> bool) -> Result<Self> {
        let length = match file::open(path, u64::MAX) {
            Ok((file, _)) if again => kept(file, keep).map_err(|error| Error::file("read", path, &error))?,
            Err(error) if path.exists() => return Err(error),
            _ => 0,
        };
        Ok(Self { file: Growing::open(path, length)?, lost: 0 })
    }

    /// Appends lines, after those that wait.
    ///
    /// # Errors
    /// [`Error::File`] where the disk does not take them; they wait.
    pub fn append<T: Serialize>(&mut self, lines: &[T]) -> Result<()> {
        for line in lines {
            let text = serde_json::to_string(line).unwrap_or_default() + "\n";
            self.lost += u64::from(!self.file.push(text.as_bytes()));
        }
        self.file.write()
    }

    /// Lines that are not in the file.
    pub fn missing(&self) -> u64 {
        self.lost + self.file.waiting().split(|byte| *byte == b'\n').skip(1).count() as u64
    }
}

/// Bytes of the lines from the first on that are kept.
fn kept<T: DeserializeOwned>(file: File, mut keep: impl FnMut(T) -> bool) -> std::io::Result<u64> {
    let mut lines = BufReader::new(file);
    let (mut length, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") || !serde_json::from_slice(&line).is_ok_and(&mut keep) {
            return Ok(length);
        }
        length += read as u64;
    }
}
