//! `metrics.jsonl`: a line for each update.

use super::Report;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::file;
use crate::layout::{Measured, Metrics};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Name of the file in a run directory.
pub(super) const METRICS_FILE: &str = "metrics.jsonl";
/// Most bytes of lines that wait for a disk that takes nothing.
const MOST_WAITING: usize = 16 << 20;
/// Most bytes of a line that is read again.
const LONGEST_LINE: u64 = 1 << 16;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Number of the update, from 0.
    pub update: u32,
    /// Steps of all worlds after the update.
    pub step: u64,
    /// Mean return of the episodes that ended in the rollout; null where none did.
    pub mean_return: Option<f32>,
    /// Their mean length in steps.
    pub mean_length: Option<f32>,
    /// How many they were.
    pub episodes: u32,
    /// How many of them terminated.
    pub terminated: u32,
    /// How many of them were truncated.
    pub truncated: u32,
    /// What its algorithm measures, by name, as [`Config::measures`] lists it.
    #[serde(flatten)]
    pub measures: Measures,
    /// Steps per second since the report before.
    pub steps_per_s: f64,
}

/// Numbers by name, in the order in which they are written.
#[derive(Clone, Debug)]
pub struct Measures(Vec<(&'static str, Measured)>);

impl Measures {
    /// The number of this name; none where the algorithm does not measure it.
    pub fn get(&self, name: &str) -> Option<Measured> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }
}

impl Serialize for Measures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl Line {
    /// Those of an agent in a report, one for each update; the last of them ends at this step of the agent's worlds.
    pub(super) fn of_report(report: &Report, agent: usize, config: &Config, last: u64, steps_per_s: f64) -> Vec<Self> {
        let mut step = last;
        let mut lines: Vec<Self> = Vec::new();
        for agents in report.metrics.iter().rev() {
            lines.push(Self::of(&agents[agent], config, step, steps_per_s));
            step -= config.steps_of(&agents[agent]);
        }
        lines.reverse();
        lines
    }

    fn of(metrics: &Metrics, config: &Config, step: u64, steps_per_s: f64) -> Self {
        let some = metrics.episodes > 0.0;
        Self {
            update: metrics.update,
            step,
            mean_return: some.then_some(metrics.return_sum / metrics.episodes),
            mean_length: some.then_some(metrics.length_sum / metrics.episodes),
            episodes: metrics.episodes as u32,
            terminated: metrics.terminated as u32,
            truncated: (metrics.episodes - metrics.terminated) as u32,
            measures: Measures(config.measures().iter().map(|&name| (name, metrics.measured(name))).collect()),
            steps_per_s,
        }
    }
}

/// The file that lines are appended to. What it does not take waits and is tried again with the next lines.
#[derive(Debug)]
pub(super) struct MetricsFile {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    waiting: String,
    /// Lines that will not be written any more.
    lost: u64,
}

impl MetricsFile {
    /// A file for the lines from update `first` on, in a run directory. Those before it are kept; what follows them is of
    /// updates that are made again, or was being written when a process died, and is forgotten.
    pub fn open(run: &Path, first: u32) -> Result<Self> {
        let path = run.join(METRICS_FILE);
        let failed = |error: std::io::Error| Error::file("write", &path, &error);
        let length = match file::open(&path, u64::MAX) {
            Ok((file, _)) if first > 0 => {
                lines_before(file, first).map_err(|error| Error::file("read", &path, &error))?
            }
            Err(error) if path.exists() => return Err(error),
            _ => 0,
        };
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        Ok(Self { path, file, length, waiting: String::new(), lost: 0 })
    }

    /// Appends lines, after those that wait.
    ///
    /// # Errors
    /// [`Error::File`] where the disk does not take them; they wait.
    pub fn append(&mut self, lines: &[Line]) -> Result<()> {
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

/// Bytes of the lines of updates before `first`.
fn lines_before(file: File, first: u32) -> std::io::Result<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        update: u32,
    }
    let mut lines = BufReader::new(file);
    let (mut length, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        let earlier = serde_json::from_slice(&line).is_ok_and(|Numbered { update }| update < first);
        if !line.ends_with(b"\n") || !earlier {
            return Ok(length);
        }
        length += read as u64;
    }
}
