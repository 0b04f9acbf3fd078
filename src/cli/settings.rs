//! `manyworlds settings`

use super::say::print;
use manyworlds::Result;
use manyworlds::train::{Config, Setting};
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
        for (Setting { name, kind, about, source, .. }, value) in Config::SETTINGS.iter().zip(values) {
            print(format_args!("{name} = {value}   ({kind})\n    {}\n    source: {source}", about.trim()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
