//! Environments on the device: single steps against Gymnasium and against the f64 reference, first states, endings.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle;
use crate::oracle::assert_close;
use crate::support::{Draw, gpu, ok, wide};
use manyworlds::WorldPool;
use manyworlds::env::{ActionSpace, Environment};
use manyworlds::pool::AutoReset;
use manyworlds::reference::env::quadrotor::{self, Task};
use manyworlds::reference::env::{self, Step};
use manyworlds::reference::philox::{philox4x32_10, uniform};

fn load(name: &str) -> Environment {
    ok(Environment::load(name))
}

/// One step of each world with these actions `[world][component]`.
fn step(pool: &WorldPool, actions: &[Vec<f64>]) {
    let components = actions[0].len();
    let turned = (0..components).flat_map(|c| actions.iter().map(move |action| action[c]));
    if pool.env().spec().action_space.is_box() {
        ok(pool.step(&turned.map(|a| a as f32).collect::<Vec<_>>()));
    } else {
        ok(pool.step(&turned.map(|a| a as u32).collect::<Vec<_>>()));
    }
}

/// Observations `[world][feature]` from `[feature][world]`.
fn by_world(observations: &[f32], worlds: usize) -> Vec<Vec<f64>> {
    let features = observations.len() / worlds;
    let of = |world| (0..features).map(|f| f64::from(observations[f * worlds + world])).collect();
    (0..worlds).map(of).collect()
}

// ---------------------------------------------------------------- Gymnasium

/// How far from the edge of an ending a state must be for f32 to see the same side.
const EDGE: f64 = 1e-6;

/// Single steps from the states of the file. `close` is the tolerance of a state's numbers, given the state before;
/// `edge` the distance of a state from where the environment ends an episode.
fn agrees_with_gymnasium(name: &str, close: impl Fn(&[f64]) -> f64, edge: impl Fn(&[f64]) -> f64) {
    let file = oracle::classic();
    let transitions = oracle::transitions(&file, name);
    let env = load(name);
    let pool = ok(WorldPool::with_auto_reset(gpu(), &env, transitions.len() as u32, 1, AutoReset::Disabled));
    ok(pool.set_states(&transitions.iter().map(|t| t.state.clone()).collect::<Vec<_>>()));
    step(&pool, &transitions.iter().map(|t| t.action.clone()).collect::<Vec<_>>());
    let (states, rewards, terminated) = (ok(pool.states()), wide(&ok(pool.rewards())), ok(pool.terminated()));
    let observations = by_world(&ok(pool.observations()), transitions.len());
    for (i, t) in transitions.iter().enumerate() {
        let case = format!("{}[{i}]", oracle::label(&file, &format!("environments.{name}")));
        let close = close(&t.state);
        assert_close(
            &format!("{case}, state"),
            &turns_away(name, &states[i], &t.next_state),
            &t.next_state,
            0.0,
            close,
        );
        assert_close(&format!("{case}, observation"), &observations[i], &t.observation, 0.0, close);
        assert_close(&format!("{case}, reward"), &[rewards[i]], &[t.reward], 0.0, 1e-5 * t.reward.abs().max(1.0));
        if edge(&t.next_state).abs() > EDGE {
            assert_eq!(terminated[i], t.terminated, "{case}: terminated");
        }
    }
}

/// Angles that differ by whole turns are the same: the file wraps Pendulum's.
fn turns_away(name: &str, state: &[f64], expected: &[f64]) -> Vec<f64> {
    let turn = std::f64::consts::TAU;
    let mut state = state.to_vec();
    if name == "Pendulum-v1" {
        state[0] -= ((state[0] - expected[0]) / turn).round() * turn;
    }
    state
}

#[test]
fn cartpole_agrees_with_gymnasium() {
    let limit = std::f64::consts::PI / 15.0;
    agrees_with_gymnasium("CartPole-v1", |_| 1e-5, |s| (s[0].abs() - 2.4).abs().min((s[2].abs() - limit).abs()));
}

