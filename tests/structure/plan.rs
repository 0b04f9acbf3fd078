//! Plans: what they refuse, that mistakes in them are found, and that what they print is all that running them takes.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::support::replayed::{bytes, replayed};
use crate::support::{gpu, ok};
use manyworlds::algo::{self, Learning};
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::error::Error;
use manyworlds::gpu::{Buffer, Buffers, Recording};
use manyworlds::plan::{Plan, Target};
use manyworlds::shader::Program;
use serde_json::Value;
use std::collections::HashMap;

const SEEDS: [u32; 2] = [3, 4];

/// A small run of each kind, and the buffers that it learns.
fn runs() -> [(&'static str, Config, &'static [&'static str]); 3] {
    let small = |env, algo, pairs: &[&str]| {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        ok(Config::resolve(env, algo, None, &pairs))
    };
    let shape = ["num_envs=9", "num_steps=5", "hidden=[8]", "eval_episodes=3", "total_timesteps=1000"];
    let replay = ["num_envs=3", "num_steps=4", "hidden=[8]", "eval_episodes=3", "learning_starts=30", "batch_size=16"];
    [
        ("CartPole-v1", small("CartPole-v1", "ppo", &shape), &["parameters"]),
        ("Pendulum-v1", small("Pendulum-v1", "trpo", &shape), &["parameters"]),
        ("Pendulum-v1", small("Pendulum-v1", "td3", &replay), &["actor", "critics"]),
    ]
}

/// A policy is one thing: the kernels in which it acts, learns and is evaluated are made of the same parts.
#[test]
fn what_is_evaluated_is_what_acts_and_learns() {
    let policy = |plan: &Plan, name: &str| -> Vec<String> {
        let kernels = plan.kernels();
        let kernel =
            kernels.iter().find(|kernel| kernel.name() == name).unwrap_or_else(|| panic!("no kernel '{name}'"));
        let slots =
            ["distribution", "deviation", "mask", "bounded", "squash"].map(|slot| format!("shaders/slot/{slot}/"));
        let mut parts: Vec<String> =
            kernel.paths().filter(|path| slots.iter().any(|slot| path.starts_with(slot))).map(str::to_owned).collect();
        parts.sort();
        parts
    };
    let acting = |algo: Algo| match (algo.is_off_policy(), algo.is_search()) {
        (true, _) => ["interact", "choose"],
        (_, true) => ["evaluate members"; 2],
        _ => ["rollout"; 2],
    };
    for (env, algo) in Algo::ALL.into_iter().flat_map(|algo| ["Pendulum-v1", "CartPole-v1"].map(|env| (env, algo))) {
        let case = format!("{} on {env}", algo.name());
        // td3 has no choices, and the entropy that sac aims at is for real numbers where nothing is said
        let pairs: &[&str] = match (algo, env) {
            (Algo::Td3, "CartPole-v1") => continue,
            (Algo::Sac, "CartPole-v1") => &["target_entropy_scale=0.3"],
            _ => &[],
        };
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let config = ok(Config::resolve(env, algo.name(), None, &pairs));
        let env = ok(Environment::load(env));
        let mut plan = Plan::new(Target::GPU);
        ok(algo::plan(&mut plan, &config, &env, &[1]));
        let evaluated = policy(&plan, "evaluate");
        assert!(evaluated.len() >= 2, "{case}: {evaluated:?}");
        for name in acting(algo) {
            assert_eq!(policy(&plan, name), evaluated, "{case}: {name}");
        }
        if algo.is_search() {
            continue; // nothing is learned but by acting
        }
        // on-policy gradients are of what was drawn, before it was bounded
        let drawn: Vec<String> =
            evaluated.iter().filter(|part| algo.is_off_policy() || !part.contains("/bounded/")).cloned().collect();
        // where both networks are as wide they learn in one kernel
        let learns =
            plan.kernels().iter().map(|kernel| kernel.name().to_owned()).find(|n| n.starts_with("gradient actor"));
        assert_eq!(policy(&plan, &learns.unwrap()), drawn, "{case}: what learns");
    }
}

#[test]
fn a_printed_plan_is_all_that_a_run_takes() {
    for (env, config, learned) in runs() {
        let env = ok(Environment::load(env));
        let printed = ok(algo::describe(Target::of(gpu()), &config, &env, &SEEDS));
        let printed: Value = serde_json::from_str(&serde_json::to_string(&printed).unwrap()).unwrap();
        let state = replayed(gpu(), &printed, &["begin", "update", "update", "update"]).kept;

        let learning = ok(Learning::new(gpu(), &env, &config, &SEEDS));
        let first: HashMap<String, Vec<u8>> =
            learning.state(true).map(|(name, buffer)| (name.to_owned(), bytes(gpu(), buffer))).collect();
        for _ in 0..3 {
            ok(gpu().submit(&learning.update));
        }
        let mut names = 0;
        for (name, buffer) in learning.state(true) {
            assert_eq!(state[name], bytes(gpu(), buffer), "{}: '{name}'", config.algo.name());
            names += 1;
        }
        assert_eq!(names, state.len());
        for &name in learned {
            assert_ne!(state[name], first[name], "{}: '{name}' should have changed", config.algo.name());
        }
    }
}

#[test]
fn plans_refuse_what_the_target_cannot_bind_with_the_arithmetic_of_the_axes() {
    let mut plan = Plan::new(Target { largest_binding: 1 << 20, ..Target::GPU });
    let axes = [("steps", 512), ("worlds", 513)];
    let error = plan.buffer::<f32>("samples", &axes, "num_envs").expect_err("too large");
    let text = error.to_string();
    for part in ["'samples'", "steps 512 × worlds 513 × bytes 4 = 1050624 bytes", "reduce num_envs"] {
        assert!(text.contains(part), "'{part}' in {text}");
    }
    ok(plan.buffer::<f32>("samples", &[("steps", 512), ("worlds", 512)], "num_envs"));
    // no arithmetic overflows
    let huge = [("agents", u64::from(u32::MAX)), ("steps", u64::MAX), ("worlds", 3)];
    assert!(matches!(plan.buffer::<f32>("samples", &huge, "num_envs"), Err(Error::TooLarge { bytes: u64::MAX, .. })));
    assert_eq!((plan.largest(), plan.total()), (1 << 20, 1 << 20));
}

/// A kernel with two buffers.
fn add() -> Program {
    let source = "
        @group(0) @binding(0) var<storage, read> source: array<u32>;
        @group(0) @binding(1) var<storage, read_write> sum: array<u32>;
        @compute @workgroup_size(1) fn mw_main() { sum[0] += source[0]; }";
    Program::new("add").source("add.wgsl", source)
}

fn refused(make: impl FnOnce(&mut Plan, [Buffer<u32>; 2])) -> String {
    let mut plan = Plan::new(Target::of(gpu()));
    let buffers = ["one", "other"].map(|name| ok(plan.buffer(name, &[("words", 4)], "nothing")));
    make(&mut plan, buffers);
    ok(gpu().check());
    plan.build(gpu()).expect_err("a mistake").to_string()
}

#[test]
fn mistakes_in_a_plan_are_found_when_it_is_built() {
    let text = refused(|plan, [one, _]| {
        let kernel = plan.kernel(add());
        plan.pass(kernel, 1, 1, 0, &Buffers::default().with("source", &one));
    });
    assert!(text.contains("no buffer was given for 'sum'"), "{text}");
    let text = refused(|plan, [one, other]| {
        let kernel = plan.kernel(add());
        plan.pass(kernel, 1, 1, 0, &Buffers::default().with("source", &one).with("sum", &other).with("source", &other));
    });
    assert!(text.contains("two buffers were given for 'source'"), "{text}");
    let text = refused(|plan, [one, other]| {
        plan.keep("state", &one);
        plan.keep("state", &other);
    });
    assert!(text.contains("two buffers of a state are called 'state'"), "{text}");
    let text = refused(|plan, [one, _]| {
        let kernel = plan.kernel(add());
        let elsewhere = ok(Plan::new(Target::GPU).buffer::<u32>("elsewhere", &[("words", 4)], "nothing"));
        plan.pass(kernel, 1, 1, 0, &Buffers::default().with("source", &one).with("sum", &elsewhere));
    });
    assert!(text.contains("not built") && text.contains("'sum'"), "{text}");
}

#[test]
fn contents_that_a_buffer_does_not_hold_are_found_when_it_is_made() {
    let text = refused(|plan, _| {
        ok(plan.filled("five", &[("words", 5)], "nothing", || vec![1_u32; 6]));
    });
    assert!(text.contains("buffer 'five' of 20 bytes was given 24"), "{text}");
}

#[test]
fn a_pass_of_a_plan_that_was_not_built_is_not_run() {
    let mut plan = Plan::new(Target::of(gpu()));
    let buffers = ["one", "other"].map(|name| ok(plan.buffer::<u32>(name, &[("words", 4)], "nothing")));
    let kernel = plan.kernel(add());
    let bound = Buffers::default().with("source", &buffers[0]).with("sum", &buffers[1]);
    let mut recording = Recording::default();
    recording.push(&plan.pass(kernel, 1, 1, 0, &bound));
    let text = gpu().submit(&recording).expect_err("it is not there").to_string();
    assert!(text.contains("a pass of kernel add is of a plan that was not built"), "{text}");
    ok(plan.build(gpu()));
    gpu().write(&buffers[0], &[41]);
    ok(gpu().submit(&recording));
    ok(gpu().submit(&recording));
    assert_eq!(ok(gpu().read(&buffers[1]))[0], 82);
}

/// The same program is one kernel, whoever asks for it.
#[test]
fn kernels_of_a_plan_are_there_once() {
    let mut plan = Plan::new(Target::GPU);
    let (one, again) = (plan.kernel(add()), plan.kernel(add()));
    let other = plan.kernel(add().set("x", 1.0));
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert_eq!(plan.kernels().len(), 2);
}

/// An agent's sums have one order, whether its minibatch is one window or, beside many other agents, several.
#[test]
fn sums_in_windows_have_one_order() {
    let adders = |algo: &str, env: &str| {
        let config = ok(Config::resolve(env, algo, None, &["hidden=[64,64]".to_owned()]));
        let seeds: Vec<u32> = (1..=800).collect();
        let described = ok(algo::describe(Target::GPU, &config, &ok(Environment::load(env)), &seeds));
        let sums = described.kernels.iter().find(|kernel| kernel.name == "sum slices").unwrap();
        sums.slots["adders"].clone()
    };
    // shares of the slices are joined behind the last window; where the step itself adds the last window's, there are none
    assert_eq!([adders("ppo", "CartPole-v1"), adders("td3", "Pendulum-v1")], ["several", "one"]);
}

/// What an update dispatches on a GPU, by its stages: each waits for the one before, some microseconds whatever it does, which at
/// small sizes is all of an update.
#[test]
fn updates_dispatch_no_more_than_their_stages_say() {
    // rollout, V of the batch and behind it, advantages; moments of targets and sums of episodes, each once more over the blocks; end
    const AROUND: usize = 1 + 2 + 1 + 2 + 2 + 1;
    // moments of the advantages of all minibatches, and once more over the blocks
    const MOMENTS: usize = 2;
    // gradients of actor and critic in one, sums, the step
    const MINIBATCH: usize = 3;
    // gradient of the critic, sums, the step; and once the end of it
    const FIT: usize = 3;
    // one network's gradient, sums, progress or the step
    const POLICY: usize = 3;
    // begin and end; two windows of a product and their sums, the iteration
    const SOLVED: usize = 2 + 10 * (2 * 3 + 1);
    // surrogates, their sums, the verdict on them and the next candidate
    const TRIED: usize = 3;
    // actions and what worlds make of them
    const ACTED: usize = 2;
    // minibatch, next actions, their Q', gradient and step of the critics, the end of a gradient step
    const CRITICS: usize = 6;
    // slopes, gradient, step
    const ACTORS: usize = 3;
    // episodes, metrics, schedules
    const ENDED: usize = 3;
    let large = ["num_envs=4096", "num_steps=128"];
    let replay = ["num_steps=6", "train_freq=2", "gradient_steps=2", "hidden=[64,64]"];
    let cases: [(&str, &str, &[&str], usize); 9] = [
        ("ppo", "CartPole-v1", &large, AROUND + MOMENTS + 16 * MINIBATCH),
        ("ppo", "CartPole-v1", &[large[0], large[1], "update_epochs=10"], AROUND + MOMENTS + 40 * MINIBATCH),
        ("ppo", "CartPole-v1", &[large[0], large[1], "norm_adv=false"], AROUND + 16 * MINIBATCH),
        ("a2c", "CartPole-v1", &large, AROUND + MINIBATCH),
        // new episodes before the rollout
        ("reinforce", "CartPole-v1", &large, 1 + AROUND + POLICY + 16 * FIT + 1),
        ("npg", "CartPole-v1", &large, AROUND + MOMENTS + POLICY + SOLVED + 2 * TRIED + 40 * FIT + 1),
        ("trpo", "CartPole-v1", &large, AROUND + MOMENTS + POLICY + SOLVED + 11 * TRIED + 40 * FIT + 1),
        // the actor's own action apart, at every second step
        ("td3", "Pendulum-v1", &replay, 6 * (ACTED + CRITICS) + 3 * (1 + ACTORS) + ENDED),
        ("sac", "Pendulum-v1", &replay, 6 * (ACTED + CRITICS + ACTORS) + ENDED),
    ];
    for (algo, env, pairs, expected) in cases {
        let pairs: Vec<String> = pairs.iter().map(|&pair| pair.to_owned()).collect();
        let config = ok(Config::resolve(env, algo, None, &pairs));
        let described = ok(algo::describe(Target::GPU, &config, &ok(Environment::load(env)), &[1]));
        let update = described.recordings.iter().find(|recording| recording.name == "update").unwrap();
        let kernel = |&pass: &usize| described.kernels[described.passes[pass].kernel].name.clone();
        let names: Vec<String> = update.passes.iter().map(kernel).collect();
        assert_eq!(names.len(), expected, "{algo} {pairs:?}: {names:?}");
    }
}
