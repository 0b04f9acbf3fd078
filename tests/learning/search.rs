//! Searches that find what they look for.

use crate::support::{gpu, ok};
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::Trainer;

fn config(algo: &str, pairs: &[&str]) -> Config {
    let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
    ok(Config::resolve("none", algo, None, &pairs))
}

/// A linear policy for five seeds at once.
#[test]
fn learning_searches_solve_cartpole() {
    let env = ok(Environment::load("CartPole-v1"));
    for algo in ["cem", "ga", "es", "ars"] {
        let config = config(algo, &["hidden=[]", "eval_episodes=200"]);
        let mut solved = [false; 5];
        for report in ok(Trainer::new(gpu(), &env, &config, &[1, 2, 3, 4, 5])).until_solved() {
            let agents = ok(report).evaluation.unwrap_or_default();
            solved.iter_mut().zip(agents).for_each(|(solved, (returns, _))| *solved |= returns.passes(475.0));
            if solved == [true; 5] {
                break;
            }
        }
        assert_eq!(solved, [true; 5], "{algo}: seeds 1 to 5");
    }
}

/// The gain of the regulator that costs least is −1, whatever the noise.
#[test]
fn learning_pattern_search_finds_the_regulators_gain() {
    let env = ok(Environment::load("SimpleRegulator"));
    let pairs = ["hidden=[]", "episodes_per_member=1000", "generations=40", "eval_every=0", "eval_episodes=2"];
    let last = ok(Trainer::new(gpu(), &env, &config("pattern", &pairs), &[1, 2, 3])).map(ok).last();
    let agents = last.and_then(|report| report.evaluation).unwrap_or_default();
    assert_eq!(agents.len(), 3);
    for (_, policy) in agents {
        let gain = policy.parameters()[0];
        assert!((gain + 1.0).abs() < 0.02, "seed {}: {gain}", policy.config.seed);
    }
}
