//! `docs/checkpoint.md` and `docs/policy.py`: the file is as the page says, and NumPy makes the actions that this crate makes.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support::ok;
use crate::support::python::python;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::{Layer, Policy};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Places of digest and length in every file, as the page says.
const DIGEST: std::ops::Range<usize> = 35..99;
const LENGTH: std::ops::Range<usize> = 110..130;

/// A checkpoint of a policy whose parameters are all different from 0, written as the page describes it.
fn checkpoint(env: &Environment, algo: &str, pairs: &[&str], path: &Path) -> Policy {
    let pairs: Vec<String> = ["hidden=[7, 5]"].iter().chain(pairs).map(ToString::to_string).collect();
    ok(ok(Policy::untrained(env, ok(Config::resolve(env.name(), algo, None, &pairs)))).save(path));
    let mut bytes = std::fs::read(path).unwrap();
    let start = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let mut state = 1u32;
    for word in bytes[start..].as_chunks_mut::<4>().0 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // from 0.1 to 1.1 in size, so that scales are above 0 where they must be
        let sign = if state & 256 == 0 { 1.0 } else { -1.0 };
        *word = (sign * (0.1 + (state >> 8) as f32 / (1 << 24) as f32)).to_le_bytes();
    }
    bytes[DIGEST].fill(b'0');
    let digest = blake3::hash(&bytes).to_hex();
    bytes[DIGEST].copy_from_slice(digest.as_bytes());
    assert_eq!(std::str::from_utf8(&bytes[LENGTH]).unwrap().parse(), Ok(bytes.len()), "the length is in the header");
    std::fs::write(path, &bytes).unwrap();
    ok(Policy::load(path))
}

/// What `docs/policy.py` does for each observation.
fn acted(python: &Path, path: &Path, observations: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.py");
    let mut child =
        Command::new(python).arg(script).arg(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines: String = observations.iter().map(|observation| format!("{}\n", json!(observation))).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", path.display());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn own_action(policy: &Policy, observation: &[f64]) -> Vec<f64> {
    policy.act(observation).unwrap()
}

/// CartPole with two choices at once.
fn several_choices() -> Environment {
    let text = manyworlds::shader::built_in_text("env/cartpole.wgsl").unwrap();
    let text = text
        .replace("const ACTION_COUNT: u32 = 2u;", "const ACTION_COUNTS = array<u32, 2>(3u, 2u);")
        .replace("action == 1u", "action[1] == 1u");
    ok(Environment::from_source("two.wgsl", "two.wgsl", &text))
}

#[test]
fn numpy_acts_as_the_policy_does() {
    let (python, folder) = (python("numpy, tomllib"), tempfile::tempdir().unwrap());
    let load = |name: &str| ok(Environment::load(name));
    let cases = [
        (load("CartPole-v1"), "ppo", vec!["norm_obs=true"], "argmax"),
        (load("CartPole-v1"), "a2c", vec!["activation=relu", "norm_reward=true"], "argmax"),
        (load("CartPole-v1"), "sac", vec!["target_entropy_scale=0.3"], "argmax"),
        (several_choices(), "ppo", vec![], "argmax"),
        (load("Pendulum-v1"), "ppo", vec!["squash=false", "norm_obs=true", "norm_reward=true"], "clip"),
        (load("Pendulum-v1"), "trpo", vec!["squash=true", "use_sde=true"], "tanh"),
        (load("Pendulum-v1"), "sac", vec![], "tanh"),
        (load("QuadrotorHover"), "sac", vec![], "tanh"),
        (load("Pendulum-v1"), "td3", vec![], "tanh"),
        (load("Pendulum-v1"), "ddpg", vec![], "tanh"),
    ];
    for (env, algo, pairs, bounds) in cases {
        let name = format!("{algo} on {} with {pairs:?}", env.name());
        let path = folder.path().join("checkpoint.safetensors");
        let policy = checkpoint(&env, algo, &pairs, &path);
        let bytes = std::fs::read(&path).unwrap();
        let header: Value =
            serde_json::from_slice(&bytes[8..8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize]).unwrap();
        let metadata = &header["__metadata__"];
        assert_eq!(metadata["action_bounds"], bounds, "{name}");
        let squash = format!("squash = {}", bounds == "tanh" || policy.config.algo.is_off_policy());
        let config = metadata["config"].as_str().unwrap();
        assert!(config.lines().any(|line| line == squash), "{name}: the configuration does not say {squash}");

        let features = env.spec().observation_dim as usize;
        let mut state = 9u32;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 22) - 2.0
        };
        let observations: Vec<Vec<f64>> = (0..60).map(|_| (0..features).map(|_| number()).collect()).collect();
        let found = acted(&python, &path, &observations);
        let expected: Vec<Vec<f64>> = observations.iter().map(|observation| own_action(&policy, observation)).collect();
        let first = &expected[0];
        assert!(expected.iter().any(|action| action != first), "{name}: the policy does the same everywhere");
        for (n, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.len(), expected.len(), "{name}");
            for (a, b) in found.iter().zip(expected) {
                // f64 on both sides, sums in another order; bounds of up to 20
                assert!((a - b).abs() <= 1e-10, "{name}, observation {n}: NumPy {found:?}, here {expected:?}");
            }
        }
        assert_eq!(found.len(), observations.len(), "{name}");
    }
}

