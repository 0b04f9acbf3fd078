//! Runs of policies that explore over real numbers: updates that repeat, checkpoints, refusals, learning; and the clip range
//! that falls.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::explorer::{CLOCK, Reference, bounds, explorations, walk};
use crate::support::{ROUNDING, assert_bits, few_forms, from_bits, gpu, ok, wide};
use manyworlds::algo::OnPolicy;
use manyworlds::config::{Algo, Config, Penalty};
use manyworlds::env::Environment;
use manyworlds::gpu::{Form, Recording};
use manyworlds::layout::Row;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::state_dependent;
use manyworlds::train::{Policy, Trainer};
use manyworlds::{Rollout, WorldPool};

/// A small run on the walk with everything on.
fn config(worlds: u32) -> Config {
    Config {
        num_envs: worlds,
        num_steps: 13,
        total_timesteps: u64::from(10 * worlds * 13),
        num_minibatches: 1,
        update_epochs: 2,
        learning_rate: 0.01,
        hidden: vec![8, 8],
        eval_episodes: 63,
        squash: true,
        use_sde: true,
        sde_sample_freq: 3,
        norm_obs: true,
        penalty: Penalty::Kl,
        ..Config::default()
    }
}

#[test]
fn runs_repeat_and_a_world_does_not_depend_on_the_number_of_worlds() {
    for form in few_forms() {
        let gpu = gpu().clone().with_form(form);
        let updated = |config: &Config| {
            let learner = ok(OnPolicy::new(&gpu, &walk(), config, &[5]));
            for _ in 0..2 {
                ok(gpu.submit(learner.update()));
            }
            ok(gpu.read(&learner.agents.parameters))
        };
        let [first, again] = [0; 2].map(|_| updated(&config(41)));
        assert_bits(&format!("{form}, seed 5, parameters after two updates"), &again, &first);

        let runs = [345, 66].map(|worlds| {
            let learner = ok(OnPolicy::new(&gpu, &walk(), &config(worlds), &[5]));
            let mut rollout = Recording::default();
            learner.rollout.record(&mut rollout);
            ok(gpu.submit(&rollout));
            (worlds as usize, ok(gpu.read(&learner.batch.samples)))
        });
        let [(all, expected), (worlds, got)] = &runs;
        for (row, t, world) in (0..3).flat_map(|k| (0..13).flat_map(move |t| (0..66).map(move |w| (k, t, w)))) {
            let row = Row::Action as usize + row;
            let at = |worlds: usize| (row * 13 + t) * worlds + world;
            let case = format!("{form}, seed 5, row {row}, step {t}, world {world} of {worlds}");
            assert_eq!(got[at(*worlds)], expected[at(*all)], "{case}: other bits than beside {all} worlds");
        }
    }
}

#[test]
fn the_ratio_is_1_in_the_first_minibatch_however_a_policy_explores() {
    let [_, squashed, state_dependent, both] = explorations(3);
    for form in few_forms() {
        let gpu = gpu().clone().with_form(form);
        // everything on in each form, and each by itself in the first
        let alone = [(squashed, Penalty::Clip), (state_dependent, Penalty::Clip)];
        let alone = if form == Form::PLAIN { &alone[..] } else { &[] };
        for &(exploration, penalty) in alone.iter().chain(&[(both, Penalty::Kl)]) {
            let (squash, use_sde) = (exploration.squash, exploration.state_dependent().is_some());
            let config = Config { squash, use_sde, penalty, ..config(45) };
            let learner = ok(OnPolicy::new(&gpu, &walk(), &config, &[1]));
            for update in 0..3 {
                ok(gpu.submit(learner.update()));
                let m = ok(gpu.read(&learner.metrics))[update];
                let case = format!("{form}, {exploration:?}, {penalty:?}, seed 1, update {update}");
                // a subgroup that runs the policy together, and a workgroup with a tile, add in orders of their own;
                // the terms of log π, below 16 and four at most, compilers may add in another order everywhere
                let most = if form.units || form.tile > 0 { 1e-5 } else { 4.0 * 16.0 * ROUNDING as f32 };
                let ratio = m.first_ratio_deviation;
                assert!(ratio <= most, "{case}: mean |ratio - 1| is {ratio:e}, at most {most:e} expected");
                assert!(m.approx_kl > 1e-4, "{case}: KL after the second epoch is {:e}", m.approx_kl);
                assert!(penalty == Penalty::Clip || m.kl > 1e-5, "{case}: kept KL is {:e}", m.kl);
            }
        }
    }
}

