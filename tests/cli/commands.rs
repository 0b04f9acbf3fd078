//! The command line as a user meets it: output, exit codes, files, and runs that solve CartPole.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::calls::{alone, json, manyworlds, refused, run_small, small, text};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn bad_input_is_refused_with_cause_remedy_and_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let out = path("out");
    let train = |more: &[&'static str]| [&["train", "CartPole-v1", "--out", out.as_str()], more].concat();
    refused(&["train", "CartPole-v2", "--out", &out], 2, &["CartPole-v2", "did you mean 'CartPole-v1'"]);
    refused(&["train", "missing.wgsl", "--out", &out], 2, &["missing.wgsl"]);
    refused(&train(&["--set", "learning_rat=1"]), 2, &["learning_rat", "did you mean 'learning_rate'"]);
    refused(&train(&["--set", "learning_rate=nan"]), 2, &["learning_rate", "NaN", "finite"]);
    refused(&train(&["--set", "learning_rate=fast"]), 2, &["learning_rate", "fast", "a number"]);
    refused(&train(&["--set", "learning_rate"]), 2, &["learning_rate", "key=value"]);
    refused(&train(&["--set", "num_envs=0"]), 2, &["num_envs", "at least 1"]);
    refused(&train(&["--set", "num_envs=2147483648"]), 2, &["num_envs", "2147483648", "reduce"]);
    refused(
        &train(&["--set", "num_envs=2147483648", "--set", "num_steps=1"]),
        2,
        &["2147483648", "reduce", "num_envs"],
    );
    refused(&train(&["--set", "gamma=1.5"]), 2, &["gamma", "1.5", "from 0 to 1"]);
    refused(&train(&["--set", "hidden=[64,0]"]), 2, &["hidden"]);
    refused(&train(&["--set-env", "gravty=3"]), 2, &["gravty", "did you mean 'gravity'"]);
    refused(&train(&["--set-env", "gravity=heavy"]), 2, &["gravity=heavy", "number"]);
    refused(&train(&["--algo", "pppo"]), 2, &["pppo", "ppo"]);
    refused(&train(&["--adapter", "no such adapter"]), 2, &["no such adapter", "present: 0 "]);
    let config = |file: &str, words: &[&str]| {
        refused(&["train", "CartPole-v1", "--out", &out, "--config", &path(file)], 2, words);
    };
    config("none.toml", &["none.toml"]);
    std::fs::write(path("broken.toml"), "learning_rate = = 3").unwrap();
    config("broken.toml", &["broken.toml", "not TOML"]);
    std::fs::write(path("unknown.toml"), "num_env = 3").unwrap();
    config("unknown.toml", &["num_env", "did you mean 'num_envs'"]);
    assert!(!Path::new(&out).exists(), "a refused run has left {out}");

    std::fs::create_dir(path("full")).unwrap();
    std::fs::write(path("full/file"), "mine").unwrap();
    refused(&["train", "CartPole-v1", "--out", &path("full")], 2, &["full", "not empty"]);
    assert_eq!(std::fs::read_dir(path("full")).unwrap().count(), 1, "a refused run has written into a full directory");
    refused(&["train", "CartPole-v1", "--out", &path("full/file/run")], 2, &["full/file/run"]);

    refused(&["eval", &path("nothing")], 2, &["nothing"]);
    refused(&["eval", &path("full/file")], 2, &["checkpoint", "full/file"]);
    refused(&["eval", &path("full/file"), "--episodes", "0"], 2, &["episodes", "at least 1"]);
}

#[cfg(target_os = "linux")]
#[test]
fn no_adapter_is_exit_code_3_with_the_packages_to_install() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyworlds"));
    let command = command
        .args(["train", "CartPole-v1"])
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent");
    let output = command.env("WGPU_BACKEND", "vulkan").output().unwrap();
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("no GPU adapter was found") && err.contains("install"), "{err}");
}

