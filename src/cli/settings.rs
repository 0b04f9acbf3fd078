//! `manyworlds settings`

use super::say::print;
use crate::Result;
use crate::cli::ExitCode;
use crate::config::{Algo, Config, Setting};
use crate::env::Environment;
use serde_json::json;

#[derive(clap::Args)]
pub struct Settings {
    #[arg(long, default_value = "ppo", help = format!("Algorithm whose settings and defaults are shown: {}", Algo::names()))]
    algo: String,
    /// Environment whose preset is shown instead, if it has one
    #[arg(long, default_value = "")]
    env: String,
    /// Print a JSON array of them
    #[arg(long)]
    json: bool,
}

impl Settings {
    pub fn run(self) -> Result<ExitCode> {
        if !self.env.is_empty() {
            // a name that is none is said here, as `train` would
            Environment::load(&self.env)?;
        }
        let config = Config::preset(&self.env, &self.algo)?;
        let read = |(setting, _): &(&Setting, String)| setting.readers.contains(&config.algo);
        let settings = Config::SETTINGS.iter().zip(config.values()).filter(read);
        if self.json {
            let all: Vec<_> = settings.map(|(setting, value)| as_json(setting, &value)).collect();
            print(format_args!("{}", serde_json::Value::from(all)))?;
            return Ok(ExitCode::SUCCESS);
        }
        for (setting, value) in settings {
            let Setting { name, about, source, .. } = setting;
            let kind = [setting.kind.to_owned(), setting.range.to_string()].join(" ");
            print(format_args!("{name} = {value}   ({})\n    {}\n    source: {source}", kind.trim(), about.trim()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn as_json(setting: &Setting, value: &str) -> serde_json::Value {
    let algorithms: Vec<&str> = setting.readers.iter().map(|algo| algo.name()).collect();
    json!({
        "name": setting.name,
        "value": value,
        "type": setting.kind,
        "range": setting.range.to_string(),
        "algorithms": algorithms,
        "about": setting.about.trim(),
        "source": setting.source,
    })
}
