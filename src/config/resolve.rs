//! Where the values of settings come from: defaults, presets, files, and `key=value` pairs.

use super::table::{self, merge_text, set};
use super::{Algo, Config, ConfigFile};
use crate::error::{Error, Result, did_you_mean};

/// Presets that are built in: environment, algorithm, text.
const PRESETS: &[(&str, &str, &str)] = &[
    ("Acrobot-v1", "a2c", include_str!("../../presets/Acrobot-v1.a2c.toml")),
    ("Acrobot-v1", "ddpg", include_str!("../../presets/Acrobot-v1.ddpg.toml")),
    ("Acrobot-v1", "npg", include_str!("../../presets/Acrobot-v1.trpo.toml")),
    ("Acrobot-v1", "ppo", include_str!("../../presets/Acrobot-v1.ppo.toml")),
    ("Acrobot-v1", "reinforce", include_str!("../../presets/Acrobot-v1.reinforce.toml")),
    ("Acrobot-v1", "trpo", include_str!("../../presets/Acrobot-v1.trpo.toml")),
    ("CartPole-v1", "a2c", include_str!("../../presets/CartPole-v1.a2c.toml")),
    ("CartPole-v1", "ddpg", include_str!("../../presets/CartPole-v1.ddpg.toml")),
    ("CartPole-v1", "npg", include_str!("../../presets/CartPole-v1.trpo.toml")),
    ("CartPole-v1", "ppo", include_str!("../../presets/CartPole-v1.ppo.toml")),
    ("CartPole-v1", "reinforce", include_str!("../../presets/CartPole-v1.reinforce.toml")),
    ("CartPole-v1", "trpo", include_str!("../../presets/CartPole-v1.trpo.toml")),
    ("Catch", "ppo", include_str!("../../presets/Catch.ppo.toml")),
    ("MountainCar-v0", "ppo", include_str!("../../presets/MountainCar-v0.ppo.toml")),
    ("MountainCarContinuous-v0", "ddpg", include_str!("../../presets/MountainCarContinuous-v0.ddpg.toml")),
    ("MountainCarContinuous-v0", "ppo", include_str!("../../presets/MountainCarContinuous-v0.ppo.toml")),
    ("Pendulum-v1", "a2c", include_str!("../../presets/Pendulum-v1.a2c.toml")),
    ("Pendulum-v1", "ddpg", include_str!("../../presets/Pendulum-v1.ddpg.toml")),
    ("Pendulum-v1", "npg", include_str!("../../presets/Pendulum-v1.trpo.toml")),
    ("Pendulum-v1", "ppo", include_str!("../../presets/Pendulum-v1.ppo.toml")),
    ("Pendulum-v1", "reinforce", include_str!("../../presets/Pendulum-v1.reinforce.toml")),
    ("Pendulum-v1", "sac", include_str!("../../presets/Pendulum-v1.sac.toml")),
    ("Pendulum-v1", "td3", include_str!("../../presets/Pendulum-v1.td3.toml")),
    ("Pendulum-v1", "trpo", include_str!("../../presets/Pendulum-v1.trpo.toml")),
    ("QuadrotorHover", "ppo", include_str!("../../presets/QuadrotorHover.ppo.toml")),
    ("QuadrotorHover", "sac", include_str!("../../presets/QuadrotorHover.sac.toml")),
];

impl Config {
    /// The built-in preset of an environment; where it has none, the algorithm's own defaults (`presets/ALGO.toml`).
    ///
    /// # Errors
    /// [`Error::Setting`] if a preset of ours is broken.
    pub fn preset(env: &str, algo: &str) -> Result<Self> {
        Self::resolve(env, algo, None, &[])
    }

    /// Whether there is a built-in preset of an environment for an algorithm.
    pub fn has_preset(env: &str, algo: &str) -> bool {
        PRESETS.iter().any(|(e, a, _)| *e == env && *a == algo)
    }

    /// Defaults, then the preset of the environment, then a TOML file, then `key=value` pairs, each over the one before. Where
    /// the file or a pair names an algorithm, defaults and preset are that one's.
    ///
    /// # Errors
    /// [`Error::Setting`] with the nearest name where one is unknown and with what is allowed where a value is not.
    pub fn resolve(env: &str, algo: &str, file: Option<&ConfigFile>, pairs: &[String]) -> Result<Self> {
        let mut own = file.map(|file| file.settings.clone()).unwrap_or_default();
        set(&mut own, pairs)?;
        let algo = own.get("algo").and_then(toml::Value::as_str).unwrap_or(algo);
        let algo = Algo::named(algo).ok_or_else(|| {
            let names: Vec<&str> = Algo::ALL.iter().map(|algo| algo.name()).collect();
            let near = did_you_mean(algo, names.iter().copied());
            // what people look for who have choices and want replay
            let q = if algo.ends_with("dqn") { " (ddpg and sac learn choices from replay)" } else { "" };
            let names = names.join(", ");
            Error::setting("algo", format!("there is no such algorithm '{algo}'{near} there are: {names}{q}"))
        })?;
        let mut table = toml::Table::new();
        merge_text(&mut table, algo.defaults(), &format!("defaults of {}", algo.name()))?;
        table.insert("algo".to_owned(), toml::Value::String(algo.name().to_owned()));
        if let Some((_, _, text)) = PRESETS.iter().find(|(e, a, _)| *e == env && *a == algo.name()) {
            merge_text(&mut table, text, &format!("preset of {env}"))?;
        }
        Self::from_table(table)?.under(own)
    }

