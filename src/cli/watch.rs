//! Files that are edited while a command runs.

use super::say::{reader_left, say};
use crate::cli::ExitCode;
use crate::error::shown;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const PAUSE: Duration = Duration::from_millis(200);

/// A file, and when it was last seen to change.
pub struct Watched {
    path: PathBuf,
    seen: Option<SystemTime>,
    /// Whether the last change that was seen has not been acted on.
    fresh: bool,
}

impl Watched {
    /// A path to a file; a built-in environment has none.
    pub fn new(env: &str) -> Result<Self> {
        let path = Path::new(env);
        if !path.is_file() {
            let reason = format!("--watch needs a file that can change; '{env}' is none");
            return Err(Error::Environment { name: env.to_owned(), reason });
        }
        let mut watched = Self { path: path.to_owned(), seen: None, fresh: false };
        watched.changed();
        watched.fresh = false;
        Ok(watched)
    }

    /// Whether the file has changed since this was last asked. An editor may take it away for a moment.
    pub fn changed(&mut self) -> bool {
        let now = std::fs::metadata(&self.path).and_then(|file| file.modified()).ok();
        let changed = now.is_some() && now != self.seen;
        if changed {
            self.seen = now;
            self.fresh = true;
        }
        changed
    }

    /// Whether a change was seen since this was last asked.
    pub fn fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// Returns when the file has changed.
    pub fn wait(&mut self) {
        say(format_args!("waiting for {} to change", shown(self.path.display())));
        while !self.changed() {
            std::thread::sleep(PAUSE);
        }
        self.fresh = false;
    }
}

/// Does the work, and again whenever the file changes; a failure is shown and waits for the next change.
pub fn again_and_again(env: &str, work: impl Fn() -> Result<ExitCode>) -> Result<ExitCode> {
    let mut watched = Watched::new(env)?;
    loop {
        if let Err(error) = work() {
            say(format_args!("error: {}", super::one_error(&error)));
        }
        if reader_left() {
            return Ok(ExitCode::SUCCESS);
        }
        watched.wait();
    }
}
