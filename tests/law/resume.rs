//! A run that goes on from its state is the same as one that never stopped.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support::{gpu, ok};
use manyworlds::Error;
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::layout::{Metrics, Progress};
use manyworlds::train::{Report, STATE_FILE, State, Trainer};
use safetensors::SafeTensors;
use std::path::Path;

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

fn searched(algo: Algo, more: &[&str]) -> (&'static str, Config) {
    let small = ["generations=4", "hidden=[]", "eval_every=2", "eval_episodes=3"];
    let members: &[&str] = if algo == Algo::Pattern { &[] } else { &["population=14"] };
    let pairs: Vec<String> = [&small[..], members, more].concat().iter().map(|&pair| pair.to_owned()).collect();
    ("CartPole-v1", ok(Config::resolve("none", algo.name(), None, &pairs)))
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
        ("CartPole-v1", of(Algo::A2c, &[])),
        ("CartPole-v1", of(Algo::Npg, &["norm_obs=true"])),
        ("CartPole-v1", of(Algo::Trpo, &[])),
        ("CartPole-v1", of(Algo::Reinforce, &["reuse=2", "estimator=reward-to-go", "norm_adv=false"])),
        searched(Algo::Cem, &["elite_fraction=0.3"]),
        searched(Algo::Ga, &["crossover=true", "elite_fraction=0.4"]),
        searched(Algo::Pattern, &[]),
        searched(Algo::Es, &[]),
        searched(Algo::Ars, &[]),
        searched(Algo::Random, &[]),
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
    let mut algorithms: Vec<Algo> = family().iter().map(|(_, config)| config.algo).collect();
    algorithms.sort_unstable_by_key(|algo| algo.name());
    let mut all = Algo::ALL;
    all.sort_unstable_by_key(|algo| algo.name());
    assert_eq!(algorithms, all, "each algorithm once");
    for (env, config) in family() {
        let name = format!("{} on {env}", config.algo.name());
        assert_eq!(config.num_updates(), 4, "{name}");
        let (metrics, parameters) = rest(trainer(env, &config, &seeds));
        // one state is asked for behind the first update, where nothing is evaluated; the other is that of the evaluation
        let mut asked = trainer(env, &config, &seeds);
        asked.ask();
        let reports: Vec<Report> = asked.map(ok).collect();
        let last = reports.last().unwrap().evaluation.as_ref().unwrap();
        for ((_, policy), expected) in last.iter().zip(&parameters) {
            assert_eq!(policy.parameters(), expected, "{name}: asking has changed the run");
        }
        assert!(
            reports[0].evaluation.is_none() && reports[0].policies.as_ref().is_some_and(|all| all.len() == 2),
            "{name}"
        );
        let states: Vec<State> = reports.into_iter().filter_map(|report| report.state).collect();
        assert_eq!(states.iter().map(|state| state.updates).collect::<Vec<_>>(), [1, 2, 4], "{name}");
        for state in &states[..2] {
            let done = state.updates as usize;
            // it goes through a file
            ok(state.save(&folder.path().join(STATE_FILE)));
            let loaded = ok(State::load(folder.path()));
            assert_eq!((loaded.updates, loaded.num_updates, loaded.ring), (state.updates, 4, true), "{name}");
            let (resumed, last) = rest(ok(trainer(env, &config, &seeds).resume(&loaded)));
            assert_eq!(resumed, metrics[done..], "{name}: metrics behind update {done}");
            for (agent, (got, expected)) in last.iter().zip(&parameters).enumerate() {
                let apart = got.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
                assert_eq!(
                    apart, None,
                    "{name}: parameters of agent {agent} differ at that place, behind update {done}"
                );
            }
        }
    }
}

/// Everything in the buffers of progress of a state that follows a schedule: learning rate, clip range and temperature of the
/// Gumbel-softmax of every learner.
fn schedules(state: &State, folder: &Path) -> Vec<[u32; 3]> {
    let path = folder.join(STATE_FILE);
    ok(state.save(&path));
    let bytes = std::fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<&str> = tensors.names().into_iter().filter(|name| name.starts_with("progress")).collect();
    names.sort_unstable();
    assert!(!names.is_empty());
    let all = names.iter().flat_map(|name| {
        let data = tensors.tensor(name).unwrap().data();
        data.chunks_exact(size_of::<Progress>()).map(bytemuck::pod_read_unaligned).collect::<Vec<Progress>>()
    });
    all.map(|at| [at.learning_rate, at.clip_coef, at.gumbel_temperature].map(f32::to_bits)).collect()
}

/// A run that goes on with twice the updates stands, in the first of them, where one stands that was to make as many from the
/// start.
#[test]
fn schedules_follow_the_new_total_from_the_first_update_on() {
    let folder = tempfile::tempdir().unwrap();
    for (env, config) in family().into_iter().filter(|(_, config)| !config.algo.is_search()) {
        let anneals = ["anneal_lr=true", "anneal_clip=true", "gumbel_temperature_final=0.25"];
        let read = |pair: &&str| {
            let setting = Config::SETTINGS.iter().find(|setting| pair.starts_with(setting.name)).unwrap();
            setting.readers.contains(&config.algo)
        };
        let pairs: Vec<String> = anneals.iter().filter(|pair| read(pair)).map(|&pair| pair.to_owned()).collect();
        let config = ok(config.with(&pairs));
        let name = format!("{} on {env}", config.algo.name());
        let steps = config.total_timesteps - config.warm_up();
        let longer = Config { total_timesteps: config.warm_up() + 2 * steps, ..config.clone() };
        let at_two = |config: &Config| trainer(env, config, &[3]).map(ok).find_map(|report| report.state).unwrap();
        let (short, long) = (at_two(&config), at_two(&longer));
        assert_eq!((short.updates, short.num_updates, long.num_updates), (2, 4, 8), "{name}");
        let mut resumed = ok(trainer(env, &longer, &[3]).resume(&short));
        // where it stands before anything is done
        resumed.stop();
        let reports: Vec<Report> = resumed.map(ok).collect();
        assert_eq!(reports.iter().map(|report| (report.updates, report.metrics.len())).collect::<Vec<_>>(), [(2, 0)]);
        let stands = reports[0].state.as_ref().unwrap();
        let expected = schedules(&long, folder.path());
        assert_eq!(schedules(stands, folder.path()), expected, "{name}");
        assert_ne!(schedules(&short, folder.path()), expected, "{name}: the schedules do not depend on the total");
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
    assert!(matches!(State::load(folder.path()), Err(Error::Checkpoint { .. })));
    std::fs::write(folder.path().join(STATE_FILE), [9; 40]).unwrap();
    assert!(matches!(State::load(folder.path()), Err(Error::Checkpoint { .. })));
}
