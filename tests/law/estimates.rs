//! Estimates of policy gradients: closed forms, every estimator against the f64 reference rollout by rollout, means and
//! deviations of hundreds of thousands of rollouts, and ascents.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::support::{gpu, ok, planned, wide};
use manyworlds::config::Config;
use manyworlds::env::{Environment, Exploration};
use manyworlds::estimate::{
    Estimate, Estimator, GradientAscent, NETWORK_ESTIMATORS, NetworkSettings, Settings, Textbook, Values, ascend,
    estimate, estimate_network,
};
use manyworlds::gpu::{Buffers, Recording};
use manyworlds::kernels::{Kernels, Sums};
use manyworlds::layout;
use manyworlds::nn::Parameters;
use manyworlds::reference::categorical;
use manyworlds::reference::env::{simple_regulator, two_action};
use manyworlds::reference::estimate::{self as reference, Step};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reproduce::regulator_of_theta;
use manyworlds::stage::Estimates;
use manyworlds::train::{Policy, Trainer};
use std::time::Instant;

const REGULATOR: &str = "SimpleRegulator";
const TWO_ACTION: &str = "TwoAction";

fn textbook(name: &str) -> (Environment, Textbook) {
    let env = ok(Environment::load(name));
    let textbook = ok(Textbook::of(&env));
    (env, textbook)
}

fn settings(name: &str, estimator: Estimator, theta: &[f64]) -> (Environment, Settings) {
    let (env, textbook) = textbook(name);
    let settings = Settings { theta: theta.to_vec(), ..Settings::new(&textbook, estimator) };
    (env, settings)
}

fn run(env: &Environment, settings: &Settings) -> Estimate {
    ok(estimate(gpu(), env, settings))
}

// ---------------------------------------------------------------- closed forms

#[test]
fn closed_forms_give_the_known_numbers() {
    let (_, regulator) = textbook(REGULATOR);
    let known = [([-1.0, 0.1], -0.28, [0.0, -1.8]), ([-0.5, 0.3], -1.288_888_931, [-1.481_483_459, -6.933_334_351])];
    for (theta, utility, gradient) in known {
        let (u, g) = regulator.utility(&theta, 1.0, 10).unwrap();
        // the numbers are rounded to nine places
        assert!((u - utility).abs() < 1e-9, "U{theta:?} = {u}, known {utility}");
        for i in 0..2 {
            assert!((g[i] - gradient[i]).abs() < 1e-9, "∂{i} U{theta:?} = {}, known {}", g[i], gradient[i]);
        }
    }
    // where the state reaches its bounds there is no closed form
    assert_eq!(regulator.utility(&[0.5, 0.3], 1.0, 10), None);
    assert_eq!(regulator.values(&[0.5, 0.3], 1.0, 10), None);
    let (_, clamp) = textbook(TWO_ACTION);
    assert_eq!(clamp.utility(&[0.2], 1.0, 10), Some((0.2, vec![1.0])));
    assert_eq!(clamp.utility(&[1.5], 1.0, 10), Some((1.0, vec![0.0])));
}

#[test]
fn the_exact_gradient_is_that_of_the_exact_utility_and_of_the_values() {
    let (_, regulator) = textbook(REGULATOR);
    for (theta, gamma, depth) in [([-0.5, 0.3], 1.0, 10), ([-0.9, 0.5], 0.9, 7), ([-1.2, 0.05], 0.5, 1)] {
        let utility = |theta: [f64; 2]| regulator.utility(&theta, gamma, depth).unwrap().0;
        let (u, g) = regulator.utility(&theta, gamma, depth).unwrap();
        for i in 0..2 {
            let h = 1e-5;
            let moved = |h: f64| [theta[0] + if i == 0 { h } else { 0.0 }, theta[1] + if i == 1 { h } else { 0.0 }];
            let slope = (utility(moved(h)) - utility(moved(-h))) / (2.0 * h);
            // a central difference is off by h² U'''/6 and by roundings of U over h
            assert!((slope - g[i]).abs() < 1e-7, "∂{i} U{theta:?} = {}, by differences {slope}", g[i]);
        }
        let values = regulator.values(&theta, gamma, depth).unwrap();
        let [q, _, p] = values[0];
        assert!((u - (p * 0.1 + q)).abs() < 1e-12, "U = E V_0(s_0) = {}, not {u}", p * 0.1 + q);
        assert_eq!(values[depth as usize - 1], [0.0, 0.0, -1.0], "the last step is worth its reward");
        let summed = score_gradient(&regulator, &theta, gamma, gamma, depth);
        for i in 0..2 {
            assert!((summed[i] - g[i]).abs() < 1e-12, "by the policy gradient theorem {}, not {}", summed[i], g[i]);
        }
    }
}

