//! `manyworlds new-env`

use super::say::say;
use crate::cli::ExitCode;
use crate::env::Environment;
use crate::error::shown;
use crate::{Error, Result};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A commented environment that trains as it is.
const TEMPLATE: &str = include_str!("../../examples/template.wgsl");

#[derive(clap::Args)]
pub struct NewEnv {
    /// Its name: NAME.wgsl is written here; an existing file is left alone
    name: PathBuf,
}

impl NewEnv {
    pub fn run(self) -> Result<ExitCode> {
        let path = if self.name.extension().is_some_and(|e| e == "wgsl") {
            self.name
        } else {
            self.name.with_added_extension("wgsl")
        };
        let failed = |error: &std::io::Error| {
            let reason = match error.kind() {
                ErrorKind::AlreadyExists => "it exists already; choose another name, or remove it".to_owned(),
                ErrorKind::NotFound => "its folder does not exist; make it first".to_owned(),
                _ => error.to_string(),
            };
            Error::File { action: "create", path: path.clone(), reason }
        };
        let refuse = |reason: &str| Error::Setting { name: "name".to_owned(), reason: reason.to_owned() };
        let title = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if title.is_empty() {
            return Err(refuse("it is empty; name the environment"));
        }
        if shown(&title) != title {
            // it becomes a line of the file
            return Err(refuse(&format!("'{title}' has characters that cannot be printed; choose another one")));
        }
        let mut file = tempfile::Builder::new();
        #[cfg(unix)]
        file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = file.tempfile_in(folder).map_err(|error| failed(&error))?;
        let text = TEMPLATE.replace("Template", &title);
        file.write_all(text.as_bytes()).map_err(|error| Error::file("write", &path, &error))?;
        // whole or not at all, and never over another one
        file.persist_noclobber(&path).map_err(|error| failed(&error.error))?;
        let name = shown(path.display());
        say(format_args!("wrote {name}"));
        if Environment::names().any(|known| known == title) {
            say(format_args!("note: {title} is also the name of a built-in environment, and this file is another one"));
        }
        say(format_args!("  manyworlds check-env {name}      tests it"));
        say(format_args!("  manyworlds trace {name}          shows it step by step"));
        say(format_args!("  manyworlds train {name}          trains a policy in it"));
        Ok(ExitCode::SUCCESS)
    }
}
