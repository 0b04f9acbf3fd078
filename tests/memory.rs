//! Memory of long runs, which must not depend on how many updates were made: a driver that compiles kernels again while
//! they run keeps every copy.

#![cfg(target_os = "linux")]
// a test may panic
#![allow(clippy::unwrap_used)]

mod support;

use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::Trainer;
use support::{gpu, ok};

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// A run of one workgroup's worlds or more, with a sentence for each algorithm that has kernels of its own.
fn runs() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let rollouts = vec!["num_envs=64", "num_steps=8", "hidden=[8]"];
    let with = |more: &[&'static str]| [&rollouts[..], more].concat();
    let replay =
        vec!["num_envs=64", "num_steps=8", "hidden=[8]", "batch_size=64", "buffer_size=4096", "learning_starts=512"];
    vec![
        ("TwoAction", "ppo", rollouts.clone()),
        ("TwoAction", "trpo", with(&["cg_iters=4"])),
        ("TwoAction", "reinforce", with(&["norm_obs=true", "norm_reward=true"])),
        ("Pendulum-v1", "sac", replay),
    ]
}

#[test]
fn memory_stays_as_it_is_after_the_first_updates() {
    const SETTLED: usize = 100;
    const UPDATES: usize = 400;
    for (env, algo, pairs) in runs() {
        let steps = format!("total_timesteps={}", 64 * 8 * UPDATES);
        let pairs: Vec<String> =
            pairs.iter().chain(&["eval_every=50", "eval_episodes=16", &*steps]).map(|&pair| pair.to_owned()).collect();
        let config = ok(Config::resolve("none", algo, None, &pairs));
        let trainer = ok(Trainer::new(gpu(), &ok(Environment::load(env)), &config, &[1]));
        let (mut updates, mut settled) = (0, None);
        for report in trainer {
            updates += ok(report).metrics.len();
            if updates >= SETTLED && settled.is_none() {
                settled = Some((updates, resident()));
            }
        }
        let (first, before) = settled.expect("the run has this many updates");
        let grown = resident().saturating_sub(before);
        assert!(updates >= UPDATES - 1, "{algo} made {updates} updates"); // random steps of replay come first
        // 300 updates of which each kept a copy would be 45 MB and more
        assert!(grown < 2_000_000, "{algo} on {env}: {grown} bytes more after update {updates} than after {first}");
    }
}