/// Σ_k c^k E[∂Q_k/∂a ∂a/∂θ …] of the regulator: what score estimators estimate when scores are weighed with c^k.
/// E[∇ log π Q_k] = −γ p_{k+1} (2 (1 + θ₁) m_k, 2 θ₂), by Stein's lemma.
fn score_gradient(regulator: &Textbook, theta: &[f64], gamma: f64, c: f64, depth: u32) -> [f64; 2] {
    let values = regulator.values(theta, gamma, depth).unwrap();
    let (mut m, mut weight_k, mut gradient) = (0.1, 1.0, [0.0; 2]);
    for k in 0..depth as usize {
        let p = values.get(k + 1).map_or(0.0, |value| -value[2]);
        let weight = -weight_k * gamma * p;
        gradient[0] += weight * 2.0 * (1.0 + theta[0]) * m;
        gradient[1] += weight * 2.0 * theta[1];
        m = (1.0 + theta[0]).powi(2) * m + theta[1].powi(2) + 0.01;
        weight_k *= c;
    }
    gradient
}

// ---------------------------------------------------------------- rollout by rollout

/// The uniforms of one purpose, in the order in which a shader draws them.
fn draws(seed: u32, stream: u32, world: u32, step: u32, purpose: u32) -> impl FnMut() -> f64 {
    let (mut block, mut left, mut drawn) = ([0; 4], 0, 0);
    move || {
        if left == 0 {
            (block, left) = (philox4x32_10([world, step, purpose, drawn], [seed, stream]), 4);
            drawn += 1;
        }
        left -= 1;
        uniform(block[3 - left])
    }
}

/// A rollout in f64: its steps, and the state before each.
fn rollout(
    name: &str,
    theta: &[f64],
    values: &[[f64; 3]],
    shape: &layout::Estimate,
    world: u32,
) -> (Vec<Step>, Vec<f64>) {
    let (seed, stream) = (shape.seed, shape.stream);
    let value = |k: usize, s: f64| values.get(k).map_or(0.0, |c| c[0] + c[1] * s + c[2] * s * s);
    let mut random = draws(seed, stream, world, 0, 0);
    let mut state =
        if name == REGULATOR { simple_regulator::reset(&mut random) } else { two_action::reset(&mut random) };
    let (mut steps, mut states) = (Vec::new(), Vec::new());
    for k in 0..shape.depth {
        let s = state[0];
        let mut noise = draws(seed, stream, world, k, 2);
        let (score, after) = if name == REGULATOR {
            let words = philox4x32_10([world, k, 1, 0], [seed, stream]);
            let radius = (-2.0 * uniform(words[0]).ln()).sqrt();
            let action = theta[0] * s + theta[1] * radius * (std::f64::consts::TAU * uniform(words[1])).cos();
            (reference::linear_gaussian_score(theta, s, action), simple_regulator::step(&state, &[action], &mut noise))
        } else {
            let words = philox4x32_10([world, k / 4, 1, 0], [seed, stream]);
            let action = u32::from(uniform(words[k as usize % 4]) > theta[0]);
            (vec![reference::clamp_score(theta[0], action)], two_action::step(&state, &[f64::from(action)], &mut noise))
        };
        let goes_on = !after.terminated && k + 1 < shape.depth;
        let next_value = if goes_on { value(k as usize + 1, after.state[0]) } else { 0.0 };
        steps.push(Step { score, reward: after.reward, value: value(k as usize, s), next_value });
        states.push(s);
        state = after.state;
        if !goes_on {
            break;
        }
    }
    (steps, states)
}

