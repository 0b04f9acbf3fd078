//! The record of a run as a user finds it: evaluations, metrics, the configuration that makes it again, events for TensorBoard,
//! pictures and tables.

// a test may panic
#![allow(clippy::unwrap_used)]

use super::calls::{json, manyworlds, refused, text};
use manyworlds::config::{Algo, Config};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What a run directory holds, but for its events.
pub const FILES: [&str; 9] = [
    "best",
    "checkpoint.safetensors",
    "checkpoints",
    "config.toml",
    "curve.png",
    "curve.svg",
    "evaluations.jsonl",
    "metrics.jsonl",
    "state.safetensors",
];

/// What a run directory holds; it has one file of events.
pub fn files(run: &Path) -> Vec<String> {
    let names = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (events, mut names): (Vec<String>, Vec<String>) =
        names.partition(|name| name.starts_with("events.out.tfevents."));
    assert_eq!(events.len(), 1, "{events:?}");
    names.sort();
    names
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const SMALL: [&str; 12] = [
    "--set",
    "num_envs=8",
    "--set",
    "num_steps=16",
    "--set",
    "hidden=[8]",
    "--set",
    "eval_episodes=17",
    "--set",
    "eval_every=2",
    "--set",
    "anneal_lr=false",
];

/// `train CartPole-v1` for so many updates.
fn train(out: &Path, updates: u32, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["train".to_owned(), "CartPole-v1".to_owned(), "--json".to_owned()];
    arguments.extend(["--out".to_owned(), out.display().to_string()]);
    arguments.extend(["--set".to_owned(), format!("total_timesteps={}", 128 * updates)]);
    arguments.extend(SMALL.iter().chain(more).map(|&word| word.to_owned()));
    arguments
}

fn summary(arguments: &[String]) -> Value {
    json(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 0)
}

/// A run of seven updates with an override, its standard error, and what it printed.
fn run() -> &'static (tempfile::TempDir, PathBuf, String, Value) {
    static RUN: OnceLock<(tempfile::TempDir, PathBuf, String, Value)> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let arguments = train(&out, 7, &["--set-env", "gravity=3.7"]);
        let output = manyworlds(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{err}");
        let summary = serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
        (folder, out, err, summary)
    })
}

#[test]
fn evaluations_are_kept_as_they_are_printed() {
    let (_folder, out, err, summary) = run();
    let kept = lines(&out.join("evaluations.jsonl"));
    let printed: Vec<&str> = err.lines().filter(|line| line.contains("evaluation")).collect();
    assert_eq!(kept.len(), 4, "after updates 2, 4, 6 and the last, 7");
    assert_eq!(printed.len(), kept.len(), "{err}");
    let metrics = lines(&out.join("metrics.jsonl"));
    assert_eq!(metrics.len(), 7);
    for (n, (evaluation, printed)) in kept.iter().zip(printed).enumerate() {
        let update = (2 * n + 1).min(6);
        assert_eq!((&evaluation["evaluation"], &evaluation["update"]), (&Value::from(n + 1), &Value::from(update)));
        for key in ["step", "seconds"] {
            assert_eq!(evaluation[key], metrics[update][key], "{key}: {evaluation}");
        }
        assert_eq!((&evaluation["seed"], &evaluation["episodes"]), (&Value::from(1), &Value::from(17)));
        let number = |key: &str| evaluation[key].as_f64().unwrap();
        let error = number("std") / 17_f64.sqrt();
        assert!((number("standard_error") - error).abs() < 1e-9, "{evaluation}");
        let ordered = ["min", "lower_quartile", "median", "upper_quartile", "max"].map(number);
        assert!(ordered.windows(2).all(|pair| pair[0] <= pair[1]), "{evaluation}");
        let endings = ["terminated", "truncated", "unfinished"].map(|key| evaluation[key].as_u64().unwrap());
        assert_eq!(endings.iter().sum::<u64>(), 17, "{evaluation}");
        assert!(printed.contains(&format!("evaluation {:.1} ±", number("mean"))), "{printed}");
        assert!(printed.chars().count() <= 80, "{printed}");
    }
    let last: Value = kept[3].clone();
    for key in ["mean", "std", "standard_error", "median", "terminated", "truncated", "mean_length"] {
        assert_eq!(last[key], summary["eval"][key], "{key}");
    }
}

