//! What Chrome makes of our shaders and of the page: Tint refuses no kernel, and a page computes what this program does. Run by
//! `make test-web`, which installs Node, Dawn and Chromium and has SwiftShader play the GPU for all of them.

// equal bits are meant where numbers are compared; figures are printed for those who run it; and a test may panic
#![allow(clippy::float_cmp, clippy::print_stdout, clippy::unwrap_used)]

#[path = "../programs/mod.rs"]
mod programs;
#[path = "../support/mod.rs"]
mod support;

use manyworlds::Policy;
use manyworlds::algo;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::page::Page;
use manyworlds::plan::Target;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use support::replayed::replayed;
use support::{gpu, ok};

const WHY: &str = "make test-web";

/// Where Node's packages are, and the browser.
fn installed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; `{WHY}` runs these tests"))
}

/// Runs a script of this directory, which writes lines of JSON into a file: those lines.
fn node(script: &str, arguments: &[&str]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web").join(script);
    let output = tempfile::NamedTempFile::new().unwrap();
    let status = Command::new("node").arg(&script).arg(output.path()).args(arguments).status().unwrap();
    assert!(status.success(), "{} ended with {status}", script.display());
    let text = std::fs::read_to_string(output.path()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every kernel of every form, those for processors among them.
#[test]
#[ignore = "make test-web"]
fn tint_refuses_no_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kernels.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let kernels = programs::every_kernel();
    for (name, kernel) in kernels {
        let overrides: serde_json::Map<String, Value> =
            kernel.overrides().iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
        let subgroups = kernel.source().contains("subgroup");
        let line = serde_json::json!({
            "name": name, "wgsl": kernel.source(), "overrides": overrides, "subgroups": subgroups,
        });
        writeln!(file, "{line}").unwrap();
    }
    file.flush().unwrap();
    drop(file);
    let said = node("tint.mjs", &[&installed("MANYWORLDS_WEBGPU"), path.to_str().unwrap()]);
    assert_eq!(said.len(), kernels.len());
    let refused: Vec<&Value> = said.iter().filter(|one| !one["refused"].is_null()).collect();
    println!("Tint was given {} kernels and refused {}", said.len(), refused.len());
    assert!(refused.is_empty(), "{} of {} kernels: {refused:#?}", refused.len(), said.len());
}

/// A run that is small enough for SwiftShader's compiler.
struct Case {
    env: &'static str,
    algo: &'static str,
    settings: &'static [&'static str],
}

const ROLLOUTS: &[&str] =
    &["num_envs=24", "num_steps=16", "hidden=[8,8]", "num_minibatches=4", "total_timesteps=100000", "eval_episodes=4"];
const REPLAY: &[&str] = &[
    "num_envs=8",
    "num_steps=8",
    "hidden=[8,8]",
    "batch_size=32",
    "learning_starts=64",
    "buffer_size=2000",
    "total_timesteps=20000",
    "eval_episodes=4",
    "target_entropy_scale=0.5",
];
const CASES: [Case; 4] = [
    Case { env: "CartPole-v1", algo: "ppo", settings: ROLLOUTS },
    Case { env: "Pendulum-v1", algo: "ppo", settings: ROLLOUTS },
    Case { env: "CartPole-v1", algo: "sac", settings: REPLAY },
    Case { env: "Pendulum-v1", algo: "sac", settings: REPLAY },
];
/// Algorithms whose plans have other kernels; without a browser, and for two updates. Not trpo: conjugate gradients stand on sums that
/// cancel (p (t − Σ p t) of tangents that hardly differ), so that what two compilers round apart is 7·10⁻⁴ after one update.
const MORE: [Case; 3] = [
    Case {
        env: "CartPole-v1",
        algo: "reinforce",
        settings: &["num_envs=24", "num_steps=16", "hidden=[4]", "value_epochs=1", "eval_episodes=4", "norm_obs=true"],
    },
    Case {
        env: "Pendulum-v1",
        algo: "td3",
        settings: &[
            "num_envs=8",
            "num_steps=8",
            "hidden=[4]",
            "batch_size=32",
            "learning_starts=64",
            "buffer_size=2000",
            "eval_episodes=4",
        ],
    },
    Case {
        env: "CartPole-v1",
        algo: "es",
        settings: &["population=32", "generations=100", "hidden=[4]", "eval_episodes=4"],
    },
];
const UPDATES: usize = 5;
const UPDATES_OF_MORE: usize = 2;
const STEPS: usize = 100;
/// Seed of the worlds that are played.
const SEED: u32 = 7;

impl Case {
    /// A policy before its first update, whose parameters were moved so far that its actions differ.
    fn policy(&self) -> Policy {
        let pairs: Vec<String> = self.settings.iter().map(|&pair| pair.to_owned()).collect();
        let config = ok(Config::resolve(self.env, self.algo, None, &pairs));
        let env = ok(Environment::load(self.env));
        let mut policy = ok(Policy::untrained(&env, config));
        let moved = |(i, value): (usize, &f32)| value + 0.3 * (i as f32 * 12.9898).sin();
        let parameters: Vec<f32> = policy.parameters().iter().enumerate().map(moved).collect();
        ok(policy.set_parameters(&parameters));
        policy
    }

