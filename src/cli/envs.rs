//! `manyworlds envs`

use super::say::{print, print_json};
use manyworlds::Result;
use manyworlds::env::Environment;
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Envs {
    /// Name of a built-in environment, or path of a .wgsl file: all about it, its rules, observation, actions and overrides
    /// [default: a line for each that is built in]
    env: Option<String>,
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
    /// Rules, observation and actions in words.
    description: String,
    overrides: serde_json::Map<String, serde_json::Value>,
}

impl Entry {
    fn of(env: &Environment) -> Self {
        let spec = env.spec();
        Self {
            name: env.name().to_owned(),
            about: env.about().unwrap_or_default(),
            observation_dim: spec.observation_dim,
            action_space: spec.action_space.clone(),
            max_episode_steps: spec.max_episode_steps,
            reward_threshold: spec.reward_threshold,
            source: env.source().unwrap_or_default(),
            description: env.header(),
            overrides: env.overrides().iter().map(|o| (o.name.clone(), o.value.into())).collect(),
        }
    }

    /// One line; of the source the reference alone.
    fn line(&self) -> String {
        let source = self.source.split([';', ',']).next().unwrap_or_default();
        let (actions, limit, threshold) = (self.action_space.to_string(), self.limit(), self.threshold());
        format!("{:24} {:>5} {actions:28} {limit:>6} {threshold:>9}  {source}", self.name, self.observation_dim)
    }

    /// All about it.
    fn page(&self) -> String {
        let mut page = format!(
            "{}\n\nobservation  {} numbers\nactions      {}\nlimit        {} (MAX_EPISODE_STEPS)\nthreshold    {}\n",
            self.description,
            self.observation_dim,
            self.action_space,
            self.limit(),
            self.threshold()
        );
        for (name, value) in &self.overrides {
            page += &format!("--set-env    {name}={value}\n");
        }
        page.trim_end().to_owned()
    }

    fn limit(&self) -> String {
        if self.max_episode_steps == 0 { "-".to_owned() } else { self.max_episode_steps.to_string() }
    }

    fn threshold(&self) -> String {
        self.reward_threshold.map_or("-".to_owned(), |threshold| threshold.to_string())
    }
}

impl Envs {
    pub fn run(self) -> Result<ExitCode> {
        let names: Vec<&str> = self.env.as_deref().map_or_else(|| Environment::names().collect(), |name| vec![name]);
        if !self.json && self.env.is_none() {
            let [name, obs, actions, limit, threshold] = ["name", "obs", "actions", "limit", "threshold"];
            print(format_args!("{name:24} {obs:>5} {actions:28} {limit:>6} {threshold:>9}  source"))?;
        }
        for name in names {
            let entry = Entry::of(&Environment::load(name)?);
            match (self.json, &self.env) {
                (true, _) => print_json(&entry)?,
                (false, None) => print(format_args!("{}", entry.line()))?,
                (false, Some(_)) => print(format_args!("{}", entry.page()))?,
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