/// Actors of replay squash always, whatever `squash` says.
#[test]
fn what_an_actor_of_replay_does_is_the_same_in_f64_and_on_the_device() {
    let mut env = ok(Environment::from_source("Clock", "clock.wgsl", CLOCK));
    ok(env.set("speed", 0.0));
    for algo in [Algo::Td3, Algo::Sac] {
        let pairs = ["hidden=[5]".to_owned(), "seed=3".to_owned()];
        let policy = ok(Policy::untrained(&env, ok(Config::resolve("none", algo.name(), None, &pairs))));
        let act = ok(policy.act(&[1.0, 0.5]));
        assert!((act[0] - 1.0).abs() < 0.1, "{}: it does {act:?}, far from the middle", algo.name());
        let returns = ok(policy.evaluate(gpu(), 50, 4, false));
        let case = format!("{}, mean return of 7 steps", algo.name());
        assert_close(&case, &[returns.mean], &[7.0 * act[0]], 1e-5, 1e-5);
        let sampled = ok(policy.evaluate(gpu(), 50, 4, true));
        assert_eq!(sampled.std.unwrap() > 0.1, algo == Algo::Sac, "{}: sampled returns {sampled:?}", algo.name());
    }
}

#[test]
fn what_a_policy_does_is_the_same_in_f64_on_the_device_and_in_a_checkpoint() {
    let mut env = ok(Environment::from_source("Clock", "clock.wgsl", CLOCK));
    ok(env.set("speed", 0.0));
    let observation = [1.0, 0.5];
    for (squash, use_sde) in [(false, false), (true, false), (false, true), (true, true)] {
        let case = format!("squash {squash}, use_sde {use_sde}");
        let config = Config { squash, use_sde, hidden: vec![5], log_std_init: -0.5, seed: 3, ..Config::default() };
        let policy = ok(Policy::untrained(&env, config));
        let act = ok(policy.act(&observation));
        // the middle of the bounds, or the lower end of them
        assert!(if squash { (act[0] - 1.0).abs() < 0.1 } else { act[0] < 0.1 }, "{case}: it does {act:?}");
        let returns = ok(policy.evaluate(gpu(), 50, 4, false));
        assert_close(&format!("{case}, mean return of 7 steps"), &[returns.mean], &[7.0 * act[0]], 1e-5, 1e-5);
        let sampled = ok(policy.evaluate(gpu(), 50, 4, true));
        assert!(sampled.std.unwrap() > 0.1, "{case}: sampled returns are {sampled}");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        ok(policy.save(&path));
        let loaded = ok(Policy::load(&path));
        assert_eq!((&loaded.config, loaded.hash()), (&policy.config, policy.hash()), "{case}: the checkpoint");
        assert_eq!(ok(loaded.act(&observation)), act, "{case}: the checkpoint's policy");

        // a rollout for other learners keeps what was drawn, and the density of what the environment got
        let rollout = ok(Rollout::new(gpu(), &loaded, 65, 6, 9));
        ok(rollout.collect());
        let [log_probs, first, rewards] =
            [Row::LogProb, Row::Action, Row::Reward].map(|row| from_bits(&ok(rollout.row(row))));
        let second =
            from_bits(&ok(gpu().read(&rollout.batch().samples))[(Row::Action as usize + 1) * 65 * 6..][..65 * 6]);
        let network =
            Mlp { widths: vec![2, 5, 2], activation: Activation::Tanh, parameters: wide(&policy.parameters()[..27]) };
        let free = if use_sde { 6 } else { 2 };
        let reference = Reference {
            means: network,
            log_sigma: wide(&policy.parameters()[27..27 + free]),
            exploration: policy.config.exploration(&env),
            bounds: bounds(&env),
        };
        for i in 0..65 * 6 {
            let u = [first[i], second[i]];
            let expected = reference.log_prob(&observation, &u);
            assert_close(&format!("{case}, sample {i}, log_prob"), &[log_probs[i]], &[expected], 2e-5, 2e-5);
            let reward = reference.action(&u)[0];
            assert_close(&format!("{case}, sample {i}, reward"), &[rewards[i]], &[reward], 1e-6, 1e-6);
        }
    }
}

#[test]
fn exploration_begins_with_the_deviation_that_was_asked_for() {
    let env = walk();
    let config = Config { use_sde: true, log_std_init: -0.7, hidden: vec![4], ..Config::default() };
    let policy = ok(Policy::untrained(&env, config));
    // network of the means: 3 · 4 + 4, 4 · 3 + 3; then log σ
    let log_sigma = wide(&policy.parameters()[31..43]);
    for signs in [[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]] {
        let log_std = state_dependent::log_std(&Reference::features(&signs), &log_sigma);
        assert_close("log s at an observation of mean square 1", &log_std, &[-0.7; 3], 1e-6, 0.0);
    }
}