#[test]
fn an_environment_file_with_a_mistake_is_reported_at_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.wgsl");
    let good = manyworlds::shader::built_in_text("env/cartpole.wgsl").unwrap();
    let cases = [
        (good.replace("const ACTION_COUNT: u32 = 2u", "const ACTION_COUNT = 2"), "ACTION_COUNT: say its type"),
        (good.replace("const ACTION_COUNT: u32 = 2u;", ""), "lacks `const ACTION_COUNT: u32"),
        (good.replace("fn env_observe", "fn observe"), "lacks `fn env_observe"),
        (good.replace("old.theta_dot", "old.theta_dott"), "mine.wgsl:3"),
        (good.replace("500u", "1000001u"), "at most 1000000"),
        (good.replace("action: Action, rng", "action: Action, extra: f32, rng"), "env_step: expected `fn env_step("),
        (good.replace("action == 1u", "action == 1.5"), "mine.wgsl:"),
        (
            good.replace("-> Observation {", "-> State {").replace("return Observation(", "return State("),
            "env_observe: expected",
        ),
        (good.replace("struct State {", "var<private> x: f32; struct State {"), "keeps nothing but its State"),
        (good.replace("let sine", "let mw_sine"), "names that begin with mw_"),
        (good.to_owned() + "@compute @workgroup_size(1) fn main() {}", "no attributes: bindings, entry points"),
        (String::new(), "lacks `const ACTION_COUNT"),
    ];
    for (text_, words) in cases {
        std::fs::write(&file, &text_).unwrap();
        let out = folder.path().join("out");
        let output = manyworlds(&[
            "train",
            file.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--set",
            "total_timesteps=1",
        ]);
        let err = text(&output.stderr);
        assert!(err.contains(words), "'{words}' is missing in:\n{err}");
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(!out.exists(), "a refused run has left files");
    }
}

#[test]
fn the_same_seed_gives_the_same_hash_and_a_run_leaves_its_files() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, more: &[&str]| run_small(&folder.path().join(name), more);
    for (worlds, steps) in [("64", "6400"), ("1000", "100000"), ("4096", "131072")] {
        let worlds = format!("num_envs={worlds}");
        let steps = format!("total_timesteps={steps}");
        let more = ["--seed", "5", "--set", &worlds, "--set", "num_steps=16", "--set", &steps];
        let first = run(&format!("{worlds} a"), &more);
        let second = run(&format!("{worlds} b"), &more);
        assert_eq!(first["params_hash"], second["params_hash"], "{worlds}: the same seed twice");
        let other = run(&format!("{worlds} c"), &[&more[..], &["--seed", "6"]].concat()[2..]);
        assert_ne!(first["params_hash"], other["params_hash"], "{worlds}: another seed");
        for field in [
            "env",
            "algo",
            "seed",
            "num_envs",
            "env_steps",
            "updates",
            "setup_s",
            "wall_s",
            "steps_per_s",
            "solved",
            "solved_at_steps",
            "solved_at_s",
            "eval",
            "params_hash",
            "adapter",
            "backend",
            "driver",
            "run_dir",
        ] {
            assert!(first.get(field).is_some(), "'{field}' is missing in {first}");
        }

        let folder = PathBuf::from(first["run_dir"].as_str().unwrap());
        assert_eq!(super::record::files(&folder), super::record::FILES);
        let lines = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
        assert_eq!(lines.lines().count() as u64, first["updates"].as_u64().unwrap(), "one line for each update");
        for (i, line) in lines.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["update"], i, "{line}");
            assert!(line["approx_kl"].as_f64().unwrap().is_finite(), "{line}");
            for of_others in ["kl_coef", "q_value", "cg_residual", "effective_samples"] {
                assert!(line.get(of_others).is_none(), "{of_others}: {line}");
            }
        }
        // the resolved configuration makes the same run again
        let again = folder.join("config.toml");
        let again = run(&format!("{worlds} d"), &["--config", again.to_str().unwrap()]);
        assert_eq!(first["params_hash"], again["params_hash"], "{worlds}: from the written configuration");
        // a checkpoint can be evaluated from it alone
        let checkpoint = folder.join("checkpoint.safetensors");
        let eval = json(&["eval", checkpoint.to_str().unwrap(), "--episodes", "65", "--json"], 0);
        for field in ["episodes", "mean", "std", "min", "max", "mean_length", "env", "algo"] {
            assert!(eval.get(field).is_some(), "'{field}' is missing in {eval}");
        }
        assert_eq!(eval["episodes"], 65);
        let stochastic = json(&["eval", checkpoint.to_str().unwrap(), "--episodes", "65", "--json", "--stochastic"], 0);
        assert_ne!(eval["mean"], stochastic["mean"], "sampled actions give other episodes");
    }
}

