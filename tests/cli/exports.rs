//! `manyworlds export --format`: which policy leaves, under which name, and what is refused.

// a test may panic
#![allow(clippy::unwrap_used)]

use super::calls::{alone, refused, text};
use crate::support::ok;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::{Policy, Returns};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program in a folder.
fn within(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_manyworlds")).current_dir(folder).args(arguments).output().unwrap()
}

/// What it says; it must have worked.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = within(folder, arguments);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
    err
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A policy without training.
fn policy(env: &Environment, seed: u32) -> Policy {
    let config = ok(Config::resolve(env.name(), "ppo", None, &["hidden=[4]".to_owned(), format!("seed={seed}")]));
    ok(Policy::untrained(env, config))
}

fn cartpole() -> Environment {
    ok(Environment::load("CartPole-v1"))
}

/// A run directory with a checkpoint, and perhaps one that was evaluated.
fn run(folder: &Path, name: &str, env: &Environment, evaluated: bool) -> PathBuf {
    let run = folder.join(name);
    fs::create_dir(&run).unwrap();
    ok(policy(env, 1).save(&run.join("checkpoint.safetensors")));
    if evaluated {
        let returns = Returns::of(&[[123.5, 123.5, 1.0, 0.0]; 17]);
        fs::create_dir(run.join("best")).unwrap();
        let mut best = policy(env, 2);
        best.evaluation = Some(returns);
        ok(best.save(&run.join("best/checkpoint.safetensors")));
    }
    run
}

/// Names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_trained_run_leaves_in_every_format_by_its_environments_name() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = manyworlds::shader::built_in_text("env/cartpole.wgsl").unwrap();
    fs::write(here.join("Pole 2.wgsl"), text).unwrap();
    let settings =
        ["hidden=[8]", "num_envs=8", "num_steps=16", "total_timesteps=512", "eval_every=2", "eval_episodes=9"];
    let mut arguments = vec!["train", "Pole 2.wgsl", "--out", "run"];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    said(here, &arguments);
    let before = names(here);
    for (format, name) in [
        ("safetensors", "Pole_2.safetensors"),
        ("onnx", "Pole_2.onnx"),
        ("c", "Pole_2.h"),
        ("wgsl", "Pole_2_policy.wgsl"),
    ] {
        let told = said(here, &["export", "run", "--format", format]);
        assert!(
            told.contains(&format!("{name}: policy of Pole 2.wgsl after ")) && told.contains("return was"),
            "{told}"
        );
        assert!(here.join(name).exists(), "{name}");
    }
    assert_eq!(names(here).len(), before.len() + 4, "{:?}", names(here));
    let best = fs::read(here.join("run/best/checkpoint.safetensors")).unwrap();
    assert!(fs::read(here.join("Pole_2.safetensors")).unwrap() == best, "the best checkpoint, whole");
    let hash = ok(Policy::load(&here.join("run/best"))).hash();
    let has = |name: &str, words: &str| {
        let bytes = fs::read(here.join(name)).unwrap();
        assert!(bytes.windows(words.len()).any(|window| window == words.as_bytes()), "{words} is missing in {name}");
    };
    for name in ["Pole_2.onnx", "Pole_2.h", "Pole_2_policy.wgsl"] {
        for words in [&hash[..], "environment", "evaluation_mean", "action_space"] {
            has(name, words);
        }
    }
    has("Pole_2.onnx", r#"["x","ẋ","θ","θ̇"]"#);
    has("Pole_2.h", "static inline void pole_2_act(const float observation[4], int action[1])");
    has("Pole_2_policy.wgsl", "fn pole_2_act(observation: array<f32, 4>) -> u32 {");

    said(here, &["export", "run", "--format", "safetensors", "--which", "last", "-o", "last.safetensors"]);
    let last = fs::read(here.join("run/checkpoint.safetensors")).unwrap();
    assert!(fs::read(here.join("last.safetensors")).unwrap() == last, "the last checkpoint, whole");
    // a checkpoint, and the folder of one
    said(here, &["export", "run/checkpoint.safetensors", "--format", "safetensors", "-o", "file"]);
    let newest = names(&here.join("run/checkpoints")).pop().unwrap();
    let told = said(here, &["export", &format!("run/checkpoints/{newest}"), "--format", "safetensors", "-o", "one"]);
    assert!(!told.contains("note"), "{told}");
    assert!(["file", "one"].iter().all(|name| fs::read(here.join(name)).unwrap() == last));

    // what was trained with another text than the run's copy has now
    let copy = here.join("run/Pole_2.wgsl");
    fs::write(&copy, text.replace("9.8", "9.7")).unwrap();
    for run in ["run", "run/best", "run/checkpoint.safetensors"] {
        let run = here.join(run);
        let words =
            ["environment 'Pole 2.wgsl'", "another text than", "Pole_2.wgsl has", "train it again", "--as-trained"];
        refused(&["export", word(&run), "--format", "onnx", "-o", word(&here.join("no.onnx"))], 2, &words);
    }
    assert!(!here.join("no.onnx").exists());
    said(here, &["export", "run", "--format", "onnx", "--as-trained", "-o", "yes.onnx"]);
    assert!(fs::read(here.join("yes.onnx")).unwrap() == fs::read(here.join("Pole_2.onnx")).unwrap());
}

