//! A run that nobody disturbs, and what others must come to.

use super::harness::{Ended, Verdict, ensure, ensure_no_silence, manyworlds, names, run};
use manyworlds::train::Policy;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Steps of an update.
pub const STEPS: u32 = 64 * 8;
const SMALL: [&str; 6] =
    ["num_envs=64", "num_steps=8", "num_minibatches=4", "hidden=[8]", "eval_episodes=16", "checkpoint_every=0"];
const FILES: [&str; 2] = ["checkpoint.safetensors", "state.safetensors"];

pub struct Reference {
    /// Where everything of it lies; gone when it is dropped.
    pub folder: tempfile::TempDir,
    /// Its own directory.
    pub out: PathBuf,
    settings: Vec<String>,
    pub updates: u32,
    pub hash: String,
    lines: Vec<Value>,
}

impl Reference {
    /// Trains so many updates.
    pub fn new(updates: u32, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let total = format!("total_timesteps={}", updates * STEPS);
        let settings = SMALL.iter().chain(settings).map(|&pair| pair.to_owned()).chain([total]).collect();
        let out = folder.path().join("reference");
        let mut reference = Self { folder, out, settings, updates, hash: String::new(), lines: Vec::new() };
        let ended = run(reference.train(&reference.out));
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        reference.hash = ended.hash().unwrap();
        reference.lines = lines(&reference.out);
        assert_eq!(reference.lines.len(), updates as usize);
        reference
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same run into another directory.
    pub fn train(&self, out: &Path) -> Command {
        let mut command = manyworlds(["train", "TwoAction", "--json", "--out"]);
        command.arg(out);
        for pair in &self.settings {
            command.args(["--set", pair]);
        }
        command
    }

    /// Whether a run has come to what this one has, file by file. What is left over is looked at where it ended `cleanly`.
    pub fn is_equal(&self, out: &Path, cleanly: bool) -> Verdict {
        for name in FILES {
            let same = fs::read(out.join(name)).ok() == fs::read(self.out.join(name)).ok();
            ensure_no_silence(same, || format!("{name} is another one than that of an undisturbed run"))?;
        }
        let found = lines(out);
        let first = found.iter().zip(&self.lines).position(|(found, wanted)| found != wanted);
        ensure_no_silence(found.len() == self.lines.len() && first.is_none(), || {
            format!("metrics.jsonl has {} lines, the first that differs is {first:?}", found.len())
        })?;
        if !cleanly {
            return Ok(());
        }
        ensure_no_silence(
            fs::read(out.join("config.toml")).ok() == fs::read(self.out.join("config.toml")).ok(),
            || "config.toml differs".to_owned(),
        )?;
        for folder in ["", "checkpoints", "best"] {
            let (found, wanted) = (names(&out.join(folder)), names(&self.out.join(folder)));
            ensure(found == wanted, || format!("'{folder}' holds {found:?}, not {wanted:?}"))?;
        }
        for path in ["checkpoints", "best"].iter().flat_map(|folder| super::harness::files(&self.out.join(folder))) {
            let name = path.strip_prefix(&self.out).unwrap();
            let same = fs::read(out.join(name)).ok() == fs::read(&path).ok();
            ensure_no_silence(same, || format!("{} is not that of an undisturbed run", name.display()))?;
        }
        Ok(())
    }

    /// Whether a run that came to its end is this one.
    pub fn is_the_end(&self, out: &Path, ended: &Ended, cleanly: bool) -> Verdict {
        ended.is_sound(&[0])?;
        let hash = ended.hash();
        ensure_no_silence(hash.as_ref() == Some(&self.hash), || format!("{hash:?}, not {}", self.hash))?;
        self.is_equal(out, cleanly)
    }

    /// Whether what a run that was broken off has left is whole, and goes on to this one.
    pub fn goes_on(&self, out: &Path) -> Verdict {
        if !claims_a_checkpoint(out) {
            if names(out).iter().all(|name| name == "run.lock") {
                return self.is_the_end(out, &run(self.train(out)), true);
            }
            // it began, and nothing of it is worth going on with
            let ended = run(resume(out));
            return ended.is_sound(&[2]);
        }
        let policy = match Policy::load(out) {
            Ok(policy) => policy,
            Err(error) => return ensure(false, || format!("what was saved is not whole: {error}")),
        };
        let ended = run(resume(out));
        if ended.code == Some(2) && ended.err.contains("raise total_timesteps") {
            // all was done but the last steps of saving
            let (updates, hash) = (policy.updates, policy.hash());
            return ensure_no_silence(updates == self.updates && hash == self.hash, || {
                format!("it calls itself done after {updates} updates with {hash}")
            });
        }
        self.is_the_end(out, &ended, true)
    }
}

pub fn resume(out: &Path) -> Command {
    let mut command = manyworlds(["train", "--json", "--resume"]);
    command.arg(out);
    command
}

/// Whether anything in a directory has the name of a checkpoint.
pub fn claims_a_checkpoint(out: &Path) -> bool {
    let generations = names(&out.join("checkpoints"));
    out.join(FILES[0]).exists() || generations.iter().any(|name| !name.starts_with(".tmp"))
}

/// The lines of metrics, without what the clock decides.
fn lines(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        if let Some(line) = line.as_object_mut() {
            line.remove("steps_per_s");
            line.remove("seconds");
        }
        line
    };
    text.lines().map(line).collect()
}