#[test]
fn a_search_leaves_what_it_has_come_to_and_its_best_member() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let settings = ["population=24", "generations=4", "eval_every=2", "hidden=[]"];
    let pairs: Vec<&str> = settings.iter().flat_map(|pair| ["--set", pair]).collect();
    let first = run_small(&out, &[&["--algo", "es"], &pairs[..]].concat());
    assert_eq!(first["updates"], 4, "{first}");
    let lines = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut steps = 0;
    for line in &lines {
        // every step of CartPole is worth 1
        steps += (line["update_length"].as_f64().unwrap() * 24.0).round() as u64;
        assert_eq!(line["step"], steps, "{line}");
        assert_eq!((&line["episodes"], line.get("policy_loss")), (&Value::from(24), None), "{line}");
        assert!(line["fitness_best"].as_f64() <= line["fitness_record"].as_f64(), "{line}");
    }
    assert_eq!(first["env_steps"], steps, "{first}");
    let run = out.to_str().unwrap();
    let eval = |best: &[&str]| json(&[&["eval", run, "--episodes", "65", "--json"], best].concat(), 0)["mean"].clone();
    assert_ne!(first["eval"], first["eval_of_best"], "what it has come to is not its best member");
    assert_ne!(eval(&[]), eval(&["--best"]), "and is played apart");
    let further = json(&["train", "--resume", run, "--set", "generations=6", "--json"], 0);
    assert_eq!(further["updates"], 6, "{further}");
    assert!(further["env_steps"].as_u64().unwrap() > steps, "{further}");
    for (set, words) in [
        ("elite_fraction=0", ["elite_fraction", "0"]),
        ("elite_fraction=0.001", ["elite_fraction", "no deviation"]),
        ("population=1", ["population", "from 2"]),
        ("total_timesteps=1000", ["total_timesteps", "does not read it"]),
    ] {
        refused(&["train", "CartPole-v1", "--algo", "cem", "--set", set], 2, &words);
    }
    refused(&["train", "CartPole-v1", "--algo", "ars", "--set", "population=9"], 2, &["population", "even"]);
    refused(
        &["train", "CartPole-v1", "--algo", "pattern", "--set", "hidden=[64,64]"],
        2,
        &["hidden", "4610 parameters"],
    );
    refused(&["train", "CartPole-v1", "--algo", "ga", "--set", "unchanged=99"], 2, &["unchanged", "26 parents"]);
    let ppo = folder.path().join("ppo");
    run_small(&ppo, &["--set", "num_envs=4", "--set", "num_steps=4", "--set", "total_timesteps=16"]);
    refused(&["eval", ppo.to_str().unwrap(), "--best"], 2, &["best", "ppo has no members"]);
}

#[test]
fn a_run_from_replay_goes_on_in_its_directory() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let out = out.to_str().unwrap();
    let mut arguments = vec!["train", "Pendulum-v1", "--algo", "td3", "--out", out, "--save-replay", "--json"];
    for pair in [
        "num_envs=8",
        "num_steps=4",
        "batch_size=16",
        "hidden=[8]",
        "learning_starts=32",
        "buffer_size=256",
        "total_timesteps=160",
        "eval_episodes=5",
    ] {
        arguments.extend(["--set", pair]);
    }
    let first = json(&arguments, 0);
    assert_eq!([&first["env_steps"], &first["updates"]], [160, 4], "32 steps of a warm-up, then 32 an update: {first}");
    let lines = |count: u64| {
        let text = std::fs::read_to_string(Path::new(out).join("metrics.jsonl")).unwrap();
        assert_eq!(text.lines().count() as u64, count, "one line for each update");
        for (update, line) in text.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!([&line["update"], &line["gradient_steps"]], [update, 4 * (update + 1)], "{line}");
            for measured in ["policy_loss", "value_loss", "q_value", "learning_rate"] {
                assert!(line[measured].is_f64(), "{measured}: {line}");
            }
            for of_others in
                ["approx_kl", "clip_fraction", "explained_variance", "grad_norm", "epochs", "alpha", "entropy"]
            {
                assert!(line.get(of_others).is_none(), "{of_others}: {line}");
            }
        }
    };
    lines(4);
    let further = json(&["train", "--resume", out, "--set", "total_timesteps=288", "--json"], 0);
    assert_eq!([&further["env_steps"], &further["updates"]], [288, 8], "{further}");
    assert_ne!(first["params_hash"], further["params_hash"]);
    lines(8);
    // what is learned cannot change on the way
    refused(&["train", "--resume", out, "--set", "tau=0.5"], 2, &["tau"]);
    refused(&["gradient", "Pendulum-v1", "--checkpoint", out], 2, &["checkpoint", "td3", "reinforce"]);
}

