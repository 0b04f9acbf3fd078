//! A run's directory: claimed by one process at a time, and left as it was found where nothing was trained.

use super::INIT_FILE;
use super::checkpoints::{CHECKPOINT_FILE, GENERATIONS};
use super::evaluations::EVALUATIONS_FILE;
use super::metrics::METRICS_FILE;
use crate::config::{Config, EnvTable, RunTable};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::file;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the file with the settings of a run.
pub const CONFIG_FILE: &str = "config.toml";
/// The file that is locked while a process writes into the directory; it holds that process's number.
const LOCK: &str = "run.lock";
/// How the names of what is being written begin.
pub(super) const DRAFT: &str = ".tmp";

/// A directory that this process alone writes into, for as long as this value lives.
///
/// The lock is the operating system's: that of a process that has died does not count.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    claim: Arc<Claim>,
    /// Held, not read: closing it gives the lock back.
    _lock: File,
}

/// What the claim of a directory has made, and can take away again.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// Folders that were not there before, the innermost first.
    made: Vec<PathBuf>,
    /// Whether training has begun, so that all of it stays.
    kept: Mutex<bool>,
}

impl RunDirectory {
    /// Claims a directory that does not exist, or is empty.
    ///
    /// # Errors
    /// [`Error::File`] where it exists and is not empty, or cannot be made.
    pub fn claim(path: &Path) -> Result<Self> {
        if path.as_os_str().is_empty() {
            return Err(refusal(path, "the name is empty; name a directory"));
        }
        match Self::make(path)? {
            Some(claimed) => Ok(claimed),
            // one that is there may be used as long as it is empty
            None => Self::take_over(path),
        }
    }

