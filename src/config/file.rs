//! Files of settings: what a run is, so that it can be made again.

use super::Config;
use super::table::merge;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Value;

/// Bytes of the longest file of settings.
const LONGEST: u64 = 1 << 20;
/// Tables of a file that hold no settings.
const ENV: &str = "env";
const RUN: &str = "run";

/// A TOML file: settings at the top, and in two tables which environment they are for and what else was asked of the run.
///
/// ```toml
/// algo = "ppo"
/// learning_rate = 0.001
/// [env]
/// name = "CartPole-v1"          # or a .wgsl file, seen from the folder of this file
/// [env.overrides]
/// gravity = 3.7
/// [run]
/// until_solved = true
/// ```
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    pub(super) settings: toml::Table,
    /// The environment, where the file names one.
    pub env: Option<EnvTable>,
    /// What was asked of the run.
    pub run: RunTable,
}

/// The table `[env]` of a file of settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvTable {
    /// Name of a built-in environment, or path of a `.wgsl` file, seen from the folder of the file that says so.
    pub name: String,
    /// Overrides that have a value of their own.
    #[serde(default)]
    overrides: BTreeMap<String, Value>,
}

/// The table `[run]` of a file of settings: what `train` was asked for besides its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunTable {
    /// Whether the run ends at the first evaluation that passes the environment's threshold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub until_solved: bool,
    /// Whether the ring of transitions is saved with the state.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub save_replay: bool,
    /// Seeds that are trained side by side; none where the run has one, which is a setting.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u32>,
    /// File of the tensors that the run begins with, seen from the folder of the file that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// BLAKE3 of that file, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_blake3: Option<String>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Setting`] where it is no TOML, or a name in it is unknown.
    pub fn read(path: &Path) -> Result<Self> {
        let text = crate::file::read_text(path, LONGEST)?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let from = path.display().to_string();
        let not_toml = |error: toml::de::Error| Error::setting(&from, format!("not TOML: {}", error.message()));
        let mut table: toml::Table = text.parse().map_err(not_toml)?;
        let env = table.remove(ENV).map(|env| Self::table(ENV, env)).transpose()?;
        let run = table.remove(RUN).map(|run| Self::table(RUN, run)).transpose()?.unwrap_or_default();
        let mut settings = toml::Table::new();
        merge(&mut settings, table)?;
        Ok(Self { path: path.to_owned(), settings, env, run })
    }

    fn table<T: for<'de> Deserialize<'de>>(name: &str, value: Value) -> Result<T> {
        value.try_into().map_err(|error: toml::de::Error| Error::setting(name, error.message().to_owned()))
    }

    /// The algorithm that the file names.
    pub fn algo(&self) -> Option<&str> {
        self.settings.get("algo").and_then(Value::as_str)
    }

    /// Its settings, by name.
    pub fn settings(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.settings.iter()
    }

    /// The same file as if it named no algorithm.
    #[must_use]
    pub fn without_algo(mut self) -> Self {
        self.settings.remove("algo");
        self
    }

    /// What its environment is called from here: a built-in name, or a path.
    pub fn env_name(&self) -> Option<String> {
        let name = &self.env.as_ref()?.name;
        if !crate::env::Environment::is_file_name(name) {
            return Some(name.clone());
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        Some(folder.join(name).display().to_string())
    }

    /// Overrides of its environment as `name=value`.
    ///
    /// # Errors
    /// [`Error::Setting`] where one is no number.
    pub fn overrides(&self) -> Result<Vec<String>> {
        let pair = |(name, value): (&String, &Value)| {
            let number = match value {
                Value::Integer(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                Value::Boolean(flag) => u8::from(*flag).to_string(),
                other => {
                    let reason = format!("{other} is not a number, or true or false");
                    return Err(Error::setting(&format!("env.overrides.{name}"), reason));
                }
            };
            Ok(format!("{name}={number}"))
        };
        self.env.iter().flat_map(|env| &env.overrides).map(pair).collect()
    }
}

impl EnvTable {
    /// The table of an environment that a file beside it, or a built-in one, is read from under this name.
    pub(crate) fn of(name: &str, env: &crate::env::Environment) -> Self {
        let value = |value: f64| {
            if value.fract() == 0.0 && value.abs() < 1e15 { Value::Integer(value as i64) } else { Value::Float(value) }
        };
        let overrides = env.overrides().iter().map(|known| (known.name.clone(), value(known.value))).collect();
        Self { name: name.to_owned(), overrides }
    }
}

impl Config {
    /// The text of a [`ConfigFile`] of this configuration.
    pub(crate) fn to_file(&self, env: &EnvTable, run: &RunTable) -> String {
        #[derive(Serialize)]
        struct Tables<'a> {
            env: &'a EnvTable,
            #[serde(skip_serializing_if = "Option::is_none")]
            run: Option<&'a RunTable>,
        }
        let run = Some(run).filter(|run| **run != RunTable::default());
        let tables = toml::to_string(&Tables { env, run }).unwrap_or_default();
        format!(
            "# All of a run: `manyworlds train --config` with this file makes it again, to the same bits on the same adapter, driver\n\
             # and version. The environment is in the table [env] at its end.\n\n{}\n{tables}",
            self.to_toml()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Environment;

    fn read(text: &str) -> std::result::Result<ConfigFile, String> {
        ConfigFile::parse(Path::new("folder/config.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut env = Environment::load("CartPole-v1").expect("built in");
        env.set("gravity", 3.7).expect("an override");
        let config = Config { learning_rate: 1e-3, seed: 7, ..Config::preset("CartPole-v1", "sac").expect("a preset") };
        let run = RunTable {
            until_solved: true,
            seeds: vec![3, 4],
            init: Some("init.safetensors".to_owned()),
            ..RunTable::default()
        };
        let text = config.to_file(&EnvTable::of("CartPole-v1", &env), &run);
        let file = read(&text).expect("its own text");
        assert_eq!((file.run.clone(), file.algo()), (run, Some("sac")));
        assert_eq!(file.env_name().as_deref(), Some("CartPole-v1"));
        assert!(file.overrides().expect("numbers").contains(&"gravity=3.7".to_owned()), "{text}");
        // whatever the algorithm that is asked for otherwise
        assert_eq!(Config::resolve("none", "ppo", Some(&file), &[]).expect("settings"), config);
    }

    #[test]
    fn tables_are_refused_by_name_and_paths_are_those_of_the_file() {
        let file = read("[env]\nname = \"my.wgsl\"\noverrides = { size = 50, wind = true, g = 0.5 }").expect("a file");
        assert_eq!(file.env_name().as_deref(), Some("folder/my.wgsl"));
        assert_eq!(file.overrides().expect("numbers"), ["g=0.5", "size=50", "wind=1"]);
        for (text, words) in [
            ("[env]\n", "'env': missing field `name`"),
            ("[env]\nname = \"x\"\ngravity = 3", "'env': unknown field `gravity`, expected `name` or `overrides`"),
            ("[run]\nuntil_solved = 1", "'run': invalid type: integer `1`, expected a boolean"),
            ("[runs]\n", "'runs': there is no such setting"),
            ("a = \n", "not TOML"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(words), "{text}: {refused}");
        }
        let file = read("[env]\nname = \"x\"\noverrides = { g = \"0.5\" }").expect("a file");
        let refused = file.overrides().expect_err("text").to_string();
        assert!(refused.contains("'env.overrides.g'") && refused.contains("not a number"), "{refused}");
    }
}
