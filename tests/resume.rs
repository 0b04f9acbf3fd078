//! A run that goes on from its state is the same as one that never stopped.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

mod support;

use manyworlds::Error;
use manyworlds::algo::Algo;
use manyworlds::env::Environment;
use manyworlds::layout::Metrics;
use manyworlds::train::{Config, Report, STATE_FILE, State, Trainer};
use support::{gpu, ok};

/// Four updates with an evaluation behind the second.
fn config(algo: Algo, pairs: &[&str]) -> Config {
    let small = ["num_envs=6", "hidden=[12, 12]", "eval_every=2", "eval_episodes=3"];
    let pairs: Vec<String> = small.iter().chain(pairs).map(|&pair| pair.to_owned()).collect();
    ok(Config::resolve("none", algo.name(), None, &pairs))
}

fn replayed(algo: Algo) -> Config {
    let sizes = ["num_steps=7", "buffer_size=50", "learning_starts=18", "batch_size=15", "total_timesteps=186"];
    let more = match algo {
        Algo::Ddpg => "action_noise=ornstein-uhlenbeck",
        Algo::Td3 => "gradient_steps=2",
        _ => "n_steps=2",
    };
    config(algo, &[&sizes[..], &[more]].concat())
}

/// With what else than parameters goes on from one update to the next.
fn family() -> Vec<(&'static str, Config)> {
    let rollouts = ["num_steps=16", "total_timesteps=384"];
    let of = |algo, more: &[&str]| config(algo, &[&rollouts[..], more].concat());
    vec![
        ("Pendulum-v1", replayed(Algo::Ddpg)),
        ("Pendulum-v1", replayed(Algo::Td3)),
        ("Pendulum-v1", replayed(Algo::Sac)),
        ("CartPole-v1", of(Algo::Ppo, &["norm_obs=true", "norm_reward=true", "penalty=kl", "anneal_clip=true"])),
        ("CartPole-v1", of(Algo::Trpo, &[])),
        ("CartPole-v1", of(Algo::Reinforce, &["reuse=2", "estimator=reward-to-go", "norm_adv=false"])),
    ]
}

fn trainer(env: &str, config: &Config, seeds: &[u32]) -> Trainer {
    ok(Trainer::new(gpu(), &ok(Environment::load(env)), config, seeds)).keeping(true)
}

/// Metrics of all updates, agent by agent, and parameters at the end.
fn rest(trainer: Trainer) -> (Vec<Vec<Metrics>>, Vec<Vec<f32>>) {
    let reports: Vec<Report> = trainer.map(ok).collect();
    let last = reports.last().unwrap().evaluation.as_ref().unwrap();
    let parameters = last.iter().map(|(_, policy)| policy.parameters().to_vec()).collect();
    (reports.iter().flat_map(|report| report.metrics.clone()).collect(), parameters)
}

#[test]
fn a_run_goes_on_as_if_it_had_never_stopped() {
    let seeds = [3, 8];
    let folder = tempfile::tempdir().unwrap();
    for (env, config) in family() {
        let name = format!("{} on {env}", config.algo.name());
        assert_eq!(config.num_updates(), 4, "{name}");
        let (metrics, parameters) = rest(trainer(env, &config, &seeds));
        // the first evaluation is behind the second update; its state goes through a file
        let state = trainer(env, &config, &seeds).map(ok).find_map(|report| report.state).unwrap();
        assert_eq!((state.updates, state.ring), (2, true), "{name}");
        ok(state.save(&folder.path().join(STATE_FILE)));
        let loaded = ok(State::load(folder.path()));
        assert_eq!(loaded.updates, state.updates, "{name}");
        let (resumed, last) = rest(ok(trainer(env, &config, &seeds).resume(&loaded)));
        assert_eq!(resumed, metrics[2..], "{name}: metrics");
        for (agent, (got, expected)) in last.iter().zip(&parameters).enumerate() {
            let apart = got.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(apart, None, "{name}: parameters of agent {agent} differ at that place");
        }
    }
}

/// Without the ring a run goes on too, but not the same way.
#[test]
fn a_ring_that_was_not_kept_is_filled_anew() {
    let config = replayed(Algo::Sac);
    let (_, uninterrupted) = rest(trainer("Pendulum-v1", &config, &[3]));
    let first = trainer("Pendulum-v1", &config, &[3]).keeping(false);
    let state = first.map(ok).find_map(|report| report.state).unwrap();
    assert!(!state.ring);
    let (metrics, parameters) = rest(ok(trainer("Pendulum-v1", &config, &[3]).resume(&state)));
    assert_eq!(metrics.len(), 2);
    let gradient_steps = [metrics[0][0].gradient_steps, metrics[1][0].gradient_steps];
    assert_eq!(gradient_steps, [21, 28], "refilling takes no gradient steps");
    assert!(parameters[0].iter().all(|value| value.is_finite()));
    assert_ne!(parameters, uninterrupted, "the transitions are others");
}

#[test]
fn a_state_of_other_settings_is_refused() {
    let config = replayed(Algo::Td3);
    let state = trainer("Pendulum-v1", &config, &[3]).map(ok).find_map(|report| report.state).unwrap();
    let refused = |other: Config| match trainer("Pendulum-v1", &other, &[3]).resume(&state) {
        Err(Error::Setting { name, reason }) => {
            assert_eq!(name, "resume", "{reason}");
            assert!(reason.contains("with the same settings"), "{reason}");
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{other:?} was taken"),
    };
    refused(Config { hidden: vec![12, 16], ..config.clone() });
    refused(Config { buffer_size: 51, ..config.clone() });
    refused(Config { num_envs: 5, ..config.clone() });
    refused(Config { algo: Algo::Sac, ..config });
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(State::load(folder.path()), Err(Error::File { .. })));
    std::fs::write(folder.path().join(STATE_FILE), [9; 40]).unwrap();
    assert!(matches!(State::load(folder.path()), Err(Error::Checkpoint { .. })));
}
