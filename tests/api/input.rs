//! The library as a program meets it: bad input is an error with the thing, the value and the remedy, and never a panic.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::support::{Draw, gpu, ok, wide};
use manyworlds::algo::networks;
use manyworlds::bench::{Case, Mode, break_even, ceilings, kernel_report, measure};
use manyworlds::config::{Algo, Config, ConfigFile};
use manyworlds::env::Environment;
use manyworlds::gpu::{AdapterChoice, Gpu, adapters};
use manyworlds::layout::{Row, STREAM_EVALUATION};
use manyworlds::reference::gae::gae;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::train::{Policy, Returns, Trainer};
use manyworlds::{Error, Result, Rollout, TERMINATED, WorldPool};

/// The message of what must be an error.
#[track_caller]
fn refused<T>(result: Result<T>) -> (Error, String) {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => {
            let text = error.to_string();
            (error, text)
        }
    }
}

/// Episodes of one step that begin at four random numbers and end with what the policy did as their reward.
fn mirror(actions: &str, reward: &str, more: &str) -> Environment {
    let text = format!(
        "const OBSERVATION_DIM: u32 = 4u;
        {actions}
        const MAX_EPISODE_STEPS: u32 = 1u;
        struct State {{ x: vec4<f32> }}
        fn env_reset(rng: ptr<function, Rng>) -> State {{
            let a = rng_uniform(rng);
            let b = rng_uniform(rng);
            let c = rng_uniform(rng);
            return State(vec4<f32>(a, b, c, rng_uniform(rng)));
        }}
        fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{
            return Outcome({reward}, false);
        }}
        fn env_observe(s: State) -> Observation {{ return Observation(s.x.x, s.x.y, s.x.z, s.x.w); }}
        {more}"
    );
    ok(Environment::from_source("Mirror", "mirror.wgsl", &text))
}

/// The first observation of the evaluation with this seed.
fn first_observation(seed: u32) -> [f64; 4] {
    philox4x32_10([0, 0, 0, 0], [seed, STREAM_EVALUATION]).map(uniform)
}

/// A policy with parameters of size 1, so that it does different things in different states.
fn policy(env: &Environment, config: Config) -> Policy {
    let mut policy = ok(Policy::untrained(env, config));
    let mut draw = Draw::new(5);
    let mut parameters =
        draw.vector(policy.parameters().len(), -1.5, 1.5).iter().map(|x| *x as f32).collect::<Vec<_>>();
    if policy.config.norm_obs {
        // mean, scale, M2, n of each feature
        let first = parameters.len() - 4 * 5;
        for moments in parameters[first..].chunks_exact_mut(4) {
            moments.copy_from_slice(&[0.4, 3.0, 1.0, 12.0]);
        }
    }
    ok(policy.set_parameters(&parameters));
    policy
}

const DISCRETE: &str = "const ACTION_COUNT: u32 = 5u;";
const CHOICES: &str = "const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 4u);";
const NUMBERS: &str = "const ACTION_DIM: u32 = 2u;
    const ACTION_LOW: array<f32, 2> = array<f32, 2>(-0.5, 1.0);
    const ACTION_HIGH: array<f32, 2> = array<f32, 2>(0.5, 3.0);";
/// What is not allowed depends on the state.
const MASK: &str = "fn env_action_mask(s: State) -> ActionMask {
    return ActionMask(s.x.x > 0.5, true, s.x.y > 0.5, s.x.z > 0.5, s.x.w > 0.5);
}";

fn allowed(observation: &[f64]) -> Vec<bool> {
    let over: Vec<bool> = observation.iter().map(|x| *x > 0.5).collect();
    vec![over[0], true, over[1], over[2], over[3]]
}