/// What the rows of a rollout should be.
fn expected_rows(sums: Sums, steps: &[Step], states: &[f64], shape: &layout::Estimate, b: &[f64]) -> Vec<f64> {
    let (gamma, c) = (f64::from(shape.gamma), f64::from(shape.weight_gamma));
    let own = match sums {
        Sums::TotalReturn => reference::total_return(steps, gamma),
        Sums::RewardToGo => reference::reward_to_go(steps, gamma, c),
        Sums::Baseline => reference::baseline(steps, gamma, c, b),
        Sums::ValueBaseline => reference::value_baseline(steps, gamma, c),
        Sums::Q => reference::q(steps, gamma, c),
        Sums::TdResidual => reference::td_residual(steps, gamma, c),
        Sums::Gae => reference::gae(steps, gamma, c, f64::from(shape.lambda)),
        Sums::Utility => vec![],
        Sums::BaselineTerms => {
            let terms = reference::baseline_terms(steps, gamma, c);
            let lists = [terms.gradient, terms.scores, terms.ratio, terms.weighted, terms.squares];
            lists.into_iter().flatten().chain([terms.to_go]).collect()
        }
        Sums::Trajectory => steps.iter().zip(states).flat_map(|(step, s)| [*s, step.reward]).collect(),
    };
    let whole = reference::reward_to_go_of(steps, gamma, 0);
    [whole, steps.len() as f64].into_iter().chain(own).collect()
}

