//! Overrides: which there are, what values they take, and environments whose shape follows from them.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support::{gpu, ok};
use manyworlds::env::{ActionSpace, Environment};
use manyworlds::pool::AutoReset;
use manyworlds::{Error, WorldPool};
use std::process::Command;

/// A ring of cells to be visited; its size decides the observation and the state, and a limit its actions.
const RING: &str = "
//! Ring: visit cells. None of this is fixed by a word in a comment: speed.
override cells: u32 = 8u; // how many
override reach: u32 = 1u;
override base: u32 = 0u;
override speed: f32 = 1.0;
override shift: i32 = 0i;
override halves: f32 = 0.5 * speed;
override rewarded: bool = true;
override OBSERVATION_DIM: u32 = WIDTH * cells;
override ACTION_COUNT: u32 = reach - base + 1u;
const MAX_EPISODE_STEPS: u32 = 6u;
const WIDTH: u32 = 2u;
alias Marks = array<u32, cells>;
/* speed */ struct State { marks: Marks, // speed
    at: u32, speed: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    var s: State;
    s.speed = speed + halves + f32(shift);
    return s;
}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).at = ((*s).at + action) % cells;
    (*s).marks[(*s).at] += 1u;
    return Outcome(select(0.0, f32(cells), rewarded), false);
}
fn env_feature(s: State, i: u32) -> f32 {
    if i < cells { return f32(i == s.at); }
    return f32(s.marks[i - cells]);
}
";

fn ring() -> Environment {
    ok(Environment::from_source("Ring", "ring.wgsl", RING))
}

fn value(env: &Environment, name: &str) -> f64 {
    env.overrides().iter().find(|known| known.name == name).unwrap_or_else(|| panic!("no override {name}")).value
}

fn count(env: &Environment) -> u32 {
    match env.spec().action_space {
        ActionSpace::Discrete { count, .. } => count,
        _ => 0,
    }
}

