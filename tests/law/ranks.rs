//! Several ranks with a share of the worlds each are the same algorithm as one process with all of them.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support::ranks::on_ranks;
use crate::support::{gpu, ok};
use manyworlds::Result;
use manyworlds::config::{Config, SyncEvery};
use manyworlds::env::Environment;
use manyworlds::gpu::Gpu;
use manyworlds::layout::Metrics;
use manyworlds::train::{Report, State, Trainer};

/// Updates of every run.
const UPDATES: u32 = 5;

fn config(algo: &str, pairs: &[&str]) -> Config {
    let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
    ok(Config::resolve("none", algo, None, &pairs))
}

/// Runs with something of everything that ranks exchange.
fn family() -> Vec<(&'static str, Config)> {
    let rollouts = |algo, steps: &str, more: &[&str]| {
        config(
            algo,
            &[
                &[
                    "num_envs=24",
                    "shards=4",
                    "hidden=[16, 16]",
                    "eval_every=2",
                    "eval_episodes=7",
                    "num_steps=16",
                    steps,
                ],
                more,
            ]
            .concat(),
        )
    };
    let replay = |algo, more: &[&str]| {
        let sizes = ["num_envs=8", "shards=4", "hidden=[16, 16]", "eval_every=2", "eval_episodes=7", "num_steps=4"];
        let ring = ["buffer_size=256", "batch_size=40", "learning_starts=64", "total_timesteps=224"];
        config(algo, &[&sizes[..], &ring[..], more].concat())
    };
    let search = |algo, more: &[&str]| {
        config(
            algo,
            &[&["generations=5", "population=24", "hidden=[8]", "eval_every=2", "eval_episodes=7"], more].concat(),
        )
    };
    let five = "total_timesteps=1920";
    vec![
        ("CartPole-v1", rollouts("ppo", five, &["norm_obs=true", "norm_reward=true", "num_minibatches=4"])),
        ("Pendulum-v1", rollouts("ppo", five, &["penalty=kl", "num_minibatches=2", "target_kl=0.02"])),
        ("CartPole-v1", rollouts("a2c", five, &[])),
        ("CartPole-v1", rollouts("trpo", five, &["fisher_subsample=1", "value_minibatches=4"])),
        // many conjugate gradients make more of roundings than this is about
        (
            "Pendulum-v1",
            rollouts("npg", five, &["fisher_subsample=1", "value_minibatches=4", "cg_iters=3", "damping=0.3"]),
        ),
        ("CartPole-v1", rollouts("reinforce", five, &["estimator=optimal-baseline", "norm_adv=false"])),
        ("Pendulum-v1", replay("sac", &["n_steps=2"])),
        ("CartPole-v1", replay("sac", &["target_entropy_scale=0.3"])),
        ("Pendulum-v1", replay("td3", &["gradient_steps=2"])),
        ("Pendulum-v1", replay("ddpg", &["action_noise=ornstein-uhlenbeck"])),
        ("CartPole-v1", search("es", &["norm_obs=true"])),
        ("Pendulum-v1", search("cem", &[])),
        ("CartPole-v1", search("ars", &[])),
        ("CartPole-v1", search("ga", &["crossover=true"])),
    ]
}

/// Reports of a whole run.
fn reports(gpu: &Gpu, env: &str, config: &Config) -> Vec<Report> {
    let trainer = ok(Trainer::new(gpu, &ok(Environment::load(env)), config, &[config.seed])).keeping(true);
    trainer.map(ok).collect()
}

fn parameters(reports: &[Report]) -> Vec<f32> {
    reports.last().unwrap().policies.as_ref().unwrap()[0].parameters().to_vec()
}

/// ‖a − b‖/‖b‖
fn apart(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b))) / norm(&mut b.iter().map(|b| f64::from(*b)))
}

#[test]
fn ranks_come_to_what_one_process_comes_to() {
    for (env, config) in family() {
        let name = format!("{} on {env}", config.algo.name());
        assert_eq!(config.num_updates(), UPDATES, "{name}");
        let alone = reports(gpu(), env, &config);
        let expected = parameters(&alone);
        // each rank has kernels of its own, which take longer to compile than to run
        let several: &[u32] = if ["ppo", "ddpg"].contains(&config.algo.name()) { &[2, 4] } else { &[2] };
        for &ranks in several {
            let of_ranks = on_ranks(ranks, |gpu| reports(gpu, env, &config));
            for reports in &of_ranks {
                let found = apart(&parameters(reports), &expected);
                assert!(found < 1e-5, "{name}, {ranks} ranks: {found:e}");
                assert_eq!(parameters(reports), parameters(&of_ranks[0]), "{name}, {ranks} ranks");
            }
            compare_metrics(&name, &of_ranks[0], &alone);
        }
    }
}