#[test]
fn the_last_policy_leaves_where_none_was_evaluated_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    run(here, "fresh", &cartpole(), false);
    run(here, "run", &cartpole(), true);
    let told = said(here, &["export", "fresh", "--format", "c"]);
    assert!(told.contains("fresh: the run was never evaluated; this is its last policy, after 0 updates"), "{told}");
    assert!(told.contains("CartPole-v1.h: policy of CartPole-v1 before its first update, "), "{told}");
    let told = said(here, &["export", "fresh", "--format", "c", "--which", "last"]);
    assert!(!told.contains("note"), "{told}");
    let told = said(here, &["export", "run", "--format", "onnx"]);
    assert!(!told.contains("note") && told.contains("whose return was 123.5"), "{told}");
    assert_eq!(names(here), ["CartPole-v1.h", "CartPole-v1.onnx", "fresh", "run"]);
}

#[test]
fn the_best_member_of_a_search_leaves_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let config = ok(Config::resolve("CartPole-v1", "cem", None, &["hidden=[4]".to_owned()]));
    let mut search = ok(Policy::untrained(&cartpole(), config));
    let half = search.parameters().len() / 2;
    let parameters: Vec<f32> = (0..2 * half).map(|n| if n < half { 1.0 } else { 2.0 }).collect();
    ok(search.set_parameters(&parameters));
    ok(search.save(&here.join("search")));
    said(here, &["export", "search", "--format", "safetensors", "--which", "member", "-o", "member"]);
    said(here, &["export", "search", "--format", "safetensors", "-o", "mean"]);
    let first = |name: &str| ok(Policy::load(&here.join(name))).parameters()[..half].to_vec();
    assert_eq!((first("member"), first("mean")), (vec![2.0; half], vec![1.0; half]));
    let run = run(here, "run", &cartpole(), true);
    let words = ["'which'", "ppo has no members", "leave it out"];
    refused(&["export", word(&run), "--format", "c", "--which", "member", "-o", word(&here.join("no.h"))], 2, &words);
}

#[test]
fn what_has_no_policy_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let out = here.join("out.onnx");
    let refuse = |run: &Path, more: &[&str], words: &[&str]| {
        let arguments = [&["export", word(run), "--format", "onnx", "-o", word(&out)], more].concat();
        refused(&arguments, 2, &[&[word(run)], words].concat());
        assert!(!out.exists());
    };
    refuse(&here.join("none"), &[], &["there is no such run directory or checkpoint"]);
    fs::create_dir(here.join("empty")).unwrap();
    refuse(&here.join("empty"), &[], &["it is no run directory"]);
    fs::create_dir(here.join("begun")).unwrap();
    fs::write(here.join("begun/config.toml"), "").unwrap();
    refuse(&here.join("begun"), &[], &["its run has no checkpoint yet", "checkpoint_every"]);
    fs::create_dir(here.join("several")).unwrap();
    run(&here.join("several"), "seed-3", &cartpole(), false);
    run(&here.join("several"), "seed-12", &cartpole(), false);
    refuse(&here.join("several"), &[], &["its 2 seeds have a policy each", "several/seed-12"]);
    fs::write(here.join("text"), "no checkpoint").unwrap();
    refuse(&here.join("text"), &[], &["it is damaged or no checkpoint of manyworlds"]);
    let whole = run(here, "run", &cartpole(), true);
    refuse(
        &whole.join("checkpoint.safetensors"),
        &["--which", "best"],
        &["'which'", "is one checkpoint", "leave it out"],
    );
    fs::write(whole.join("best/checkpoint.safetensors"), "").unwrap();
    refuse(&whole, &[], &["best", "it is empty"]);
    let usage =
        |arguments: &[&str], words: &[&str]| refused(&[&["export", word(&whole)], arguments].concat(), 2, words);
    usage(&["--metrics", "csv", "--which", "best"], &["--which", "--metrics"]);
    usage(&["--format", "pdf"], &["pdf", "safetensors, onnx, c, wgsl"]);
}

