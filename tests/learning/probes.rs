//! Probe environments: each isolates one part of a trainer, which learns a known value if that part is right.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support::{from_bits, gpu, ok, wide};
use manyworlds::algo::OnPolicy;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::layout::Row;

const GAMMA: f64 = 0.9;
const UPDATES: u64 = 150;
const WORLDS: usize = 64;
const STEPS: usize = 16;

fn config() -> Config {
    Config {
        num_envs: WORLDS as u32,
        num_steps: STEPS as u32,
        total_timesteps: UPDATES * (WORLDS * STEPS) as u64,
        learning_rate: 0.01,
        gamma: GAMMA,
        ent_coef: 0.0,
        clip_vloss: false,
        hidden: vec![16],
        eval_every: 0,
        eval_episodes: 64,
        ..Config::default()
    }
}

/// What a trained critic says of each observation it met, and the mean return of the deterministic policy.
struct Learned {
    values: Vec<(Vec<f64>, f64)>,
    mean_return: f64,
}

fn learn(name: &str, config: &Config) -> Learned {
    let env = ok(Environment::load(name));
    let ppo = ok(OnPolicy::new(gpu(), &env, config, &[11]));
    for _ in 0..UPDATES {
        ok(gpu().submit(ppo.update()));
    }
    let batch = WORLDS * STEPS;
    let observations = wide(&ok(gpu().read(&ppo.batch.observations)));
    let samples = ok(gpu().read(&ppo.batch.samples));
    let values = from_bits(&samples[Row::Value as usize * batch..][..batch]);
    let features = env.spec().observation_dim as usize;
    let seen = |column: usize| (0..features).map(|f| observations[f * batch + column]).collect();
    let mut work = manyworlds::gpu::Recording::default();
    ppo.evaluation.record(&mut work);
    ok(gpu().submit(&work));
    let outcomes = ok(gpu().read(&ppo.evaluation.outcomes));
    let mean_return = outcomes.iter().map(|outcome| f64::from(outcome[0])).sum::<f64>() / outcomes.len() as f64;
    Learned { values: (0..batch).map(|column| (seen(column), values[column])).collect(), mean_return }
}

/// Every value that the critic gave must be within `close` of `expected`.
#[track_caller]
fn assert_values(name: &str, learned: &Learned, expected: impl Fn(&[f64]) -> f64, close: f64) {
    for (seen, value) in &learned.values {
        let expected = expected(seen);
        assert!((value - expected).abs() <= close, "{name}: V{seen:?} is {value}, {expected} ± {close} expected");
    }
}

#[test]
fn learning_probe_of_the_value_loss() {
    assert_values("ProbeValue", &learn("ProbeValue", &config()), |_| 1.0, 0.02);
}

#[test]
fn learning_probe_of_the_backward_pass() {
    assert_values("ProbeBackward", &learn("ProbeBackward", &config()), |o| o[0], 0.05);
}

#[test]
fn learning_probe_of_the_discount() {
    assert_values("ProbeDiscount", &learn("ProbeDiscount", &config()), |o| if o[0] < 0.5 { GAMMA } else { 1.0 }, 0.05);
}

#[test]
fn learning_probe_of_the_policy() {
    let learned = learn("ProbePolicy", &config());
    assert!(learned.mean_return >= 0.999, "ProbePolicy: mean return {}, 1 expected", learned.mean_return);
    assert_values("ProbePolicy", &learned, |_| 1.0, 0.1);
}

#[test]
fn learning_probe_of_policy_and_observation() {
    let learned = learn("ProbePolicyObservation", &config());
    assert!(learned.mean_return >= 0.999, "ProbePolicyObservation: mean return {}, 1 expected", learned.mean_return);
    assert_values("ProbePolicyObservation", &learned, |_| 1.0, 0.1);
}

/// V = 1/(1 − γ) = 10 needs the bootstrap; without it, V stays below 5.
#[test]
fn learning_probe_of_truncation_fails_without_bootstrap() {
    let with = learn("ProbeTruncation", &config());
    assert_values("ProbeTruncation", &with, |_| 1.0 / (1.0 - GAMMA), 0.5);
    let without = learn("ProbeTruncation", &Config { bootstrap_truncated: false, ..config() });
    let largest = without.values.iter().fold(0.0, |most: f64, (_, value)| most.max(*value));
    assert!(largest < 5.0, "ProbeTruncation without bootstrap: V is {largest}, below 5 expected");
}

#[test]
fn learning_probe_of_resets() {
    assert_values("ProbeReset", &learn("ProbeReset", &config()), |o| o[0], 0.1);
}

#[test]
fn learning_probe_of_delayed_rewards() {
    let learned = learn("ProbeDelay", &config());
    assert!(learned.mean_return >= 0.999, "ProbeDelay: mean return {}, 1 expected", learned.mean_return);
    let met = learned.values.iter().filter(|(seen, _)| seen[0] > -0.5).cloned().collect();
    // what the policy avoids is seldom seen
    let learned = Learned { values: met, ..learned };
    assert_values("ProbeDelay", &learned, |o| if o[0] < 0.5 { GAMMA } else { 1.0 }, 0.1);
}
