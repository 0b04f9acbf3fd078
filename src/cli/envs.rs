//! `manyworlds envs`

use super::say::{print, print_json};
use manyworlds::Result;
use manyworlds::env::Environment;
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Envs {
    /// Print one JSON object for each environment
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    about: String,
    observation_dim: u32,
    action_space: manyworlds::env::ActionSpace,
    /// 0 = none
    max_episode_steps: u32,
    reward_threshold: Option<f32>,
    source: String,
    overrides: serde_json::Map<String, serde_json::Value>,
}

impl Envs {
    pub fn run(self) -> Result<ExitCode> {
        if !self.json {
            let [name, obs, actions, limit, threshold] = ["name", "obs", "actions", "limit", "threshold"];
            print(format_args!("{name:24} {obs:>5} {actions:28} {limit:>6} {threshold:>9}  source"))?;
        }
        for name in Environment::names() {
            let env = Environment::load(name)?;
            let spec = env.spec();
            let (about, source) = (env.about().unwrap_or_default(), env.source().unwrap_or_default());
            if self.json {
                let overrides = env.overrides().iter().map(|o| (o.name.clone(), o.value.into())).collect();
                print_json(&Entry {
                    name: name.to_owned(),
                    about,
                    observation_dim: spec.observation_dim,
                    action_space: spec.action_space.clone(),
                    max_episode_steps: spec.max_episode_steps,
                    reward_threshold: spec.reward_threshold,
                    source,
                    overrides,
                })?;
            } else {
                let threshold = spec.reward_threshold.map_or("-".to_owned(), |threshold| threshold.to_string());
                let limit =
                    if spec.max_episode_steps == 0 { "-".to_owned() } else { spec.max_episode_steps.to_string() };
                // the reference alone; --json has all of it
                let source = source.split([';', ',']).next().unwrap_or_default();
                let actions = spec.action_space.to_string();
                let features = spec.observation_dim;
                print(format_args!("{name:24} {features:>5} {actions:28} {limit:>6} {threshold:>9}  {source}"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