#[test]
fn what_cannot_be_squashed_or_explored_is_refused_by_name() {
    let refused = |env: &Environment, config: Config| {
        let error = config.check_for(env).unwrap_err().to_string();
        let again = Policy::untrained(env, config.clone()).unwrap_err().to_string();
        assert_eq!(error, again);
        error
    };
    let (squash, sde) = (Config { squash: true, ..Config::default() }, Config { use_sde: true, ..Config::default() });
    let cartpole = ok(Environment::load("CartPole-v1"));
    for (name, config) in [("squash", squash.clone()), ("use_sde", sde.clone())] {
        let error = refused(&cartpole, config);
        let parts = [&format!("'{name}'"), "CartPole-v1", "Discrete(2)", "leave it false"];
        assert!(parts.iter().all(|part| error.contains(*part)), "{error}");
    }
    let error = refused(&ok(Environment::load("LQR")), squash);
    assert!(error.contains("-1e9 to 1e9") && error.contains("less than 1e6 apart"), "{error}");
    let many = CLOCK.replace("OBSERVATION_DIM: u32 = 2u", "OBSERVATION_DIM: u32 = 63u").replace(
        "return Observation(1.0 - 0.25 * s.t, 0.5 + 0.5 * s.t);",
        "var seen: Observation; seen[0] = s.t; return seen;",
    );
    let error = refused(&ok(Environment::from_source("Many", "many.wgsl", &many)), sde.clone());
    assert!(error.contains("2 means + 64 features") && error.contains("= 130 outputs"), "{error}");
    ok(sde.check_for(&ok(Environment::load("LQR"))));
}

/// The caller of a pool says what the environment gets, however a policy would have squashed it.
#[test]
fn a_pool_neither_clips_nor_squashes() {
    let env = ok(Environment::from_source("Clock", "clock.wgsl", CLOCK));
    let pool = ok(WorldPool::new(gpu(), &env, 5, 3));
    let actions: Vec<f32> = (0..10).map(|i| i as f32 - 3.0).collect();
    ok(pool.step(&actions));
    assert_eq!(ok(pool.rewards()), actions[..5]);
}

#[test]
fn the_clip_range_falls_like_the_learning_rate() {
    let env = walk();
    for anneal_clip in [true, false] {
        let config = Config { anneal_clip, clip_coef: 0.3, total_timesteps: 4 * 41 * 13, ..config(41) };
        let learner = ok(OnPolicy::new(gpu(), &env, &config, &[2]));
        for update in 0..4 {
            let clip = f64::from(ok(gpu().read(&learner.agents.progress))[0].clip_coef);
            let expected = if anneal_clip { 0.3 * (1.0 - f64::from(update) / 4.0) } else { 0.3 };
            // the range, the quotient and the product are rounded
            assert_close(
                &format!("update {update}, anneal_clip {anneal_clip}"),
                &[clip],
                &[expected],
                3.0 * ROUNDING,
                0.0,
            );
            ok(gpu().submit(learner.update()));
        }
    }
}

/// The flag is found with few worlds and small deviations, where noise of every step never finds it (`benches/NOTES.md`).
#[test]
fn learning_lasting_noise_finds_what_noise_of_every_step_does_not() {
    let env = ok(Environment::load("MountainCarContinuous-v0"));
    let settings = [
        "num_envs=32",
        "num_steps=128",
        "log_std_init=-1.5",
        "total_timesteps=500000",
        "eval_every=0",
        "hidden=[16, 16]",
    ];
    let mean = |more: &[&str]| {
        let pairs: Vec<String> = settings.iter().chain(more).map(ToString::to_string).collect();
        let config = ok(Config::resolve("MountainCarContinuous-v0", "ppo", None, &pairs));
        let last = ok(Trainer::new(gpu(), &env, &config, &[1, 2, 3])).map(ok).last().unwrap();
        last.evaluation.unwrap().iter().map(|(returns, _)| returns.mean).collect::<Vec<f64>>()
    };
    let plain = mean(&[]);
    assert!(plain.iter().all(|mean| *mean < 1.0), "seeds 1 to 3 without: {plain:?}");
    let lasting = mean(&["use_sde=true", "sde_sample_freq=64"]);
    assert!(lasting.iter().all(|mean| *mean >= 90.0), "seeds 1 to 3 with it: {lasting:?}");
}
