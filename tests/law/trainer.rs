//! Whole runs through the library: several agents against solo runs, and how often the host talks to the device.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support;
use crate::support::{gpu, ok};
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::{Stage, Trainer, Watched};

fn env() -> Environment {
    ok(Environment::load("CartPole-v1"))
}

/// The default networks: those of one agent are read from a uniform on software adapters, those of three are not.
fn config() -> Config {
    Config {
        num_envs: 345,
        num_steps: 7,
        total_timesteps: 345 * 7 * 5,
        eval_every: 2,
        eval_episodes: 65,
        ..Config::default()
    }
}

#[test]
fn three_agents_give_the_params_hash_of_three_solo_runs() {
    let hashes = |seeds: &[u32]| -> Vec<String> {
        let reports = ok(Trainer::new(gpu(), &env(), &config(), seeds));
        let last =
            reports.map(ok).filter_map(|report| report.evaluation).last().expect("a run ends with an evaluation");
        last.iter().map(|(_, policy)| policy.hash()).collect()
    };
    let solo: Vec<String> = [1, 2, 3].iter().flat_map(|&seed| hashes(&[seed])).collect();
    assert_eq!(hashes(&[1, 2, 3]), solo, "params_hash of seeds 1, 2, 3 with 345 worlds each");
    assert!(solo[0] != solo[1] && solo[1] != solo[2], "different seeds have the same hash: {solo:?}");
}

/// With networks of the test above, whose kernels are compiled.
#[test]
fn a_watched_run_has_the_same_results_and_tells_where_its_time_goes() {
    let hash = |trainer: Trainer| -> (String, Vec<Watched>) {
        let mut told = Vec::new();
        let mut last = None;
        for report in trainer.map(ok) {
            told.extend(report.watched);
            last = report.evaluation.or(last);
        }
        (last.expect("a run ends with an evaluation")[0].1.hash(), told)
    };
    let new = || ok(Trainer::new(gpu(), &env(), &config(), &[1, 2, 3]));
    let (plain, nothing) = hash(new());
    let (watched, told) = hash(new().watching());
    assert_eq!(watched, plain, "params_hash of a run that was watched");
    assert!(nothing.is_empty() && !told.is_empty(), "{} and {} reports tell more", nothing.len(), told.len());
    // the first submission is one update
    let stages: Vec<Stage> = told[0].stages.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages, [Stage::Rollout, Stage::Values, Stage::Gradients]);
    assert!(told[0].stages.iter().all(|(_, time)| time.as_nanos() > 0 && time.as_secs() < 60), "{:?}", told[0].stages);
    let evaluations = told.iter().flat_map(|watched| &watched.stages).filter(|(stage, _)| *stage == Stage::Evaluation);
    assert!(evaluations.count() >= 1, "an evaluation is timed: {told:?}");
    // two actions, by turns more or less; all of a batch that is small
    assert_eq!(told[0].actions.iter().map(Vec::len).collect::<Vec<_>>(), [345 * 7]);
    let ones = told[0].actions[0].iter().filter(|&&action| action == 1).count();
    assert!(told[0].actions[0].iter().all(|&action| action < 2) && (345..345 * 6).contains(&ones), "{ones}");
}

#[test]
fn a_run_submits_and_reads_once_for_each_block_of_updates() {
    let gpu = support::open();
    let config = Config { num_envs: 64, total_timesteps: 64 * 7 * 40, eval_every: 20, hidden: vec![8], ..config() };
    let trainer = ok(Trainer::new(&gpu, &env(), &config, &[1]));
    ok(gpu.wait());
    let before = gpu.counts();
    let reports: Vec<_> = trainer.map(ok).collect();
    let after = gpu.counts();
    // the first two submissions are single updates, whose time is measured; the metrics' ring holds 16 of them
    let counts: Vec<(usize, bool)> = reports.iter().map(|r| (r.metrics.len(), r.evaluation.is_some())).collect();
    assert_eq!(counts[..2], [(1, false), (1, false)], "updates and evaluation of each report: {counts:?}");
    let evaluated: Vec<u32> = reports.iter().filter(|r| r.evaluation.is_some()).map(|r| r.updates).collect();
    assert_eq!(evaluated, [20, 40]);
    assert!(counts.iter().all(|(count, _)| (1..=16).contains(count)) && counts.len() < 20, "{counts:?}");
    let times = counts.len() as u64;
    assert_eq!((after.submissions - before.submissions, after.readbacks - before.readbacks), (times, times));
    let numbers: Vec<u32> = reports.iter().flat_map(|r| &r.metrics).map(|agents| agents[0].update).collect();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>(), "numbers of the updates, each once");
}
