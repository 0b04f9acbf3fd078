//! The f64 reference of what is learned, against closed forms, finite differences and the oracle files: losses, exploration,
//! optimisers.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::exact::{ABSOLUTE, Draw, RELATIVE, printed, with_parameters};
use crate::oracle;
use crate::oracle::{assert_close, assert_gradient, integers, label, network, number, numbers, shape};
use manyworlds::reference::adam::{Adam, clip_by_global_norm};
use manyworlds::reference::categorical;
use manyworlds::reference::gaussian;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::ppo::{actor_loss, critic_loss, surrogate, value_loss, value_loss_clipped};
use manyworlds::reference::{squashed, state_dependent};

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
