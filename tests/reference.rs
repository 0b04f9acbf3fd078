//! The f64 reference against closed forms, finite differences, laws and the oracle files.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

mod oracle;

use manyworlds::reference::adam::{Adam, clip_by_global_norm};
use manyworlds::reference::cartpole;
use manyworlds::reference::categorical;
use manyworlds::reference::gae::gae;
use manyworlds::reference::gaussian;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::moments::{moments, normalise};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reference::ppo::{actor_loss, critic_loss, surrogate, value_loss, value_loss_clipped};
use manyworlds::reference::{squashed, state_dependent};
use oracle::{assert_close, assert_gradient, flags, integers, label, network, number, numbers, shape};

/// Agreement with `PyTorch`'s float64. Both sides sum some 10³ terms of size 1 in different orders,
/// half an ulp (1.1e-16) each: 1e-13, and ten times that where the sum cancels to nearly 0.
const RELATIVE: f64 = 1e-9;
const ABSOLUTE: f64 = 1e-12;

/// A number written with so many decimals is off by at most half a unit of the last.
fn printed(decimals: i32) -> f64 {
    0.5 * 10_f64.powi(-decimals)
}

/// Seeded inputs: uniform numbers, four to a Philox call.
struct Draw {
    seed: u32,
    count: u32,
}

impl Draw {
    fn new(seed: u32) -> Self {
        Self { seed, count: 0 }
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        let words = philox4x32_10([self.count / 4, 0, 0, 0], [self.seed, 0]);
        let word = words[(self.count % 4) as usize];
        self.count += 1;
        low + (high - low) * uniform(word)
    }

    fn vector(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.between(low, high)).collect()
    }

    fn flags(&mut self, count: usize, share: f64) -> Vec<bool> {
        (0..count).map(|_| self.between(0.0, 1.0) < share).collect()
    }

    fn network(&mut self, widths: &[usize], activation: Activation) -> Mlp {
        Mlp { widths: widths.to_vec(), activation, parameters: self.vector(Mlp::parameter_count(widths), -1.0, 1.0) }
    }
}

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