/// What is told of updates and evaluations.
fn compare_metrics(name: &str, ranks: &[Report], alone: &[Report]) {
    let metrics = |reports: &[Report]| -> Vec<Metrics> {
        reports.iter().flat_map(|report| report.metrics.iter().map(|of| of[0])).collect()
    };
    for (update, (got, want)) in metrics(ranks).iter().zip(metrics(alone)).enumerate() {
        for (what, got, want) in [
            ("episodes", got.episodes, want.episodes),
            ("terminated", got.terminated, want.terminated),
            ("length_sum", got.length_sum, want.length_sum),
            ("steps", got.steps as f32, want.steps as f32),
            ("gradient_steps", got.gradient_steps as f32, want.gradient_steps as f32),
            ("adam_steps", got.adam_steps as f32, want.adam_steps as f32),
        ] {
            assert_eq!(got, want, "{name}, update {update}: {what}");
        }
        for (what, got, want) in [
            ("return_sum", got.return_sum, want.return_sum),
            ("policy_loss", got.policy_loss, want.policy_loss),
            ("value_loss", got.value_loss, want.value_loss),
            ("entropy", got.entropy, want.entropy),
            ("explained_variance", got.explained_variance, want.explained_variance),
            ("grad_norm", got.grad_norm, want.grad_norm),
            ("q_value", got.q_value, want.q_value),
            ("alpha", got.alpha, want.alpha),
            ("kl", got.kl, want.kl),
            ("fitness_mean", got.fitness_mean, want.fitness_mean),
            ("fitness_best", got.fitness_best, want.fitness_best),
            ("improvement", got.improvement, want.improvement),
        ] {
            assert!((got - want).abs() <= 2e-4 * want.abs() + 2e-5, "{name}, update {update}: {what} {got} and {want}");
        }
    }
    let evaluations = |reports: &[Report]| -> Vec<(usize, f64)> {
        reports
            .iter()
            .filter_map(|report| report.evaluation.as_ref())
            .map(|of| (of[0].0.episodes as usize, of[0].0.mean))
            .collect()
    };
    for ((episodes, got), (all, want)) in evaluations(ranks).into_iter().zip(evaluations(alone)) {
        assert_eq!(episodes, all, "{name}");
        assert!((got - want).abs() <= 1e-3 * want.abs() + 1e-3, "{name}: evaluation {got} and {want}");
    }
}

#[test]
fn ranks_that_learn_apart_are_equal_again_after_every_update() {
    let all = ["num_envs=24", "hidden=[16, 16]", "eval_every=1", "eval_episodes=7", "sync=update"];
    let rollouts = ["num_steps=16", "total_timesteps=1920"];
    let replay = ["num_steps=4", "buffer_size=960", "batch_size=48", "learning_starts=96", "total_timesteps=576"];
    for (env, algo, more) in [
        ("CartPole-v1", "ppo", [&rollouts[..], &["norm_obs=true", "num_minibatches=4", "target_kl=0.001"]].concat()),
        ("CartPole-v1", "reinforce", rollouts.to_vec()),
        ("Pendulum-v1", "sac", replay.to_vec()),
        ("Pendulum-v1", "td3", replay.to_vec()),
    ] {
        let config = config(algo, &[&all[..], &more].concat());
        let once = || on_ranks(2, |gpu| reports(gpu, env, &config));
        let (first, second) = (once(), once());
        // every evaluation compares the parameters of all ranks
        assert_eq!(first[0].iter().filter(|report| report.evaluation.is_some()).count(), 5, "{algo}");
        assert_eq!(parameters(&first[0]), parameters(&first[1]), "{algo}");
        assert_eq!(parameters(&first[0]), parameters(&second[0]), "{algo}");
        let in_step = Config { sync: SyncEvery::Minibatch, ..config.clone() };
        let other = on_ranks(2, |gpu| reports(gpu, env, &in_step)).swap_remove(0);
        assert_ne!(parameters(&first[0]), parameters(&other), "{algo}: nothing was learned apart");
    }
    // one step down the gradient from the same place: the mean of the steps is the step of the mean
    let plain = ["optimizer=sgd", "max_grad_norm=0", "shards=2"];
    let config = config("a2c", &[&all[..], &rollouts[..], &plain[..]].concat());
    let apart_for_an_update = on_ranks(2, |gpu| reports(gpu, "CartPole-v1", &config)).swap_remove(0);
    let found = apart(&parameters(&apart_for_an_update), &parameters(&reports(gpu(), "CartPole-v1", &config)));
    assert!(found < 1e-5, "{found:e}");
}

