//! `manyworlds check-env`

use super::say::print;
use super::{AdapterArgument, foreign, watch};
use manyworlds::Result;
use manyworlds::check::check_environment;
use manyworlds::config::Config;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct CheckEnv {
    /// Name of a built-in environment, or path of a .wgsl file
    #[arg(value_name = "FILE_OR_NAME")]
    env: String,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Seed of the worlds and of the actions
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Check again whenever the file changes, until interrupted
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl CheckEnv {
    pub fn run(self) -> Result<ExitCode> {
        if !self.watch {
            return self.check();
        }
        watch::again_and_again(&self.env, || self.check())
    }

    fn check(&self) -> Result<ExitCode> {
        let env = foreign::load(&self.env, &self.set_env, &self.adapter)?;
        let gpu = self.adapter.open(0)?;
        let mut all_ok = true;
        for finding in check_environment(&gpu, &env, self.seed)? {
            print(format_args!("{} {}: {}", if finding.ok { "ok  " } else { "FAIL" }, finding.name, finding.detail))?;
            all_ok &= finding.ok;
        }
        // an environment may have such bounds, and some other settings fit them
        if let Some(misfit) = Config::preset(env.name(), "ppo")?.misfit(&env) {
            print(format_args!("note bounds of actions: {misfit}"))?;
        }
        Ok(ExitCode::from(u8::from(!all_ok)))
    }
}
