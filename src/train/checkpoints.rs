//! The checkpoints of a run. One is a directory with the policy and the state after some updates, which is made under another
//! name, synced, and renamed in one step: it is there whole or not at all.
//!
//! ```text
//! RUN/checkpoints/0000000040/{checkpoint,state}.safetensors   the newest few
//! RUN/{checkpoint,state}.safetensors                          the files of the newest one, under a shorter name
//! RUN/best/{checkpoint,state}.safetensors                     those of the best one by evaluation
//! ```

use super::directory::{DRAFT, remove_drafts};
use super::tensors::Fault;
use super::{Policy, STATE_FILE, State};
use crate::algo;
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Name of the policy's file in a run directory.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
/// Folder of the newest checkpoints.
pub const GENERATIONS: &str = "checkpoints";
/// Folder of the best one.
pub const BEST: &str = "best";
/// Where the best one is for the moment in which another takes its place, on file systems that cannot exchange names.
const ASIDE: &str = ".tmp-best-aside";

/// Writes the checkpoints of a run.
#[derive(Debug)]
pub(super) struct Checkpoints {
    run: PathBuf,
    keep: usize,
    /// Mean return of the best one.
    best: Option<f64>,
    /// Updates and mean returns of those that have not been held against the best one, the older first.
    waiting: Vec<(u32, f64)>,
}

impl Checkpoints {
    /// Those of a run directory that goes on behind `done` updates, of which `keep` are kept.
    pub fn new(run: &Path, keep: u32, done: u32) -> Self {
        remove_drafts(&run.join(GENERATIONS));
        let (best, aside) = (run.join(BEST), run.join(ASIDE));
        if aside.exists() && !best.exists() {
            let _ = fs::rename(&aside, &best);
        }
        remove_drafts(run);
        let known = Policy::read(&best.join(CHECKPOINT_FILE)).ok().and_then(|policy| policy.evaluation);
        // a process may have died between a checkpoint and its rank
        let mut waiting = Vec::new();
        for (updates, place) in generations(run).into_iter().rev().filter(|(updates, _)| *updates <= done) {
            let returns = Policy::read(&place.join(CHECKPOINT_FILE)).ok().and_then(|policy| policy.evaluation);
            waiting.extend(returns.map(|returns| (updates, returns.mean)));
        }
        Self { run: run.to_owned(), keep: keep.max(1) as usize, best: known.map(|returns| returns.mean), waiting }
    }

    /// Writes a checkpoint, makes it the newest, and the best one if it is.
    ///
    /// # Errors
    /// [`Error::File`] where something cannot be written. What was whole before still is.
    pub fn commit(&mut self, policy: &Policy, state: &State) -> Result<()> {
        let home = self.run.join(GENERATIONS);
        let generation = home.join(number(policy.updates));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| Error::file("write", &path, &error)
        };
        fs::create_dir_all(&home).map_err(failed(&home))?;
        let draft = Draft::new(home.join(format!("{DRAFT}-{}", policy.updates)))?;
        for name in [CHECKPOINT_FILE, STATE_FILE] {
            let path = draft.0.join(name);
            let written = File::create_new(&path).and_then(|file| {
                let mut file = BufWriter::new(file);
                if name == STATE_FILE { state.write(&mut file) } else { policy.write(&mut file) }?;
                file.flush()?;
                file.get_ref().sync_all()
            });
            written.map_err(failed(&generation.join(name)))?;
        }
        sync(&draft.0).and_then(|()| put(&draft.0, &generation, None)).map_err(failed(&generation))?;
        self.waiting.extend(policy.evaluation.map(|returns| (policy.updates, returns.mean)));
        sync(&home).and_then(|()| sync(&self.run)).map_err(failed(&home))?;
        for name in [CHECKPOINT_FILE, STATE_FILE] {
            let short = self.run.join(name);
            replace_by_link(&generation.join(name), &short).map_err(failed(&short))?;
        }
        self.rank()?;
        sync(&self.run).map_err(failed(&self.run))?;
        // of those of updates still to come, what a run that was broken off has left, none counts
        let past = generations(&self.run).into_iter().filter(|(updates, _)| *updates <= policy.updates);
        past.skip(self.keep).for_each(|(_, old)| drop(fs::remove_dir_all(old)));
        Ok(())
    }

    /// Makes each of those that wait the best one if it is better. What fails is tried again with the next checkpoint.
    fn rank(&mut self) -> Result<()> {
        let best = self.run.join(BEST);
        let failed = |error: io::Error| Error::file("write", &best, &error);
        while let Some(&(updates, mean)) = self.waiting.first() {
            let generation = self.run.join(GENERATIONS).join(number(updates));
            if self.best.is_none_or(|best| mean > best) && generation.exists() {
                let draft = Draft::new(self.run.join(format!("{DRAFT}-best")))?;
                for name in [CHECKPOINT_FILE, STATE_FILE] {
                    link(&generation.join(name), &draft.0.join(name)).map_err(failed)?;
                }
                let aside = self.run.join(ASIDE);
                sync(&draft.0).and_then(|()| put(&draft.0, &best, Some(&aside))).map_err(failed)?;
                self.best = Some(mean);
            }
            self.waiting.remove(0);
        }
        Ok(())
    }
}