#[test]
fn every_estimator_sums_each_rollout_as_the_textbook_writes_it() {
    let cases: [(&str, Vec<Vec<f64>>); 2] =
        [(REGULATOR, vec![vec![-0.5, 0.3], vec![-1.1, 0.8]]), (TWO_ACTION, vec![vec![0.2], vec![1.3], vec![0.5]])];
    for (name, thetas) in cases {
        let (env, textbook) = textbook(name);
        let (parameters, space) = (Parameters::default(), &env.spec().action_space);
        let agents = thetas.len() as u32;
        let kernels = Kernels { agents, ..Kernels::new(gpu().form_for(0), &parameters, space, Exploration::default()) };
        let n = thetas[0].len();
        // as the kernel has them
        let rounded = |x: &f64| f64::from(*x as f32);
        let thetas: Vec<Vec<f64>> = thetas.iter().map(|theta| theta.iter().map(rounded).collect()).collect();
        for (sums, rollouts, depth, weight_gamma) in
            Sums::ALL.into_iter().flat_map(|sums| [(sums, 345, 10, 0.9f32), (sums, 65, 7, 1.0), (sums, 1, 1, 0.9)])
        {
            let weight_gamma = if sums == Sums::TotalReturn { 1.0 } else { weight_gamma };
            let shape = layout::Estimate {
                seed: 7,
                stream: 3,
                rollouts,
                depth,
                apart: rollouts,
                together: 1,
                gamma: 0.9,
                weight_gamma,
                lambda: 0.8,
                rows: sums.rows(n as u32, depth),
            };
            let values: Vec<Vec<[f64; 3]>> = (0..agents)
                .map(|a| (0..depth).map(|k| [0.1 * f64::from(k + a), -0.3, -1.5].map(|x| rounded(&x))).collect())
                .collect();
            let baseline: Vec<f64> = (0..agents as usize * n).map(|i| rounded(&(-0.7 + 0.4 * i as f64))).collect();
            let narrow = |list: Vec<f64>| list.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
            let buffers = Buffers::default()
                .with("mw_theta", &ok(gpu().buffer_of("theta", &narrow(thetas.concat()))))
                .with("mw_baseline", &ok(gpu().buffer_of("baseline", &narrow(baseline.clone()))))
                .with("mw_values", &ok(gpu().buffer_of("values", &narrow(values.concat().concat()))));
            let stage = planned(|plan| Estimates::new(plan, &kernels, &env, textbook.kind(), sums, shape, &buffers));
            let mut recording = Recording::default();
            stage.record(&mut recording);
            ok(gpu().submit(&recording));
            let rows = wide(&ok(gpu().read(&stage.rows)));
            for agent in 0..agents as usize {
                for j in 0..rollouts {
                    let world = agent as u32 * rollouts + j;
                    let (steps, states) = rollout(name, &thetas[agent], &values[agent], &shape, world);
                    let expected = expected_rows(sums, &steps, &states, &shape, &baseline[agent * n..][..n]);
                    // Every sum is at most (Σ_k |ℓ_k|)^p (1 + Σ_k |x_k|), p = 2 where scores are squared, and each of its
                    // factors went through at most 10 steps of some 20 roundings, 200 · 2⁻²⁴ ≈ 1.2e-5. Scores of states
                    // near 0 are as wrong as those of states of size 0.1: the state is a sum of such terms.
                    let size = |i: usize| {
                        steps.iter().map(|step| step.score[i].abs() + 0.1 / thetas[agent][n - 1]).sum::<f64>()
                    };
                    let score = (0..n).map(size).fold(1.0, f64::max);
                    let x: f64 = steps.iter().map(|s| s.reward.abs() + s.value.abs() + s.next_value.abs()).sum();
                    let tolerance = |row: usize| {
                        let sum = 1.2e-5 * score * (1.0 + x);
                        match (row.wrapping_sub(2) / n, sums) {
                            // a quotient of two such sums is as wrong as both, over the second
                            (2, Sums::BaselineTerms) => 2.0 * sum * score / expected[row + 2 * n].max(1e-9),
                            (3 | 4, Sums::BaselineTerms) => sum * score,
                            _ => sum,
                        }
                    };
                    for (row, want) in expected.iter().enumerate() {
                        let got = rows[(agent * shape.rows as usize + row) * rollouts as usize + j as usize];
                        assert!(
                            (got - want).abs() <= tolerance(row),
                            "{name}, {sums:?}, seed 7, θ {:?}, depth {depth}, rollout {j}, row {row}: got {got}, expected \
                             {want}, tolerance {:e}",
                            thetas[agent],
                            tolerance(row)
                        );
                    }
                }
            }
        }
    }
}

// ---------------------------------------------------------------- means and deviations

/// Standard errors that a mean may be away: in fewer than one of ten thousand draws it is further.
const FAR: f64 = 4.0;

#[track_caller]
fn assert_near(case: &str, found: &Estimate, expected: &[f64], slack: &[f64]) {
    for i in 0..expected.len() {
        let (got, tolerance) = (found.gradient[i], FAR * found.stderr[i] + slack[i]);
        assert!(
            (got - expected[i]).abs() <= tolerance,
            "{case}, {}, seed {}, θ {:?}: parameter {i} is {got}, expected {}, tolerance {tolerance} of 4 standard errors",
            found.estimator.name(),
            found.seed,
            found.theta,
            expected[i]
        );
    }
}

const SCORED: [Estimator; 9] = [
    Estimator::TotalReturn,
    Estimator::RewardToGo,
    Estimator::MeanBaseline,
    Estimator::OptimalBaseline,
    Estimator::PooledBaseline,
    Estimator::ValueBaseline,
    Estimator::Q,
    Estimator::TdResidual,
    Estimator::Gae,
];

