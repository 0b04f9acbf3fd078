//! The policy that is exported: which one of a run it is, and whether its environment is still the one that it was trained in.

use super::super::checkpoint::say_all;
use crate::config::ConfigFile;
use crate::env::Environment;
use crate::train::{BEST, CHECKPOINT_FILE, CONFIG_FILE, GENERATIONS, Policy, run_name};
use crate::{Error, Result};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Which policy of a run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// That of the evaluation with the highest mean return
    Best,
    /// That of the newest checkpoint
    Last,
    /// The best member that a search (cem, ga, es, …) ever had, from its newest checkpoint
    Member,
}

/// The policy of a run directory, of one of its folders or of a checkpoint, with the files that it was made of. What should be known
/// about it is said.
///
/// # Errors
/// [`Error::File`] where there is none; those of [`Policy::load`]; [`Error::Environment`] where its environment has changed, unless
/// it is to be taken as it was trained.
pub fn load(run: &Path, which: Option<Which>, as_trained: bool) -> Result<(Policy, Vec<PathBuf>)> {
    let refuse = |reason: String| Err(Error::File { action: "read", path: run.to_owned(), reason });
    if !run.exists() {
        let name = run.to_string_lossy();
        if Environment::names().any(|known| known == name) {
            return refuse(format!(
                "it is an environment, and a policy is a run's: `manyworlds train {name}` makes one; a page can do without (--format html)"
            ));
        }
        return refuse("there is no such run directory or checkpoint".to_owned());
    }
    if !run.is_dir() && matches!(which, Some(Which::Best | Which::Last)) {
        let reason =
            format!("{} is one checkpoint, and this chooses among those of a run; leave it out", run.display());
        return Err(Error::Setting { name: "which".to_owned(), reason });
    }
    let best = run.join(BEST);
    let one = !run.is_dir() || is_one_checkpoint(run);
    let wants_best = matches!(which, None | Some(Which::Best)) && !one;
    if run.is_dir() && ![CHECKPOINT_FILE, GENERATIONS, BEST].iter().any(|name| run.join(name).exists()) {
        return refuse(without_policy(run));
    }
    let place: &Path = if wants_best && best.is_dir() { &best } else { run };
    let (mut policy, notes) = Policy::load_with_notes(place)?;
    say_all(&notes);
    if which == Some(Which::Member) {
        let algo = policy.config.algo.name();
        policy = policy.best().ok_or_else(|| Error::Setting {
            name: "which".to_owned(),
            reason: format!("{algo} has no members, of which one is the best; leave it out"),
        })?;
    }
    if wants_best && place == run {
        let why =
            if policy.evaluation.is_none() { "the run was never evaluated" } else { "it keeps no best checkpoint" };
        say_all(&[format!("{}: {why}; this is its last policy, after {} updates", run.display(), policy.updates)]);
    }
    let file = if place.is_dir() { place.join(CHECKPOINT_FILE) } else { place.to_owned() };
    let mut files = sources(run, &policy);
    if !as_trained {
        check_env(&policy, &file, &files)?;
    }
    files.push(file);
    Ok((policy, files))
}

/// Whether a directory is that of one checkpoint of a run.
fn is_one_checkpoint(directory: &Path) -> bool {
    let full = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    full.ends_with(BEST) || full.parent().is_some_and(|above| above.ends_with(GENERATIONS))
}

/// Why a directory has no policy.
fn without_policy(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let seeds: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("seed-") && directory.join(name).join(CHECKPOINT_FILE).exists())
        .collect();
    if let Some(first) = seeds.iter().min() {
        return format!(
            "its {} seeds have a policy each; name the folder of one, such as {}",
            seeds.len(),
            directory.join(first).display()
        );
    }
    if directory.join(CONFIG_FILE).exists() {
        return "its run has no checkpoint yet; the first comes with the first evaluation, or after checkpoint_every seconds".to_owned();
    }
    "it is no run directory: there is no checkpoint in it".to_owned()
}

/// Files that hold the environment of a run: what its `config.toml` names, and its own copy.
fn sources(run: &Path, policy: &Policy) -> Vec<PathBuf> {
    let full = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    // the folder of a seed and that of a checkpoint lie in the run's, and so may a file
    let home = full.ancestors().take(4).find(|folder| folder.join(CONFIG_FILE).is_file());
    let Some(home) = home else { return Vec::new() };
    let named = ConfigFile::read(&home.join(CONFIG_FILE)).ok().and_then(|file| file.env_name());
    let name = run_name(policy.env.name());
    let named = named.filter(|file| Environment::is_file_name(file) && run_name(file) == name).map(PathBuf::from);
    let own = home.join(format!("{name}.wgsl"));
    let mut files: Vec<PathBuf> = [Some(own), named].into_iter().flatten().filter(|file| file.is_file()).collect();
    files.dedup();
    files
}

/// Refuses a policy whose environment is another one by now.
fn check_env(policy: &Policy, checkpoint: &Path, files: &[PathBuf]) -> Result<()> {
    let name = policy.env.name();
    let refuse = |other: &str| {
        let reason = format!(
            "the policy in {} was trained with another text than {other} has; train it again, or export it as it is with --as-trained",
            checkpoint.display()
        );
        Err(Error::Environment { name: name.to_owned(), reason })
    };
    if policy.note_on_env().is_some() {
        return refuse("the built-in environment of that name");
    }
    for file in files.iter().filter(|_| !policy.env.is_built_in()) {
        if Environment::read_text(file)? != policy.env.text() {
            return refuse(&file.display().to_string());
        }
    }
    Ok(())
}

/// Refuses to write over what the policy comes from.
pub fn check_apart(out: &Path, files: &[PathBuf]) -> Result<()> {
    let Ok(full) = out.canonicalize() else { return Ok(()) };
    if files.iter().any(|file| file.canonicalize().is_ok_and(|file| file == full)) {
        let reason = "the policy is made of it; choose another file with --out".to_owned();
        return Err(Error::File { action: "create", path: out.to_owned(), reason });
    }
    Ok(())
}
