//! A file of settings, a line `---`, and pairs as `--set` takes them, one a line; the first line of these names environment
//! and algorithm. What is taken is written and read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyworlds::config::{Config, ConfigFile};
use manyworlds::Error;
use std::path::PathBuf;
use std::sync::LazyLock;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("manyworlds-fuzz-{}.toml", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (file, rest) = text.split_once("---\n").unwrap_or((text, ""));
    let mut lines = rest.lines();
    let (env, algo) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("CartPole-v1", "ppo"));
    let pairs: Vec<String> = lines.map(str::to_owned).collect();
    std::fs::write(&*FILE, file).expect("written");
    match ConfigFile::read(&FILE).and_then(|file| Config::resolve(env, algo, Some(&file), &pairs)) {
        Ok(config) => {
            std::fs::write(&*FILE, config.to_toml()).expect("written");
            let file = ConfigFile::read(&FILE).expect("its own text");
            let again = Config::resolve(env, "ppo", Some(&file), &[]).expect("its own settings");
            assert_eq!(again.to_toml(), config.to_toml());
        }
        Err(error) => {
            let text = error.to_string();
            assert!(matches!(error, Error::Setting { .. } | Error::File { .. }), "{error:?}");
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        }
    }
});
