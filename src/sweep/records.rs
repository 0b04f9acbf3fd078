//! What a sweep has come to so far, in its directory: what it goes on from.

use super::Sweep;
use super::launch::Agent;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::file;
use crate::train::RunDirectory;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;

/// Name of the file with what a sweep was asked for.
pub const SWEEP_FILE: &str = "sweep.json";
/// Name of the file with a line for each agent that was trained.
const TRIALS_FILE: &str = "trials.jsonl";
/// Most bytes of these files.
const LONGEST: u64 = 1 << 30;

/// What one agent came to; a line of `trials.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number of its trial.
    pub trial: u32,
    /// Steps, or generations, that it was trained for.
    pub length: u64,
    /// Its seed.
    pub seed: u32,
    /// Mean return at the end; none where numbers ceased to be finite.
    pub score: Option<f64>,
    /// Whether an evaluation has passed the environment's threshold.
    pub solved: bool,
}

impl Record {
    /// Of an agent that is not trained yet.
    pub(super) fn before(agent: &Agent) -> Self {
        let length = agent.config.length().1;
        Self { trial: agent.trial, length, seed: agent.seed, score: None, solved: false }
    }

    /// What it is of: trial, length and seed.
    fn key(&self) -> (u32, u64, u32) {
        (self.trial, self.length, self.seed)
    }
}

/// Records of a sweep, in memory and on the disk.
#[derive(Debug)]
pub struct Records {
    /// Where they are written; nowhere on any rank but the first.
    path: Option<PathBuf>,
    all: Vec<Record>,
    places: HashMap<(u32, u64, u32), usize>,
}

impl Records {
    /// Those in a directory, of the same sweep: how many finalists and seeds it ends with does not matter. Where there is
    /// none, what is asked for is written.
    ///
    /// # Errors
    /// [`Error::File`] where the directory holds another sweep, or cannot be read or written.
    pub fn open(directory: &RunDirectory, sweep: &Sweep, env: &Environment) -> Result<Self> {
        let (asked, path) = (directory.path().join(SWEEP_FILE), directory.path().join(TRIALS_FILE));
        let text = serde_json::to_string_pretty(&Asked::of(sweep, env)).unwrap_or_default() + "\n";
        let mut all: Vec<Record> = Vec::new();
        if asked.exists() {
            if file::read_text(&asked, LONGEST)? != text {
                let reason = "it holds a sweep of something else; choose another --out, or ask for the same".to_owned();
                return Err(Error::File { action: "go on in", path: directory.path().to_owned(), reason });
            }
            if path.exists() {
                let line = |(n, line): (usize, &str)| {
                    let refuse = |error: serde_json::Error| {
                        let reason = format!("line {}: {error}; take it away to make all trials anew", n + 1);
                        Error::File { action: "read", path: path.clone(), reason }
                    };
                    serde_json::from_str(line).map_err(refuse)
                };
                all = file::read_text(&path, LONGEST)?.lines().enumerate().map(line).collect::<Result<_>>()?;
            }
        } else {
            file::replace(&asked, text.as_bytes())?;
        }
        directory.keep();
        Ok(Self::with(Some(path), all))
    }

    fn with(path: Option<PathBuf>, all: Vec<Record>) -> Self {
        let places = all.iter().enumerate().map(|(n, record)| (record.key(), n)).collect();
        Self { path, all, places }
    }

    /// Those that lie elsewhere, as [`Records::lines`] gives them, for a rank that writes none.
    ///
    /// # Errors
    /// [`Error::Rank`] where it is no such text.
    pub fn of_lines(text: &str) -> Result<Self> {
        let record = |line: &str| serde_json::from_str(line);
        let all = text.lines().map(record).collect::<std::result::Result<_, _>>();
        let refuse =
            |error: serde_json::Error| Error::Rank { rank: "rank 0".to_owned(), reason: error.to_string(), code: 1 };
        Ok(Self::with(None, all.map_err(refuse)?))
    }

    /// A line for each.
    pub fn lines(&self) -> String {
        let line = |record: &Record| serde_json::to_string(record).unwrap_or_default() + "\n";
        self.all.iter().map(line).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// That of an agent, if it was trained.
    pub(super) fn of(&self, agent: &Agent) -> Option<&Record> {
        self.places.get(&Record::before(agent).key()).map(|&n| &self.all[n])
    }

    /// Adds records; the file is replaced as a whole.
    pub(super) fn add(&mut self, records: &[Record]) -> Result<()> {
        for record in records {
            self.places.insert(record.key(), self.all.len());
            self.all.push(record.clone());
        }
        self.path.as_ref().map_or(Ok(()), |path| file::replace(path, self.lines().as_bytes()))
    }
}

/// What trials depend on; the fields of `sweep.json`.
#[derive(Serialize)]
struct Asked {
    env: String,
    /// BLAKE3 of the environment's text, and the overrides.
    env_hash: String,
    overrides: Vec<String>,
    vary: Vec<String>,
    trials: u32,
    rounds: u32,
    sampler: super::Sampler,
    settings: toml::Table,
}

impl Asked {
    fn of(sweep: &Sweep, env: &Environment) -> Self {
        let Sweep { base, vary, trials, rounds, sampler, finalists: _, seeds: _ } = sweep;
        Self {
            env: env.name().to_owned(),
            env_hash: blake3::hash(env.text().as_bytes()).to_hex().to_string(),
            overrides: env.overrides().iter().map(|known| format!("{}={}", known.name, known.value)).collect(),
            vary: vary.iter().map(ToString::to_string).collect(),
            trials: *trials,
            rounds: *rounds,
            sampler: *sampler,
            settings: base.table().unwrap_or_default(),
        }
    }
}
