//! What is trained: environment, algorithm and settings, from the command line and from a file.

use super::drivers::Work;
use super::{AdapterArgument, foreign};
use crate::config::{Algo, Config, ConfigFile, RunTable};
use crate::env::Environment;
use crate::{Error, Result};
use std::path::PathBuf;

/// Which environment, algorithm and settings.
#[derive(clap::Args)]
pub struct Choice {
    /// Name of a built-in environment, or path of a .wgsl file; --config FILE may name it instead
    pub env: Option<String>,
    #[arg(long, help = format!("Algorithm: {} [default: ppo, or that of --config]", Algo::names()))]
    pub algo: Option<String>,
    /// TOML file with settings and, in its table [env], the environment: config.toml of a run makes that run again
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A setting, such as learning_rate=0.001; goes over the file (see `manyworlds settings`)
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    pub set_env: Vec<String>,
}

/// What it comes to.
pub struct Chosen {
    pub env: Environment,
    pub config: Config,
    /// What a file asks of the run besides.
    pub run: RunTable,
}

impl Choice {
    /// Reads the file, if there is one. An algorithm on the command line goes before that of the file.
    fn file(&self) -> Result<Option<ConfigFile>> {
        let file = self.config.as_deref().map(ConfigFile::read).transpose()?;
        Ok(if self.algo.is_some() { file.map(ConfigFile::without_algo) } else { file })
    }

    /// The environment's name or path, and whether the file names it.
    fn name(&self, file: Option<&ConfigFile>) -> Result<(String, bool)> {
        let of_file = file.and_then(ConfigFile::env_name);
        match (&self.env, of_file) {
            (None, Some(name)) => Ok((name, true)),
            (Some(name), of_file) => Ok((name.clone(), of_file.as_ref() == Some(name))),
            (None, None) => {
                let reason = match &self.config {
                    Some(path) => format!("{} has no table [env] with a name; name one before the options", path.display()),
                    None => "name an environment (`manyworlds envs` lists them) or a .wgsl file, or --config FILE that names one".to_owned(),
                };
                Err(Error::Setting { name: "env".to_owned(), reason })
            }
        }
    }

    fn settings(&self, env: &str, file: Option<&ConfigFile>, seed: Option<u32>) -> Result<Config> {
        let mut pairs = self.set.clone();
        pairs.extend(seed.map(|seed| format!("seed={seed}")));
        Config::resolve(env, self.algo.as_deref().unwrap_or("ppo"), file, &pairs)
    }

    /// Environment and settings; overrides of the file count where the environment is the file's.
    ///
    /// # Errors
    /// Those of [`ConfigFile::read`], [`Config::resolve`] and [`foreign::load`].
    pub fn resolve(&self, seed: Option<u32>, adapter: &AdapterArgument) -> Result<Chosen> {
        let file = self.file()?;
        let (name, of_file) = self.name(file.as_ref())?;
        let mut overrides = match file.as_ref().filter(|_| of_file) {
            Some(file) => file.overrides()?,
            None => Vec::new(),
        };
        overrides.extend_from_slice(&self.set_env);
        let env = foreign::load(&name, &overrides, adapter)?;
        let config = self.settings(env.name(), file.as_ref(), seed)?;
        Ok(Chosen { env, config, run: file.map(|file| file.run).unwrap_or_default() })
    }

    /// The same for what always begins with the parameters of its seed, such as `what`.
    ///
    /// # Errors
    /// Those of [`Choice::resolve`], and [`Error::Setting`] where the file's run begins with a policy: its numbers would be of
    /// something else.
    pub fn resolve_from_seed(&self, seed: Option<u32>, adapter: &AdapterArgument, what: &str) -> Result<Chosen> {
        let chosen = self.resolve(seed, adapter)?;
        if let (Some(file), Some(init)) = (&self.config, &chosen.run.init) {
            let reason = format!(
                "the run of {} begins with {init}, and {what} with its seed's parameters; take init and init_blake3 out of \
                 the file's table [run]",
                file.display()
            );
            return Err(Error::Setting { name: "run.init".to_owned(), reason });
        }
        Ok(chosen)
    }

    /// The environment's name or path, for those who wait for its file to change.
    ///
    /// # Errors
    /// Those of [`ConfigFile::read`].
    pub fn watched(&self) -> Result<String> {
        let file = self.file()?;
        self.name(file.as_ref()).map(|(name, _)| name)
    }

    /// What it asks a processor for; what is wrong is said later.
    pub fn work(&self) -> Work {
        let config = self.file().and_then(|file| {
            let (name, _) = self.name(file.as_ref())?;
            self.settings(&name, file.as_ref(), None)
        });
        config.map_or(Work::default(), |config| Work::from(&config))
    }
}
