//! Learning runs from replay, small versions of the presets.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support::{gpu, ok};
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::train::{Returns, Trainer};

/// The first evaluation with this mean, or else the last one.
fn evaluation(env: &str, algo: Algo, pairs: &[&str], enough: f64) -> Returns {
    let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
    let config = ok(Config::resolve(env, algo.name(), None, &pairs));
    let mut last = None;
    for report in ok(Trainer::new(gpu(), &ok(Environment::load(env)), &config, &[1])).until_solved() {
        let Some(evaluation) = ok(report).evaluation else { continue };
        last = Some(evaluation[0].0);
        if evaluation[0].0.mean >= enough {
            break;
        }
    }
    last.unwrap()
}

#[test]
fn learning_sac_swings_the_pendulum_up() {
    let less = ["num_envs=256", "batch_size=256", "total_timesteps=1600000", "eval_every=4", "eval_episodes=300"];
    let returns = evaluation("Pendulum-v1", Algo::Sac, &less, -170.0);
    assert!(returns.mean >= -170.0, "seed 1: {returns:?}");
}

#[test]
fn learning_ddpg_balances_the_pole_through_one_hot_choices() {
    let returns = evaluation("CartPole-v1", Algo::Ddpg, &["eval_episodes=300"], 490.0);
    assert!(returns.mean >= 475.0, "seed 1: {returns:?}");
}