/// A directory that is taken away again unless it has got its name.
struct Draft(PathBuf);

impl Draft {
    fn new(path: PathBuf) -> Result<Self> {
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|error| Error::file("write", &path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Name of a checkpoint's directory.
fn number(updates: u32) -> String {
    format!("{updates:010}")
}

/// Checkpoints of a run by updates, the newest first.
fn generations(run: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(run.join(GENERATIONS)) else { return Vec::new() };
    let known = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let updates = name.parse().ok().filter(|&updates| number(updates) == name)?;
        Some((updates, entry.path()))
    };
    let mut found: Vec<(u32, PathBuf)> = entries.flatten().filter_map(known).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Gives a directory its name. One that has it goes, in the same step where the system can exchange names.
fn put(draft: &Path, name: &Path, aside: Option<&Path>) -> io::Result<()> {
    if !name.exists() {
        return fs::rename(draft, name);
    }
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        // the other one goes with the draft
        if renameat_with(CWD, draft, CWD, name, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    match aside {
        Some(aside) => {
            fs::rename(name, aside)?;
            fs::rename(draft, name)?;
            fs::remove_dir_all(aside)
        }
        None => {
            fs::remove_dir_all(name)?;
            fs::rename(draft, name)
        }
    }
}

/// Gives a file another name too; a copy where the file system has one name for each.
fn link(file: &Path, name: &Path) -> io::Result<()> {
    if fs::hard_link(file, name).is_ok() {
        return Ok(());
    }
    fs::copy(file, name)?;
    File::open(name)?.sync_all()
}

/// The same where the name is taken: it goes over in one step.
fn replace_by_link(file: &Path, name: &Path) -> io::Result<()> {
    let draft = name.with_file_name(format!("{DRAFT}-{}", name.file_name().unwrap_or_default().display()));
    let _ = fs::remove_file(&draft);
    let replaced = link(file, &draft).and_then(|()| fs::rename(&draft, name));
    // names of one and the same file are both left alone by a rename
    let _ = fs::remove_file(&draft);
    replaced
}

/// Makes the names in a directory last.
fn sync(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(directory)?.sync_all() {
        // some file systems have no such thing
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {}
        done => return done,
    }
    let _ = directory;
    Ok(())
}

/// What was found in a run directory.
#[derive(Debug)]
pub(super) struct Found<T> {
    pub contents: T,
    /// Which newer ones were broken, a sentence each.
    pub notes: Vec<String>,
}

/// The newest policy that is whole in a run directory, or in that of one checkpoint.
pub(super) fn newest_policy(directory: &Path) -> Result<(Policy, Vec<String>)> {
    let found = newest(directory, &|place: &Path| {
        Policy::read(&place.join(CHECKPOINT_FILE)).map_err(at(place, CHECKPOINT_FILE))
    })?;
    Ok((found.contents, found.notes))
}

/// The newest policy with its state, both whole, in a run directory.
pub(super) fn newest_pair(run: &Path) -> Result<Found<(Policy, State)>> {
    let read = |place: &Path| {
        let policy = Policy::read(&place.join(CHECKPOINT_FILE)).map_err(at(place, CHECKPOINT_FILE))?;
        let most = largest_state(&policy).map_err(Fault::Refused)?;
        let state = State::read(&place.join(STATE_FILE), most).map_err(at(place, STATE_FILE))?;
        if (policy.hash(), policy.updates) != (state.params_hash.clone(), state.updates) {
            let reason = format!(
                "{} is of update {}, {STATE_FILE} beside it of {}",
                place.join(CHECKPOINT_FILE).display(),
                policy.updates,
                state.updates
            );
            return Err(Fault::Torn(reason));
        }
        Ok((policy, state))
    };
    newest(run, &read)
}

/// Bytes that the file of a state of a run with this policy has at most: all that is kept, and room for its head.
fn largest_state(policy: &Policy) -> Result<u64> {
    let plan = algo::sizes(&policy.config, &policy.env, 1)?;
    let kept = plan.kept().iter().fold(0_u64, |all, kept| all.saturating_add(kept.bytes));
    Ok(kept.saturating_add(1 << 20))
}

/// Puts the file's name before the reason.
fn at(place: &Path, name: &'static str) -> impl Fn(Fault) -> Fault + use<> {
    let path = place.join(name);
    move |fault| match fault {
        Fault::Torn(reason) => Fault::Torn(format!("{}: {reason}", path.display())),
        Fault::Refused(error) => Fault::Refused(error),
    }
}

/// Anything with a number of updates.
trait Dated {
    fn updates(&self) -> u32;
}

impl Dated for Policy {
    fn updates(&self) -> u32 {
        self.updates
    }
}

impl Dated for (Policy, State) {
    fn updates(&self) -> u32 {
        self.0.updates
    }
}

/// The files under their short names where none is newer, else the newest checkpoint that is whole. What a crash has left is
/// passed over; what was altered is refused.
fn newest<T: Dated>(run: &Path, read: &dyn Fn(&Path) -> std::result::Result<T, Fault>) -> Result<Found<T>> {
    let older = generations(run);
    let refuse = |error: Error, place: &Path| -> Error {
        let Error::Checkpoint { path, reason } = error else { return error };
        let rest = if older.is_empty() { "there is no other one of this run" } else { "go back to another one" };
        let remedy = match older.iter().find(|(_, other)| other != place) {
            Some((_, other)) if place == run => {
                format!("delete it to take {} instead, which `manyworlds eval` plays as it is", other.display())
            }
            Some(_) => format!("delete {} to take an older one instead", place.display()),
            None => rest.to_owned(),
        };
        Error::Checkpoint { path, reason: format!("{reason}; {remedy}") }
    };
    let mut notes = Vec::new();
    let short = match read(run) {
        Ok(contents) => Some(contents),
        Err(Fault::Refused(error)) => return Err(refuse(error, run)),
        Err(Fault::Torn(reason)) => {
            notes.push(reason);
            None
        }
    };
    let least = short.as_ref().map(Dated::updates);
    for (_, place) in older.iter().filter(|(updates, _)| least.is_none_or(|least| *updates > least)) {
        match read(place) {
            Ok(contents) => {
                notes = notes.iter().map(|reason| format!("{reason}; taking {} instead", place.display())).collect();
                return Ok(Found { contents, notes });
            }
            Err(Fault::Refused(error)) => return Err(refuse(error, place)),
            Err(Fault::Torn(reason)) => notes.push(reason),
        }
    }
    match short {
        Some(contents) => {
            let instead = format!("taking that of update {} instead", contents.updates());
            Ok(Found { contents, notes: notes.iter().map(|reason| format!("{reason}; {instead}")).collect() })
        }
        None => {
            let all = notes.join("; ");
            Err(Error::Checkpoint { path: run.to_owned(), reason: format!("it holds none that is whole: {all}") })
        }
    }
}
