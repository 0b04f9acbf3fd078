//! `manyworlds envs`

use super::say::{print, print_json};
use crate::Result;
use crate::cli::ExitCode;
use crate::env::{ActionSpace, Environment, Family};
use serde::Serialize;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<Family>,
    /// In a sentence.
    summary: String,
    about: String,
    observation_dim: u32,
    observation_names: Vec<String>,
    action_names: Vec<String>,
    action_space: crate::env::ActionSpace,
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
            family: env.family(),
            summary: env.summary().unwrap_or_default(),
            about: env.about().unwrap_or_default(),
            observation_dim: spec.observation_dim,
            observation_names: env.observation_names(),
            action_names: env.action_names(),
            action_space: spec.action_space.clone(),
            max_episode_steps: spec.max_episode_steps,
            reward_threshold: spec.reward_threshold,
            source: env.source().unwrap_or_default(),
            description: env.header(),
            overrides: env.overrides().iter().map(|o| (o.name.clone(), o.value.into())).collect(),
        }
    }

    /// One line.
    fn line(&self) -> String {
        let actions = match &self.action_space {
            ActionSpace::Discrete { count: 1, .. } => "1 action".to_owned(),
            ActionSpace::Discrete { count, .. } => format!("{count} actions"),
            ActionSpace::MultiDiscrete { counts, .. } => format!("{} choices", counts.len()),
            ActionSpace::Box { low, .. } if low.len() == 1 => "1 real".to_owned(),
            ActionSpace::Box { low, .. } => format!("{} reals", low.len()),
        };
        format!("  {:24} {:>4}  {actions:10}  {}", self.name, self.observation_dim, self.summary)
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
        if let Some(name) = &self.env {
            let entry = Entry::of(&Environment::load(name)?);
            if self.json {
                print_json(&entry)?;
            } else {
                print(format_args!("{}", entry.page()))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let load = |name| Environment::load(name).map(|env| Entry::of(&env));
        let all = Environment::names().map(load).collect::<Result<Vec<_>>>()?;
        if self.json {
            all.iter().try_for_each(print_json)?;
            return Ok(ExitCode::SUCCESS);
        }
        for family in Family::ALL {
            print(format_args!("{}", family.name()))?;
            let own = all.iter().filter(|entry| entry.family == Some(family));
            own.map(Entry::line).try_for_each(|line| print(format_args!("{line}")))?;
        }
        print(format_args!(
            "\nNumbers of an observation, actions, what is asked for. `manyworlds envs NAME` tells all about one."
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