/// Layers of every kind: what each computes stands on the page, in the order in which they come.
#[test]
fn the_page_says_what_every_layer_computes() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checkpoint.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("The policy\n")).unwrap();
    let (folder, mut seen) = (tempfile::tempdir().unwrap(), Vec::new());
    let path = folder.path().join("checkpoint.safetensors");
    for (env, algo, pairs) in [
        ("CartPole-v1", "ppo", &["norm_obs=true"][..]),
        ("Pendulum-v1", "ppo", &["squash=false", "norm_obs=true", "activation=relu"]),
        ("Pendulum-v1", "sac", &[]),
    ] {
        let policy = checkpoint(&ok(Environment::load(env)), algo, pairs, &path);
        let layers = ok(policy.layers());
        let place =
            |rule: &str| section.find(&format!("`{rule}`")).unwrap_or_else(|| panic!("`{rule}` is not on the page"));
        let places: Vec<usize> = layers.iter().map(|layer| place(layer.rule())).collect();
        let head = layers.last().unwrap().head_name().unwrap();
        assert!(section.contains(&format!("`{head}`")), "{head}");
        assert!(layers[..layers.len() - 1].iter().all(|layer| layer.head_name().is_none()), "{layers:?}");
        let mut once = places.clone();
        once.sort_unstable();
        once.dedup();
        let first = once.iter().map(|place| places.iter().position(|other| other == place).unwrap());
        assert!(first.is_sorted(), "the page has the layers of {algo} on {env} in another order: {places:?}");
        seen.extend(layers.iter().map(Layer::rule));
        // the file of sac has rows for log σ too, the list those of the means alone
        let outputs = layers.iter().rev().find_map(|layer| match layer {
            Layer::Dense(dense) => Some(dense.outputs),
            _ => None,
        });
        let space = &policy.env.spec().action_space;
        let wanted = if space.is_box() { space.words() } else { space.choices() };
        assert_eq!(outputs, Some(wanted as usize), "{algo} on {env}");
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 7, "{seen:?}");
}

#[test]
fn the_page_names_every_key_and_every_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checkpoint.md")).unwrap();
    let mut seen = Vec::new();
    for (env, algo) in [("Pendulum-v1", "ppo"), ("Pendulum-v1", "sac"), ("Pendulum-v1", "td3")] {
        checkpoint(&ok(Environment::load(env)), algo, if algo == "ppo" { &["norm_obs=true"] } else { &[] }, &path);
        let bytes = std::fs::read(&path).unwrap();
        let start = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..start]).unwrap();
        for key in header["__metadata__"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{key}`")), "docs/checkpoint.md does not name the key '{key}'");
        }
        for name in header.as_object().unwrap().keys().filter(|name| *name != "__metadata__") {
            let network = name.split('.').next().unwrap();
            let named =
                if network == "normaliser" || name.ends_with("log_std") { name.clone() } else { format!("{network}.") };
            assert!(page.contains(&format!("`{named}")), "docs/checkpoint.md does not name '{name}'");
            seen.push(named);
        }
    }
    for wanted in ["actor.", "actor.log_std", "critic.", "critic1.", "critic2.", "normaliser.observation"] {
        assert!(seen.iter().any(|name| name == wanted), "{wanted} was not looked at");
    }
}