#[test]
fn ranks_repeat_bit_for_bit() {
    for (env, config) in
        family().into_iter().filter(|(_, config)| ["ppo", "trpo", "sac", "es"].contains(&config.algo.name()))
    {
        let once = || on_ranks(2, |gpu| reports(gpu, env, &config)).swap_remove(0);
        let (first, second) = (once(), once());
        assert_eq!(parameters(&first), parameters(&second), "{} on {env}", config.algo.name());
        let states =
            |reports: &[Report]| reports.iter().filter_map(|report| report.state.clone()).collect::<Vec<State>>();
        assert_eq!(states(&first), states(&second), "{} on {env}", config.algo.name());
    }
}

#[test]
fn a_run_goes_on_over_another_number_of_ranks() {
    for (env, config) in
        family().into_iter().filter(|(_, config)| ["ppo", "reinforce", "ddpg", "es"].contains(&config.algo.name()))
    {
        let name = format!("{} on {env}", config.algo.name());
        let goes_on = |gpu: &Gpu, state: &State| -> Vec<Report> {
            let trainer = ok(Trainer::new(gpu, &ok(Environment::load(env)), &config, &[config.seed])).keeping(true);
            ok(trainer.resume(state)).map(ok).collect()
        };
        let of_two = on_ranks(2, |gpu| reports(gpu, env, &config)).swap_remove(0);
        let expected = parameters(&of_two);
        let state = of_two.iter().find_map(|report| report.state.clone()).unwrap();
        assert_eq!(state.updates, 2);
        // the same number goes on to the bit
        let same = on_ranks(2, |gpu| goes_on(gpu, &state)).swap_remove(0);
        assert_eq!(parameters(&same), expected, "{name}");
        for ranks in [1, 4] {
            let other = match ranks {
                1 => goes_on(gpu(), &state),
                ranks => on_ranks(ranks, |gpu| goes_on(gpu, &state)).swap_remove(0),
            };
            let found = apart(&parameters(&other), &expected);
            assert!(found < 1e-5, "{name}, {ranks} ranks: {found:e}");
        }
    }
}

#[test]
fn what_cannot_be_shared_out_is_refused_on_every_rank() {
    let cartpole = || ok(Environment::load("CartPole-v1"));
    let refused =
        |config: &Config| -> Vec<Result<Trainer>> { on_ranks(4, |gpu| Trainer::new(gpu, &cartpole(), config, &[1])) };
    for (pair, remedy) in [("num_envs=25", "28 can"), ("shards=3", "shards"), ("shards=1", "4 can")] {
        for result in refused(&config("ppo", &[pair])) {
            let error = result.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(remedy), "{pair}: {error}");
        }
    }
    let error =
        refused(&config("es", &["population=26"])).remove(1).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("population") && error.contains("28 can"), "{error}");
}

/// Pays what is no number from the step on that a world of the second rank comes to first.
const FAULTY: &str = "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 40u;
struct State { pace: u32, steps: u32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_u32(rng) % 3u, 0u); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).steps += 1u;
    let ends = f32((*s).steps) - 30.0 - 3.0 * f32((*s).pace);
    return Outcome(select(1.0, log(ends - 1.0) * 0.0 + sqrt(-ends), ends > 0.0), false);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.steps) / 40.0); }
";

#[test]
fn every_rank_ends_where_one_meets_what_is_no_number() {
    let env = ok(Environment::from_source("faulty", "faulty.wgsl", FAULTY));
    let pairs = [
        "num_envs=16",
        "num_steps=16",
        "hidden=[8]",
        "eval_every=1",
        "eval_episodes=4",
        "total_timesteps=2560",
        "norm_reward=false",
    ];
    for (algo, more) in [("ppo", "num_minibatches=2"), ("a2c", "gamma=0.9")] {
        let config = config(algo, &[&pairs[..], &[more]].concat());
        let told = |gpu: &Gpu| -> Vec<std::result::Result<u32, String>> {
            let trainer = ok(Trainer::new(gpu, &env, &config, &[1])).keeping(true);
            trainer.map(|report| report.map(|report| report.updates).map_err(|error| error.to_string())).collect()
        };
        let alone = told(gpu());
        let error = alone.last().unwrap().clone().unwrap_err();
        assert!(error.contains("is not finite") || error.contains("NaN"), "{error}");
        for ranks in on_ranks(2, told) {
            assert!(ranks.last().unwrap().is_err(), "{algo}: {ranks:?}");
        }
    }
}