#[test]
fn cartpole_from_the_zero_state_always_right_ends_at_step_9() {
    let pool = ok(WorldPool::with_auto_reset(gpu(), &load("CartPole-v1"), 4, 1, AutoReset::Disabled));
    ok(pool.set_states(&[const { [0.0; 4] }; 4].map(|state| state.to_vec())));
    for t in 1..=9 {
        ok(pool.step(&vec![1; 4]));
        assert_eq!(ok(pool.terminated()), [t == 9; 4], "terminated at step {t}");
    }
    // nine steps, each to 1e-5
    let expected = [0.140_650_972, 1.760_381_13, -0.215_186_05, -2.777_886_49];
    assert_close("the state after 9 steps", &ok(pool.states())[0], &expected, 0.0, 9e-5);
}

#[test]
fn mountain_car_agrees_with_gymnasium() {
    agrees_with_gymnasium("MountainCar-v0", |_| 1e-5, |s| s[0] - 0.5);
}

#[test]
fn mountain_car_continuous_agrees_with_gymnasium() {
    agrees_with_gymnasium("MountainCarContinuous-v0", |_| 1e-5, |s| s[0] - 0.45);
}

#[test]
fn pendulum_agrees_with_gymnasium() {
    agrees_with_gymnasium("Pendulum-v1", |_| 1e-5, |_| f64::INFINITY);
}

/// Fast links amplify a rounding of the state a hundredfold within the step of 0.2 s.
#[test]
fn acrobot_agrees_with_gymnasium() {
    let close = |s: &[f64]| if s[2].abs() <= 4.0 && s[3].abs() <= 4.0 { 1e-5 } else { 2e-3 };
    agrees_with_gymnasium("Acrobot-v1", close, |s| -s[0].cos() - (s[1] + s[0]).cos() - 1.0);
}

// ---------------------------------------------------------------- the reference

type Random<'a> = &'a mut dyn FnMut() -> f64;

/// An environment's reference.
struct Reference {
    name: &'static str,
    step: fn(&[f64], &[f64], Random) -> Step,
    observe: fn(&[f64]) -> Vec<f64>,
    reset: fn(Random) -> Vec<f64>,
}

macro_rules! references {
    ($($name:literal $module:ident,)*) => {
        [$(Reference { name: $name, step: env::$module::step, observe: env::$module::observe, reset: env::$module::reset },)*]
    };
}

fn references() -> Vec<Reference> {
    let plain = references! {
        "MountainCar-v0" mountain_car,
        "MountainCarContinuous-v0" mountain_car_continuous,
        "Pendulum-v1" pendulum,
        "Acrobot-v1" acrobot,
        "SimpleRegulator" simple_regulator,
        "TwoAction" two_action,
        "LQR" lqr,
        "HexWorld" hex_world,
        "Bandit" bandit,
        "DeepSea" deep_sea,
        "Catch" catch,
        "ProbeValue" probe_value,
        "ProbeBackward" probe_backward,
        "ProbeDiscount" probe_discount,
        "ProbePolicy" probe_policy,
        "ProbePolicyObservation" probe_policy_observation,
        "ProbeTruncation" probe_truncation,
        "ProbeReset" probe_reset,
        "ProbeDelay" probe_delay,
        "Breakout" breakout,
        "SpaceInvaders" space_invaders,
    };
    let mut all: Vec<Reference> = plain.into();
    all.push(Reference {
        name: "QuadrotorHover",
        step: |s, a, r| quadrotor::step(Task::Hover, s, a, r),
        observe: |s| quadrotor::observe(Task::Hover, s),
        reset: |r| quadrotor::reset(Task::Hover, r),
    });
    all.push(Reference {
        name: "QuadrotorWaypoint",
        step: |s, a, r| quadrotor::step(Task::Waypoint, s, a, r),
        observe: |s| quadrotor::observe(Task::Waypoint, s),
        reset: |r| quadrotor::reset(Task::Waypoint, r),
    });
    all
}