#[test]
fn an_actor_does_on_the_host_what_the_policy_does_on_the_device() {
    let numbers = |actions: &[f64]| actions[0] + 10.0 * actions[1];
    let two = "action[0] + 10.0 * action[1]";
    let discrete = mirror(DISCRETE, "f32(action)", "");
    let masked = mirror(DISCRETE, "f32(action)", MASK);
    let choices = mirror(CHOICES, "f32(action[0]) + 10.0 * f32(action[1])", "");
    let real = mirror(NUMBERS, two, "");
    let plain = || Config { hidden: vec![6, 5], ..Config::default() };
    let of = |algo: &str| {
        let pairs = ["hidden=6,5".to_owned()];
        ok(Config::resolve("none", algo, None, &pairs))
    };
    let relu = || Config { activation: manyworlds::nn::Activation::Relu, ..plain() };
    let cases = [
        ("discrete", &discrete, plain()),
        ("discrete, relu, normalised", &discrete, Config { norm_obs: true, ..relu() }),
        ("discrete, reinforce without a critic", &discrete, Config { norm_obs: true, ..of("reinforce") }),
        ("masked", &masked, plain()),
        ("multi-discrete", &choices, plain()),
        ("clipped", &real, plain()),
        ("clipped, normalised", &real, Config { norm_obs: true, ..plain() }),
        ("squashed", &real, Config { squash: true, ..plain() }),
        ("state-dependent", &real, Config { use_sde: true, ..plain() }),
        ("no hidden layer", &real, Config { hidden: vec![], squash: true, ..Config::default() }),
        ("ddpg", &real, of("ddpg")),
        ("td3", &real, of("td3")),
        ("sac", &real, of("sac")),
        ("ddpg with choices", &discrete, of("ddpg")),
        ("sac with choices", &discrete, Config { target_entropy_scale: 0.3, ..of("sac") }),
    ];
    for (case, env, config) in cases {
        let policy = policy(env, config);
        let actor = ok(policy.actor());
        let mut seen = Vec::new();
        for seed in 0..24 {
            let observation = first_observation(seed);
            let action = if env.spec().action_space.masked() {
                ok(actor.act_masked(&observation, &allowed(&observation)))
            } else {
                ok(actor.act(&observation))
            };
            let expected = if action.len() == 1 { action[0] } else { numbers(&action) };
            let found = ok(policy.evaluate(gpu(), 1, seed, false)).mean;
            assert!(
                (found - expected).abs() <= 2e-5 * expected.abs().max(1.0),
                "{case}, seed {seed}: the device does {found}, the host {expected} ({action:?}) in {observation:?}"
            );
            seen.push(expected.to_bits());
        }
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 1, "{case}: it does the same in every state, which tests nothing");
    }
}

#[test]
fn an_actor_is_the_reference_network_to_the_last_bit() {
    let env = ok(Environment::load("CartPole-v1"));
    let policy = policy(&env, Config::default());
    let widths = vec![4, 64, 64, 2];
    let count = Mlp::parameter_count(&widths);
    let network = Mlp { widths, activation: Activation::Tanh, parameters: wide(&policy.parameters()[..count]) };
    let actor = ok(policy.actor());
    let mut draw = Draw::new(9);
    let mut taken = [0; 2];
    for _ in 0..200 {
        let observation = draw.vector(4, -1.0, 1.0);
        let outputs = network.output(&observation);
        let best = usize::from(outputs[1] > outputs[0]);
        assert_eq!(ok(actor.act(&observation)), [best as f64], "{observation:?}: {outputs:?}");
        taken[best] += 1;
    }
    assert!(taken.iter().all(|count| *count > 10), "{taken:?}");
}