#[test]
fn weights_that_are_not_finite_are_refused_by_the_name_of_their_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let run = run(here, "run", &cartpole(), false);
    let path = run.join("checkpoint.safetensors");
    let whole = fs::read(&path).unwrap();
    let start = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    // hidden=[4] of four numbers: 16 weights, 4 biases, then the head's [2][4]
    for (place, value, words) in [
        (6, f32::NAN, "'actor.0.weight': number [1][2] is NaN"),
        (17, f32::INFINITY, "'actor.0.bias': number [1] is inf"),
        (20 + 7, f32::NEG_INFINITY, "'actor.1.weight': number [1][3] is -inf"),
    ] {
        let mut bytes = whole.clone();
        bytes[start + 4 * place..][..4].copy_from_slice(&value.to_le_bytes());
        bytes[35..99].fill(b'0');
        let digest = blake3::hash(&bytes).to_hex();
        bytes[35..99].copy_from_slice(digest.as_bytes());
        fs::write(&path, &bytes).unwrap();
        for format in ["safetensors", "onnx", "c", "wgsl"] {
            let out = here.join("out");
            refused(&["export", word(&run), "--format", format, "-o", word(&out)], 2, &[word(&path), words]);
            assert!(!out.exists());
        }
    }
}

#[test]
fn files_that_cannot_be_written_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let run = run(here, "run", &cartpole(), true);
    let refuse = |out: &Path, words: &[&str]| {
        let before = names(here);
        refused(&["export", word(&run), "--format", "onnx", "-o", word(out)], 2, &[&[word(out)], words].concat());
        assert_eq!(names(here), before);
    };
    refuse(&here.join("no/such.onnx"), &["there is no folder", "make it first"]);
    refuse(here, &["it is a directory; name a file in it"]);
    let kept = here.join("kept.onnx");
    fs::write(&kept, "mine").unwrap();
    let mut permissions = fs::metadata(&kept).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&kept, permissions).unwrap();
    refuse(&kept, &["it is there and read-only", "choose another file"]);
    assert_eq!(fs::read(&kept).unwrap(), b"mine");
    let best = run.join("best/checkpoint.safetensors");
    let bytes = fs::read(&best).unwrap();
    refuse(&best, &["the policy is made of it", "--out"]);
    assert!(fs::read(&best).unwrap() == bytes);
    // a file that is there otherwise is replaced
    fs::write(here.join("old.onnx"), "old").unwrap();
    said(here, &["export", "run", "--format", "onnx", "-o", "old.onnx"]);
    assert!(fs::read(here.join("old.onnx")).unwrap().len() > 200);
}

#[test]
fn an_imitation_of_a_built_in_environment_is_refused_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = cartpole().text().replace("9.8", "9.7");
    let run = run(here, "run", &ok(Environment::from_source("CartPole-v1", "x", &text)), true);
    for format in ["safetensors", "onnx", "c", "wgsl"] {
        let out = here.join("out");
        let words = ["'CartPole-v1'", "another text than the built-in environment of that name has", "--as-trained"];
        refused(&["export", word(&run), "--format", format, "-o", word(&out)], 2, &words);
        assert!(!out.exists());
        let told = said(here, &["export", "run", "--format", format, "--as-trained", "-o", "out"]);
        assert!(told.contains("note: the checkpoint brings an environment of its own"), "{told}");
        fs::remove_file(out).unwrap();
    }
}