    /// These settings with `key=value` pairs over them.
    ///
    /// # Errors
    /// Those of [`Config::resolve`].
    pub fn with(&self, pairs: &[String]) -> Result<Self> {
        let mut own = toml::Table::new();
        set(&mut own, pairs)?;
        self.under(own)
    }

    /// These settings with others over them, which the algorithm has to read, or they have to change nothing.
    fn under(&self, own: toml::Table) -> Result<Self> {
        let before = self.table()?;
        let names: Vec<String> = own.keys().cloned().collect();
        let mut table = before.clone();
        table.extend(own);
        let config = Self::from_table(table)?;
        let after = config.table()?;
        for setting in Self::SETTINGS.iter().filter(|setting| names.iter().any(|name| name == setting.name)) {
            if !setting.readers.contains(&config.algo) && before.get(setting.name) != after.get(setting.name) {
                let reason = format!("it is for {}; {} does not read it", listed(setting.readers), config.algo.name());
                return Err(Error::setting(setting.name, reason));
            }
        }
        config.check()?;
        Ok(config)
    }

    /// All settings as TOML values.
    pub(crate) fn table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|error| Error::setting("configuration", error.to_string()))
    }

    fn from_table(mut table: toml::Table) -> Result<Self> {
        // one after the other, so that an error names its setting
        for setting in Self::SETTINGS {
            if let Some(value) = table.get_mut(setting.name) {
                table::convert(setting.kind, value);
                let single = toml::Table::from_iter([(setting.name.to_owned(), value.clone())]);
                if single.try_into::<Self>().is_err() {
                    let kind = table::allowed(setting.kind);
                    return Err(Error::setting(setting.name, format!("{value} is not {kind}")));
                }
            }
        }
        table.try_into().map_err(|error| Error::setting("configuration", error.to_string()))
    }
}

/// Names in a sentence: `npg and trpo`.
fn listed(algorithms: &[Algo]) -> String {
    let names: Vec<&str> = algorithms.iter().map(|algo| algo.name()).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(algo: &str, pair: &str) -> std::result::Result<Config, String> {
        Config::resolve("", algo, None, &[pair.to_owned()]).map_err(|error| error.to_string())
    }

    #[test]
    fn what_an_algorithm_does_not_read_is_refused_by_name() {
        for (algo, pair, readers) in [
            ("ppo", "delta=0.1", "npg and trpo; ppo does not read it"),
            ("npg", "backtrack_iters=3", "trpo; npg does not"),
            ("ddpg", "norm_obs=true", "npg, trpo, cem, ga, pattern, es, ars and random; ddpg does not"),
            ("sac", "ou_theta=0.3", "ddpg and td3; sac does not"),
            ("td3", "gumbel_temperature=0.5", "ddpg and sac; td3 does not"),
        ] {
            let refused = resolved(algo, pair).expect_err(pair);
            assert!(refused.contains(readers), "{algo}, {pair}: {refused}");
        }
        // the value that it has anyway changes nothing: a file with all settings is one of any algorithm's
        assert!(resolved("ppo", "delta=0.01").is_ok());
        for algo in Algo::ALL {
            let config = Config::preset("", algo.name()).expect("defaults");
            let whole: Vec<String> =
                Config::SETTINGS.iter().zip(config.values()).map(|(s, value)| format!("{}={value}", s.name)).collect();
            assert_eq!(Config::resolve("", algo.name(), None, &whole).expect("its own values"), config);
        }
    }

    #[test]
    fn values_outside_of_their_range_are_refused() {
        for (pair, words) in [
            ("gamma=1.5", "1.5 is not allowed; it must be a finite number from 0 to 1"),
            ("num_envs=0", "0 is not allowed; it must be at least 1"),
            ("hidden=8,0", "0 is not allowed; it must be from 1 to 4096"),
            ("learning_rate=1e-60", "a finite number above 0"),
            ("ent_coef=nan", "a finite number at least 0"),
        ] {
            let refused = resolved("ppo", pair).expect_err(pair);
            assert!(refused.contains(words), "{pair}: {refused}");
        }
    }

    #[test]
    fn every_preset_is_whole() {
        for (env, algo, _) in PRESETS {
            assert!(Config::preset(env, algo).is_ok(), "{algo} on {env}");
        }
        for setting in Config::SETTINGS {
            assert!(!setting.readers.is_empty(), "nobody reads {}", setting.name);
        }
    }
}