#[test]
fn every_estimator_is_unbiased_on_the_regulator() {
    for theta in [[-0.5, 0.3], [-1.0, 0.1], [-0.9, 0.5]] {
        for estimator in SCORED {
            let (env, settings) = settings(REGULATOR, estimator, &theta);
            let found = run(&env, &settings);
            let exact = found.exact.clone().unwrap();
            assert_near("400,000 rollouts of depth 10", &found, &exact, &[0.0; 2]);
            let bias: Vec<f64> = found.gradient.iter().zip(&exact).map(|(g, e)| g - e).collect();
            assert_eq!(found.bias, Some(bias), "bias is gradient − exact");
            assert!((found.utility - found.utility_exact.unwrap()).abs() < 0.02, "{}", found.utility);
        }
    }
}

#[test]
fn discounts_go_where_they_belong() {
    for estimator in SCORED {
        for discount_gradient in [true, false] {
            let (env, settings) = settings(REGULATOR, estimator, &[-0.7, 0.4]);
            let settings = Settings { gamma: 0.8, depth: 6, rollouts: 200_000, discount_gradient, ..settings };
            let found = run(&env, &settings);
            // the whole return is discounted whatever weighs the scores
            let c = if discount_gradient || estimator == Estimator::TotalReturn { 0.8 } else { 1.0 };
            let (_, regulator) = textbook(REGULATOR);
            let expected = score_gradient(&regulator, &settings.theta, 0.8, c, 6);
            assert_near(&format!("γ = 0.8, c = {c}"), &found, &expected, &[0.0; 2]);
        }
    }
}

#[test]
fn deviations_fall_down_the_ladder_to_the_known_numbers() {
    let known = [
        (Estimator::TotalReturn, [9.2, 29.6]),
        (Estimator::RewardToGo, [6.8, 22.1]),
        (Estimator::OptimalBaseline, [4.7, 15.0]),
    ];
    let mut last = [f64::INFINITY; 2];
    for (estimator, expected) in known {
        let (env, settings) = settings(REGULATOR, estimator, &[-0.5, 0.3]);
        let found = run(&env, &settings);
        for i in 0..2 {
            let (got, want) = (found.std[i], expected[i]);
            let case = format!("{}, seed {}, parameter {i}", estimator.name(), settings.seed);
            assert!((got / want - 1.0).abs() < 0.05, "{case}: deviation {got}, known {want} within 5 %");
            assert!(got < last[i], "{case}: deviation {got} is not below {}", last[i]);
            let error = found.std[i] / f64::from(found.rollouts).sqrt();
            assert!((found.stderr[i] / error - 1.0).abs() < 1e-12, "{case}: standard error {}", found.stderr[i]);
        }
        last = [found.std[0], found.std[1]];
    }
}

#[test]
fn two_actions_have_the_gradient_of_the_example() {
    for theta in [0.2, 0.7] {
        for estimator in SCORED {
            let (env, settings) = settings(TWO_ACTION, estimator, &[theta]);
            let found = run(&env, &settings);
            assert_eq!(found.exact, Some(vec![1.0]));
            assert_near("TwoAction", &found, &[1.0], &[1e-5]);
        }
    }
    // 5 R where a₀ = L, −1.25 R where a₀ = R; the return is 1 or 0
    let (env, settings) = settings(TWO_ACTION, Estimator::TotalReturn, &[0.2]);
    let deviation = (0.2 * 25.0 - 1.0f64).sqrt();
    assert!((run(&env, &settings).std[0] / deviation - 1.0).abs() < 0.01, "√(0.2 · 5² − 1) = {deviation}");
    for theta in [0.0, 1.0, -0.5, 1.5] {
        let found = run(&env, &Settings { theta: vec![theta], rollouts: 1000, ..settings.clone() });
        assert_eq!((found.gradient[0], found.exact), (0.0, Some(vec![0.0])), "outside (0, 1): θ = {theta}");
    }
}

