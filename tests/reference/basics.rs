//! The f64 reference against closed forms, finite differences, laws and the oracle files: random numbers, CartPole, networks,
//! choices, advantages, moments.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::exact::{ABSOLUTE, Draw, RELATIVE, printed, with_parameters};
use crate::oracle;
use crate::oracle::{assert_close, assert_gradient, flags, label, number, numbers};
use manyworlds::reference::cartpole;
use manyworlds::reference::categorical;
use manyworlds::reference::gae::gae;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::moments::{moments, normalise};
use manyworlds::reference::philox::{philox4x32_10, uniform};

// ---------------------------------------------------------------- random numbers

#[test]
fn philox_gives_the_known_answers_of_random123() {
    let vectors = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([0xffff_ffff; 4], [0xffff_ffff; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    for (counter, key, expected) in vectors {
        let got = philox4x32_10(counter, key);
        assert_eq!(got, expected, "counter {counter:x?}, key {key:x?}");
    }
}

#[test]
fn uniform_stays_inside_the_open_interval_and_is_exact_in_f32() {
    let ends = [uniform(0), uniform(511), uniform(512), uniform(u32::MAX)];
    let unit = 2_f64.powi(-24);
    let expected = [unit, unit, 3.0 * unit, 1.0 - unit];
    assert_close("uniform", &ends, &expected, 0.0, 0.0);
    for word in [0, 1 << 9, 0x9e37_79b9, u32::MAX] {
        let exact = uniform(word);
        let rounded = f64::from(exact as f32);
        assert_close(&format!("f32 of word {word}"), &[rounded], &[exact], 0.0, 0.0);
    }
}

// ---------------------------------------------------------------- environment

#[test]
fn cartpole_from_the_zero_state_always_right_ends_at_step_9() {
    let mut state = [0.0; 4];
    for count in 1..=9 {
        let step = cartpole::step(state, 1);
        assert_eq!(step.terminated, count == 9, "terminated at step {count}");
        assert_close("reward", &[step.reward], &[1.0], 0.0, 0.0);
        state = step.state;
    }
    let expected = [0.140_650_972, 1.760_381_13, -0.215_186_05, -2.777_886_49];
    assert_close("state at step 9", &state, &expected, 0.0, printed(8));
}

#[test]
fn cartpole_steps_agree_with_gymnasium() {
    let file = oracle::classic();
    let case = label(&file, "environments.CartPole-v1");
    let transitions = oracle::transitions(&file, "CartPole-v1");
    assert!(transitions.iter().any(|t| t.terminated), "{case}: an ending");
    for (at, t) in transitions.iter().enumerate() {
        let case = format!("{case}[{at}]");
        let state: cartpole::State = t.state[..].try_into().expect("four numbers");
        let step = cartpole::step(state, t.action[0] as u32);
        // some twenty operations on numbers below 100, 1.1e-16 each
        assert_close(&case, &step.state, &t.next_state, 1e-12, 1e-13);
        assert_close(&case, &[step.reward], &[t.reward], 0.0, 0.0);
        assert_eq!(step.terminated, t.terminated, "{case}.terminated");
    }
}

#[test]
fn cartpole_terminates_strictly_outside_its_limits() {
    // without velocity the position and the angle stay as they are for one step
    for limit in [cartpole::POSITION_LIMIT, -cartpole::POSITION_LIMIT] {
        let outside = limit * (1.0 + f64::EPSILON);
        assert!(!cartpole::step([limit, 0.0, 0.0, 0.0], 0).terminated);
        assert!(cartpole::step([outside, 0.0, 0.0, 0.0], 0).terminated);
    }
    for limit in [cartpole::ANGLE_LIMIT, -cartpole::ANGLE_LIMIT] {
        let outside = limit * (1.0 + f64::EPSILON);
        assert!(!cartpole::step([0.0, 0.0, limit, 0.0], 1).terminated);
        assert!(cartpole::step([0.0, 0.0, outside, 0.0], 1).terminated);
    }
}

// ---------------------------------------------------------------- network

#[test]
fn mlp_forward_of_a_network_done_by_hand() {
    let mlp = Mlp {
        widths: vec![2, 2, 1],
        activation: Activation::Relu,
        //               W0 rows            b0        W1        b1
        parameters: vec![1.0, 2.0, 3.0, -4.0, 0.5, 0.25, 5.0, 7.0, -1.0],
    };
    let activations = mlp.forward(&[1.0, 2.0]); // z = (1 + 4 + 0.5, 3 − 8 + 0.25)
    let expected = [vec![1.0, 2.0], vec![5.5, 0.0], vec![26.5]];
    assert_close("by hand", &activations.concat(), &expected.concat(), 0.0, 0.0);
    let (gradient, d_input) = mlp.backward(&activations, &[2.0]);
    let expected = [10.0, 20.0, 0.0, 0.0, 10.0, 0.0, 11.0, 0.0, 2.0];
    assert_close("gradient by hand", &gradient, &expected, 0.0, 0.0);
    assert_close("d_input by hand", &d_input, &[10.0, 20.0], 0.0, 0.0);
}

#[test]
fn mlp_gradients_agree_with_finite_differences() {
    let shapes: [&[usize]; 5] = [&[1, 1], &[3, 2], &[3, 5, 2], &[4, 7, 6, 3], &[2, 6, 3, 4, 1]];
    for (seed, widths) in (100..).zip(shapes) {
        for activation in [Activation::Tanh, Activation::Relu] {
            let mut draw = Draw::new(seed);
            let mlp = draw.network(widths, activation);
            let input = draw.vector(widths[0], -1.5, 1.5);
            let weights = draw.vector(widths[widths.len() - 1], 0.5, 1.5);
            let loss = |mlp: &Mlp, input: &[f64]| -> f64 {
                let output = mlp.output(input);
                output.iter().zip(&weights).map(|(o, w)| o * w).sum()
            };
            let (gradient, d_input) = mlp.backward(&mlp.forward(&input), &weights);
            let case = format!("seed {seed}, {widths:?}, {activation:?}");
            assert_gradient(&case, &gradient, &mlp.parameters, |x| loss(&with_parameters(&mlp, x), &input));
            assert_gradient(&format!("{case}, input"), &d_input, &input, |x| loss(&mlp, x));
        }
    }
}

// ---------------------------------------------------------------- categorical distribution

#[test]
fn softmax_bandit_gives_its_closed_form() {
    let (logits, rewards) = ([0.0, 1.0, 2.0], [1.0, 0.0, -1.0]);
    let p = categorical::probs(&logits);
    let value: f64 = p.iter().zip(&rewards).map(|(p, r)| p * r).sum();
    let mut gradient = [0.0; 3];
    for (action, reward) in rewards.iter().enumerate() {
        let d = categorical::d_log_prob_d_logits(&logits, action);
        for (g, d) in gradient.iter_mut().zip(&d) {
            *g += p[action] * reward * d;
        }
    }
    let expected_p = [0.090_030_57, 0.244_728_47, 0.665_240_96];
    let expected_gradient = [0.141_817_09, 0.140_770_36, -0.282_587_45];
    assert_close("p", &p, &expected_p, 0.0, printed(8));
    assert_close("J", &[value], &[-0.575_210_382_6], 0.0, printed(10));
    assert_close("dJ", &gradient, &expected_gradient, 0.0, printed(8));
    let entropy = categorical::entropy(&logits);
    assert_close("entropy", &[entropy], &[0.832_395_581_8], 0.0, printed(10));
}

#[test]
fn fisher_matrix_of_the_categorical_is_diag_p_minus_p_pt() {
    let logits = Draw::new(20).vector(5, -2.0, 2.0);
    let p = categorical::probs(&logits);
    for i in 0..5 {
        for j in 0..5 {
            let of = |a: usize| {
                let d = categorical::d_log_prob_d_logits(&logits, a);
                p[a] * d[i] * d[j]
            };
            let got: f64 = (0..5).map(of).sum();
            let expected = if i == j { p[i] } else { 0.0 } - p[i] * p[j];
            assert_close(&format!("F[{i}][{j}]"), &[got], &[expected], 0.0, 1e-15);
        }
    }
}

#[test]
fn categorical_laws_hold_at_every_size() {
    for (seed, actions) in (30..).zip([1, 2, 3, 5, 17]) {
        let logits = Draw::new(seed).vector(actions, -8.0, 8.0);
        let shifted: Vec<f64> = logits.iter().map(|z| z + 1000.0).collect();
        let case = format!("seed {seed}, {actions} actions");
        let probs = categorical::probs(&logits);
        assert_close(&case, &[probs.iter().sum()], &[1.0], 0.0, 1e-14);
        // adding 1000 costs the logits up to 2⁻⁴⁴, half an ulp at 1000
        assert_close(&case, &categorical::probs(&shifted), &probs, 1e-12, 0.0);
        let entropy = categorical::entropy(&logits);
        assert!((0.0..=(actions as f64).ln() + 1e-15).contains(&entropy), "{case}: {entropy}");
        let d_entropy = categorical::d_entropy_d_logits(&logits);
        assert_close(&case, &[d_entropy.iter().sum()], &[0.0], 0.0, 1e-14);
        for action in 0..actions {
            let d = categorical::d_log_prob_d_logits(&logits, action);
            assert_close(&case, &[d.iter().sum()], &[0.0], 0.0, 1e-14);
            if actions > 1 {
                assert_gradient(&format!("{case}, log_prob({action})"), &d, &logits, |z| {
                    categorical::log_prob(z, action)
                });
            }
        }
        if actions > 1 {
            let case = format!("{case}, entropy");
            assert_gradient(&case, &d_entropy, &logits, categorical::entropy);
        }
    }
}

#[test]
fn categorical_takes_extreme_logits() {
    let logits = [-1e4, 0.0, -1e4];
    let expected = [-1e4, 0.0, -1e4];
    assert_close("log p", &categorical::log_probs(&logits), &expected, 0.0, 0.0);
    assert_close("entropy", &[categorical::entropy(&logits)], &[0.0], 0.0, 0.0);
    let d = categorical::d_entropy_d_logits(&logits);
    assert_close("d entropy", &d, &[0.0; 3], 0.0, 0.0);
}

#[test]
fn sampling_is_the_inverse_of_the_cumulative_probability() {
    let logits = Draw::new(40).vector(6, -1.5, 1.5);
    let points = 10_000;
    let mut counts = [0.0; 6];
    for k in 0..points {
        counts[categorical::sample(&logits, (f64::from(k) + 0.5) / f64::from(points))] += 1.0;
    }
    let share = counts.map(|count| count / f64::from(points));
    // each of an interval's two ends can win or lose one point of the grid
    let tolerance = 2.0 / f64::from(points);
    assert_close("share", &share, &categorical::probs(&logits), 0.0, tolerance);

    let quarters = [0.0, 2_f64.ln(), 0.0]; // 1/4, 1/2, 1/4
    let cases = [(0.001, 0), (0.249, 0), (0.251, 1), (0.749, 1), (0.751, 2), (0.999, 2)];
    for (u, action) in cases {
        assert_eq!(categorical::sample(&quarters, u), action, "u = {u}");
    }
    assert_eq!(categorical::sample(&[0.0; 7], 1.0), 6, "no cumulative sum exceeds 1");
}

#[test]
fn argmax_takes_the_first_of_equals() {
    let cases: [(&[f64], usize); 4] = [(&[3.0], 0), (&[1.0, 2.0, 2.0], 1), (&[-1.0; 3], 0), (&[0.0, -1.0, 5.0], 2)];
    for (logits, action) in cases {
        assert_eq!(categorical::argmax(logits), action, "{logits:?}");
    }
}

// ---------------------------------------------------------------- advantages

#[test]
fn gae_gives_the_closed_form_sequences() {
    let steps = 8;
    let mut reward = [0.0; 8];
    reward[steps - 1] = 1.0;
    let never = [false; 8];
    let mut at_the_end = never;
    at_the_end[steps - 1] = true;
    let terminated =
        [0.296_111_53, 0.320_161_11, 0.345_732_18, 0.372_920_98, 0.401_829_85, 0.432_567_63, 0.465_25, 0.5];
    let truncated =
        [0.618_305_04, 0.662_737_95, 0.709_981_87, 0.760_214_64, 0.813_625_35, 0.870_415_05, 0.930_797_5, 0.995];
    let v = [0.5; 8];
    // what must not be read is NaN
    let unread = [f64::NAN; 8];
    let final_value = [0.5; 8];
    let run = |term: &[bool], trunc: &[bool], final_value: &[f64], last: f64| {
        gae(&reward, &v, term, trunc, final_value, &[last], 0.99, 0.95).0
    };
    let cases = [
        ("terminated", run(&at_the_end, &never, &unread, f64::NAN), terminated),
        ("both", run(&at_the_end, &at_the_end, &unread, f64::NAN), terminated),
        ("truncated", run(&never, &at_the_end, &final_value, f64::NAN), truncated),
        ("open at the end", run(&never, &never, &unread, 0.5), truncated),
    ];
    for (case, got, expected) in cases {
        assert_close(case, &got, &expected, 0.0, printed(8));
    }
}

/// A seeded batch with both kinds of ending, some at once, and NaN where a final value is not read.
struct Episodes {
    steps: usize,
    worlds: usize,
    reward: Vec<f64>,
    value: Vec<f64>,
    terminated: Vec<bool>,
    truncated: Vec<bool>,
    final_value: Vec<f64>,
    last_value: Vec<f64>,
}

impl Episodes {
    fn draw(seed: u32, steps: usize, worlds: usize) -> Self {
        let (mut draw, samples) = (Draw::new(seed), steps * worlds);
        let terminated = draw.flags(samples, 0.2);
        let truncated = draw.flags(samples, 0.2);
        let mut final_value = draw.vector(samples, -1.0, 1.0);
        for at in 0..samples {
            if terminated[at] || !truncated[at] {
                final_value[at] = f64::NAN;
            }
        }
        Self {
            steps,
            worlds,
            reward: draw.vector(samples, -1.0, 1.0),
            value: draw.vector(samples, -1.0, 1.0),
            terminated,
            truncated,
            final_value,
            last_value: draw.vector(worlds, -1.0, 1.0),
        }
    }

    fn gae(&self, gamma: f64, lambda: f64) -> (Vec<f64>, Vec<f64>) {
        gae(
            &self.reward,
            &self.value,
            &self.terminated,
            &self.truncated,
            &self.final_value,
            &self.last_value,
            gamma,
            lambda,
        )
    }

    /// Σ γᵏ r over at most `length` steps, then γⁿ times the value where the sum stops.
    fn return_of(&self, step: usize, world: usize, gamma: f64, length: usize) -> f64 {
        let (mut sum, mut weight) = (0.0, 1.0);
        for t in step..self.steps.min(step + length) {
            let at = t * self.worlds + world;
            sum += weight * self.reward[at];
            weight *= gamma;
            if self.terminated[at] {
                return sum;
            }
            if self.truncated[at] {
                return sum + weight * self.final_value[at];
            }
        }
        let next = step + length;
        if next < self.steps {
            sum + weight * self.value[next * self.worlds + world]
        } else {
            sum + weight * self.last_value[world]
        }
    }

    fn returns_minus_values(&self, gamma: f64, length: usize) -> Vec<f64> {
        let samples = 0..self.steps * self.worlds;
        samples
            .map(|at| {
                let (step, world) = (at / self.worlds, at % self.worlds);
                self.return_of(step, world, gamma, length) - self.value[at]
            })
            .collect()
    }
}

#[test]
fn gae_with_lambda_1_is_the_return_minus_the_value_and_with_lambda_0_the_td_residual() {
    for (seed, steps, worlds) in [(50, 1, 1), (51, 1, 7), (52, 33, 1), (53, 9, 5), (54, 64, 13)] {
        let episodes = Episodes::draw(seed, steps, worlds);
        let case = format!("seed {seed}, [{steps}][{worlds}]");
        let (monte_carlo, target) = episodes.gae(0.97, 1.0);
        let expected = episodes.returns_minus_values(0.97, steps);
        assert_close(&format!("{case} λ=1"), &monte_carlo, &expected, 0.0, ABSOLUTE);
        let sum: Vec<f64> = monte_carlo.iter().zip(&episodes.value).map(|(a, v)| a + v).collect();
        assert_close(&format!("{case} target"), &target, &sum, 0.0, 0.0);
        let (residual, _) = episodes.gae(0.97, 0.0);
        let expected = episodes.returns_minus_values(0.97, 1);
        assert_close(&format!("{case} λ=0"), &residual, &expected, 0.0, ABSOLUTE);
    }
}

#[test]
fn gae_of_no_worlds_and_of_no_steps_is_empty() {
    let nothing = (vec![], vec![]);
    assert_eq!(gae(&[], &[], &[], &[], &[], &[], 0.99, 0.95), nothing);
    assert_eq!(gae(&[], &[], &[], &[], &[], &[0.0; 3], 0.99, 0.95), nothing);
}

#[test]
fn gae_agrees_with_the_oracle() {
    let file = oracle::losses();
    let case = label(&file, "cases.gae");
    let input = |name: &str| numbers(&file, &format!("cases.gae.inputs.{name}"));
    let flag = |name: &str| flags(&file, &format!("cases.gae.inputs.{name}"));
    let expected = |name: &str| numbers(&file, &format!("cases.gae.expected.{name}"));
    let (reward, value, final_value) = (input("reward"), input("value"), input("final_value"));
    let (terminated, truncated) = (flag("terminated"), flag("truncated"));
    let last_value = input("last_value");
    let gamma = number(&file, "cases.gae.hyper.gamma");
    let run = |lambda: f64| gae(&reward, &value, &terminated, &truncated, &final_value, &last_value, gamma, lambda);
    let check = |name: &str, got: &[f64]| {
        let case = format!("{case}.expected.{name}");
        assert_close(&case, got, &expected(name), RELATIVE, ABSOLUTE);
    };
    let (advantage, target) = run(number(&file, "cases.gae.hyper.lambda"));
    check("advantage", &advantage);
    check("return", &target);
    check("td_residual", &run(0.0).0);
    check("reward_to_go_bootstrapped", &run(1.0).1);
}

// ---------------------------------------------------------------- moments

#[test]
fn moments_of_known_samples() {
    let got = moments(&[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(got.count, 4);
    let numbers = [got.mean, got.variance, got.variance_unbiased];
    assert_close("1 to 4", &numbers, &[2.5, 1.25, 5.0 / 3.0], 1e-15, 0.0);
    // a large mean cancels nothing: deviations of 1e9 + k are exact
    let got = moments(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]);
    assert_close("offset", &[got.variance_unbiased], &[1.0], 1e-15, 0.0);
    for few in [&[][..], &[7.5]] {
        let got = moments(few);
        let mean = few.first().copied().unwrap_or(0.0);
        let numbers = [got.mean, got.variance, got.variance_unbiased];
        assert_close("few", &numbers, &[mean, 0.0, 0.0], 0.0, 0.0);
    }
}

#[test]
fn normalised_advantages_have_mean_0_and_unbiased_deviation_1() {
    for (seed, count) in (60..).zip([2, 3, 63, 345]) {
        let samples = Draw::new(seed).vector(count, -3.0, 5.0);
        let got = moments(&normalise(&samples));
        let case = format!("seed {seed}, {count} samples");
        assert_close(&case, &[got.mean], &[0.0], 0.0, 1e-14);
        // (s / (s + 1e-8))² = 1 − 2e-8 / s, and s > 0.1 for these samples
        assert_close(&case, &[got.variance_unbiased], &[1.0], 0.0, 2e-7);
    }
    assert_close("one sample", &normalise(&[3.7]), &[0.0], 0.0, 0.0);
    assert_close("equal samples", &normalise(&[2.0; 8]), &[0.0; 8], 0.0, 0.0);
    let two = normalise(&[1.0, 3.0]); // deviation √2
    let expected = 1.0 / (2_f64.sqrt() + 1e-8);
    assert_close("two samples", &two, &[-expected, expected], 1e-15, 0.0);
}
