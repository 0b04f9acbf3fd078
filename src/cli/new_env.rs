//! `manyworlds new-env`

use super::say::say;
use manyworlds::{Error, Result};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

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
        let title = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if title.is_empty() {
            return Err(Error::Setting {
                name: "name".to_owned(),
                reason: "it is empty; name the environment".to_owned(),
            });
        }
        let mut file = std::fs::File::create_new(&path).map_err(|error| Error::file("create", &path, &error))?;
        if let Err(error) = file.write_all(TEMPLATE.replace("Template", &title).as_bytes()) {
            // half an environment would stand in the way of the next try
            let _ = std::fs::remove_file(&path);
            return Err(Error::file("write", &path, &error));
        }
        let shown = path.display();
        say(format_args!("wrote {shown}"));
        say(format_args!("  manyworlds check-env {shown}      tests it"));
        say(format_args!("  manyworlds trace {shown}          shows it step by step"));
        say(format_args!("  manyworlds train {shown}          trains a policy in it"));
        Ok(ExitCode::SUCCESS)
    }
}