    /// Parameters, with padding, that this program comes to by the page's plan; made once, since drivers compile for long.
    fn learned(&self, count: usize) -> Vec<f64> {
        static KNOWN: Mutex<BTreeMap<String, Vec<f64>>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap();
        let learn = || {
            let policy = self.policy();
            let target = Target { largest_binding: 128 << 20, ..Target::GPU };
            let plan = ok(algo::describe(target, &policy.config, &policy.env, &[policy.config.seed]));
            let plan: Value = serde_json::to_value(&plan).unwrap();
            // a search has nothing to begin with
            let begin = if policy.config.algo.is_search() { &[][..] } else { &["begin"] };
            let native = replayed(gpu(), &plan, &[begin, &vec!["update"; count]].concat());
            let words: &[f32] = bytemuck::cast_slice(&native.roles["parameters"]);
            words.iter().copied().map(f64::from).collect()
        };
        known.entry(self.name()).or_insert_with(learn).clone()
    }

    fn name(&self) -> String {
        format!("{}-{}", self.env, self.algo)
    }
}

/// The pages of all cases, and the checkpoints of what they play.
fn pages(folder: &Path, cases: &[Case]) -> Vec<PathBuf> {
    let page = Page { worlds: 64, size: 512, seed: SEED, sampled: false, train: true, bench: false };
    let write = |case: &Case| {
        let policy = case.policy();
        let path = folder.join(format!("{}.html", case.name()));
        std::fs::write(&path, ok(page.html(&policy))).unwrap();
        ok(policy.save(&folder.join(format!("{}.safetensors", case.name()))));
        path
    };
    cases.iter().map(write).collect()
}