#[test]
fn a_run_that_is_not_solved_in_time_exits_with_1_and_keeps_its_checkpoint() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let more = ["--until-solved", "--set", "num_envs=64", "--set", "num_steps=16", "--set", "total_timesteps=1024"];
    let arguments = small(&out, &more);
    let summary = json(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert_eq!(summary["solved"], false, "{summary}");
    assert_eq!(summary["solved_at_s"], Value::Null, "{summary}");
    assert!(out.join("checkpoint.safetensors").exists());
}

#[test]
fn one_episode_is_not_enough_to_solve_anything() {
    let arguments = ["train", "CartPole-v1", "--until-solved", "--set", "eval_episodes=1"];
    refused(&arguments, 2, &["eval_episodes", "one episode never counts as solved", "at least 2"]);
}

#[test]
fn episodes_that_an_evaluation_cuts_off_are_said_and_never_solve() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("endless.wgsl");
    let endless = "const OBSERVATION_DIM: u32 = 1u;\nconst ACTION_COUNT: u32 = 2u;\nconst MAX_EPISODE_STEPS: u32 = 0u;\n\
        const REWARD_THRESHOLD: f32 = 1.0;\nstruct State { x: f32 }\n\
        fn env_reset(rng: ptr<function, Rng>) -> State { return State(0.0); }\n\
        fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {\n\
            return Outcome(0.1, false);\n}\n\
        fn env_observe(s: State) -> Observation { return Observation(s.x); }\n";
    std::fs::write(&file, endless).unwrap();
    let out = folder.path().join("run");
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let few = ["num_envs=64", "num_steps=16", "total_timesteps=1024", "hidden=[8]", "eval_episodes=3"];
    let set: Vec<&str> = few.iter().flat_map(|&pair| ["--set", pair]).collect();
    let output = manyworlds(&[&["train", file, "--until-solved", "--json", "--out", out], &set[..]].concat());
    let (printed, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("3 of 3 cut off unfinished after 10000 steps"), "{err}");
    let summary: Value = serde_json::from_str(printed.trim()).unwrap();
    let eval = &summary["eval"];
    assert_eq!((&eval["unfinished"], &eval["cut_off_at"]), (&3.into(), &10_000.into()), "{summary}");
    // far above the threshold, if it had ended
    assert!((eval["mean"].as_f64().unwrap() - 1000.0).abs() < 1e-3, "{summary}");
    assert_eq!(summary["solved"], false, "{summary}");

    let output = manyworlds(&["eval", out, "--episodes", "1", "--json"]);
    assert!(text(&output.stderr).contains("1 of 1 cut off unfinished after 10000 steps"), "{output:?}");
    let eval: Value = serde_json::from_str(text(&output.stdout).trim()).unwrap();
    assert_eq!((&eval["unfinished"], &eval["std"]), (&1.into(), &Value::Null), "{eval}");
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    run_small(&out, &["--set", "num_envs=64", "--set", "num_steps=16", "--set", "total_timesteps=1024"]);
    let good = std::fs::read(out.join("checkpoint.safetensors")).unwrap();
    let path = folder.path().join("damaged.safetensors");
    let text_of = |from: &str, to: &str| {
        let at = good.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&good[..at], to.as_bytes(), &good[at + from.len()..]].concat()
    };
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    for (what, bytes) in [
        ("cut short", good[..good.len() - 5].to_vec()),
        ("empty", Vec::new()),
        ("noise", (0..999u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
        ("not a number", nan),
        ("a tensor of another name", text_of("actor.0.bias", "actor.9.bias")),
        ("another format", text_of("manyworlds-2", "manyworlds-9")),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let output = manyworlds(&["eval", path.to_str().unwrap()]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{what}: {err}");
        assert!(err.contains("damaged.safetensors"), "{what}: {err}");
    }
}

#[test]
fn doctor_finds_the_adapter_and_its_tests_pass() {
    let output = manyworlds(&["doctor"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    for word in ["chosen: ", "ok   reduction", "ok   random numbers", "ok   loop budget", "limits: ", "driver: "] {
        assert!(out.contains(word), "'{word}' is missing in:\n{out}");
    }
    if let Ok(expected) = std::env::var("MANYWORLDS_EXPECT_ADAPTER") {
        assert!(out.contains(&format!("chosen: {expected}")), "{expected} was not chosen:\n{out}");
    }
}

#[test]
fn bench_prints_a_line_for_each_combination_and_each_kernel() {
    let _guard = alone();
    let shape = ["--num-envs", "64,65", "--num-steps", "9", "--net", "8,8", "--seconds", "0", "--json"];
    let output = manyworlds(&[&["bench"][..], &shape].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<(&str, u64)> =
        ["step", "rollout", "train"].into_iter().flat_map(|mode| [(mode, 64), (mode, 65)]).collect();
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, (mode, worlds)) in lines.iter().zip(expected) {
        assert_eq!((line["mode"].as_str(), line["num_envs"].as_u64()), (Some(mode), Some(worlds)), "{line}");
        let rate = |name: &str| line["steps_per_s"][name].as_f64().unwrap();
        assert!(rate("min") > 0.0 && rate("min") <= rate("median") && rate("median") <= rate("max"), "{line}");
        assert!(line["runs"].as_u64().unwrap() >= 1 && line["setup_s"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["timed_share"].as_f64().is_some_and(|share| share > 0.0 && share <= 1.0), "{line}");
        for name in ["env", "net", "adapter", "backend", "driver"] {
            assert!(!line[name].as_str().unwrap().is_empty(), "{name} in {line}");
        }
    }

    let output = manyworlds(&[&["bench", "--kernels"][..], &shape[2..], &["--num-envs", "64"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let kernels: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let share: f64 = kernels.iter().map(|kernel| kernel["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-6, "shares add up to {share}");
    let gradient = kernels.iter().find(|kernel| kernel["kernel"] == "gradient actor").unwrap();
    // 4 epochs of 576 samples; 2 (4·8 + 8·8 + 8·2) operations forward, as much for the weights, all but the first layer
    // backward, 18 biases, and 16 units of tanh at 22
    let each = 2 * 2 * 112 + 2 * (112 - 32) + 18 + 16 * 22;
    assert_eq!(gradient["operations"].as_f64(), Some(f64::from(4 * 576 * each)), "{gradient}");

    refused(&["bench", "--modes", "fly"], 2, &["fly", "step, rollout, train"]);
    refused(&["bench", "--modes", "train", "--net", "0"], 2, &["hidden"]);
    refused(&["bench", "--modes", "step", "--num-envs", "0"], 2, &["num_envs"]);
    refused(&["bench", "--seconds", "nan"], 2, &["seconds"]);
    refused(&["bench", "--modes", "rollout", "--num-envs", "4000000"], 2, &["num_envs"]);
    refused(&["bench", "--net", ""], 2, &["--net"]);
    refused(&["bench", "--num-envs", ""], 2, &["--num-envs"]);
    refused(&["bench", "--modes", ""], 2, &["step, rollout, train"]);
    refused(&["bench", "--modes", "step", "--num-steps", "0"], 2, &["num_steps", "at least 1"]);
    refused(&["bench", "--modes", "step", "--num-steps", "4294967295"], 2, &["num_steps", "1000000"]);
    refused(&["bench", "--modes", "train", "--num-envs", "4294967295"], 2, &["num_envs", "reduce"]);
    refused(&["bench", "--kernels", "--num-steps", "0"], 2, &["num_steps", "at least 1"]);
    refused(&["bench", "--kernels", "--net", "0"], 2, &["hidden"]);
    refused(&["bench", "--seconds=-1"], 2, &["seconds", "from 0 to 3600"]);
    refused(&["bench", "--replay", "--batch-size", "0"], 2, &["batch_size"]);
    refused(&["bench", "--replay", "--num-envs", "4294967295"], 2, &["num_envs"]);
    refused(&["bench", "--replay", "--net", "0"], 2, &["hidden"]);
}

/// 2 million steps an update, of which a processor makes some 300,000 in a second: nobody waits for six of them.
#[test]
fn bench_times_a_part_of_what_is_long() {
    let _guard = alone();
    let shape = ["--num-envs", "65536", "--num-steps", "32", "--net", "64,64", "--seconds", "0", "--json"];
    for what in [["--modes", "train"].as_slice(), &["--kernels"]] {
        let output = manyworlds(&[&["bench"], what, &shape].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let line: Value = serde_json::from_str(text(&output.stdout).lines().next().unwrap()).unwrap();
        let software = ["llvmpipe", "SwiftShader"].iter().any(|name| line["adapter"].as_str().unwrap().contains(name));
        let (runs, share) = (line["runs"].as_u64().unwrap(), line["timed_share"].as_f64().unwrap());
        assert!(!software || runs == 1 && share < 0.9, "{line}");
        if what.len() == 2 {
            let rate = |name: &str| line["steps_per_s"][name].as_f64().unwrap();
            assert!(runs > 1 || rate("min") == rate("max") && rate("median") == rate("max"), "{line}");
        } else {
            // what did not run is counted
            let dispatches = line["dispatches"].as_u64().unwrap();
            assert!(
                line["kernel"].as_str().unwrap().starts_with("gradient") && dispatches.is_multiple_of(16),
                "{line}"
            );
        }
    }
}

#[test]
fn a_table_of_nothing_is_refused() {
    refused(&["reproduce", "results", "--algo", "a3c"], 2, &["a3c", "ppo, a2c"]);
    refused(&["reproduce", "results", "--env", "Bandit"], 2, &["no preset", "--algo"]);
}

#[test]
fn an_index_of_an_adapter_is_nothing_else_and_an_empty_name_is_none() {
    // llvmpipe has 1 and 5 in its name
    refused(&["trace", "CartPole-v1", "--steps", "1", "--adapter", "97"], 2, &["'97'", "present: 0 "]);
    refused(&["trace", "CartPole-v1", "--adapter", "99999999999999999999"], 2, &["99999999999999999999", "index"]);
    refused(&["trace", "CartPole-v1", "--adapter=-1"], 2, &["-1", "index"]);
    refused(&["trace", "CartPole-v1", "--adapter", ""], 2, &["empty", "doctor"]);
    refused(&["check-env", far_bounds(), "--adapter", "97"], 2, &["'97'", "present: 0 "]);
}

fn far_bounds() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bounds_far_from_zero.wgsl")
}

#[test]
fn bounds_that_a_first_policy_does_not_reach_are_said() {
    let _alone = alone();
    let output = manyworlds(&["check-env", far_bounds()]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    let notes: Vec<&str> = out.lines().filter(|line| line.starts_with("note ")).collect();
    assert!(notes.len() == 1 && notes[0].contains("from 50 to 100") && notes[0].contains("squash=true"), "{out}");
    assert!(!text(&manyworlds(&["check-env", "Pendulum-v1"]).stdout).contains("note "), "its bounds fit");

    let folder = tempfile::tempdir().unwrap();
    let train = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let fixed = ["train", far_bounds(), "--json", "--out", out.to_str().unwrap(), "--set", "total_timesteps=1"];
        let small = ["--set", "num_envs=8", "--set", "num_steps=4", "--set", "eval_episodes=2", "--set", "hidden=4"];
        let output = manyworlds(&[&fixed[..], &small, more].concat());
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{err}");
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), err)
    };
    let (summary, err) = train("clipped", &[]);
    let warnings: Vec<&str> = err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("100 %") && warnings[0].contains("squash=true"), "{err}");
    assert_eq!(summary["misfit"]["clipped"], 1.0, "{summary}");
    assert_eq!([&summary["misfit"]["low"], &summary["misfit"]["high"]], [50.0, 100.0], "{summary}");
    let (summary, err) = train("squashed", &["--set", "squash=true"]);
    assert!(summary["misfit"].is_null() && !err.contains("warning: "), "{summary}\n{err}");
}

#[test]
fn learning_squashed_actions_reach_bounds_far_from_zero() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let out = out.to_str().unwrap();
    let settings = ["--set", "squash=true", "--set", "total_timesteps=655360"];
    let summary = json(&[&["train", far_bounds(), "--json", "--out", out][..], &settings].concat(), 0);
    assert!(summary["eval"]["mean"].as_f64().unwrap() > -0.1, "{summary}");
}

/// Runs a line of the shell with `$MW` for the program; its exit code and its standard error.
#[cfg(target_os = "linux")]
fn shell(line: &str) -> (i32, String) {
    let output = Command::new("sh").args(["-c", line]).env("MW", env!("CARGO_BIN_EXE_manyworlds")).output().unwrap();
    let err = text(&output.stderr);
    assert!(!err.contains("panicked"), "{line}:\n{err}");
    (output.status.code().unwrap_or(-1), err)
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_one_line_and_exit_code_1() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let train = format!(
        "train CartPole-v1 --json --out {} --set total_timesteps=64 --set num_envs=8 --set num_steps=4 --set hidden=4 \
         --set eval_episodes=2",
        run.display()
    );
    let lines = [
        &train,
        "--help",
        "--version",
        "train --help",
        "settings",
        "envs",
        "envs --json",
        "trace CartPole-v1",
        "trace CartPole-v1 --json",
        "doctor",
        "check-env TwoAction",
        "gradient TwoAction --rollouts 64 --depth 2",
        "gradient TwoAction --rollouts 64 --depth 2 --json",
        "bench --modes step --num-envs 8 --seconds 0",
        "bench --kernels --num-envs 8 --num-steps 4 --net 4",
    ];
    for line in lines {
        let (code, err) = shell(&format!("\"$MW\" {line} > /dev/full"));
        let errors: Vec<&str> =
            err.lines().filter(|line| line.starts_with("error: ") && !line.contains("XDG_")).collect();
        assert_eq!(code, 1, "{line}:\n{err}");
        assert_eq!(errors, ["error: cannot write 'standard output': No space left on device (os error 28)"], "{line}");
    }
    // the run itself is whole
    let eval = format!("eval {} --episodes 2 --json", run.display());
    assert_eq!(shell(&format!("\"$MW\" {eval}")).0, 0);
    assert_eq!(shell(&format!("\"$MW\" {eval} > /dev/full")).0, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn closed_outputs_end_quietly_and_leave_the_exit_code() {
    let _alone = alone();
    let pipe = |line: &str| shell(&format!("{{ \"$MW\" {line}; echo $? >&2; }} | true"));
    for line in ["settings", "envs --json", "trace CartPole-v1 --steps 100000000", "--help", "doctor"] {
        let (_, err) = pipe(line);
        // the shell has said the code of the program on its standard error
        assert_eq!(err.lines().last(), Some("0"), "{line}:\n{err}");
        assert!(!err.contains("error: "), "{line}:\n{err}");
    }
    // a check that fails, failed, whoever reads it
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nan.wgsl");
    let text = manyworlds::shader::built_in_text("env/two_action.wgsl").unwrap();
    let broken = text.replace("return Outcome(", "return Outcome(log(-(*s).here) + ");
    assert_ne!(broken, text);
    std::fs::write(&file, broken).unwrap();
    let (_, err) = pipe(&format!("check-env {}", file.display()));
    assert_eq!(err.lines().last(), Some("1"), "{err}");
    for (line, code) in
        [("settings", 0), ("nonsense", 2), ("trace CartPole-v9", 2), ("trace CartPole-v1", 0), ("--help", 0)]
    {
        for closed in ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-", "2> /dev/full", ">&- 2> /dev/full"] {
            assert_eq!(shell(&format!("\"$MW\" {line} {closed}")).0, code, "{line} {closed}");
        }
    }
    let run = folder.path().join("run");
    let settings = "--set num_envs=8 --set num_steps=4 --set hidden=4 --set eval_episodes=2 --set total_timesteps=640";
    let train = format!("\"$MW\" train CartPole-v1 {settings} --out {} 2> /dev/full", run.display());
    assert_eq!(shell(&train).0, 0, "{train}");
    let lines = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 20, "messages that are lost end no work");
}

#[test]
fn learning_cartpole_is_solved_for_seeds_1_to_5() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..=5 {
        let out = folder.path().join(seed.to_string());
        let seed_ = seed.to_string();
        let summary = json(
            &["train", "CartPole-v1", "--until-solved", "--json", "--seed", &seed_, "--out", out.to_str().unwrap()],
            0,
        );
        assert_eq!(summary["solved"], true, "seed {seed}: {summary}");
        assert!(summary["eval"]["mean"].as_f64().unwrap() >= 475.0, "seed {seed}: {summary}");
        let memory = summary["peak_rss_mb"].as_f64();
        assert!(memory.is_none_or(|megabytes| megabytes < 1500.0), "seed {seed}: {summary}");
        // the same policy from other first states
        let eval = json(&["eval", out.to_str().unwrap(), "--seed", "77", "--json"], 0);
        assert!(eval["mean"].as_f64().unwrap() >= 475.0, "seed {seed}: {eval}");
    }
}

#[test]
fn learning_every_algorithm_solves_cartpole() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for algo in ["a2c", "reinforce", "npg", "trpo"] {
        let out = folder.path().join(algo);
        let arguments =
            ["train", "CartPole-v1", "--algo", algo, "--until-solved", "--json", "--out", out.to_str().unwrap()];
        let summary = json(&arguments, 0);
        assert_eq!((&summary["solved"], &summary["algo"]), (&true.into(), &algo.into()), "{summary}");
        refused(&["train", "CartPole-v1", "--algo", algo, "--set", "update_epochs=4"], 2, &["it is for ppo", algo]);
        refused(&["train", "CartPole-v1", "--algo", algo, "--set", "penalty=kl"], 2, &["it is for ppo", algo]);
    }
    refused(&["train", "CartPole-v1", "--algo", "a3c"], 2, &["no such algorithm 'a3c'", "ppo, a2c, reinforce"]);
}

#[test]
fn learning_example_trains_three_agents() {
    let _alone = alone();
    let example = Path::new(env!("CARGO_BIN_EXE_manyworlds")).parent().unwrap().join("examples/train_cartpole");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("best.safetensors");
    let output =
        Command::new(&example).arg(&file).output().unwrap_or_else(|error| panic!("{}: {error}", example.display()));
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}{}", text(&output.stderr));
    let eval = json(&["eval", file.to_str().unwrap(), "--json"], 0);
    assert!(eval["mean"].as_f64().unwrap() >= 475.0, "{eval}\n{out}");
}

/// Libraries of the desktop that drivers load have nothing to complain of, whatever the environment lacks.
#[cfg(target_os = "linux")]
#[test]
fn what_drivers_want_of_the_environment_is_there() {
    let _guard = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_manyworlds"));
        command.args(["bench", "--modes", "step", "--num-envs", "64", "--num-steps", "4", "--seconds", "0", "--json"]);
        command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", folder.path()).output().unwrap()
    };
    let made = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let output = run();
    assert!(output.status.success() && !text(&output.stderr).contains("XDG_RUNTIME_DIR"), "{}", text(&output.stderr));
    let [runtime] = &made()[..] else { panic!("{:?}", made()) };
    assert!(runtime.file_name().unwrap().to_str().unwrap().starts_with("manyworlds-runtime-"), "{runtime:?}");

    // a folder that others can look into is not taken, and nothing else is lost by that
    let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(runtime, open).unwrap();
    assert!(run().status.success());
}
