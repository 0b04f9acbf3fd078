//! `manyworlds settings`

use manyworlds::Result;
use manyworlds::train::{Config, Setting};
use std::io::Write;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Settings {
    /// Algorithm whose defaults are shown: ppo, a2c, reinforce, npg, trpo, ddpg, td3 or sac
    #[arg(long, default_value = "ppo")]
    algo: String,
    /// Environment whose preset is shown instead, if it has one
    #[arg(long, default_value = "")]
    env: String,
}

impl Settings {
    pub fn run(self) -> Result<ExitCode> {
        let values = Config::preset(&self.env, &self.algo)?.values();
        let mut out = std::io::stdout().lock();
        for (Setting { name, kind, about, source, .. }, value) in Config::SETTINGS.iter().zip(values) {
            // a reader that has seen enough closes the pipe
            if writeln!(out, "{name} = {value}   ({kind})\n    {}\n    source: {source}", about.trim()).is_err() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