#[test]
fn moved_parameters_give_slopes_of_the_exact_utility() {
    let theta = [-0.5, 0.3];
    let (_, regulator) = textbook(REGULATOR);
    let exact = |theta: [f64; 2]| regulator.utility(&theta, 1.0, 10).unwrap();
    let (env, settings) = settings(REGULATOR, Estimator::FiniteDifference, &theta);
    let h = 0.05;
    let found = run(&env, &Settings { delta: h, ..settings.clone() });
    let slopes = [
        (exact([theta[0] + h, theta[1]]).0 - exact([theta[0] - h, theta[1]]).0) / (2.0 * h),
        (exact([theta[0], theta[1] + h]).0 - exact([theta[0], theta[1] - h]).0) / (2.0 * h),
    ];
    assert_near("finite differences", &found, &slopes, &[1e-3; 2]);
    assert!((0..2).all(|i| found.std[i] < 5.0), "common random numbers make deviations small: {:?}", found.std);
    // a linear fit is off by what gradients on opposite sides leave of the middle one
    let gradient = exact(theta).1;
    let around = |i: usize| {
        let leaves = |angle: u32| {
            let (sin, cos) = (f64::from(angle) * 0.1).sin_cos();
            let side = |d: f64| exact([theta[0] + d * cos, theta[1] + d * sin]).1[i];
            (side(h) + side(-h) - 2.0 * gradient[i]).abs() / 2.0
        };
        (0..32).map(leaves).fold(0.0, f64::max)
    };
    let found = run(&env, &Settings { estimator: Estimator::Regression, delta: h, ..settings });
    assert_near("regression", &found, &gradient, &[around(0), around(1)]);
}

#[test]
fn random_directions_give_the_gradient_of_the_utility_around_theta() {
    let theta = [-0.5, 0.3];
    let (_, regulator) = textbook(REGULATOR);
    let exact = |theta: [f64; 2]| regulator.utility(&theta, 1.0, 10).unwrap().1;
    let gradient = exact(theta);
    let h = 0.03;
    for estimator in [Estimator::EvolutionStrategies, Estimator::Spsa] {
        let (env, settings) = settings(REGULATOR, estimator, &theta);
        let found = run(&env, &Settings { delta: h, ..settings });
        // third derivatives: what gradients five perturbations away on both sides leave of the middle one, and more
        let around = |i: usize| {
            let side = |d: f64| exact([theta[0] + d, theta[1] + d])[i].max(exact([theta[0] + d, theta[1] - d])[i]);
            (side(2.0 * h) + side(-2.0 * h) - 2.0 * gradient[i]).abs()
        };
        assert_near(estimator.name(), &found, &gradient, &[around(0), around(1)]);
        // of two parameters at least: either direction carries the slope of the other one
        assert!(found.std[0] > gradient[1].abs() / 2.0, "{}: {:?}", estimator.name(), found.std);
    }
    // the same random numbers on both sides: noise is not what the deviations are made of
    let (env, settings) = settings(TWO_ACTION, Estimator::Spsa, &[0.2]);
    let found = run(&env, &Settings { delta: 0.01, ..settings });
    assert_near("spsa of one parameter", &found, &[1.0], &[1e-3]);
}