/// The uniforms that a world draws for a purpose at a step, or for an episode's reset.
fn draws(seed: u32, world: usize, step: u32, purpose: u32) -> impl FnMut() -> f64 {
    let (mut block, mut left, mut drawn) = ([0; 4], 0, 0);
    move || {
        if left == 0 {
            block = philox4x32_10([world as u32, step, purpose, drawn], [seed, 0]);
            (left, drawn) = (4, drawn + 1);
        }
        left -= 1;
        uniform(block[3 - left])
    }
}

const RESET: u32 = 0;
const STEP: u32 = 2;

fn random_action(space: &ActionSpace, draw: &mut Draw) -> Vec<f64> {
    match space {
        ActionSpace::Box { low, high } => {
            // unbounded ones near 0; some past the bounds
            let number = |draw: &mut Draw, low: f32, high: f32| {
                draw.between(1.2 * f64::from(low.max(-2.0)), 1.2 * f64::from(high.min(2.0)))
            };
            low.iter().zip(high).map(|(&low, &high)| number(draw, low, high)).collect()
        }
        _ => space.counts().iter().map(|&count| f64::from(draw.word() % count)).collect(),
    }
}

/// The device steps worlds at random; every step is made once more by the reference, from the device's state.
#[test]
fn every_environment_steps_as_its_reference() {
    const WORLDS: usize = 65;
    const STEPS: u32 = 150;
    let known: Vec<&str> = references().iter().map(|reference| reference.name).chain(["CartPole-v1"]).collect();
    assert!(Environment::names().all(|name| known.contains(&name)), "an environment has no reference");
    for Reference { name, step: reference, observe, reset } in references() {
        let seed = 77;
        let env = load(name);
        let space = &env.spec().action_space;
        let pool = ok(WorldPool::with_auto_reset(gpu(), &env, WORLDS as u32, seed, AutoReset::Disabled));
        let mut draw = Draw::new(seed);
        let mut episodes = [0; WORLDS];
        let mut fresh = [true; WORLDS];
        let (mut endings, mut steps) = (0, 0);
        for t in 0..STEPS {
            let before = ok(pool.states());
            for world in (0..WORLDS).filter(|&world| fresh[world]) {
                let first = reset(&mut draws(seed, world, episodes[world], RESET));
                assert_close(
                    &format!("{name}, seed {seed}, first state of world {world}, episode {}", episodes[world]),
                    &before[world],
                    &first,
                    2e-6,
                    2e-6,
                );
            }
            let actions: Vec<Vec<f64>> = (0..WORLDS).map(|_| random_action(space, &mut draw)).collect();
            step(&pool, &actions);
            let (after, rewards) = (ok(pool.states()), wide(&ok(pool.rewards())));
            let seen = by_world(&ok(pool.final_observations()), WORLDS);
            let (terminated, truncated) = (ok(pool.terminated()), ok(pool.truncated()));
            for world in 0..WORLDS {
                let case = format!(
                    "{name}, seed {seed}, world {world}, step {t}, state {:?}, action {:?}",
                    before[world], actions[world]
                );
                let expected = reference(&before[world], &actions[world], &mut draws(seed, world, t, STEP));
                assert_close(&format!("{case}, state"), &after[world], &expected.state, 1e-5, 1e-5);
                assert_close(&format!("{case}, reward"), &[rewards[world]], &[expected.reward], 1e-5, 1e-5);
                assert_close(&format!("{case}, observation"), &seen[world], &observe(&after[world]), 2e-6, 2e-6);
                assert_eq!(terminated[world], expected.terminated, "{case}: terminated");
                fresh[world] = terminated[world] || truncated[world];
                episodes[world] += u32::from(fresh[world]);
                endings += u32::from(fresh[world]);
                steps += 1;
            }
            ok(pool.reset_ended());
        }
        let limit = env.spec().max_episode_steps;
        assert!(endings > 0 || limit > STEPS, "{name}: no episode ended in {steps} steps");
    }
}