    /// Claims `runs/<env>-<algo>-<seed>-<time>`, the environment's name without folders and without `.wgsl`; where that is
    /// taken, with `-2`, `-3`, … behind it.
    ///
    /// # Errors
    /// As [`RunDirectory::claim`].
    pub fn claim_default(env: &str, algo: &str, seed: u32) -> Result<Self> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = run_name(env);
        let name = format!("{name}-{algo}-{seed}-{}", since.as_secs());
        for n in 1..1000 {
            let name = if n == 1 { name.clone() } else { format!("{name}-{n}") };
            if let Some(claimed) = Self::make(&Path::new("runs").join(name))? {
                return Ok(claimed);
            }
        }
        Err(refusal(&Path::new("runs").join(name), "a thousand names like it are taken; name a directory with --out"))
    }

    /// Claims the directory of a run that goes on.
    ///
    /// # Errors
    /// [`Error::File`] where it does not exist, or another process writes into it.
    pub fn reopen(path: &Path) -> Result<Self> {
        let refuse =
            |reason: &str| Err(Error::File { action: "resume", path: path.to_owned(), reason: reason.to_owned() });
        if !path.is_dir() {
            return refuse(if path.exists() { "it is not a directory" } else { "there is no such directory" });
        }
        if path.canonicalize().is_ok_and(|path| path.parent().is_some_and(|above| above.ends_with(GENERATIONS))) {
            return refuse(
                "it is one checkpoint of a run; resume the run's directory, whose newest whole checkpoint is taken: delete \
                 those that are newer than this one to go back to it",
            );
        }
        // one that is just beginning has nothing but its lock
        let holds_run = || [CONFIG_FILE, GENERATIONS, CHECKPOINT_FILE].iter().any(|name| path.join(name).exists());
        if !holds_run() && !path.join(LOCK).exists() {
            return refuse("it holds no run");
        }
        let lock = OpenOptions::new().read(true).write(true).create(holds_run()).truncate(false).open(path.join(LOCK));
        let lock = lock.map_err(|error| Error::file("write", path.join(LOCK), &error))?;
        let claim = Claim { path: path.to_owned(), made: Vec::new(), kept: Mutex::new(true) };
        match Self::locked(path, lock, claim)? {
            Some(claimed) if holds_run() => Ok(claimed),
            Some(_) => refuse("it holds no run"),
            None => refuse(&format!("{} writes into it; wait until that ends, or end it", holder(path))),
        }
    }

    /// Claims a directory that holds a file of this name, which work goes on from, or one as for [`RunDirectory::claim`].
    ///
    /// # Errors
    /// As [`RunDirectory::claim`], and [`Error::File`] where another process writes into it.
    pub fn claim_or_reopen(path: &Path, file: &str) -> Result<Self> {
        if !path.join(file).exists() {
            return Self::claim(path);
        }
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
        let lock = lock.map_err(|error| Error::file("write", path.join(LOCK), &error))?;
        let claim = Claim { path: path.to_owned(), made: Vec::new(), kept: Mutex::new(true) };
        let busy = || refusal(path, &format!("{} writes into it; wait until that ends, or end it", holder(path)));
        Self::locked(path, lock, claim)?.ok_or_else(busy)
    }

    /// Makes a directory, unless there is something of that name.
    fn make(path: &Path) -> Result<Option<Self>> {
        let failed = |error: &std::io::Error| not_created(path, error);
        let parents: Vec<&Path> = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        let missing = parents.iter().take_while(|folder| !folder.exists());
        let mut made: Vec<PathBuf> = missing.map(|folder| (*folder).to_owned()).collect();
        if let Some(parent) = parents.first() {
            fs::create_dir_all(parent).map_err(|error| failed(&error))?;
        }
        match fs::create_dir(path) {
            Ok(()) => made.insert(0, path.to_owned()),
            Err(error) => {
                remove_empty(&made);
                return if error.kind() == ErrorKind::AlreadyExists { Ok(None) } else { Err(failed(&error)) };
            }
        }
        let lock = match OpenOptions::new().read(true).write(true).create_new(true).open(path.join(LOCK)) {
            Ok(lock) => lock,
            Err(error) => {
                remove_empty(&made);
                return Err(if error.kind() == ErrorKind::AlreadyExists { taken(path) } else { failed(&error) });
            }
        };
        let claim = Claim { path: path.to_owned(), made, kept: Mutex::new(false) };
        // somebody may be quicker with the directory that this process has made
        Self::locked(path, lock, claim)?.map_or_else(|| Err(taken(path)), |claimed| Ok(Some(claimed)))
    }

    /// Claims a directory that is there, if it is empty but for the lock of a process that has died before it trained.
    fn take_over(path: &Path) -> Result<Self> {
        let failed = |error: &std::io::Error| not_created(path, error);
        let is_empty = || -> Result<bool> {
            let mut entries = fs::read_dir(path).map_err(|error| failed(&error))?;
            Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == LOCK)))
        };
        if !is_empty()? {
            return Err(taken(path));
        }
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
        let claim = Claim { path: path.to_owned(), made: Vec::new(), kept: Mutex::new(false) };
        let claimed = Self::locked(path, lock.map_err(|error| failed(&error))?, claim)?.ok_or_else(|| taken(path))?;
        // only now does nobody else write here
        if !is_empty()? {
            claimed.keep();
            return Err(taken(path));
        }
        Ok(claimed)
    }

    /// Locks a file that was opened in a directory; none where another process holds the lock.
    fn locked(path: &Path, lock: File, claim: Claim) -> Result<Option<Self>> {
        file::regular(&lock, &path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            // file systems without locks: exclusive creation is all that protects there
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
            Err(TryLockError::Error(error)) => return Err(Error::file("write", path.join(LOCK), &error)),
        }
        // whoever held it may have taken the file away before this process got it
        if !is_same(&lock, &path.join(LOCK)) {
            return Ok(None);
        }
        // for the message that others get
        let _ = lock.set_len(0).and_then(|()| (&lock).write_all(format!("{}\n", std::process::id()).as_bytes()));
        Ok(Some(Self { path: path.to_owned(), claim: Arc::new(claim), _lock: lock }))
    }

    /// Writes what its run is into it: `config.toml`, and the environment beside it where that is no built-in one.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write_config(&self, env: &Environment, config: &Config, run: &RunTable) -> Result<()> {
        let path = self.path.join(CONFIG_FILE);
        let text = |name: &str| config.to_file(&EnvTable::of(name, env), run);
        if env.is_built_in() {
            return file::replace(&path, text(env.name()).as_bytes());
        }
        let name = format!("{}.wgsl", run_name(env.name()));
        file::replace_all(&[(&self.path.join(&name), env.text().as_bytes()), (&path, text(&name).as_bytes())])
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What takes the claim away again, for a process that is told to end: see [`Claim::give_up`].
    pub fn handle(&self) -> Arc<Claim> {
        Arc::clone(&self.claim)
    }

    /// Whether it stays, since something was trained into it.
    pub fn is_kept(&self) -> bool {
        *self.claim.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on the directory stays, whatever becomes of the run.
    pub fn keep(&self) {
        *self.claim.kept.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        self.claim.give_up();
        // where names of open files can go, whoever waits for the lock looks whether it still has its name
        #[cfg(unix)]
        let _ = fs::remove_file(self.path.join(LOCK));
    }
}

