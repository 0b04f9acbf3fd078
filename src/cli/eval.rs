//! `manyworlds eval`

use super::drivers::Work;
use super::say::{print_json, say};
use super::{AdapterArgument, checkpoint, foreign};
use crate::cli::ExitCode;
use crate::error::shown;
use crate::train::{Policy, Returns};
use crate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Eval {
    /// Run directory, or checkpoint
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    path: PathBuf,
    /// Number of episodes, each in a world of its own
    #[arg(long, default_value_t = 1000)]
    episodes: u32,
    /// Seed of the first states and of the actions
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Sample actions instead of taking the most likely one
    #[arg(long)]
    stochastic: bool,
    /// Play the best member that a search (cem, ga, es, …) ever had, not what it has come to
    #[arg(long)]
    best: bool,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    returns: Returns,
    env: &'a str,
    algo: &'a str,
}

impl Eval {
    /// What it asks a processor for: the width of vectors that the policy was trained with.
    pub fn work(&self) -> Work {
        // what is wrong is said later
        let policy = Policy::load(&self.path);
        policy.map_or(Work::default(), |policy| Work { small: false, ..Work::from(&policy.config) })
    }

    pub fn run(self) -> Result<ExitCode> {
        if self.episodes == 0 {
            return Err(Error::Setting {
                name: "episodes".to_owned(),
                reason: "0 is not allowed; it must be at least 1".to_owned(),
            });
        }
        let mut policy = checkpoint::load(&self.path)?;
        if self.best {
            let algo = policy.config.algo.name();
            policy = policy.best().ok_or_else(|| Error::Setting {
                name: "best".to_owned(),
                reason: format!("{algo} has no members, of which one is the best; leave --best out"),
            })?;
        }
        foreign::probe_checkpoint(&policy.env, &self.adapter)?;
        let gpu = self.adapter.open(0)?;
        let returns = policy.evaluate(&gpu, self.episodes, self.seed, self.stochastic)?;
        let env = policy.env.name();
        say(format_args!("{}: mean length {:.1}, return {returns:#}", shown(env), returns.mean_length));
        if self.json {
            print_json(&Output { returns, env, algo: policy.config.algo.name() })?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