/// Largest difference of lists of numbers, of the largest number of each.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(1e-30_f64, |most, value| most.max(value.abs()));
    found.iter().zip(expected).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs())) / size
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Holds what a page has computed to what this program does on the same driver.
fn check(case: &Case, folder: &Path, told: &Value, updates: usize) {
    let name = case.name();
    // what it played, to `trace`
    let checkpoint = folder.join(format!("{name}.safetensors"));
    let trace = Command::new(env!("CARGO_BIN_EXE_manyworlds"))
        .args(["trace", checkpoint.to_str().unwrap(), "--json", "--steps", &STEPS.to_string()])
        .args(["--seed", &SEED.to_string()])
        .output()
        .unwrap();
    assert!(trace.status.success(), "{}", String::from_utf8_lossy(&trace.stderr));
    let expected: Vec<Value> =
        String::from_utf8(trace.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // in `trace` a step follows the end of an episode at once; here it begins with one that does nothing
    let mut steps = Vec::new();
    let mut ended = false;
    for step in told["trace"].as_array().unwrap() {
        if !ended {
            steps.push(step);
        }
        ended = step["terminated"] == true || step["truncated"] == true;
    }
    assert!(steps.len() >= STEPS - 15, "{name}: {} steps", steps.len());
    let (mut farthest, mut equal) = (0.0_f64, 0);
    for (t, (step, expected)) in steps.iter().zip(&expected).enumerate() {
        let mut same = true;
        for key in ["seen", "observation", "action"] {
            let list = |value: &Value| {
                if value[key].is_array() { numbers(&value[key]) } else { vec![value[key].as_f64().unwrap()] }
            };
            let (found, expected) = (list(step), list(expected));
            let off = difference(&found, &expected);
            // actions of `trace` are computed in f64
            assert!(off < 1e-4, "{name}: step {t}: {key} is {found:?}, of trace {expected:?}");
            farthest = farthest.max(off);
            same &= found == expected;
        }
        let reward = |value: &Value| value["reward"].as_f64().unwrap();
        assert!((reward(step) - reward(expected)).abs() < 1e-4 * reward(expected).abs().max(1.0), "{name}: step {t}");
        assert_eq!(step["terminated"], expected["terminated"], "{name}: step {t}");
        equal += usize::from(same);
    }
    println!("{name}: {} steps of trace, {equal} bit-equal, at most {farthest:.1e} apart", steps.len());

    // what it learned, to the same plan by naga and wgpu
    let (policy, expected) = (case.policy(), case.learned(updates));
    let first = ok(Policy::untrained(&policy.env, policy.config.clone()));
    // JSON has f64, read back to the last bit but one
    let learned: Vec<f64> = numbers(&told["parameters"]).into_iter().map(|value| f64::from(value as f32)).collect();
    let off = difference(&learned, &expected);
    let equal = learned.iter().zip(&expected).filter(|(a, b)| a == b).count();
    println!("{name}: {updates} updates, {equal} of {} parameters bit-equal, at most {off:.1e} apart", learned.len());
    assert!(off < 1e-4, "{name}: parameters are {off:.1e} apart");

    // its file, to what this program reads
    let bytes: Vec<u8> = numbers(&told["file"]).into_iter().map(|byte| byte as u8).collect();
    let path = folder.join(format!("{name}-learned.safetensors"));
    std::fs::write(&path, bytes).unwrap();
    let read = ok(Policy::load(&path));
    assert_eq!(read.updates as usize, updates);
    assert_eq!(read.config, policy.config);
    assert_ne!(read.parameters(), first.parameters(), "{name} has learned nothing");
    let saved = folder.join("again.safetensors");
    ok(read.save(&saved));
    assert_eq!(std::fs::read(&saved).unwrap(), std::fs::read(&path).unwrap(), "{name}: the file is ours to the byte");
    if policy.config.algo.is_search() {
        return; // how many steps it makes is known when its episodes have ended
    }
    let steps: Vec<f64> =
        told["points"].as_array().unwrap().iter().map(|point| point["steps"].as_f64().unwrap()).collect();
    let expected: Vec<f64> = (1..=updates as u32).map(|update| policy.config.env_steps(update) as f64).collect();
    assert_eq!(steps, expected, "{name}");
}

/// Runs pages by Dawn, and holds what they compute to what this program does.
fn replay(cases: &[Case], updates: usize) {
    let folder = tempfile::tempdir().unwrap();
    let pages = pages(folder.path(), cases);
    let (webgpu, steps, count) = (installed("MANYWORLDS_WEBGPU"), STEPS.to_string(), updates.to_string());
    let mut arguments = vec![webgpu.as_str(), &steps, &count];
    arguments.extend(pages.iter().map(|page| page.to_str().unwrap()));
    let told = node("replay.mjs", &arguments);
    assert_eq!(told.len(), cases.len());
    for (case, told) in cases.iter().zip(&told) {
        check(case, folder.path(), told, updates);
        // what the page says beside a world, to the host's policy
        let policy = case.policy();
        let actor = ok(policy.actor());
        for (step, made) in told["trace"].as_array().unwrap().iter().zip(told["made"].as_array().unwrap()) {
            let (expected, made) = (ok(actor.act(&numbers(&step["seen"]))), numbers(made));
            if policy.env.spec().action_space.is_box() {
                assert!(difference(&made, &expected) < 1e-6, "{}: {made:?}, {expected:?}", case.name());
            } else {
                let best = (0..made.len()).max_by(|&a, &b| made[a].total_cmp(&made[b])).unwrap();
                assert_eq!(best as f64, expected[0], "{}", case.name());
            }
        }
    }
}

#[test]
#[ignore = "make test-web"]
fn what_a_page_replays_is_what_this_program_does() {
    replay(&CASES, UPDATES);
    replay(&MORE, UPDATES_OF_MORE);
}

#[test]
#[ignore = "make test-web"]
fn a_page_in_a_browser_plays_and_learns_what_this_program_does() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/web/pictures");
    std::fs::create_dir_all(&pictures).unwrap();
    let (chromium, steps, updates) = (installed("MANYWORLDS_CHROMIUM"), STEPS.to_string(), UPDATES.to_string());
    let mut arguments = vec![chromium, steps, updates];
    for (case, page) in CASES.iter().zip(pages(folder.path(), &CASES)) {
        arguments.push(page.to_str().unwrap().to_owned());
        arguments.push(pictures.join(format!("{}.png", case.name())).to_str().unwrap().to_owned());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = node("browser.mjs", &arguments);
    assert_eq!(told.len(), CASES.len());
    for (case, told) in CASES.iter().zip(&told) {
        let bytes = std::fs::metadata(folder.path().join(format!("{}.html", case.name()))).unwrap().len();
        println!(
            "{}: {} KB, {:.1} s to the first frame",
            case.name(),
            bytes / 1000,
            told["firstFrame"].as_f64().unwrap()
        );
        assert_eq!(told["message"], "", "{}: the page says something", case.name());
        assert_eq!(told["begun"], 0, "{}: nothing is learned behind a pause", case.name());
        assert_eq!(told["played"], told["parameters"], "{}: the worlds are played by what was learned", case.name());
        if case.env == "CartPole-v1" {
            assert_eq!(told["hand"]["action"], serde_json::json!([1]), "{}: a key was pressed", case.name());
        }
        check(case, folder.path(), told, UPDATES);
    }
}

#[test]
#[ignore = "make test-web"]
fn modules_of_the_page_do_what_they_say() {
    assert!(node("units.mjs", &[]).is_empty());
}

#[test]
#[ignore = "make test-web"]
fn a_browser_without_webgpu_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let page = pages(folder.path(), &CASES[..1]).swap_remove(0);
    let picture = folder.path().join("none.png");
    let (chromium, page) = (installed("MANYWORLDS_CHROMIUM"), page.to_str().unwrap());
    let told = node("browser.mjs", &[&chromium, "0", "none", page, picture.to_str().unwrap()]);
    let message = told[0]["message"].as_str().unwrap();
    assert!(message.starts_with("This page cannot begin: this browser has"), "{message}");
    assert!(message.contains("WebGPU"), "{message}");
}
