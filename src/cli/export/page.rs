//! `manyworlds export --format html`: the page, and whose worlds are on it.

use super::super::foreign;
use super::source::{self, Which};
use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::page::Page;
use crate::train::Policy;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Worlds that are drawn where nothing else is asked for, and pixels of their picture's sides.
const WORLDS: u32 = 256;
const SIZE: u32 = 768;

/// What a page shows, and of an environment without a run what it learns.
#[derive(clap::Args)]
#[command(next_help_heading = "Options of --format html")]
pub struct PageOptions {
    /// Let the page train, from the seed of the settings on
    #[arg(long)]
    train: bool,
    /// Let the page measure the visitor's GPU
    #[arg(long)]
    bench: bool,
    #[arg(long, help = format!("Worlds that are drawn [default: {WORLDS}]"))]
    worlds: Option<u32>,
    #[arg(long, help = format!("Pixels of a side of their picture, at most [default: {SIZE}]"))]
    size: Option<u32>,
    /// Seed of their first states and of sampled actions [default: 1]
    #[arg(long)]
    seed: Option<u32>,
    /// Sample actions at first, instead of taking the most likely one; without a run always
    #[arg(long)]
    stochastic: bool,
    #[arg(long, help = format!("Algorithm, where there is no run: {} [default: ppo]", Algo::names()))]
    algo: Option<String>,
    /// A setting, where there is no run, such as seed=3 (see `manyworlds settings`)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// An override of the environment, where there is no run, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
}

impl PageOptions {
    /// Refuses options that belong to a page where there is none.
    pub fn check_unused(&self) -> Result<()> {
        let given = [
            ("train", self.train),
            ("bench", self.bench),
            ("worlds", self.worlds.is_some()),
            ("size", self.size.is_some()),
            ("seed", self.seed.is_some()),
            ("stochastic", self.stochastic),
        ];
        let all = given.into_iter().chain(self.of_environments());
        match all.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => refuse(name, "it belongs to --format html; leave it out"),
            None => Ok(()),
        }
    }

    fn of_environments(&self) -> [(&'static str, bool); 3] {
        [("algo", self.algo.is_some()), ("set", !self.set.is_empty()), ("set-env", !self.set_env.is_empty())]
    }

    /// The policy whose worlds are shown: that of a run, or of an environment one before its first update. With the files that it
    /// was made of.
    ///
    /// # Errors
    /// Those of [`source::load`], [`foreign::load_unseen`] and [`Config::resolve`]; [`Error::Setting`] where a run is given settings.
    pub fn policy(&self, what: &Path, which: Option<Which>, as_trained: bool) -> Result<(Policy, Vec<PathBuf>)> {
        let name = what.to_string_lossy();
        let is_environment = Environment::is_file_name(&name) || Environment::names().any(|known| known == name);
        if !is_environment {
            if let Some((option, _)) = self.of_environments().into_iter().find(|(_, given)| *given) {
                let reason = format!("'{name}' is a run, whose settings stay as they are; leave it out");
                return refuse(option, &reason);
            }
            if !what.exists()
                && let Err(Error::Environment { reason, .. }) = Environment::load(&name)
            {
                let reason = format!("no run directory or checkpoint of this name is here, and {reason}");
                return Err(Error::Environment { name: name.into_owned(), reason });
            }
            return source::load(what, which, as_trained);
        }
        let of_runs = [("which", which.is_some()), ("as-trained", as_trained)];
        if let Some((option, _)) = of_runs.into_iter().find(|(_, given)| *given) {
            return refuse(option, &format!("'{name}' is an environment and no run; leave it out"));
        }
        let env = foreign::load_unseen(&name, &self.set_env)?;
        let config = Config::resolve(env.name(), self.algo.as_deref().unwrap_or("ppo"), None, &self.set)?;
        let files = if env.is_built_in() { Vec::new() } else { vec![what.to_owned()] };
        Ok((Policy::untrained(&env, config)?, files))
    }

    /// The page of a policy.
    ///
    /// # Errors
    /// Those of [`Page::html`].
    pub fn html(&self, policy: &Policy) -> Result<String> {
        let page = Page {
            worlds: self.worlds.unwrap_or(WORLDS),
            size: self.size.unwrap_or(SIZE),
            seed: self.seed.unwrap_or(1),
            // before it has learned, all that a policy likes best is an accident
            sampled: self.stochastic || policy.updates == 0,
            train: self.train,
            bench: self.bench,
        };
        page.html(policy)
    }
}

fn refuse<T>(option: &str, reason: &str) -> Result<T> {
    Err(Error::Setting { name: option.to_owned(), reason: reason.to_owned() })
}