impl Claim {
    /// Takes away what was made for a run that has not begun to train. Of one that has, all stays.
    pub fn give_up(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept {
            return;
        }
        *kept = true;
        for name in [CONFIG_FILE, INIT_FILE, METRICS_FILE, EVALUATIONS_FILE, LOCK] {
            let _ = fs::remove_file(self.path.join(name));
        }
        remove_empty(&self.made);
    }
}

/// What an environment is called in the name of a directory: without folders and without `.wgsl`.
pub fn run_name(env: &str) -> String {
    let file = Path::new(env).file_name().map_or(env.to_owned(), |name| name.to_string_lossy().into_owned());
    let name = file.strip_suffix(".wgsl").unwrap_or(&file);
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// Refuses a directory that exists and holds something, and one that cannot be made, before any work is done. It claims
/// nothing: [`RunDirectory::claim`] does.
///
/// # Errors
/// [`Error::File`].
pub fn check_out(out: &Path) -> Result<()> {
    if out.as_os_str().is_empty() {
        return Err(refusal(out, "the name is empty; name a directory"));
    }
    match fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => tempfile::tempfile_in(out).map(drop).map_err(|error| not_created(out, &error)),
            Some(_) => Err(taken(out)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // the nearest folder that exists must let us in
            let nearest = out.ancestors().skip(1).find(|folder| folder.as_os_str().is_empty() || folder.exists());
            let nearest = nearest.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            tempfile::tempfile_in(nearest).map(drop).map_err(|error| not_created(out, &error))
        }
        Err(error) => Err(not_created(out, &error)),
    }
}

/// Takes away folders, the innermost first. Those that hold something stay.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders {
        let _ = fs::remove_dir(folder);
    }
}

/// Takes away what processes that have died were writing.
pub(super) fn remove_drafts(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(DRAFT)) {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

fn refusal(path: &Path, reason: &str) -> Error {
    Error::File { action: "create", path: path.to_owned(), reason: reason.to_owned() }
}

/// A name that cannot be, or a disk that fails: that is a matter of the machine, as while a run writes.
fn not_created(path: &Path, error: &std::io::Error) -> Error {
    let mut disk = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    #[cfg(unix)]
    {
        disk |= error.raw_os_error() == Some(libc::EIO);
    }
    Error::file(if disk { "write" } else { "create" }, path, error)
}

fn taken(path: &Path) -> Error {
    refusal(path, "it exists and is not empty; choose another --out")
}

/// The process that holds the lock, as it has written it.
fn holder(path: &Path) -> String {
    let number = file::read_text(&path.join(LOCK), 64).ok().and_then(|text| text.trim().parse::<u32>().ok());
    number.map_or("another process".to_owned(), |number| format!("process {number}"))
}

fn has_no_locks(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENOLCK) {
        return true;
    }
    error.kind() == ErrorKind::Unsupported
}

/// Whether an open file is the one that has this name now.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    file.metadata().map(place).ok() == fs::symlink_metadata(path).map(place).ok()
}

/// There, files that are open keep their names.
#[cfg(not(unix))]
fn is_same(_file: &File, _path: &Path) -> bool {
    true
}