#[test]
fn an_actor_refuses_what_it_cannot_act_on() {
    let policy_ = ok(Policy::untrained(&ok(Environment::load("CartPole-v1")), Config::default()));
    let actor = ok(policy_.actor());
    let of = |observation: &[f64]| {
        let (error, text) = refused(actor.act(observation));
        assert!(matches!(error, Error::Observation { .. }) && error.exit_code() == 2, "{error:?}");
        assert_eq!(refused(policy_.act(observation)).1, text, "the convenience is the same code");
        text
    };
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf"), (1e39, "1000000000")]
    {
        let text = of(&[0.0, 0.0, value, 0.0]);
        assert!(text.contains("CartPole-v1") && text.contains("number 2") && text.contains(shown), "{text}");
    }
    for length in [0, 3, 5, 100] {
        let text = of(&vec![0.0; length]);
        assert!(text.contains(&format!("{length} numbers")) && text.contains("has 4"), "{text}");
    }
    // a mask of one's own, where the environment has none
    let observation = [0.1, 0.0, 0.0, 0.0];
    assert_eq!(ok(actor.act_masked(&observation, &[true, false])), [0.0]);
    assert_eq!(ok(actor.act_masked(&observation, &[false, true])), [1.0]);
    let wrong = |mask: &[bool], word: &str| {
        let (error, text) = refused(actor.act_masked(&observation, mask));
        assert!(matches!(error, Error::Mask { .. }) && text.contains(word), "{text}");
    };
    wrong(&[false, false], "none of the 2 actions of choice 0");
    wrong(&[true], "1 flags");
    wrong(&[true; 3], "has 2 actions");

    // where the environment has masks, no action is taken without one
    let masked = policy(&mirror(DISCRETE, "f32(action)", MASK), Config { hidden: vec![5], ..Config::default() });
    let (error, text) = refused(masked.act(&[0.0; 4]));
    assert!(matches!(error, Error::Mask { .. }) && text.contains("act_masked"), "{text}");
    for only in 0..5 {
        let mut mask = [false; 5];
        mask[only] = true;
        assert_eq!(ok(masked.act_masked(&[0.3; 4], &mask)), [only as f64]);
    }
    let choices = policy(&mirror(CHOICES, "0.0", ""), Config { hidden: vec![5], ..Config::default() });
    let (_, text) = refused(choices.act_masked(&[0.0; 4], &[true, true, true, false, false, false, false]));
    assert!(text.contains("none of the 4 actions of choice 1"), "{text}");
    assert_eq!(ok(choices.act_masked(&[0.0; 4], &[false, true, false, false, false, false, true])), [1.0, 3.0]);

    // parameters that overflow
    let deep = Config { hidden: vec![2; 8], activation: manyworlds::nn::Activation::Relu, ..Config::default() };
    let mut huge = policy(&mirror(NUMBERS, "0.0", ""), deep);
    ok(huge.set_parameters(&vec![f32::MAX; huge.parameters().len()]));
    let (error, text) = refused(huge.act(&[1.0; 4]));
    assert!(matches!(error, Error::Observation { .. }) && text.contains("makes inf of it"), "{text}");
}

#[test]
fn what_is_changed_in_a_policy_is_acted_on_or_refused() {
    let env = mirror(NUMBERS, "0.0", "");
    let mut policy = policy(&env, Config { hidden: vec![5], ..Config::default() });
    let observation = [0.9, 0.8, 0.7, 0.6];
    let before = ok(policy.act(&observation));
    policy.config.squash = true;
    let squashed = ok(policy.act(&observation));
    assert_ne!(before, squashed, "the actor that was made first is not asked any more");
    let other: Vec<f32> = policy.parameters().iter().map(|x| -x).collect();
    ok(policy.set_parameters(&other));
    assert_ne!(squashed, ok(policy.act(&observation)), "nor after other parameters");

    policy.config.hidden = vec![7];
    let (_, text) = refused(policy.act(&observation));
    assert!(text.contains("its networks have") && text.contains("Mirror"), "{text}");
    refused(policy.actor());
    refused(policy.evaluate(gpu(), 1, 1, false));
    refused(Rollout::new(gpu(), &policy, 4, 4, 1));
    let folder = tempfile::tempdir().unwrap();
    refused(policy.save(&folder.path().join("checkpoint.safetensors")));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refused policy has left a file");
    policy.config.hidden = vec![0];
    refused(policy.actor());

    policy.config.hidden = vec![5];
    let parameters = policy.parameters().to_vec();
    let (_, text) = refused(policy.set_parameters(&parameters[1..]));
    assert!(text.contains(&format!("the policy has {}", parameters.len())), "{text}");
    let mut broken = parameters.clone();
    broken[3] = f32::NAN;
    assert!(refused(policy.set_parameters(&broken)).1.contains("number 3 is NaN"));
    assert_eq!(policy.parameters(), parameters, "refused parameters change nothing");
    assert!(refused(policy.evaluate(gpu(), 0, 1, false)).1.contains("episodes"));
    let (error, _) = refused(policy.evaluate(gpu(), u32::MAX, 1, false));
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

/// Holds the advantages of a rollout in which nothing is truncated to their definition.
fn advantages_follow(rollout: &Rollout, worlds: usize, case: &str) {
    let (gamma, lambda) = (0.9, 0.8);
    ok(rollout.estimate(gamma, lambda));
    let row = |row: Row| -> Vec<f64> { ok(rollout.row(row)).into_iter().map(f32::from_bits).map(f64::from).collect() };
    let terminated: Vec<bool> = ok(rollout.endings()).iter().map(|ending| *ending == TERMINATED).collect();
    let truncated = vec![false; terminated.len()];
    // the last slot is the one behind the rollout
    let finals = ok(gpu().read(&rollout.batch().final_values));
    let last: Vec<f64> = finals[finals.len() - worlds..].iter().map(|bits| f64::from(f32::from_bits(*bits))).collect();
    let (rewards, values) = (row(Row::Reward), row(Row::Value));
    let final_values = vec![f64::NAN; terminated.len()];
    let rates = [gamma, lambda].map(f64::from);
    let (advantages, targets) =
        gae(&rewards, &values, &terminated, &truncated, &final_values, &last, rates[0], rates[1]);
    for (name, found, expected) in
        [("advantage", row(Row::Advantage), advantages), ("target", row(Row::Target), targets)]
    {
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // sums of seven steps of size 1, in f32
            assert!(
                (found - expected).abs() < 1e-5,
                "{case}: {name} {place} is {found}, and by its definition {expected}"
            );
        }
    }
}