// ---------------------------------------------------------------- distributions and optima

/// Largest distance between the distribution of samples and a cumulative distribution function, times √n.
fn kolmogorov(samples: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let apart = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    samples.iter().enumerate().map(apart).fold(0.0, f64::max) * n.sqrt()
}

/// Φ by the complementary error function's series of Abramowitz & Stegun 7.1.26, good to 1.5e-7.
fn normal_cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * (x.abs() / std::f64::consts::SQRT_2));
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let erf = 1.0 - poly * (-x * x / 2.0).exp();
    0.5 * (1.0 + erf.copysign(x))
}

#[test]
fn first_states_are_distributed_as_they_should_be() {
    const WORLDS: u32 = 65_536;
    let pi = std::f64::consts::PI;
    // low and high of each word of State; equal ones are constants
    let uniform: [(&str, &[(f64, f64)]); 6] = [
        ("CartPole-v1", &[(-0.05, 0.05); 4]),
        ("MountainCar-v0", &[(-0.6, -0.4), (0.0, 0.0)]),
        ("MountainCarContinuous-v0", &[(-0.6, -0.4), (0.0, 0.0)]),
        ("Pendulum-v1", &[(-pi, pi), (-1.0, 1.0)]),
        ("Acrobot-v1", &[(-0.1, 0.1); 4]),
        ("LQR", &[(-1.0, 1.0); 2]),
    ];
    let first = |name: &str| ok(ok(WorldPool::new(gpu(), &load(name), WORLDS, 9)).states());
    // √n D passes 1.95 in one of a thousand samples of the right distribution
    for (name, words) in uniform {
        let states = first(name);
        for (word, &(low, high)) in words.iter().enumerate() {
            let mut samples: Vec<f64> = states.iter().map(|state| state[word]).collect();
            if low == high {
                assert!(samples.iter().all(|&x| x == low), "{name}, word {word}: {low} expected");
                continue;
            }
            let d = kolmogorov(&mut samples, |x| ((x - low) / (high - low)).clamp(0.0, 1.0));
            assert!(d < 1.95, "{name}, word {word}, seed 9: √n D = {d} against U({low}, {high}), below 1.95 expected");
        }
    }
    let mut samples: Vec<f64> = first("SimpleRegulator").iter().map(|state| state[0]).collect();
    let d = kolmogorov(&mut samples, |x| normal_cdf((x - 0.3) / 0.1));
    assert!(d < 1.95, "SimpleRegulator, seed 9: √n D = {d} against N(0.3, 0.1²), below 1.95 expected");
}

/// Discounted returns of first episodes, `[world]`.
fn discounted_returns(
    pool: &WorldPool,
    steps: u32,
    gamma: f64,
    mut act: impl FnMut(u32, &[Vec<f64>]) -> Vec<Vec<f64>>,
) -> Vec<f64> {
    let n = pool.num_envs() as usize;
    let (mut returns, mut running) = (vec![0.0; n], vec![true; n]);
    for t in 0..steps {
        let actions = act(t, &ok(pool.states()));
        step(pool, &actions);
        let (rewards, terminated) = (ok(pool.rewards()), ok(pool.terminated()));
        for world in (0..n).filter(|&world| running[world]).collect::<Vec<_>>() {
            returns[world] += gamma.powi(t.cast_signed()) * f64::from(rewards[world]);
            running[world] = !terminated[world];
        }
    }
    returns
}

