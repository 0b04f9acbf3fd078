//! Several agents in one launch: seeds and sweeps.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::calls::{alone, json, manyworlds, refused, run_small, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn seeds_of_one_launch_are_what_each_is_alone() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for (algo, settings) in [
        ("ppo", &["num_envs=16", "num_steps=8", "total_timesteps=1024", "eval_every=3"][..]),
        ("cem", &["population=20", "generations=7", "eval_every=3"]),
    ] {
        let out = |name: &str| folder.path().join(format!("{algo} {name}"));
        let of = |name: &str, which: &[&str]| {
            let out = out(name);
            let pairs: Vec<&str> = settings.iter().flat_map(|pair| ["--set", pair]).collect();
            run_small(&out, &[&["--algo", algo], which, &pairs].concat())
        };
        let together = of("together", &["--seeds", "4,2..3"]);
        let seeds = together["seeds"].as_array().unwrap();
        assert_eq!(
            seeds.iter().map(|seed| seed["seed"].as_u64().unwrap()).collect::<Vec<_>>(),
            [4, 2, 3],
            "{together}"
        );
        let results = std::fs::read_to_string(out("together").join("results.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&results).unwrap(), together);
        let middle = &together["interquartile_mean"];
        let means: Vec<f64> = seeds.iter().map(|seed| seed["eval"]["mean"].as_f64().unwrap()).collect();
        assert!((middle["mean"].as_f64().unwrap() - means.iter().sum::<f64>() / 3.0).abs() < 1e-9, "{together}");
        assert!(
            middle["low"].as_f64() <= middle["mean"].as_f64() && middle["mean"].as_f64() <= middle["high"].as_f64()
        );
        for (n, seed) in [4, 2, 3].into_iter().enumerate() {
            let name = format!("alone {seed}");
            let alone = of(&name, &["--seed", &seed.to_string()]);
            assert_eq!(seeds[n]["params_hash"], alone["params_hash"], "{algo}, seed {seed}");
            assert_eq!(seeds[n]["eval"], alone["eval"], "{algo}, seed {seed}");
            // all but the clock's columns
            let lines = |run: &Path| -> Vec<Value> {
                let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
                let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                for line in &mut lines {
                    line["steps_per_s"] = Value::Null;
                    line["seconds"] = Value::Null;
                }
                lines
            };
            let own = out("together").join(format!("seed-{seed}"));
            assert_eq!(lines(&own), lines(&out(&name)), "{algo}, seed {seed}: metrics");
            let eval = json(&["eval", own.to_str().unwrap(), "--episodes", "9", "--json"], 0);
            assert_eq!(eval["episodes"], 9, "{algo}: {eval}");
        }
        let agents = of("agents", &["--agents", "2", "--seed", "2"]);
        assert_eq!(agents["seeds"][1]["params_hash"], seeds[2]["params_hash"], "{algo}: seeds 2 and 3");
    }
    refused(&["train", "CartPole-v1", "--seeds", "3..1"], 2, &["seeds", "write 1..3"]);
    refused(&["train", "CartPole-v1", "--agents", "0"], 2, &["agents", "from 1 to"]);
}

/// What a file of one JSON value holds.
fn value(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

const SWEEP: [&str; 19] = [
    "sweep",
    "CartPole-v1",
    "--json",
    "--set",
    "hidden=[8]",
    "--set",
    "num_envs=16",
    "--set",
    "num_steps=8",
    "--set",
    "total_timesteps=1024",
    "--set",
    "eval_episodes=33",
    "--vary",
    "learning_rate=log:1e-3..1e-1",
    "--vary",
    "num_minibatches=2,4",
    "--seed",
    "7",
];

#[test]
fn a_sweep_is_what_its_trials_are_alone_and_goes_on_where_it_stopped() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let sweep = |name: &str| {
        let out = path(name);
        let own = ["--trials", "8", "--rounds", "3", "--finalists", "2", "--seeds", "2", "--out", &out];
        json(&[&SWEEP[..], &own].concat(), 0)
    };
    let mut found = sweep("sweep");
    assert_eq!(value(&folder.path().join("sweep/results.json")), found);
    let trials = found["trials"].as_array().unwrap().clone();
    // eight trials of 256 steps, the best four of 512, the best two of 1024
    let lengths = |length: u64| trials.iter().filter(|trial| trial["length"] == length).count();
    assert_eq!([256, 512, 1024].map(lengths), [4, 2, 2], "{found}");
    let lines = std::fs::read_to_string(path("sweep/trials.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let score = |length: u64| -> BTreeMap<u64, f64> {
        let own = lines.iter().filter(|line| line["length"] == length && line["seed"] == 7);
        own.map(|line| (line["trial"].as_u64().unwrap(), line["score"].as_f64().unwrap())).collect()
    };
    for (length, longer) in [(256, 512), (512, 1024)] {
        let (all, kept) = (score(length), score(longer));
        let least = kept.keys().map(|trial| all[trial]).fold(f64::INFINITY, f64::min);
        let most =
            all.iter().filter(|(trial, _)| !kept.contains_key(trial)).map(|(_, score)| *score).fold(0.0, f64::max);
        assert!(kept.len() * 2 == all.len() && least >= most, "{length}: {all:?}, {kept:?}");
    }
    // whatever a trial shares its launch with, it is what it is alone; and so is a finalist
    let settings = |values: &Value| -> Vec<String> {
        values.as_object().unwrap().iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect()
    };
    let run = |name: &str, values: &Value, own: &[&str]| {
        let mut pairs = settings(values);
        let fixed = ["num_envs=16", "num_steps=8", "eval_episodes=33"];
        pairs.extend(fixed.iter().chain(own).map(ToString::to_string));
        let pairs: Vec<&str> = pairs.iter().flat_map(|pair| ["--set", pair.as_str()]).collect();
        run_small(&folder.path().join(name), &pairs)
    };
    for trial in trials.iter().filter(|trial| trial["length"] == 256) {
        let name = format!("trial {}", trial["number"]);
        let alone = run(&name, &trial["values"], &["total_timesteps=256", "eval_every=0", "seed=7"]);
        assert_eq!(alone["eval"]["mean"], trial["score"], "{trial}");
    }
    let winner = &found["finalists"][0];
    assert_eq!(winner["seeds"], serde_json::json!([8, 9]));
    for (seed, score) in [(8, &winner["returns"][0]), (9, &winner["returns"][1])] {
        let own = [&*format!("seed={seed}"), "total_timesteps=1024"];
        let alone = run(&format!("final {seed}"), &winner["trial"]["values"], &own);
        assert_eq!(&alone["eval"]["mean"], score, "{winner}");
        // and so it is by the file that it leaves
        let out = path(&format!("by file {seed}"));
        let (config, seed) = (path("sweep/config.toml"), seed.to_string());
        let by_file = json(&["train", "CartPole-v1", "--json", "--config", &config, "--seed", &seed, "--out", &out], 0);
        assert_eq!(by_file["params_hash"], alone["params_hash"], "{winner}");
    }
    let mean = |n: usize| found["finalists"][n]["interquartile_mean"]["mean"].as_f64().unwrap();
    assert!(mean(0) >= mean(1), "{found}");
    assert!(std::fs::read(path("sweep/sweep.png")).unwrap().starts_with(b"\x89PNG"));

    // what is known is not made again, what is not is the same
    let again = sweep("sweep");
    assert_eq!(again["launches"], 0, "{again}");
    std::fs::create_dir(path("stopped")).unwrap();
    std::fs::copy(path("sweep/sweep.json"), path("stopped/sweep.json")).unwrap();
    let known: String = lines.iter().take(8).map(|line| format!("{line}\n")).collect();
    std::fs::write(path("stopped/trials.jsonl"), &known).unwrap();
    let mut rest = sweep("stopped");
    let launches = |found: &Value| found["launches"].as_u64().unwrap();
    assert_eq!(launches(&rest) + 2, launches(&found), "all but the two of the first round: {rest}");
    (rest["launches"], found["launches"]) = (Value::Null, Value::Null);
    assert_eq!(rest, found);

    // what is something else is refused, and so is what is no record
    let out = path("sweep");
    refused(&[&SWEEP[..], &["--trials", "9", "--out", &out]].concat(), 2, &["something else", "--out"]);
    std::fs::write(path("stopped/trials.jsonl"), &known[..known.len() - 9]).unwrap();
    let out = path("stopped");
    let own = ["--trials", "8", "--rounds", "3", "--out", &out];
    refused(&[&SWEEP[..], &own].concat(), 2, &["trials.jsonl", "line 8"]);
}

#[test]
fn a_trial_that_does_not_stay_finite_leaves_the_others_alone() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("sweep").to_str().unwrap().to_owned();
    let arguments = [
        "sweep",
        "Pendulum-v1",
        "--json",
        "--set",
        "hidden=[8]",
        "--set",
        "num_envs=16",
        "--set",
        "num_steps=8",
        "--set",
        "max_grad_norm=0",
        "--set",
        "total_timesteps=2048",
        "--set",
        "eval_episodes=9",
        "--vary",
        "learning_rate=1e-3,1e30",
        "--sampler",
        "random",
        "--trials",
        "6",
        "--finalists",
        "6",
        "--seeds",
        "1",
        "--out",
        &out,
    ];
    let found = json(&arguments, 0);
    let trials = found["trials"].as_array().unwrap();
    let of = |rate: &str| trials.iter().filter(|trial| trial["values"]["learning_rate"] == rate).collect::<Vec<_>>();
    let (sound, lost) = (of("1e-3"), of("1e30"));
    assert!(sound.len() + lost.len() == 6 && !sound.is_empty() && !lost.is_empty(), "{found}");
    assert!(sound.iter().all(|trial| trial["score"].is_number()) && lost.iter().all(|trial| trial["score"].is_null()));
    // they come last, and say so
    let finalists = found["finalists"].as_array().unwrap();
    assert!(finalists[0]["returns"][0].is_number() && finalists[5]["returns"][0].is_null(), "{found}");
    let alone = folder.path().join("alone").to_str().unwrap().to_owned();
    let mut arguments = arguments[..15].to_vec();
    arguments[0] = "train";
    let own = ["--set", "learning_rate=1e-3", "--set", "eval_every=0", "--out", &alone];
    let alone = json(&[&arguments[..], &own].concat(), 0);
    assert_eq!(alone["eval"]["mean"], sound[0]["score"]);
}

#[test]
fn sweeps_that_cannot_be_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("sweep").to_str().unwrap().to_owned();
    let rate = "learning_rate=log:1e-4..1e-2";
    for (own, words) in [
        (&["--vary", "learning_rat=1..2"][..], &["learning_rat", "did you mean 'learning_rate'"][..]),
        (&["--vary", "num_envs=2..8"], &["num_envs", "a whole number", "num_envs=2,4,8"]),
        (&["--vary", "optimizer=log:1..2"], &["optimizer", "a word"]),
        (&["--vary", "gamma=0.9..1.5"], &["gamma", "1.5", "from 0 to 1"]),
        (&["--vary", "gamma=0.9"], &["gamma", "does not vary", "--set gamma=0.9"]),
        (&["--vary", "delta=0.1..0.2"], &["delta", "npg and trpo", "ppo does not"]),
        (&["--vary", "seed=1,2"], &["seed", "it cannot vary"]),
        (&["--vary", rate, "--vary", rate], &["learning_rate", "twice"]),
        (&["--vary", rate, "--trials", "0"], &["trials", "from 1 to"]),
        (&["--vary", rate, "--seeds", "0"], &["seeds", "from 1 to"]),
        (&["--vary", rate, "--trials", "4", "--rounds", "4"], &["rounds", "leave none of 4"]),
        (&["--vary", rate, "--rounds", "5", "--set", "total_timesteps=10000"], &["rounds", "one update takes 2048"]),
        (&["--vary", "num_envs=1,128", "--vary", "num_minibatches=1,20"], &["num_minibatches", "20", "16 samples"]),
    ] {
        refused(&[&["sweep", "CartPole-v1", "--out", &out][..], own].concat(), 2, words);
    }
    assert!(!Path::new(&out).exists(), "a refused sweep has left {out}");
    let none = manyworlds(&["sweep", "CartPole-v1"]);
    assert!(none.status.code() == Some(2) && text(&none.stderr).contains("--vary"), "{}", text(&none.stderr));
}