#[test]
fn means_are_over_the_last_hundred_episodes() {
    let (_folder, out, ..) = run();
    let metrics = lines(&out.join("metrics.jsonl"));
    let number = |line: &Value, key: &str| line[key].as_f64().unwrap_or(0.0);
    let mut before = 0.0;
    for (n, line) in metrics.iter().enumerate() {
        let (mut first, mut episodes) = (n + 1, 0.0);
        while first > 0 && episodes < 100.0 {
            first -= 1;
            episodes += number(&metrics[first], "episodes");
        }
        let sum: f64 = metrics[first..=n].iter().map(|of| number(of, "episodes") * number(of, "update_return")).sum();
        assert_eq!(line["mean_of"].as_u64(), Some(episodes as u64), "{line}");
        assert!((number(line, "mean_return") - sum / episodes.max(1.0)).abs() < 1e-4, "{line}");
        assert!(number(line, "seconds") >= before, "{line}");
        before = number(line, "seconds");
    }
    assert!(metrics.iter().any(|line| line["mean_of"] != line["episodes"]), "some updates have too few episodes");
}

#[test]
fn a_run_that_goes_on_records_what_one_that_never_stopped_does() {
    let (folder, out, ..) = run();
    let short = folder.path().join("short");
    summary(&train(&short, 4, &["--set-env", "gravity=3.7"]));
    // the checkpoint knows nothing of a line that a dying process had begun
    std::fs::write(short.join("evaluations.jsonl"), {
        let mut text = std::fs::read_to_string(short.join("evaluations.jsonl")).unwrap();
        text.push_str("{\"evaluation\":3,\"upd");
        text
    })
    .unwrap();
    let words = ["train", "--resume", short.to_str().unwrap(), "--json", "--set", "total_timesteps=896"];
    json(&words, 0);
    for name in ["metrics.jsonl", "evaluations.jsonl"] {
        let without_time = |run: &Path| -> Vec<Value> {
            let mut all = lines(&run.join(name));
            let seconds: Vec<f64> = all.iter().map(|line| line["seconds"].as_f64().unwrap()).collect();
            assert!(seconds.windows(2).all(|pair| pair[0] <= pair[1]), "{name}: {seconds:?}");
            for line in &mut all {
                line["seconds"] = Value::Null;
                line["steps_per_s"] = Value::Null;
            }
            all
        };
        assert_eq!(without_time(&short), without_time(out), "{name}");
    }
}

