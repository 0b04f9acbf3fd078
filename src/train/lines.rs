//! Files of a JSON object a line, which grow while a run goes on.

use crate::error::{Error, Result};
use crate::file;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Most bytes of lines that wait for a disk that takes nothing.
const MOST_WAITING: usize = 16 << 20;
/// Most bytes of a line that is read again.
const LONGEST_LINE: u64 = 1 << 16;

/// A file that lines are appended to. What it does not take waits and is tried again with the next lines.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    waiting: String,
    /// Lines that will not be written any more.
    lost: u64,
}

impl Lines {
    /// A file to go on with behind the lines that `keep` takes: it sees each from the first on. What follows the last that it
    /// takes is of updates that are made again, or was being written when a process died, and is forgotten.
    pub fn open<T: DeserializeOwned>(path: &Path, again: bool, keep: impl FnMut(T) -> bool) -> Result<Self> {
        let failed = |error: std::io::Error| Error::file("write", path, &error);
        let length = match file::open(path, u64::MAX) {
            Ok((file, _)) if again => kept(file, keep).map_err(|error| Error::file("read", path, &error))?,
            Err(error) if path.exists() => return Err(error),
            _ => 0,
        };
        let file = File::options().create(true).append(true).open(path).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, length, waiting: String::new(), lost: 0 })
    }

    /// Appends lines, after those that wait.
    ///
    /// # Errors
    /// [`Error::File`] where the disk does not take them; they wait.
    pub fn append<T: Serialize>(&mut self, lines: &[T]) -> Result<()> {
        for line in lines {
            let text = serde_json::to_string(line).unwrap_or_default();
            if self.waiting.len() + text.len() < MOST_WAITING {
                self.waiting += &text;
                self.waiting.push('\n');
            } else {
                self.lost += 1;
            }
        }
        if let Err(error) = self.file.write_all(self.waiting.as_bytes()) {
            // half a line would spoil the next one
            let _ = self.file.set_len(self.length);
            return Err(Error::file("write", &self.path, &error));
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Lines that are not in the file.
    pub fn missing(&self) -> u64 {
        self.lost + self.waiting.lines().count() as u64
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