#[test]
fn rollouts_are_made_by_every_policy_that_has_densities() {
    let env = ok(Environment::load("CartPole-v1"));
    let real = ok(Environment::load("Pendulum-v1"));
    let (worlds, steps) = (5, 7);
    let config = |algo: Algo, more: &[&str]| {
        let pairs: Vec<String> = ["hidden=8"].iter().chain(more).map(ToString::to_string).collect();
        ok(Config::resolve("none", algo.name(), None, &pairs))
    };
    for algo in Algo::ALL {
        if !algo.is_on_policy() {
            let untrained = ok(Policy::untrained(&real, config(algo, &[])));
            let (error, text) = refused(Rollout::new(gpu(), &untrained, worlds, steps, 1));
            assert!(text.contains(algo.name()) && text.contains("WorldPool") && error.exit_code() == 2, "{text}");
            continue;
        }
        let mut estimators = vec![None];
        if !matches!(algo, Algo::Ppo | Algo::A2c) {
            estimators.extend([Some("reward-to-go"), Some("gae")]);
        }
        for estimator in estimators {
            let more: Vec<String> = estimator.iter().map(|name| format!("estimator={name}")).collect();
            let config = config(algo, &more.iter().map(String::as_str).collect::<Vec<_>>());
            let case = format!("{}, {estimator:?}", algo.name());
            let has_critic = networks(&config, &env).networks().len() == 2;
            assert_eq!(has_critic, config.estimator.has_critic(), "{case}");
            let untrained = ok(Policy::untrained(&env, config));
            let rollout = ok(Rollout::new(gpu(), &untrained, worlds, steps, 1));
            ok(rollout.collect());
            let row = |row: Row| -> Vec<f32> { ok(rollout.row(row)).into_iter().map(f32::from_bits).collect() };
            assert_eq!(row(Row::Reward), vec![1.0; (worlds * steps) as usize], "{case}: rewards");
            let values = row(Row::Value);
            let some = values.iter().filter(|value| **value != 0.0).count();
            assert_eq!(some, if has_critic { values.len() } else { 0 }, "{case}: values {values:?}");
            assert!(row(Row::LogProb).iter().all(|log_prob| (-2.0..0.0).contains(log_prob)), "{case}");
            advantages_follow(&rollout, worlds as usize, &case);
            for (gamma, lambda, word) in [(1.5, 0.5, "gamma"), (0.5, f32::NAN, "gae_lambda")] {
                assert!(refused(rollout.estimate(gamma, lambda)).1.contains(word), "{case}");
            }
            let parameters = untrained.parameters();
            ok(rollout.set_parameters(parameters));
            assert!(refused(rollout.set_parameters(&parameters[1..])).1.contains("the policy has"), "{case}");
            let nothing = vec![f32::INFINITY; parameters.len()];
            assert!(refused(rollout.set_parameters(&nothing)).1.contains("number 0 is inf"), "{case}");
        }
    }
    let untrained = ok(Policy::untrained(&env, config(Algo::Ppo, &[])));
    for (worlds, steps, word) in [(0, 1, "num_envs"), (1, 0, "num_steps"), (u32::MAX, u32::MAX, "too many samples")] {
        assert!(refused(Rollout::new(gpu(), &untrained, worlds, steps, 1)).1.contains(word));
    }
    let (error, _) = refused(Rollout::new(gpu(), &untrained, u32::MAX, 1, 1));
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn whole_numbers_and_lists_are_taken_as_people_write_them() {
    let with = |pairs: &[&str]| Config::default().with(&pairs.iter().map(ToString::to_string).collect::<Vec<_>>());
    let config = ok(with(&["total_timesteps=1e6", "num_envs=1.28e2", "seed=3.0", "hidden=64,32", "eval_every=-0.0"]));
    assert_eq!((config.total_timesteps, config.num_envs, config.seed), (1_000_000, 128, 3));
    assert_eq!((config.hidden, config.eval_every), (vec![64, 32], 0));
    for (written, hidden) in [
        ("hidden=64", vec![64]),
        ("hidden=1.6e1", vec![16]),
        ("hidden=[64, 1e2]", vec![64, 100]),
        ("hidden=64, 1e2 ,7", vec![64, 100, 7]),
        ("hidden=[]", vec![]),
        ("hidden=\"5,6\"", vec![5, 6]),
    ] {
        assert_eq!(ok(with(&[written])).hidden, hidden, "{written}");
    }
    // in files too, for every whole-number setting that may be 4
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    for setting in Config::SETTINGS.iter().filter(|setting| ["u32", "u64"].contains(&setting.kind)) {
        let name = setting.name;
        for bad in ["2.5", "1e-3", "1e30", "-1", "nan", "inf", "\"1e6x\"", "-1e6", "true"] {
            let (error, text) = refused(with(&[&format!("{name}={bad}")]));
            assert!(text.contains(&format!("'{name}'")) && text.contains("whole number"), "{name}={bad}: {text}");
            assert_eq!(error.exit_code(), 2);
        }
        // one that every setting takes as it is by default, written with a fraction
        let default = toml_default(name);
        std::fs::write(&file, format!("{name} = {default}.0\n")).unwrap();
        let read = ok(Config::resolve("none", "ppo", Some(&ok(ConfigFile::read(&file))), &[]));
        assert_eq!(read, ok(Config::preset("none", "ppo")), "{name} = {default}.0");
    }
    for bad in ["hidden=", "hidden=64,", "hidden=64,x", "hidden=64;64", "hidden=2.5", "hidden=-1,2", "hidden=[[1]]"] {
        let (_, text) = refused(with(&[bad]));
        assert!(text.contains("'hidden'") && text.contains("list of whole numbers"), "{bad}: {text}");
    }
    assert!(refused(with(&["hidden=0,64"])).1.contains("from 1 to 4096"));
    assert!(refused(with(&["seed=4294967296"])).1.contains("4294967295"));
}

/// The default of a setting, in TOML.
fn toml_default(name: &str) -> String {
    let values = ok(Config::preset("none", "ppo")).values();
    let place = Config::SETTINGS.iter().position(|setting| setting.name == name).unwrap();
    values[place].clone()
}

#[test]
fn an_index_is_an_index_and_an_empty_name_is_none() {
    let parsed = |text: &str| text.parse::<AdapterChoice>();
    assert_eq!(parsed("auto"), Ok(AdapterChoice::Auto));
    assert_eq!(parsed(" 15 "), Ok(AdapterChoice::Index(15)));
    assert_eq!(parsed("RTX 4090"), Ok(AdapterChoice::Name("RTX 4090".to_owned())));
    for (bad, word) in [("", "empty"), ("  ", "empty"), ("-1", "index"), ("99999999999999999999999", "index")] {
        assert!(parsed(bad).is_err_and(|reason| reason.contains(word)), "'{bad}'");
    }
    let count = adapters().len();
    for choice in [AdapterChoice::Index(count), AdapterChoice::Index(usize::MAX), AdapterChoice::Name(String::new())] {
        let (error, text) = refused(Gpu::new(&choice, 0));
        assert!(matches!(error, Error::AdapterNotFound { .. }) && text.contains("present: 0 "), "{text}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn measurements_refuse_what_cannot_be_measured() {
    let env = ok(Environment::load("CartPole-v1"));
    let case = |mode, num_envs, num_steps| Case { mode, num_envs, num_steps, net: vec![8] };
    for mode in [Mode::Step, Mode::Rollout, Mode::Train] {
        for (num_envs, num_steps, word) in [(0, 4, "num_envs"), (4, 0, "num_steps"), (u32::MAX, u32::MAX, "num_")] {
            let (_, text) = refused(measure(gpu(), &env, &case(mode, num_envs, num_steps), 0.0));
            assert!(text.contains(word), "{mode:?}: {text}");
        }
        for seconds in [f64::NAN, -1.0, f64::INFINITY, 1e300, 3601.0] {
            let (_, text) = refused(measure(gpu(), &env, &case(mode, 4, 4), seconds));
            assert!(text.contains("'seconds'"), "{text}");
        }
    }
    refused(break_even(gpu(), &env, 1.0, f64::NAN));
}

#[test]
fn an_adapter_without_timestamps_says_so() {
    let adapter = adapters().into_iter().next().expect("there is an adapter");
    let (device, queue) =
        pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).expect("a plain device");
    let gpu = Gpu::from_device(device, queue);
    let env = ok(Environment::load("CartPole-v1"));
    let case = Case { mode: Mode::Train, num_envs: 4, num_steps: 4, net: vec![8] };
    let some = manyworlds::bench::Ceilings { gflops: 1.0, gbytes: 1.0 };
    for (error, text) in [refused(ceilings(&gpu)), refused(kernel_report(&gpu, &env, &case, some, 0.0))] {
        assert!(matches!(error, Error::NoTimestamps { .. }) && error.exit_code() == 2, "{error:?}");
        assert!(text.contains(&gpu.info().name) && text.contains("without --kernels"), "{text}");
    }
}

#[test]
fn pools_trainers_and_environments_refuse_bad_input() {
    let env = ok(Environment::load("CartPole-v1"));
    let pool = ok(WorldPool::new(gpu(), &env, 3, 1));
    for actions in [vec![], vec![0; 2], vec![0; 4], vec![0, 2, 1], vec![u32::MAX; 3]] {
        let (error, _) = refused(pool.step(&actions));
        assert!(matches!(error, Error::Actions { .. }), "{actions:?}: {error}");
    }
    refused(pool.step(&vec![0.0_f32; 3]));
    refused(pool.set_states(&[]));
    refused(pool.set_states(&[vec![0.0; 4], vec![0.0; 3], vec![0.0; 4]]));
    refused(WorldPool::new(gpu(), &env, 0, 1));
    assert!(matches!(refused(WorldPool::new(gpu(), &env, u32::MAX, 1)).0, Error::TooLarge { .. }));

    let small = |algo: Algo| {
        let pairs =
            ["num_envs=4", "num_steps=8", "hidden=8", "total_timesteps=32", "eval_episodes=2"].map(str::to_owned);
        let pairs = if algo.is_off_policy() {
            [&pairs[..], &["learning_starts=8".to_owned(), "buffer_size=64".to_owned(), "batch_size=8".to_owned()]]
                .concat()
        } else {
            pairs.to_vec()
        };
        ok(Config::resolve("none", algo.name(), None, &pairs))
    };
    let pendulum = ok(Environment::load("Pendulum-v1"));
    for algo in [Algo::Ppo, Algo::Sac] {
        assert!(refused(Trainer::new(gpu(), &pendulum, &small(algo), &[])).1.contains("at least one agent"));
        let many = vec![1; 1 << 24];
        let (error, _) = refused(Trainer::new(gpu(), &pendulum, &small(algo), &many));
        assert!(error.exit_code() == 2, "{error:?}");
    }
    let broken = Config { num_envs: 0, ..small(Algo::Ppo) };
    assert!(refused(Trainer::new(gpu(), &env, &broken, &[1])).1.contains("num_envs"));

    let mut own = env.clone();
    for value in [f64::NAN, f64::INFINITY, 1e39] {
        assert!(refused(own.set("gravity", value)).1.contains("finite"));
    }
    assert!(refused(own.set("gravty", 1.0)).1.contains("did you mean 'gravity'"));
}

#[test]
fn returns_of_no_episodes_pass_nothing() {
    let none = Returns::of(&[]);
    assert_eq!(none.episodes, 0);
    assert!(!none.passes(f64::NEG_INFINITY), "{none:?}");
}
