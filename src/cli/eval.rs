//! `manyworlds eval`

use super::{AdapterArgument, foreign};
use manyworlds::train::{Policy, Returns};
use manyworlds::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

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
    pub fn run(self) -> Result<ExitCode> {
        if self.episodes == 0 {
            return Err(Error::Setting {
                name: "episodes".to_owned(),
                reason: "0 is not allowed; it must be at least 1".to_owned(),
            });
        }
        let policy = Policy::load(&self.path)?;
        foreign::probe_checkpoint(&policy.env, &self.adapter)?;
        let gpu = self.adapter.open(0)?;
        let returns = policy.evaluate(&gpu, self.episodes, self.seed, self.stochastic)?;
        let env = policy.env.name();
        eprintln!("{env}: mean length {:.1}, return {returns:#}", returns.mean_length);
        if self.json {
            println!(
                "{}",
                serde_json::to_string(&Output { returns, env, algo: policy.config.algo.name() }).unwrap_or_default()
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