#[test]
fn hex_world_under_random_actions_is_worth_what_dynamic_programming_says() {
    const WORLDS: usize = 16_384;
    let gamma = 0.9;
    let pool = ok(WorldPool::with_auto_reset(gpu(), &load("HexWorld"), WORLDS as u32, 31, AutoReset::Disabled));
    let starts = ok(pool.states());
    let mut draw = Draw::new(31);
    // γ^100 is 3e-5 of the largest reward
    let returns =
        discounted_returns(&pool, 100, gamma, |_, _| (0..WORLDS).map(|_| vec![f64::from(draw.word() % 6)]).collect());
    let values = env::hex_world::policy_value(&[[1.0 / 6.0; 6]; 24], gamma);
    let errors: Vec<f64> = returns.iter().zip(&starts).map(|(g, start)| g - values[start[0] as usize]).collect();
    let mean = errors.iter().sum::<f64>() / WORLDS as f64;
    let deviation = (errors.iter().map(|e| e * e).sum::<f64>() / WORLDS as f64).sqrt();
    let standard_error = deviation / (WORLDS as f64).sqrt();
    assert!(
        mean.abs() < 4.0 * standard_error + 3e-4,
        "HexWorld: returns are off by {mean}, standard error {standard_error}"
    );
    assert!(deviation > 0.5, "HexWorld: returns hardly differ ({deviation})");
}

#[test]
fn hex_world_under_its_optimal_policy_is_worth_what_value_iteration_says() {
    const WORLDS: usize = 16_384;
    let gamma = 0.9;
    let pool = ok(WorldPool::with_auto_reset(gpu(), &load("HexWorld"), WORLDS as u32, 32, AutoReset::Disabled));
    let starts = ok(pool.states());
    let values = env::hex_world::value_iteration(gamma);
    let best = |cell: usize| {
        let value = |action: &usize| env::hex_world::action_value(cell, *action, &values, gamma);
        (0..6).max_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0)
    };
    let best: Vec<f64> = (0..24).map(|cell| best(cell) as f64).collect();
    let returns = discounted_returns(&pool, 100, gamma, |_, states| {
        states.iter().map(|state| vec![best[(state[0] as usize).min(23)]]).collect()
    });
    let errors: Vec<f64> = returns.iter().zip(&starts).map(|(g, start)| g - values[start[0] as usize]).collect();
    let mean = errors.iter().sum::<f64>() / WORLDS as f64;
    let standard_error = (errors.iter().map(|e| e * e).sum::<f64>() / WORLDS as f64).sqrt() / (WORLDS as f64).sqrt();
    assert!(
        mean.abs() < 4.0 * standard_error + 3e-4,
        "HexWorld: returns are off by {mean}, standard error {standard_error}"
    );
}

#[test]
fn deep_sea_gives_its_optimum_to_whoever_swims_right() {
    let seed = env::deep_sea::MAPPING_SEED;
    let pool = ok(WorldPool::with_auto_reset(gpu(), &load("DeepSea"), 4, 1, AutoReset::Disabled));
    let returns = discounted_returns(&pool, 10, 1.0, |_, states| {
        let right =
            |state: &Vec<f64>| vec![f64::from(env::deep_sea::right_action(state[0] as usize, state[1] as usize, seed))];
        states.iter().map(right).collect()
    });
    let optimum = env::deep_sea::optimal_return();
    assert_close("DeepSea, swimming right", &returns, &[optimum; 4], 1e-5, 0.0);
    assert_close("DeepSea, optimum", &[optimum], &[0.99], 0.0, 1e-9);
}

// ---------------------------------------------------------------- pools

#[test]
fn a_pool_refuses_actions_of_another_kind_number_or_size() {
    let cartpole = ok(WorldPool::new(gpu(), &load("CartPole-v1"), 5, 1));
    assert!(cartpole.step(&vec![0, 1, 0, 1, 1]).is_ok());
    for (actions, words) in [(vec![0, 1], "2 given where 5"), (vec![0, 1, 2, 1, 1], "action 2 given")] {
        let error = cartpole.step(&actions).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("Discrete(2)"), "{error}");
    }
    let error = cartpole.step(&vec![0.5_f32; 5]).unwrap_err().to_string();
    assert!(error.contains("5 f32 given"), "{error}");
    let error = WorldPool::new(gpu(), &load("CartPole-v1"), 0, 1).unwrap_err().to_string();
    assert!(error.contains("num_envs"), "{error}");
}