fn with_parameters(mlp: &Mlp, parameters: &[f64]) -> Mlp {
    Mlp { parameters: parameters.to_vec(), ..mlp.clone() }
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

// ---------------------------------------------------------------- PPO

#[test]
fn surrogate_follows_every_row_of_the_clip_table() {
    let (low, high) = (1.0 - 0.2, 1.0 + 0.2);
    let rows = [
        // ratio, advantage, term, gradient by the ratio
        ("inside, +", 1.1, 2.0, 1.1 * 2.0, 2.0),
        ("inside, −", 1.1, -2.0, 1.1 * -2.0, -2.0),
        ("inside, below 1, +", 0.9, 2.0, 0.9 * 2.0, 2.0),
        ("inside, below 1, −", 0.9, -2.0, 0.9 * -2.0, -2.0),
        ("below, +", 0.5, 2.0, 0.5 * 2.0, 2.0),
        ("below, −", 0.5, -2.0, low * -2.0, 0.0),
        ("above, +", 1.5, 2.0, high * 2.0, 0.0),
        ("above, −", 1.5, -2.0, 1.5 * -2.0, -2.0),
        ("at the lower edge, −", low, -2.0, low * -2.0, -2.0),
        ("at the upper edge, +", high, 2.0, high * 2.0, 2.0),
        ("at 1", 1.0, -3.0, -3.0, -3.0),
        ("no advantage", 1.5, 0.0, 0.0, 0.0),
    ];
    for (row, ratio, advantage, term, d_term_d_ratio) in rows {
        let got = surrogate(ratio, advantage, 0.2);
        assert_close(row, &[got.0, got.1], &[term, d_term_d_ratio], 0.0, 0.0);
    }
}

#[test]
fn value_losses_take_the_larger_side() {
    let rows = [
        // value, old value, target, clipped loss, its derivative
        ("within the clip", 1.25, 1.125, 0.0, 0.781_25, 1.25),
        ("outside, away from the target", 2.0, 1.0, 0.0, 2.0, 2.0),
        ("outside, towards the target", 0.5, 1.5, 0.0, 0.5 * 1.25 * 1.25, 0.0),
        ("outside, past the target", -3.0, 1.0, 0.0, 4.5, -3.0),
    ];
    for (row, value, old, target, loss, d_loss_d_value) in rows {
        let got = value_loss_clipped(value, old, target, 0.25);
        assert_close(row, &[got.0, got.1], &[loss, d_loss_d_value], 0.0, 0.0);
    }
    let got = value_loss(3.0, 1.0);
    assert_close("plain", &[got.0, got.1], &[2.0, 2.0], 0.0, 0.0);
}

#[test]
fn a_value_within_the_clip_always_has_the_plain_gradient() {
    // old + (value − old) can miss the value by an ulp: the clipped loss may then be the larger one
    let mut draw = Draw::new(65);
    for at in 0..1000 {
        let value = draw.between(-0.01, 0.01);
        let old = value + draw.between(-1.0, 1.0);
        let target = draw.between(-2.0, 2.0);
        let (plain, got) = (value_loss(value, target), value_loss_clipped(value, old, target, 1.0));
        let case = format!("seed 65, draw {at}");
        assert_close(&case, &[got.0, got.1], &[plain.0, plain.1], 0.0, 0.0);
    }
}

#[test]
fn clip_fraction_counts_the_ratio_and_not_its_logarithm() {
    let actor = Mlp { widths: vec![1, 2], activation: Activation::Tanh, parameters: vec![0.0; 4] };
    // |log 0.81| = 0.211 and |log 1.21| = 0.191, with ε = 0.2
    for (ratio, expected) in [(0.79, 1.0), (0.81, 0.0), (1.19, 0.0), (1.21, 1.0_f64)] {
        let old = 0.5_f64.ln() - f64::ln(ratio);
        let got = actor_loss(&actor, &[1.0], &[0], &[old], &[1.0], 0.2, 0.0).clip_fraction;
        assert_close(&format!("ratio {ratio}"), &[got], &[expected], 0.0, 0.0);
    }
}

#[test]
fn actor_loss_gradient_agrees_with_finite_differences() {
    let cases = [
        (70, vec![4, 8, 8, 3], Activation::Tanh, 12, 0.01),
        (71, vec![3, 3, 6, 5, 5], Activation::Tanh, 13, 0.5),
        (72, vec![4, 9, 2], Activation::Relu, 12, 0.01),
    ];
    for (seed, widths, activation, samples, entropy_coef) in cases {
        let mut draw = Draw::new(seed);
        let actor = draw.network(&widths, activation);
        let observations = draw.vector(samples * widths[0], -1.5, 1.5);
        let (mut actions, mut old, mut advantages) = (vec![], vec![], vec![]);
        for (s, observation) in observations.chunks_exact(widths[0]).enumerate() {
            let logits = actor.output(observation);
            let action = categorical::sample(&logits, draw.between(0.0, 1.0));
            // every row of the clip table, at least 0.05 from its edges
            let zones = [(0.4, 0.75), (0.85, 1.15), (1.25, 1.8)];
            let ratio = draw.between(zones[s % 3].0, zones[s % 3].1);
            let sign = if s % 6 < 3 { 1.0 } else { -1.0 };
            actions.push(action as u32);
            old.push(categorical::log_prob(&logits, action) - ratio.ln());
            advantages.push(sign * draw.between(0.3, 1.8));
        }
        let loss = |x: &[f64], coef: f64| {
            let actor = with_parameters(&actor, x);
            actor_loss(&actor, &observations, &actions, &old, &advantages, 0.2, coef)
        };
        let got = loss(&actor.parameters, entropy_coef);
        let case = format!("seed {seed}, {widths:?}, {activation:?}");
        assert_gradient(&case, &got.gradient, &actor.parameters, |x| {
            let loss = loss(x, entropy_coef);
            loss.policy_loss - entropy_coef * loss.entropy
        });
        assert!(got.approx_kl > 0.0, "{case}: k3 = {}", got.approx_kl);
        let outside = (0..samples).filter(|s| s % 3 != 1).count() as f64 / samples as f64;
        assert_close(&format!("{case}, clip"), &[got.clip_fraction], &[outside], 0.0, 1e-15);
    }
}

#[test]
fn critic_loss_gradient_agrees_with_finite_differences() {
    let cases = [
        (80, vec![4, 8, 6, 1], Activation::Tanh, 12),
        (81, vec![3, 5, 7, 1], Activation::Tanh, 13),
        (82, vec![4, 9, 1], Activation::Relu, 12),
    ];
    for (seed, widths, activation, samples) in cases {
        let mut draw = Draw::new(seed);
        let critic = draw.network(&widths, activation);
        let observations = draw.vector(samples * widths[0], -1.5, 1.5);
        let (mut targets, mut old_values) = (vec![], vec![]);
        for (s, observation) in observations.chunks_exact(widths[0]).enumerate() {
            let value = critic.output(observation)[0];
            // V − V_old below, within and above the clip of 0.2; its excess over the clip is at most
            // 0.4, so that |V − target| ≥ 0.5 keeps away from where both losses are equal
            let zones = [(-0.6, -0.25), (-0.15, 0.15), (0.25, 0.6)];
            let sign = if s % 6 < 3 { 1.0 } else { -1.0 };
            old_values.push(value - draw.between(zones[s % 3].0, zones[s % 3].1));
            targets.push(value - sign * draw.between(0.5, 1.0));
        }
        for clip in [None, Some(0.2)] {
            let loss = |x: &[f64]| {
                let critic = with_parameters(&critic, x);
                critic_loss(&critic, &observations, &targets, &old_values, clip)
            };
            let got = loss(&critic.parameters);
            let case = format!("seed {seed}, {widths:?}, {activation:?}, clip {clip:?}");
            assert_gradient(&case, &got.gradient, &critic.parameters, |x| loss(x).value_loss);
        }
    }
}

#[test]
fn ppo_clip_agrees_with_the_oracle() {
    let file = oracle::losses();
    let at = |name: &str| format!("cases.ppo_clip_categorical.{name}");
    let input = |name: &str| numbers(&file, &at(&format!("inputs.{name}")));
    let hyper = |name: &str| number(&file, &at(&format!("hyper.{name}")));
    let check = |name: &str, got: &[f64]| {
        let path = at(&format!("expected.{name}"));
        let expected = numbers(&file, &path);
        assert_close(&label(&file, &path), got, &expected, RELATIVE, ABSOLUTE);
    };
    let (actor, critic) = (network(&file, &at("networks.actor")), network(&file, &at("networks.critic")));
    let (observations, actions) = (input("obs"), integers(&file, &at("inputs.action")));
    let (old_log_probs, advantages) = (input("old_log_prob"), input("advantage"));
    let (clip, entropy_coef) = (hyper("clip"), hyper("entropy_coef"));
    let actor_loss = |coef: f64| actor_loss(&actor, &observations, &actions, &old_log_probs, &advantages, clip, coef);

    let got = actor_loss(entropy_coef);
    check("policy_loss", &[got.policy_loss]);
    check("mean_entropy", &[got.entropy]);
    check("approx_kl_k1", &[got.old_approx_kl]);
    check("approx_kl_k3", &[got.approx_kl]);
    check("clip_fraction", &[got.clip_fraction]);
    check("log_prob", &got.log_probs);
    check("actor_loss_grad", &got.gradient);
    check("policy_loss_grad", &actor_loss(0.0).gradient);

    let rows = oracle::strings(&file, &at("expected.clip_row"));
    let ratios = numbers(&file, &at("expected.ratio"));
    for (s, row) in rows.iter().enumerate() {
        let (_, d_term_d_ratio) = surrogate(ratios[s], advantages[s], clip);
        let cut = row == "below-" || row == "above+";
        let expected = if cut { 0.0 } else { advantages[s] };
        let case = format!("{}[{s}] {row}", label(&file, &at("expected.clip_row")));
        assert_close(&case, &[d_term_d_ratio], &[expected], 0.0, 0.0);
    }

    let (targets, old_values) = (input("value_target"), input("old_value"));
    let critic_loss = |clip: Option<f64>| critic_loss(&critic, &observations, &targets, &old_values, clip);
    let plain = critic_loss(None);
    check("value", &plain.values);
    check("value_loss", &[plain.value_loss]);
    check("value_loss_grad", &plain.gradient);
    let clipped = critic_loss(Some(hyper("value_clip")));
    check("value_loss_clipped", &[clipped.value_loss]);
    check("value_loss_clipped_grad", &clipped.gradient);
}

#[test]
fn log_probabilities_and_entropies_agree_with_the_oracle() {
    let file = oracle::losses();
    for name in ["reinforce_categorical", "reinforce_categorical_relu"] {
        let at = |rest: &str| format!("cases.{name}.{rest}");
        let actor = network(&file, &at("networks.actor"));
        let samples = shape(&file, &at("inputs.obs"))[0];
        let observations = numbers(&file, &at("inputs.obs"));
        let actions = integers(&file, &at("inputs.action"));
        let weights = numbers(&file, &at("inputs.weight"));
        let parameters = actor.parameters.len();
        let (mut logits, mut log_probs, mut entropies) = (vec![], vec![], vec![]);
        let (mut objective_grad, mut entropy_grad) = (vec![0.0; parameters], vec![0.0; parameters]);
        for (s, observation) in observations.chunks_exact(actor.widths[0]).enumerate() {
            let (activations, action) = (actor.forward(observation), actions[s] as usize);
            let z = &activations[activations.len() - 1];
            logits.extend_from_slice(z);
            log_probs.push(categorical::log_prob(z, action));
            entropies.push(categorical::entropy(z));
            let accumulate = |sum: &mut [f64], weight: f64, d_logits: &[f64]| {
                let (gradient, _) = actor.backward(&activations, d_logits);
                for (s, g) in sum.iter_mut().zip(&gradient) {
                    *s += weight / samples as f64 * g;
                }
            };
            let d_log_prob = categorical::d_log_prob_d_logits(z, action);
            accumulate(&mut objective_grad, weights[s], &d_log_prob);
            accumulate(&mut entropy_grad, 1.0, &categorical::d_entropy_d_logits(z));
        }
        let check = |name: &str, got: &[f64]| {
            let path = at(&format!("expected.{name}"));
            let expected = numbers(&file, &path);
            assert_close(&label(&file, &path), got, &expected, RELATIVE, ABSOLUTE);
        };
        check("logits", &logits);
        check("log_prob", &log_probs);
        check("entropy", &entropies);
        check("objective_grad", &objective_grad);
        check("mean_entropy_grad", &entropy_grad);
    }
}

// ---------------------------------------------------------------- exploration

/// ∫ f over ±8 deviations of a standard normal, by the trapezoid rule, which is exact to rounding for what falls so fast.
fn expected_over_normal(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1.0 / 256.0;
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    (-2048..=2048).map(|i| f64::from(i) * h).map(|z| h * density(z) * f(z)).sum()
}

#[test]
fn gaussian_divergence_gives_the_closed_form_and_its_gradient_finite_differences() {
    let old = ([0.3], [0.5f64.ln()]);
    let got = gaussian::kl((&old.0, &old.1), (&[-0.1], &[0.8f64.ln()]));
    assert_close("KL(N(0.3, 0.5²) ‖ N(−0.1, 0.8²))", &[got], &[0.290_316_129_2], 0.0, printed(10));
    let mut draw = Draw::new(31);
    let (old_mean, old_log_std) = (draw.vector(5, -1.0, 1.0), draw.vector(5, -1.0, 0.5));
    let new = draw.vector(10, -1.0, 0.5);
    let (d_mean, d_log_std) = gaussian::d_kl((&old_mean, &old_log_std), (&new[..5], &new[5..]));
    assert_gradient("seed 31, d KL", &[d_mean, d_log_std].concat(), &new, |new| {
        gaussian::kl((&old_mean, &old_log_std), (&new[..5], &new[5..]))
    });
}

#[test]
fn squashed_gaussian_gives_the_known_answer_and_a_density() {
    let (mean, log_std) = ([0.3], [0.5f64.ln()]);
    let got = squashed::log_prob(&mean, &log_std, &[1.2], &[(-1.0, 1.0)]);
    assert_close("log π at u = 1.2", &[got], &[-0.658_413_409_5], 0.0, printed(10));
    // far out, where 1 − tanh² is 0 in floating point: log 4 − 2|u|
    let far = squashed::log_stretch(&[-400.0], &[(-1.0, 1.0)]);
    assert_close("log(1 − tanh² u) at u = −400", &[far], &[4f64.ln() - 800.0], 1e-15, 0.0);
    // the slope of the map itself, by finite differences
    let (low, high) = (-0.5, 3.0);
    for u in [-3.0, -0.2, 0.0, 1.5] {
        let slope = squashed::log_stretch(&[u], &[(low, high)]).exp();
        assert_gradient(&format!("da/du at {u}"), &[slope], &[u], |u| squashed::action(u[0], low, high));
    }
    // ∫ π(a) da = 1, over a grid of the bounds' inside
    let count = 200_000;
    let width = (high - low) / f64::from(count);
    let density = |i: i32| {
        let a = low + (f64::from(i) + 0.5) * width;
        let u = ((a - low) / (high - low) * 2.0 - 1.0).atanh();
        squashed::log_prob(&mean, &log_std, &[u], &[(low, high)]).exp() * width
    };
    // the midpoint rule is off by width² / 24 times the slopes of π at the ends, which are 0
    assert_close("∫ π(a) da", &[(0..count).map(density).sum()], &[1.0], 0.0, 1e-9);
}

#[test]
fn squashed_log_probabilities_agree_with_the_oracle() {
    let file = oracle::losses();
    let at = |rest: &str| format!("cases.sac.{rest}");
    let actor = network(&file, &at("networks.actor"));
    let (least, most) = (number(&file, &at("hyper.log_std_min")), number(&file, &at("hyper.log_std_max")));
    let noise = numbers(&file, &at("inputs.noise"));
    let (mut actions, mut log_probs) = (vec![], vec![]);
    for (observation, noise) in numbers(&file, &at("inputs.obs")).chunks_exact(4).zip(noise.chunks_exact(2)) {
        let outputs = actor.output(observation);
        let log_std: Vec<f64> = outputs[2..].iter().map(|raw| raw.clamp(least, most)).collect();
        let u: Vec<f64> = (0..2).map(|i| outputs[i] + log_std[i].exp() * noise[i]).collect();
        actions.extend(u.iter().map(|u| squashed::action(*u, -1.0, 1.0)));
        log_probs.push(squashed::log_prob(&outputs[..2], &log_std, &u, &[(-1.0, 1.0); 2]));
    }
    for (name, got) in [("new_action", &actions), ("log_prob", &log_probs)] {
        let path = at(&format!("expected.{name}"));
        assert_close(&label(&file, &path), got, &numbers(&file, &path), RELATIVE, ABSOLUTE);
    }
}

#[test]
fn the_entropy_of_squashed_actions_is_estimated_without_bias_and_its_gradient_is_that_along_the_path() {
    let bounds = [(-2.0, 2.0), (0.0, 1.0), (-1.0, 5.0)];
    // E of the estimate is −E log π
    let (mean, log_std) = (0.4, -0.3f64);
    let at = |z: f64| mean + log_std.exp() * z;
    let estimate = expected_over_normal(|z| squashed::entropy(&[log_std], &[at(z)], &bounds[..1]));
    let entropy = expected_over_normal(|z| -squashed::log_prob(&[mean], &[log_std], &[at(z)], &bounds[..1]));
    assert_close("E of the estimate", &[estimate], &[entropy], 1e-12, 0.0);
    // the score's mean is 0: −log π with u held would push nowhere
    let score = expected_over_normal(|z| gaussian::d_log_prob(&[mean], &[log_std], &[at(z)]).1[0]);
    assert_close("E of d log π", &[score], &[0.0], 0.0, 1e-12);

    let mut draw = Draw::new(32);
    let x = draw.vector(6, -1.0, 0.5);
    let z = draw.vector(3, -2.0, 2.0);
    let path = |x: &[f64]| -> Vec<f64> { (0..3).map(|i| x[i] + x[3 + i].exp() * z[i]).collect() };
    let (d_mean, d_log_std) = squashed::d_entropy(&x[..3], &path(&x));
    assert_gradient("seed 32, d H", &[d_mean, d_log_std].concat(), &x, |x| {
        squashed::entropy(&x[3..], &path(x), &bounds)
    });
    // of a fixed u the correction has no gradient
    let u = path(&x);
    let (d_mean, d_log_std) = gaussian::d_log_prob(&x[..3], &x[3..], &u);
    assert_gradient("seed 32, d log π", &[d_mean, d_log_std].concat(), &x, |x| {
        squashed::log_prob(&x[..3], &x[3..], &u, &bounds)
    });
}

#[test]
fn state_dependent_exploration_has_the_gradients_of_finite_differences() {
    // a deviation done by hand: √(2² · 0.5² + 1² · 2²) = √5
    let got = state_dependent::log_std(&[2.0, 1.0], &[0.5f64.ln(), 2f64.ln()]);
    assert_close("log s", &got, &[0.5 * 5f64.ln()], 1e-15, 0.0);
    for (seed, inputs, numbers) in [(33, 1, 1), (34, 4, 3), (35, 11, 2)] {
        let mut draw = Draw::new(seed);
        let case = format!("seed {seed}, {inputs} inputs, {numbers} numbers");
        let features = [draw.vector(inputs, -2.0, 2.0), vec![1.0]].concat();
        let log_sigma = draw.vector((inputs + 1) * numbers, -1.5, 0.5);
        let (mean, old_mean) = (draw.vector(numbers, -1.0, 1.0), draw.vector(numbers, -1.0, 1.0));
        let old_log_std = draw.vector(numbers, -1.0, 0.5);
        let action = state_dependent::action(&mean, &features, &log_sigma, &draw.vector(log_sigma.len(), -2.0, 2.0));
        let log_std = |log_sigma: &[f64]| state_dependent::log_std(&features, log_sigma);
        let slope = |d_log_std: &[f64]| state_dependent::d_log_sigma(&features, &log_sigma, d_log_std);
        let old = (&old_mean[..], &old_log_std[..]);

        let (_, d_log_std) = gaussian::d_log_prob(&mean, &log_std(&log_sigma), &action);
        assert_gradient(&format!("{case}, d log π"), &slope(&d_log_std), &log_sigma, |log_sigma| {
            gaussian::log_prob(&mean, &log_std(log_sigma), &action)
        });
        let (_, d_log_std) = gaussian::d_kl(old, (&mean, &log_std(&log_sigma)));
        assert_gradient(&format!("{case}, d KL"), &slope(&d_log_std), &log_sigma, |log_sigma| {
            gaussian::kl(old, (&mean, &log_std(log_sigma)))
        });
        assert_gradient(&format!("{case}, d H"), &slope(&vec![1.0; numbers]), &log_sigma, |log_sigma| {
            gaussian::entropy(&log_std(log_sigma))
        });
    }
}

// ---------------------------------------------------------------- optimiser

#[test]
fn adam_and_norm_clipping_agree_with_the_oracle() {
    let file = oracle::losses();
    let at = |rest: &str| format!("cases.optimizers.{rest}");
    let hyper = |name: &str| number(&file, &at(&format!("hyper.{name}")));
    let start = numbers(&file, &at("inputs.params"));
    let gradients = numbers(&file, &at("inputs.gradient"));
    let norms = numbers(&file, &at("expected.gradient_norm"));
    for (name, clipped) in [("adam", false), ("adam_clipped", true)] {
        let case = label(&file, &at(&format!("expected.{name}")));
        let mut adam = Adam { beta1: hyper("beta1"), beta2: hyper("beta2"), ..Adam::new(start.len(), hyper("eps")) };
        let (mut params, mut after) = (start.clone(), vec![]);
        for (i, gradient) in gradients.chunks_exact(start.len()).enumerate() {
            let mut gradient = gradient.to_vec();
            if clipped {
                let norm = clip_by_global_norm(&mut gradient, hyper("max_norm"));
                let case = label(&file, &at(&format!("expected.gradient_norm[{i}]")));
                assert_close(&case, &[norm], &[norms[i]], RELATIVE, ABSOLUTE);
            }
            adam.step(&mut params, &gradient, hyper("lr"));
            after.extend_from_slice(&params);
        }
        let expected = numbers(&file, &at(&format!("expected.{name}")));
        assert_close(&case, &after, &expected, RELATIVE, ABSOLUTE);
        assert_close(&format!("{case}, no gradient"), &params[..1], &start[..1], 0.0, 0.0);
        assert_eq!(adam.step as usize, norms.len(), "{case}: steps taken");
    }
}

#[test]
fn norm_clipping_leaves_short_gradients_alone() {
    let mut short = [0.3, -0.4];
    let norm = clip_by_global_norm(&mut short, 0.6);
    assert_close("norm", &[norm], &[0.5], 1e-15, 0.0);
    assert_close("short", &short, &[0.3, -0.4], 0.0, 0.0);
    let mut long = [3.0, -4.0];
    let norm = clip_by_global_norm(&mut long, 0.5);
    let scale = 0.5 / (5.0 + 1e-6);
    assert_close("norm", &[norm], &[5.0], 0.0, 0.0);
    assert_close("long", &long, &[3.0 * scale, -4.0 * scale], 1e-15, 0.0);
    let mut nothing = [0.0; 3];
    assert_close("zero", &[clip_by_global_norm(&mut nothing, 0.5)], &[0.0], 0.0, 0.0);
    assert_close("zero", &nothing, &[0.0; 3], 0.0, 0.0);
}
