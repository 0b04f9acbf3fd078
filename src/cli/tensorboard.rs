//! The event files of a run for TensorBoard: one for each agent.

use crate::config::Config;
use crate::env::Environment;
use crate::events::Events;
use crate::train::Event;
use std::path::PathBuf;

/// Writes them. What goes wrong there ends nothing, and is said once.
pub struct TensorBoard<'a> {
    env: &'a Environment,
    config: &'a Config,
    /// A folder for each agent.
    folders: Vec<PathBuf>,
    files: Vec<Events>,
    complained: bool,
}

impl<'a> TensorBoard<'a> {
    /// For agents with these folders.
    pub fn new(env: &'a Environment, config: &'a Config, folders: Vec<PathBuf>) -> Self {
        Self { env, config, folders, files: Vec::new(), complained: false }
    }

    /// Writes what has happened; gives what somebody should know.
    pub fn event(&mut self, event: &Event) -> Option<String> {
        let done = match event {
            Event::Begins { updates, env_steps } => {
                let step = if *updates > 0 { *env_steps } else { 0 };
                let open = |folder: &PathBuf| Events::open(folder, self.env, self.config, step);
                self.folders.iter().map(open).collect::<Result<_, _>>().map(|files| self.files = files)
            }
            Event::Report(progress) => match self.files.get_mut(progress.agent) {
                Some(file) => file.write(progress.lines, progress.evaluated),
                None => Ok(()),
            },
            Event::Saved(_) | Event::Trouble(_) => Ok(()),
        };
        let error = done.err()?;
        (!std::mem::replace(&mut self.complained, true))
            .then(|| format!("warning: TensorBoard: {error}; training goes on"))
    }
}
