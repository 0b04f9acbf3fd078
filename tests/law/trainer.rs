//! Whole runs through the library: several agents against solo runs, and how often the host talks to the device.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support;
use crate::support::{gpu, ok};
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::Trainer;

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