#[test]
fn learned_values_do_what_exact_ones_do() {
    for (estimator, name, theta) in [
        (Estimator::ValueBaseline, REGULATOR, &[-0.5, 0.3][..]),
        (Estimator::Gae, REGULATOR, &[-0.9, 0.5]),
        (Estimator::Gae, TWO_ACTION, &[0.3]),
    ] {
        let (env, settings) = settings(name, estimator, theta);
        let exact = run(&env, &settings);
        let learned = run(&env, &Settings { values: Values::Learned, ..settings });
        assert_eq!((exact.values, learned.values), (Some(Values::Exact), Some(Values::Learned)));
        for i in 0..theta.len() {
            // 65,536 rollouts fit three coefficients: a bias of the order of their errors, 1/256 of the deviation of R_k
            let apart = (learned.gradient[i] - exact.gradient[i]).abs();
            assert!(
                apart <= learned.std[i] / 256.0,
                "{name}, parameter {i}: {apart} apart, deviation {}",
                learned.std[i]
            );
            assert!((learned.std[i] / exact.std[i] - 1.0).abs() < 0.02, "{:?} {:?}", learned.std, exact.std);
        }
        assert!(learned.bias.is_some() && learned.simulated > exact.simulated);
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    for estimator in Estimator::ALL {
        let (env, settings) = settings(REGULATOR, estimator, &[-0.5, 0.3]);
        let settings = Settings { rollouts: 30_000, values: Values::Learned, ..settings };
        let (first, second) = (run(&env, &settings), run(&env, &settings));
        assert_eq!(first, second, "{}: the same seed twice", estimator.name());
        let other = run(&env, &Settings { seed: 2, ..settings });
        assert_ne!(first.gradient, other.gradient, "{}: another seed", estimator.name());
    }
}

#[test]
fn four_hundred_thousand_rollouts_take_no_time() {
    let (env, settings) = settings(REGULATOR, Estimator::Gae, &[-0.5, 0.3]);
    run(&env, &settings);
    let started = Instant::now();
    let found = run(&env, &settings);
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!((found.rollouts, found.depth), (400_000, 10));
    assert!(seconds < 2.0, "{seconds} s");
}

// ---------------------------------------------------------------- ascents

fn ascent(estimator: Estimator) -> GradientAscent {
    GradientAscent {
        estimator,
        theta: vec![-0.5, 0.3],
        rollouts: 6,
        depth: 10,
        steps: 1,
        rate: 1.0,
        limit: 1e9,
        least: -1e9,
        repetitions: 60_000,
        seed: 1,
    }
}

#[test]
fn a_step_uphill_is_the_gradient_on_average() {
    let (env, regulator) = textbook(REGULATOR);
    let exact = regulator.utility(&[-0.5, 0.3], 1.0, 10).unwrap().1;
    for estimator in [Estimator::TotalReturn, Estimator::RewardToGo, Estimator::OptimalBaseline] {
        let path = ok(ascend(gpu(), &env, &ascent(estimator)));
        assert_eq!(path.points(), 2);
        for i in 0..2 {
            let start = path.at(0, i).next().unwrap();
            assert!(path.at(0, i).all(|x| x == start), "all begin at the same θ");
            let steps: Vec<f64> = path.at(1, i).map(|x| x - start).collect();
            let count = steps.len() as f64;
            let mean = steps.iter().sum::<f64>() / count;
            let std = (steps.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
            let tolerance = FAR * std / count.sqrt();
            let case = format!("{}, parameter {i}, seed 1", estimator.name());
            assert!((mean - exact[i]).abs() < tolerance, "{case}: {mean}, exact {}, tolerance {tolerance}", exact[i]);
        }
    }
}

#[test]
fn steps_uphill_are_limited_and_deviations_are_held() {
    let (env, _) = textbook(REGULATOR);
    let settings = GradientAscent {
        steps: 12,
        rate: 0.2,
        limit: 1.0,
        least: 0.05,
        repetitions: 345,
        theta: vec![-0.2, 0.3],
        ..ascent(Estimator::RewardToGo)
    };
    let path = ok(ascend(gpu(), &env, &settings));
    assert_eq!(path, ok(ascend(gpu(), &env, &settings)), "the same seed twice");
    let mut held = 0;
    for step in 0..12 {
        let points = |step: usize| path.at(step, 0).zip(path.at(step, 1)).collect::<Vec<_>>();
        for ((a, b), (c, d)) in points(step).into_iter().zip(points(step + 1)) {
            // a step of length 0.2 and the roundings of two numbers below 4
            let length = (c - a).hypot(d - b);
            assert!(length <= 0.2 + 1e-6, "step {step} from ({a}, {b}) to ({c}, {d}) has length {length}");
            assert!(d >= f64::from(0.05f32), "θ₂ = {d} after step {step}");
            held += usize::from(d == f64::from(0.05f32));
        }
    }
    assert!(held > 0, "no ascent came down to the least deviation");
}

// ---------------------------------------------------------------- networks

/// In an environment of one step everything is known of a network too: every estimator agrees with the exact gradient, and the
/// same seed gives the same numbers. Rollouts of three steps hold three episodes, of which the first counts.
#[test]
fn networks_have_the_gradient_of_their_utility() {
    let env = Environment::load("TwoAction").unwrap();
    let settings = |estimator, seed| NetworkSettings {
        estimator,
        policy: None,
        rollouts: 64_000,
        depth: 3,
        gamma: 0.9,
        lambda: 0.5,
        discount_gradient: true,
        seed,
    };
    // one step, two actions: U = π(L) Q(L) + π(R) Q(R) = π(L), of which everything is known
    let policy = Policy::untrained(&env, settings(Estimator::Gae, 4).config(&env).unwrap()).unwrap();
    let hidden: Vec<usize> = policy.config.hidden.iter().map(|&width| width as usize).collect();
    let widths = [&[1][..], &hidden, &[2]].concat();
    let size = Mlp::parameter_count(&widths);
    let parameters: Vec<f64> = policy.parameters()[..size].iter().map(|&p| f64::from(p)).collect();
    let network = Mlp { widths, activation: Activation::Tanh, parameters };
    let activations = network.forward(&[1.0]);
    let logits = &activations[activations.len() - 1];
    let left = categorical::log_prob(logits, 0).exp();
    let d_left: Vec<f64> = categorical::d_log_prob_d_logits(logits, 0).iter().map(|d| left * d).collect();
    let (exact, _) = network.backward(&activations, &d_left);
    let mut total = 0.0;
    for estimator in NETWORK_ESTIMATORS {
        let found = ok(estimate_network(gpu(), &env, &settings(estimator, 4)));
        assert_eq!(found.theta.len(), size, "{}", estimator.name());
        assert!(
            (found.utility - left).abs() < 4.0 * 0.5 / 64_000f64.sqrt(),
            "{}: U {}",
            estimator.name(),
            found.utility
        );
        let error: f64 = found.gradient.iter().zip(&exact).map(|(g, e)| (g - e).powi(2)).sum::<f64>().sqrt();
        let expected: f64 = found.stderr.iter().map(|e| e * e).sum::<f64>().sqrt();
        assert!(expected > 0.0 && error < 4.0 * expected, "{}: off by {error}, ‖error‖ {expected}", estimator.name());
        let length: f64 = exact.iter().map(|e| e * e).sum::<f64>().sqrt();
        assert!(expected < 0.05 * length, "{}: error {expected} of {length}", estimator.name());
        let variance: f64 = found.std.iter().map(|s| s * s).sum();
        // one step: the return from it on is the whole
        if estimator == Estimator::RewardToGo {
            assert!((variance / total - 1.0).abs() < 1e-4, "variance {variance}, that of the total return {total}");
        }
        total = variance;
        assert_eq!(found, ok(estimate_network(gpu(), &env, &settings(estimator, 4))), "{} twice", estimator.name());
    }
}

/// The environment whose action is θ plays the regulator: its mean return is the exact U, at the start and elsewhere.
#[test]
fn the_regulator_of_theta_is_the_regulator() {
    let (_, regulator) = textbook(REGULATOR);
    for theta in [[-0.2, 0.8], [-1.0, 0.0], [-0.5, 0.3]] {
        let mut env = ok(regulator_of_theta());
        ok(env.set_all([("theta_1", theta[0]), ("theta_2", theta[1])]));
        // a search that hardly moves: its actor is the offset 0
        let pairs = ["hidden=[]", "generations=1", "population=2", "sigma=1e-6", "eval_episodes=65536"];
        let config = ok(Config::resolve("", "random", None, &pairs.map(str::to_owned)));
        let report = ok(ok(Trainer::new(gpu(), &env, &config, &[7])).next().unwrap());
        let (found, _) = &report.evaluation.unwrap()[0];
        let exact = regulator.unbounded(&theta, 1.0, 10).0;
        let error = found.standard_error.unwrap();
        assert!((found.mean - exact).abs() < 4.5 * error, "U{theta:?}: {} ± {error}, exact {exact}", found.mean);
    }
}