#[test]
fn a_configuration_makes_its_run_again() {
    let (folder, out, _, first) = run();
    let again = |name: &str, config: &Path, more: &[&str]| {
        let out = folder.path().join(name);
        let words = ["train", "--config", config.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"];
        json(&[&words[..], more].concat(), 0)
    };
    let config = out.join("config.toml");
    assert_eq!(again("again", &config, &[])["params_hash"], first["params_hash"]);
    // and what is said beside it goes before it
    assert_ne!(again("moon", &config, &["--set-env", "gravity=1.6"])["params_hash"], first["params_hash"]);

    // an environment of one's own is kept with the run, whatever becomes of its file
    let file = folder.path().join("mine.wgsl");
    let text = manyworlds::shader::built_in_text("env/cartpole.wgsl").unwrap();
    std::fs::write(&file, text).unwrap();
    let own = folder.path().join("own");
    let mut arguments = train(&own, 3, &["--set-env", "gravity=3.7", "--seeds", "3,9"]);
    arguments[1] = file.display().to_string();
    let seeds = summary(&arguments);
    std::fs::write(&file, text.replace("9.8", "1.0")).unwrap();
    assert_eq!(std::fs::read_to_string(own.join("mine.wgsl")).unwrap(), text);
    let repeated = again("own again", &own.join("config.toml"), &[]);
    for n in 0..2 {
        let hash = |of: &Value| of["seeds"][n]["params_hash"].as_str().unwrap().to_owned();
        assert_eq!(hash(&repeated), hash(&seeds), "seed {n}");
    }
    // one seed in the place of several
    let single = again("single", &own.join("config.toml"), &["--seed", "9"]);
    assert_eq!(single["params_hash"], seeds["seeds"][1]["params_hash"]);

    let write = |text: &str| {
        let path = folder.path().join("partial.toml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let named = write("algo = \"sac\"\n");
    refused(&["train", "--config", &named], 2, &["'env'", "partial.toml has no table [env]"]);
    refused(&["train", "--config", &write("[env]\nname = \"CartPole\"\n")], 2, &["no such environment", "CartPole"]);
    refused(&["train", "--config", &write("[env]\nnam = 3\n")], 2, &["'env'", "unknown field `nam`"]);
    refused(&["train"], 2, &["'env'", "name an environment"]);
    // the algorithm of a file brings its own defaults, and one on the command line goes before it
    let sac = write("algo = \"sac\"\n");
    let kernels = |more: &[&str]| {
        let words = [&["plan", "Pendulum-v1", "--json"][..], more].concat();
        json(&words, 0)["kernels"].as_array().unwrap().iter().map(|of| of["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kernels(&["--config", &sac]), kernels(&["--algo", "sac"]));
    assert_eq!(kernels(&["--config", &sac, "--algo", "ppo"]), kernels(&[]));
    assert_ne!(kernels(&["--algo", "sac"]), kernels(&[]));
}

#[test]
fn events_are_whole_records_with_the_tags_of_cleanrl() {
    let (_folder, out, ..) = run();
    let name =
        std::fs::read_dir(out).unwrap().flatten().find(|of| of.file_name().to_string_lossy().contains("tfevents"));
    let bytes = std::fs::read(name.unwrap().path()).unwrap();
    let (mut at, mut records) = (0, 0);
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        at += 8 + 4 + length + 4;
        records += 1;
    }
    assert_eq!((at, records), (bytes.len(), 1 + 1 + 7 + 4), "version, settings, updates and evaluations");
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for tag in [
        "brain.Event:2",
        "charts/episodic_return",
        "charts/SPS",
        "losses/clipfrac",
        "losses/explained_variance",
        "eval/episodic_return",
        "hyperparameters/text_summary",
        "|gravity|3.7|",
        "|num_minibatches|4|",
    ] {
        assert!(has(tag), "{tag}");
    }
    assert!(!has("losses/qf_loss") && !has("|buffer_size|"), "what ppo does not have");
}

#[test]
fn runs_are_drawn_and_written_as_tables() {
    let (folder, out, ..) = run();
    let svg = std::fs::read_to_string(out.join("curve.svg")).unwrap();
    for words in ["ppo on CartPole-v1, seed 1", "aria-label=\"steps\"", "aria-label=\"seconds\"", "solved: 475"] {
        assert!(svg.contains(words), "{words}");
    }
    let picture = folder.path().join("both.svg");
    let (out, picture_name) = (out.to_str().unwrap(), picture.to_str().unwrap());
    let drawn = manyworlds(&["plot", out, out, "--number", "entropy", "--smooth", "3", "-o", picture_name]);
    assert_eq!(drawn.status.code(), Some(0), "{}", text(&drawn.stderr));
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(svg.contains("2 runs: entropy") && svg.contains("aria-label=\"entropy\""));
    refused(&["plot", out, "--number", "entrpy"], 2, &["'entrpy'", "entropy"]);
    refused(&["plot", out, "--by", "colour"], 2, &["'colour'", "can be grouped by"]);
    refused(&["plot", out, "-o", "curve.gif"], 2, &["curve.gif", ".svg or .png"]);
    refused(&["plot", out, "-o", "no folder/curve.svg"], 2, &["no folder/curve.svg", "there is no folder no folder"]);
    refused(&["plot", folder.path().to_str().unwrap()], 2, &["metrics.jsonl"]);
    refused(&["bench", "--plot", "bench.gif"], 2, &["bench.gif", ".svg or .png"]);

    for (what, name) in [("--metrics", "metrics.jsonl"), ("--evaluations", "evaluations.jsonl")] {
        let table = manyworlds(&["export", out, what, "csv"]);
        let table = text(&table.stdout);
        let all = lines(&Path::new(out).join(name));
        let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = rows.next().unwrap();
        assert_eq!(names, all[0].as_object().unwrap().keys().collect::<Vec<_>>(), "in the order of the lines");
        let rows: Vec<Vec<&str>> = rows.collect();
        assert_eq!(rows.len(), all.len());
        for (row, line) in rows.iter().zip(&all) {
            for (name, cell) in names.iter().zip(row) {
                let wanted = if line[name].is_null() { String::new() } else { line[name].to_string() };
                assert_eq!(*cell, wanted, "{name}");
            }
        }
    }
    refused(&["export", out], 2, &["--metrics", "--evaluations"]);
    refused(&["export", folder.path().to_str().unwrap(), "--metrics", "csv"], 2, &["holds no metrics.jsonl"]);
}

#[test]
fn every_key_is_on_the_page_of_metrics() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let told: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    let (_folder, out, ..) = run();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for name in ["metrics.jsonl", "evaluations.jsonl"] {
        keys.extend(
            lines(&out.join(name))
                .iter()
                .flat_map(|line| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>()),
        );
    }
    for algo in Algo::ALL {
        let pairs: &[&str] = match algo {
            Algo::Ppo => &["penalty=kl"],
            Algo::Reinforce => &["reuse=1"],
            _ => &[],
        };
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let config = Config::resolve("none", algo.name(), None, &pairs).unwrap();
        keys.extend(config.measures().into_iter().map(str::to_owned));
    }
    let missing: Vec<&String> = keys.iter().filter(|key| !told.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "docs/metrics.md says nothing of {missing:?}");
}