#[test]
fn overrides_decide_spaces_state_and_limit() {
    let mut env = ring();
    let shape =
        |env: &Environment| (env.spec().observation_dim, count(env), env.spec().max_episode_steps, env.state_words());
    assert_eq!(shape(&env), (16, 2, 6, 10));
    let names: Vec<&str> = env.overrides().iter().map(|known| known.name.as_str()).collect();
    assert_eq!(
        names,
        ["cells", "reach", "base", "speed", "shift", "rewarded"],
        "what follows from others cannot be set"
    );
    ok(env.set("speed", 2.0));
    ok(env.set("cells", 5.0));
    assert_eq!((shape(&env), value(&env, "speed")), ((10, 2, 6, 7), 2.0), "what was set before stays");
    ok(env.set_all([("reach", 3.0), ("MAX_EPISODE_STEPS", 2.0), ("rewarded", 0.0)]));
    assert_eq!(shape(&env), (10, 4, 2, 7));
    assert_eq!((value(&env, "cells"), value(&env, "MAX_EPISODE_STEPS")), (5.0, 2.0));

    let pool = ok(WorldPool::with_auto_reset(gpu(), &env, 3, 1, AutoReset::Disabled));
    assert_eq!(ok(pool.states())[0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0], "speed 2, and half of it");
    for t in 0..2 {
        ok(pool.step(&vec![0, 1, 3]));
        assert_eq!(ok(pool.rewards()), [0.0; 3], "not rewarded");
        assert_eq!(ok(pool.truncated()), [t == 1; 3], "limit 2, step {t}");
    }
    // worlds 0, 1 and 2 are at 0, 2 and 6 % 5
    let seen = ok(pool.observations());
    let of = |world: usize| seen.iter().skip(world).step_by(3).copied().collect::<Vec<f32>>();
    assert_eq!(of(0), [1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(of(1), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(of(2), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
}

/// Values that make sense together only, in any order.
#[test]
fn overrides_are_set_together_or_not_at_all() {
    let mut env = ring();
    // base 4 alone would leave −2 actions
    assert!(env.set("base", 4.0).is_err());
    assert_eq!((count(&env), value(&env, "base")), (2, 0.0), "a refused value leaves nothing behind");
    for order in [[("base", 4.0), ("reach", 6.0)], [("reach", 6.0), ("base", 4.0)]] {
        let mut env = ring();
        ok(env.set_all(order));
        assert_eq!(count(&env), 3);
    }
    let error = env.set_all([("speed", 3.0), ("cells", 0.0)]).unwrap_err();
    assert_eq!(value(&env, "speed"), 1.0, "{error}");
}

#[test]
fn values_that_an_override_cannot_have_are_refused() {
    for (name, number, words) in [
        ("cells", 2.5, "'cells' must be a whole number from 0 to 4294967295, not 2.5"),
        ("cells", -1.0, "from 0 to 4294967295, not -1"),
        ("cells", 0.0, "OBSERVATION_DIM: 0 is not allowed"),
        ("cells", 4_294_967_295.0, "ring.wgsl"),
        ("cells", 3000.0, "6000 is not allowed; it must be from 1 to 4096"),
        ("shift", 0.5, "'shift' must be a whole number from -2147483648 to 2147483647, not 0.5"),
        ("shift", 3e9, "not 3000000000"),
        ("rewarded", 2.0, "'rewarded' must be 0 (false) or 1 (true), not 2"),
        ("speed", f64::NAN, "'speed' must be a finite number that f32 can hold, not NaN"),
        ("speed", 1e39, "that f32 can hold"),
        ("MAX_EPISODE_STEPS", 0.5, "'MAX_EPISODE_STEPS' must be a whole number"),
        ("MAX_EPISODE_STEPS", 2e6, "at most 1000000, or 0 for no limit"),
        ("OBSERVATION_DIM", 4.0, "there is no override 'OBSERVATION_DIM'"),
        ("max_episode_steps", 4.0, "did you mean 'MAX_EPISODE_STEPS'?"),
        ("cell", 4.0, "did you mean 'cells'?"),
    ] {
        let mut env = ring();
        let error = env.set(name, number).expect_err(name);
        let text = error.to_string();
        assert!(text.contains(words), "{name} = {number}: '{words}' expected in {text}");
        assert!(
            matches!(error, Error::Environment { .. } | Error::EnvironmentFile(_)),
            "{name} = {number} is the caller's fault: {error:?}"
        );
        assert_eq!(env.spec(), ring().spec(), "{name} = {number} has left something behind");
    }
    let mut env = ring();
    let text = env.set("cells", 0.0).unwrap_err().to_string();
    assert!(text.contains("ring.wgsl:10:") && text.contains("cells = 0"), "the place and the cause: {text}");
}

#[test]
fn declarations_that_cannot_be_overrides_are_refused() {
    let changed = |from: &str, to: &str| {
        assert!(RING.contains(from), "{from}");
        let text = RING.replacen(from, to, 1);
        Environment::from_source("Ring", "ring.wgsl", &text).map(|_| ()).expect_err(to).to_string()
    };
    for (from, to, words) in [
        ("cells: u32 = 8u", "cells: u32", "cells: give it a value"),
        ("speed: f32 = 1.0", "speed: f32", "speed: give it a value"),
        ("cells: u32 = 8u", "cells = 8", "cells: say its type"),
        (
            "override ACTION_COUNT: u32 = reach - base + 1u",
            "override ACTION_COUNTS: array<u32, 2> = array<u32, 2>(2u, 3u)",
            "ACTION_COUNTS: it must be a single number",
        ),
        ("const MAX_EPISODE_STEPS: u32 = 6u", "fn MAX_EPISODE_STEPS() {}", "it must be a const or an override"),
        ("cells: u32 = 8u", "cells: u32 = 8u + OBSERVATION_DIM", "ring.wgsl"),
    ] {
        let text = changed(from, to);
        assert!(text.contains(words), "{to}: '{words}' expected in {text}");
    }
}

#[test]
fn bounds_of_actions_can_be_overrides() {
    let text = RING
        .replace(
            "override ACTION_COUNT: u32 = reach - base + 1u;",
            "const ACTION_DIM: u32 = 2u;\noverride ACTION_LOW: f32 = -1.0;\noverride ACTION_HIGH: f32 = 1.0;",
        )
        .replace("+ action)", "+ u32(action[0]))");
    let mut env = ok(Environment::from_source("Ring", "ring.wgsl", &text));
    ok(env.set("ACTION_HIGH", 2.5));
    assert_eq!(env.spec().action_space, ActionSpace::Box { low: vec![-1.0; 2], high: vec![2.5; 2] });
    let text = env.set("ACTION_LOW", 3.0).unwrap_err().to_string();
    assert!(text.contains("not above ACTION_LOW"), "{text}");
}

/// What was trained with a size is evaluated with it.
#[test]
fn a_checkpoint_knows_the_values_that_its_environment_had() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run").display().to_string();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_manyworlds")).args(arguments).output().unwrap();
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {text}{errors}");
        text.into_owned()
    };
    let set = ["--set", "num_envs=16", "--set", "num_steps=16", "--set", "hidden=[8]", "--set", "total_timesteps=256"];
    let train = ["train", "DeepSea", "--set-env", "size=13", "--out", out.as_str()];
    run(&[&train[..], &set].concat());
    let text = run(&["eval", &out, "--episodes", "16", "--json"]);
    assert!(text.contains("\"mean_length\":13.0"), "13 steps an episode: {text}");
    let page = run(&["envs", "SpaceInvaders"]);
    for words in ["channel first", "--set-env    ramping=1", "--set-env    MAX_EPISODE_STEPS=2500", "600 numbers"] {
        assert!(page.contains(words), "'{words}' expected in {page}");
    }
}
