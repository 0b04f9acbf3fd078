//! An environment's text: what is scanned, bounded, parsed, validated and held against the contract, and what is done with one
//! that passes. Its errors are the author's, printable, and in bounded time and memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyworlds::Error;
use manyworlds::env::Environment;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Environment::from_source("fuzz", "fuzz.wgsl", text) {
        Ok(mut env) => {
            assert!(env.state_words() > 0 && env.spec().observation_dim > 0);
            for known in env.overrides().to_vec() {
                for value in [known.value, 0.0, -1.0, 0.5, 4e9, f64::NAN] {
                    if let Err(error) = env.set(&known.name, value) {
                        assert!(matches!(error, Error::Environment { .. } | Error::EnvironmentFile(_)), "{error:?}");
                    }
                }
                env.set(&known.name, known.value).expect("its own value");
            }
            let program = manyworlds::shader::Program::new("fuzz");
            assert!(env.link_into(program).is_ok());
        }
        Err(error) => {
            let text = error.to_string();
            assert!(matches!(error, Error::Environment { .. } | Error::EnvironmentFile(_)), "{error:?}");
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
            assert!(text.len() < 1 << 16, "{} bytes", text.len());
        }
    }
});
