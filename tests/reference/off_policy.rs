//! The f64 reference of learning from stored transitions against the oracle files, finite differences and, for the replay
//! ring, a plain array.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::oracle;
use crate::oracle::{assert_close, assert_gradient, field, label, network, number, numbers};
use crate::support::Draw;
use manyworlds::layout::{SPUN_OUT, TERMINATED, TRUNCATED};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::off_policy::{
    actor_loss, critic_loss, d_q_d_action, min_q, polyak, q, smoothed, target, temperature_loss,
};
use manyworlds::reference::reparametrised::{
    Head, d_deterministic_d_outputs, d_expected_log_prob_d_logits, d_loss_d_logits, d_loss_d_squashed_outputs,
    deterministic, expected_log_prob, gumbel_softmax, one_hot, scaled, squashed_gaussian,
};
use manyworlds::reference::replay::{ReplayBuffer, Transition, Window};
use manyworlds::reference::squashed;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Agreement with `PyTorch`'s float64. Both sides sum some 10³ terms of size 1 in different orders, half an ulp (1.1e-16)
/// each: 1e-13, and ten times that where the sum cancels to nearly 0.
const RELATIVE: f64 = 1e-9;
const ABSOLUTE: f64 = 1e-12;

// ---------------------------------------------------------------- oracle files

/// One case of the losses file, and which fields of its `expected` have been compared.
struct Case {
    file: Value,
    name: &'static str,
    compared: RefCell<BTreeSet<String>>,
}

impl Case {
    fn new(name: &'static str) -> Self {
        Self { file: oracle::losses(), name, compared: RefCell::default() }
    }

    fn at(&self, rest: &str) -> String {
        format!("cases.{}.{rest}", self.name)
    }

    fn input(&self, name: &str) -> Vec<f64> {
        numbers(&self.file, &self.at(&format!("inputs.{name}")))
    }

    /// The rows of an input `[sample][feature]`.
    fn rows(&self, name: &str) -> Vec<Vec<f64>> {
        let width = oracle::shape(&self.file, &self.at(&format!("inputs.{name}")))[1];
        self.input(name).chunks_exact(width).map(<[f64]>::to_vec).collect()
    }

    fn hyper(&self, name: &str) -> f64 {
        number(&self.file, &self.at(&format!("hyper.{name}")))
    }

    fn network(&self, name: &str) -> Mlp {
        network(&self.file, &self.at(&format!("networks.{name}")))
    }

    /// (low, high) of each number of an action.
    fn bounds(&self) -> (Vec<f64>, Vec<f64>) {
        (numbers(&self.file, &self.at("hyper.low")), numbers(&self.file, &self.at("hyper.high")))
    }

    /// γ (1 − terminated), `[sample]`.
    fn discounts(&self) -> Vec<f64> {
        let discount = |terminated: &f64| self.hyper("gamma") * (1.0 - terminated);
        self.input("terminated").iter().map(discount).collect()
    }

    #[track_caller]
    fn check(&self, name: &str, got: &[f64]) {
        let path = self.at(&format!("expected.{name}"));
        assert_close(&label(&self.file, &path), got, &numbers(&self.file, &path), RELATIVE, ABSOLUTE);
        self.compared.borrow_mut().insert(name.to_owned());
    }

    /// Nothing of `expected` has been left out.
    fn finish(self) {
        fn leaves(value: &Value, path: &str, into: &mut BTreeSet<String>) {
            let Some(fields) = value.as_object() else {
                into.insert(path.to_owned());
                return;
            };
            let below = |name: &String| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            fields.iter().for_each(|(name, value)| leaves(value, &below(name), into));
        }
        let path = self.at("expected");
        let mut expected = BTreeSet::new();
        leaves(field(&self.file, &path), "", &mut expected);
        assert_eq!(self.compared.into_inner(), expected, "{}: fields compared", label(&self.file, &path));
    }
}

/// The deterministic head for these bounds.
fn deterministic_head((low, high): &(Vec<f64>, Vec<f64>)) -> Head {
    let bounds = || low.iter().zip(high);
    Head::Deterministic {
        mid: bounds().map(|(low, high)| (low + high) / 2.0).collect(),
        half: bounds().map(|(low, high)| (high - low) / 2.0).collect(),
    }
}

/// The actions of a deterministic actor, `[sample]`.
fn deterministic_actions(actor: &Mlp, head: &Head, observations: &[Vec<f64>]) -> Vec<Vec<f64>> {
    observations.iter().map(|observation| head.action(&actor.output(observation), &[]).numbers).collect()
}

/// min_j Q'_j of each sample.
fn lowest(critics: &[Mlp], observations: &[Vec<f64>], actions: &[Vec<f64>]) -> Vec<f64> {
    observations.iter().zip(actions).map(|(s, a)| min_q(critics, s, a).1).collect()
}

/// Q of each sample.
fn all_q(critic: &Mlp, observations: &[Vec<f64>], actions: &[Vec<f64>]) -> Vec<f64> {
    observations.iter().zip(actions).map(|(s, a)| q(critic, s, a)).collect()
}

/// The parameters after a step of plain descent.
fn descended(network: &Mlp, gradient: &[f64], rate: f64) -> Mlp {
    let parameters = network.parameters.iter().zip(gradient).map(|(p, g)| p - rate * g).collect();
    with_parameters(network, parameters)
}

fn with_parameters(network: &Mlp, parameters: Vec<f64>) -> Mlp {
    Mlp { parameters, ..network.clone() }
}

#[test]
fn ddpg_agrees_with_the_oracle() {
    let case = Case::new("ddpg");
    let head = deterministic_head(&case.bounds());
    let networks = ["actor", "critic", "target_actor", "target_critic"].map(|name| case.network(name));
    let [actor, critic, target_actor, target_critic] = networks;
    let (observations, next) = (case.rows("obs"), case.rows("next_obs"));

    let next_actions = deterministic_actions(&target_actor, &head, &next);
    let next_q = lowest(std::slice::from_ref(&target_critic), &next, &next_actions);
    let (reward, discount) = (case.input("reward"), case.discounts());
    let y: Vec<f64> = (0..reward.len()).map(|i| target(reward[i], discount[i], next_q[i], 0.0, 0.0)).collect();
    case.check("y", &y);

    let of_critic = critic_loss(&critic, &case.input("obs"), &case.input("action"), &y);
    case.check("q", &of_critic.q);
    case.check("critic_loss", &[of_critic.loss]);
    case.check("critic_grad", &of_critic.gradient);

    let actor_loss = |critic: &Mlp| {
        let critics = std::slice::from_ref(critic);
        actor_loss(&actor, &head, critics, &case.input("obs"), &[], 0.0)
    };
    let of_actor = actor_loss(&critic);
    case.check("mu", &of_actor.actions);
    assert_eq!(of_actor.actions, deterministic_actions(&actor, &head, &observations).concat(), "actions");
    case.check("actor_loss", &[of_actor.loss]);
    case.check("actor_grad", &of_actor.gradient);

    let (rate, tau) = (case.hyper("lr"), case.hyper("tau"));
    let new_critic = descended(&critic, &of_critic.gradient, rate);
    let new_actor = descended(&actor, &of_actor.gradient, rate);
    case.check("after_step.critic", &new_critic.parameters);
    case.check("after_step.actor", &new_actor.parameters);
    for (name, target, new) in [("critic", &target_critic, &new_critic), ("actor", &target_actor, &new_actor)] {
        let mut target = target.parameters.clone();
        polyak(&mut target, &new.parameters, tau);
        case.check(&format!("after_step.target_{name}"), &target);
    }

    let later = actor_loss(&new_critic);
    case.check("critic_first.actor_loss", &[later.loss]);
    case.check("critic_first.actor_grad", &later.gradient);
    case.finish();
}

/// Losses and gradients of two critics against `critic1_loss`, …, `critic_loss`.
fn check_critics(case: &Case, y: &[f64]) {
    let mut sum = 0.0;
    for name in ["critic1", "critic2"] {
        let loss = critic_loss(&case.network(name), &case.input("obs"), &case.input("action"), y);
        case.check(&format!("{name}_loss"), &[loss.loss]);
        case.check(&format!("{name}_grad"), &loss.gradient);
        sum += loss.loss;
    }
    case.check("critic_loss", &[sum]);
}

#[test]
fn td3_agrees_with_the_oracle() {
    let case = Case::new("td3");
    let (low, high) = case.bounds();
    let head = deterministic_head(&(low.clone(), high.clone()));
    let target_critics = ["target_critic1", "target_critic2"].map(|name| case.network(name));
    let next = case.rows("next_obs");

    // the file's noise is in the environment's units already
    let unit = vec![1.0; low.len()];
    let clip = case.hyper("noise_clip");
    let plain = deterministic_actions(&case.network("target_actor"), &head, &next);
    let next_actions: Vec<Vec<f64>> = (plain.iter().zip(case.rows("target_noise")))
        .map(|(action, noise)| smoothed(action, &noise, clip, &unit, &low, &high))
        .collect();
    case.check("next_action", &next_actions.concat());
    case.check("target_q1", &all_q(&target_critics[0], &next, &next_actions));
    case.check("target_q2", &all_q(&target_critics[1], &next, &next_actions));
    let next_q = lowest(&target_critics, &next, &next_actions);
    let (reward, discount) = (case.input("reward"), case.discounts());
    let y: Vec<f64> = (0..reward.len()).map(|i| target(reward[i], discount[i], next_q[i], 0.0, 0.0)).collect();
    case.check("y", &y);
    check_critics(&case, &y);

    let of_actor = actor_loss(&case.network("actor"), &head, &[case.network("critic1")], &case.input("obs"), &[], 0.0);
    case.check("actor_loss", &[of_actor.loss]);
    case.check("actor_grad", &of_actor.gradient);
    case.finish();
}

#[test]
fn sac_agrees_with_the_oracle() {
    let case = Case::new("sac");
    let (actor, alpha) = (case.network("actor"), case.hyper("alpha"));
    let dims = actor.widths[actor.widths.len() - 1] / 2;
    let log_std = (case.hyper("log_std_min"), case.hyper("log_std_max"));
    let head = Head::Squashed { log_std, mid: vec![0.0; dims], half: vec![1.0; dims] };
    let critics = ["critic1", "critic2"].map(|name| case.network(name));
    let target_critics = ["target_critic1", "target_critic2"].map(|name| case.network(name));
    let (observations, next) = (case.rows("obs"), case.rows("next_obs"));

    let mut next_actions = vec![];
    let mut next_log_probs = vec![];
    for (observation, noise) in next.iter().zip(case.rows("next_noise")) {
        let action = head.action(&actor.output(observation), &noise);
        next_actions.push(action.numbers);
        next_log_probs.push(action.log_prob);
    }
    case.check("next_action", &next_actions.concat());
    case.check("next_log_prob", &next_log_probs);
    let next_q = lowest(&target_critics, &next, &next_actions);
    let (reward, discount) = (case.input("reward"), case.discounts());
    let y: Vec<f64> =
        (0..reward.len()).map(|i| target(reward[i], discount[i], next_q[i], alpha, next_log_probs[i])).collect();
    case.check("y", &y);
    check_critics(&case, &y);

    let raw: Vec<f64> =
        observations.iter().flat_map(|observation| actor.output(observation)[dims..].to_vec()).collect();
    case.check("raw_log_std", &raw);
    let of_actor = actor_loss(&actor, &head, &critics, &case.input("obs"), &case.input("noise"), alpha);
    case.check("new_action", &of_actor.actions);
    case.check("log_prob", &of_actor.log_probs);
    let actions: Vec<Vec<f64>> = of_actor.actions.chunks_exact(dims).map(<[f64]>::to_vec).collect();
    case.check("q1", &all_q(&critics[0], &observations, &actions));
    case.check("q2", &all_q(&critics[1], &observations, &actions));
    assert_eq!(of_actor.q, lowest(&critics, &observations, &actions), "the lower Q of each sample");
    case.check("actor_loss", &[of_actor.loss]);
    case.check("actor_grad", &of_actor.gradient);

    let (loss, gradient) = temperature_loss(case.hyper("log_alpha"), &of_actor.log_probs, case.hyper("target_entropy"));
    case.check("temperature_loss", &[loss]);
    case.check("temperature_grad", &[gradient]);
    case.finish();
}

#[test]
fn straight_through_gumbel_softmax_agrees_with_the_oracle() {
    let case = Case::new("gumbel_straight_through");
    let (actor, critic, temperature) = (case.network("actor"), case.network("critic"), case.hyper("temperature"));
    let (observations, noise) = (case.rows("obs"), case.rows("gumbel_noise"));

    let logits: Vec<Vec<f64>> = observations.iter().map(|observation| actor.output(observation)).collect();
    let soft: Vec<Vec<f64>> = logits.iter().zip(&noise).map(|(z, g)| gumbel_softmax(z, g, temperature)).collect();
    case.check("logits", &logits.concat());
    case.check("soft", &soft.concat());
    let head = Head::OneHot { temperature };
    let loss = actor_loss(&actor, &head, &[critic], &case.input("obs"), &case.input("gumbel_noise"), 0.0);
    case.check("hard", &loss.actions);
    case.check("q", &loss.q);
    case.check("loss", &[loss.loss]);
    case.check("actor_grad", &loss.gradient);
    case.finish();
}

// ---------------------------------------------------------------- gradients of actions

/// Random outputs `[mean…, raw…]`, each raw below, inside or above of (−2, 0.5) by at least 0.1.
fn outputs_with_raw(draw: &mut Draw, numbers: usize) -> Vec<f64> {
    let zones = [(-1.8, 0.3), (-3.0, -2.1), (0.6, 1.5)];
    let mut outputs = draw.vector(numbers, -1.0, 1.0);
    outputs.extend((0..numbers).map(|i| draw.between(zones[i % 3].0, zones[i % 3].1)));
    outputs
}

#[test]
fn deterministic_actions_lie_in_their_bounds_and_have_the_slopes_of_finite_differences() {
    let (mid, half) = ([0.25, -1.0, 3.0], [0.75, 2.0, 0.5]);
    assert_eq!(deterministic(&[40.0, -40.0, 0.0], &mid, &half), [1.0, -3.0, 3.0], "far out, and in the middle");
    // 1 − tanh² is 0 in floating point there: 4 exp(−80)
    let far = d_deterministic_d_outputs(&[40.0, -400.0, 0.0], &half);
    assert_close("slopes far out", &far, &[0.75 * 4.0 * (-80f64).exp(), 8.0 * (-800f64).exp(), 0.5], 1e-14, 0.0);
    let outputs = Draw::new(1).vector(3, -1.5, 1.5);
    // each number depends on its own output: the gradient of the sum is the slopes
    assert_gradient("seed 1", &d_deterministic_d_outputs(&outputs, &half), &outputs, |outputs| {
        deterministic(outputs, &mid, &half).iter().sum()
    });
}

#[test]
fn squashed_actions_have_the_density_of_their_bounds_and_the_gradients_of_finite_differences() {
    let log_std = (-2.0, 0.5);
    for (seed, numbers) in [(2, 1), (3, 3), (4, 7)] {
        let case = format!("seed {seed}, {numbers} numbers");
        let mut draw = Draw::new(seed);
        let outputs = outputs_with_raw(&mut draw, numbers);
        let noise = draw.vector(numbers, -2.0, 2.0);

        // the same density as that of the action held, which divides σ z by σ again
        let (a, log_prob) = squashed_gaussian(&outputs, &noise, log_std);
        let clamped: Vec<f64> = outputs[numbers..].iter().map(|raw| raw.clamp(-2.0, 0.5)).collect();
        let u: Vec<f64> = (0..numbers).map(|i| outputs[i] + clamped[i].exp() * noise[i]).collect();
        let held = squashed::log_prob(&outputs[..numbers], &clamped, &u, &vec![(-1.0, 1.0); numbers]);
        assert_close(&format!("{case}, log π"), &[log_prob], &[held], 1e-12, 1e-12);
        assert_close(&format!("{case}, a"), &a, &u.iter().map(|u| u.tanh()).collect::<Vec<_>>(), 0.0, 0.0);

        // units change the action, not its log-probability
        let (mid, half) = (draw.vector(numbers, -1.0, 1.0), draw.vector(numbers, 0.5, 3.0));
        let action = Head::Squashed { log_std, mid: mid.clone(), half: half.clone() }.action(&outputs, &noise);
        assert_eq!((action.numbers, action.log_prob), (scaled(&a, &mid, &half), log_prob), "{case}: in units");

        let (d_a, d_log_prob) = (draw.vector(numbers, -1.0, 1.0), draw.between(0.2, 1.0));
        for (name, d_log_prob) in [("a", 0.0), ("a and log π", d_log_prob)] {
            let got = d_loss_d_squashed_outputs(&outputs, &noise, log_std, &d_a, d_log_prob);
            assert_gradient(&format!("{case}, through {name}"), &got, &outputs, |outputs| {
                let (a, log_prob) = squashed_gaussian(outputs, &noise, log_std);
                d_log_prob * log_prob + a.iter().zip(&d_a).map(|(a, d)| a * d).sum::<f64>()
            });
            for i in (0..numbers).filter(|i| i % 3 != 0) {
                assert_eq!(got[numbers + i], 0.0, "{case}, through {name}: slope of raw {i}, outside of the clamp");
            }
        }
    }
    // at a bound the slope is that of inside
    let at = |raw: f64| d_loss_d_squashed_outputs(&[0.0, raw], &[1.0], log_std, &[0.0], 1.0)[1];
    assert!(at(-2.0) != 0.0 && at(0.5) != 0.0, "slopes at the bounds of the clamp: {} and {}", at(-2.0), at(0.5));
}

#[test]
fn one_hot_actions_have_the_gradients_of_finite_differences() {
    for (seed, choices, temperature) in [(5, 2, 1.0), (6, 3, 0.7), (7, 11, 2.5)] {
        let case = format!("seed {seed}, {choices} choices, temperature {temperature}");
        let mut draw = Draw::new(seed);
        let logits = draw.vector(choices, -1.5, 1.5);
        let gumbel: Vec<f64> = draw.vector(choices, 0.01, 0.99).iter().map(|x| -(-x.ln()).ln()).collect();
        let d = draw.vector(choices, -1.0, 1.0);
        let soft = gumbel_softmax(&logits, &gumbel, temperature);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();

        let through = |logits: &[f64]| dot(&gumbel_softmax(logits, &gumbel, temperature), &d);
        assert_gradient(&case, &d_loss_d_logits(&soft, temperature, &d), &logits, through);
        assert_gradient(&format!("{case}, Σ p log p"), &d_expected_log_prob_d_logits(&logits), &logits, |logits| {
            expected_log_prob(logits)
        });

        // both at once, as an actor's loss has them
        let head = Head::OneHot { temperature };
        let action = head.action(&logits, &gumbel);
        assert_eq!(action.numbers, one_hot(&soft), "{case}: the action");
        let perturbed: Vec<f64> = logits.iter().zip(&gumbel).map(|(z, g)| z + g).collect();
        let hard = (0..choices).max_by(|&i, &j| perturbed[i].total_cmp(&perturbed[j])).unwrap();
        assert_eq!((action.numbers[hard], action.numbers.iter().sum::<f64>()), (1.0, 1.0), "{case}: choice {hard}");
        let got = head.d_loss_d_outputs(&logits, &gumbel, &d, 0.3);
        assert_gradient(&format!("{case}, both"), &got, &logits, |z| through(z) + 0.3 * expected_log_prob(z));
    }
    // Σ p log p of equal choices is −log K
    assert_close("Σ p log p", &[expected_log_prob(&[0.7; 5])], &[-5f64.ln()], 1e-15, 0.0);
}

// ---------------------------------------------------------------- losses

#[test]
fn critic_gradients_agree_with_finite_differences() {
    for (seed, widths, activation, samples) in
        [(8, [6, 8, 6, 1], Activation::Tanh, 12), (9, [5, 9, 7, 1], Activation::Relu, 13)]
    {
        let case = format!("seed {seed}, {widths:?}, {activation:?}");
        let mut draw = Draw::new(seed);
        let critic = draw.network(&widths, activation);
        let (features, numbers) = (3, widths[0] as usize - 3);
        let observations = draw.vector(samples * features, -1.5, 1.5);
        let actions = draw.vector(samples * numbers, -1.0, 1.0);
        let y = draw.vector(samples, -2.0, 2.0);
        let loss = |x: &[f64]| critic_loss(&with_parameters(&critic, x.to_vec()), &observations, &actions, &y);
        let got = loss(&critic.parameters);
        assert_gradient(&case, &got.gradient, &critic.parameters, |x| loss(x).loss);

        let (observation, action) = (&observations[..features], &actions[..numbers]);
        let (value, slope) = d_q_d_action(&critic, observation, action);
        assert_eq!((value, got.q[0]), (q(&critic, observation, action), value), "{case}: Q");
        assert_gradient(&format!("{case}, dQ/da"), &slope, action, |action| q(&critic, observation, action));
    }
}

/// Samples of an actor's loss, with two critics of which each has the lower Q somewhere.
struct Actors {
    actor: Mlp,
    critics: Vec<Mlp>,
    observations: Vec<f64>,
    noise: Vec<f64>,
}

const FEATURES: usize = 4;
const SAMPLES: usize = 13;

impl Actors {
    fn new(seed: u32, outputs: usize, numbers: usize, noise: (usize, f64, f64)) -> Self {
        let mut draw = Draw::new(seed);
        let (features, outputs, numbers) = (FEATURES as u32, outputs as u32, numbers as u32);
        Self {
            actor: draw.network(&[features, 8, 7, outputs], Activation::Tanh),
            critics: (0..2).map(|_| draw.network(&[features + numbers, 7, 6, 1], Activation::Tanh)).collect(),
            observations: draw.vector(SAMPLES * FEATURES, -1.5, 1.5),
            noise: draw.vector(SAMPLES * noise.0, noise.1, noise.2),
        }
    }

    /// Which critic has the lower Q, `[sample]`: each somewhere.
    fn lowest(&self, case: &str, actions: &[f64]) -> Vec<usize> {
        let width = actions.len() / SAMPLES;
        let rows = self.observations.chunks_exact(FEATURES).zip(actions.chunks_exact(width));
        let lowest: Vec<usize> = rows.map(|(s, a)| min_q(&self.critics, s, a).0).collect();
        assert!(lowest.contains(&0) && lowest.contains(&1), "{case}: one critic has all lower Q: {lowest:?}");
        lowest
    }
}

#[test]
fn actor_gradients_of_real_actions_agree_with_finite_differences() {
    let numbers = 3;
    let (mid, half) = (vec![0.25, -1.0, 0.5], vec![0.75, 2.0, 0.5]);
    let squashed = Head::Squashed { log_std: (-0.6, 0.4), mid: mid.clone(), half: half.clone() };
    let heads = [
        (10, Head::Deterministic { mid, half }, numbers, 0, 0.0),
        (11, squashed.clone(), 2 * numbers, numbers, 0.0),
        (12, squashed, 2 * numbers, numbers, 0.2),
    ];
    for (seed, head, outputs, noise, alpha) in heads {
        let case = format!("seed {seed}, {head:?}, α {alpha}");
        let inputs = Actors::new(seed, outputs, numbers, (noise, -1.5, 1.5));
        let loss = |critics: &[Mlp], x: &[f64]| {
            let actor = with_parameters(&inputs.actor, x.to_vec());
            actor_loss(&actor, &head, critics, &inputs.observations, &inputs.noise, alpha)
        };
        for critics in [&inputs.critics[..], &inputs.critics[..1]] {
            let got = loss(critics, &inputs.actor.parameters);
            inputs.lowest(&case, &got.actions);
            assert_gradient(
                &format!("{case}, {} critics", critics.len()),
                &got.gradient,
                &inputs.actor.parameters,
                |x| loss(critics, x).loss,
            );
        }
    }
}

#[test]
fn actor_gradients_of_one_hot_actions_agree_with_finite_differences() {
    let (choices, temperature, alpha) = (4, 0.8, 0.3);
    let inputs = Actors::new(16, choices, choices, (choices, -1.0, 2.5));
    let head = Head::OneHot { temperature };
    let got = actor_loss(&inputs.actor, &head, &inputs.critics, &inputs.observations, &inputs.noise, alpha);
    let lowest = inputs.lowest("seed 16", &got.actions);
    let rows = || inputs.observations.chunks_exact(FEATURES).zip(inputs.noise.chunks_exact(choices)).enumerate();

    // the loss at the choices made, whose dQ/da multiplies soft in the straight-through gradient
    let slopes: Vec<Vec<f64>> = (rows().zip(got.actions.chunks_exact(choices)))
        .map(|((s, (observation, _)), action)| d_q_d_action(&inputs.critics[lowest[s]], observation, action).1)
        .collect();
    let sum: f64 = got.log_probs.iter().zip(&got.q).map(|(log_prob, q)| alpha * log_prob - q).sum();
    assert_close("seed 16, loss", &[got.loss], &[sum / SAMPLES as f64], 1e-14, 1e-14);
    assert_gradient("seed 16", &got.gradient, &inputs.actor.parameters, |x| {
        let actor = with_parameters(&inputs.actor, x.to_vec());
        let term = |(s, (observation, noise)): (usize, (&[f64], &[f64]))| {
            let logits = actor.output(observation);
            let soft = gumbel_softmax(&logits, noise, temperature);
            let through: f64 = soft.iter().zip(&slopes[s]).map(|(soft, slope)| soft * slope).sum();
            (alpha * expected_log_prob(&logits) - through) / SAMPLES as f64
        };
        rows().map(term).sum()
    });
}

#[test]
fn the_temperature_rises_where_the_entropy_is_below_its_target() {
    let log_probs = Draw::new(15).vector(13, -3.0, 1.0);
    let (_, gradient) = temperature_loss(-1.6, &log_probs, -2.0);
    assert_gradient("seed 15", &[gradient], &[-1.6], |x| temperature_loss(x[0], &log_probs, -2.0).0);
    // log π = 1 is an entropy of −1, below a target of 0: descent raises log α
    assert_eq!(temperature_loss(0.5, &[1.0, 1.0], 0.0), (-0.5, -1.0), "too little entropy");
    assert_eq!(temperature_loss(0.5, &[-1.0], 0.0), (0.5, 1.0), "too much entropy");
}

#[test]
fn targets_smoothing_and_polyak_averages_by_hand() {
    assert_eq!(target(1.0, 0.5, 4.0, 0.25, -2.0), 1.0 + 0.5 * (4.0 + 0.5), "soft target");
    assert_eq!(target(1.0, 0.0, 4.0, 0.25, -2.0), 1.0, "target of a terminated step");
    // noise within the clip; clipped to 0.5 before its unit of 4; beyond the bound
    let got = smoothed(&[0.0, -1.0, 2.0], &[0.25, -3.0, 0.5], 0.5, &[2.0, 4.0, 1.0], &[-5.0; 3], &[2.25; 3]);
    assert_eq!(got, [0.5, -3.0, 2.25], "smoothed actions");
    let mut average = [1.0, -2.0];
    polyak(&mut average, &[3.0, 2.0], 0.25);
    assert_eq!(average, [1.5, -1.0], "Polyak average");
    // of equals the first
    let constant =
        |value: f64| Mlp { widths: vec![2, 1], activation: Activation::Tanh, parameters: vec![0.0, 0.0, value] };
    let lowest = |values: [f64; 3]| min_q(&values.map(constant), &[1.0], &[1.0]);
    assert_eq!((lowest([2.0, 1.0, 1.0]), lowest([0.0, 0.0, 3.0])), ((1, 1.0), (0, 0.0)), "lowest critic");
}

// ---------------------------------------------------------------- the replay ring

/// A transition that says where it comes from.
fn transition(step: usize, world: usize, reward: f64, ending: u32) -> Transition {
    Transition {
        observation: vec![step as f64, world as f64],
        action: vec![step as u32, world as u32],
        reward,
        ending,
        next_observation: vec![step as f64 + 1.0, world as f64],
    }
}

#[test]
fn windows_of_two_worlds_in_five_slots_by_hand() {
    let mut ring = ReplayBuffer::new(5, 2);
    assert_eq!((ring.is_empty(), ring.holds(0)), (true, None), "nothing yet");
    // step:              0      1      2      3
    // slots:           0 1    2 3    4 0    1 2       so slots 3 4 0 1 2 hold the last five, oldest first
    let endings = [[0, 0], [0, TRUNCATED], [0, TERMINATED], [TERMINATED | TRUNCATED, 0]];
    for (t, ending) in endings.iter().enumerate() {
        let reward = |w: usize| f64::from(1 << (2 * t + w));
        ring.push((0..2).map(|w| transition(t, w, reward(w), ending[w])).collect());
        assert_eq!((ring.len(), ring.is_empty()), ((2 * t + 2).min(5), false), "slots in use after step {t}");
    }
    let held: Vec<_> = (0..5).map(|slot| ring.holds(slot).unwrap()).collect();
    assert_eq!(held, [(2, 1), (3, 0), (3, 1), (1, 1), (2, 0)], "(step, world) of each slot");
    assert_eq!(ring.transition(3).unwrap().observation, [1.0, 1.0], "what slot 3 holds");
    assert_eq!(ring.transition(5), None, "beyond the capacity");

    let window = |slot, n| ring.window(slot, n, 0.5).unwrap();
    let expected = |reward, discount, last, steps| Window { reward, discount, last, steps };
    assert_eq!(window(4, 1), expected(16.0, 0.5, 4, 1), "one step");
    assert_eq!(window(4, 2), expected(16.0 + 0.5 * 64.0, 0.0, 1, 2), "over the end of the ring; both bits: terminated");
    assert_eq!(window(4, 9), window(4, 2), "no step behind the ending");
    assert_eq!(window(3, 3), expected(8.0, 0.5, 3, 1), "truncated: worth something");
    assert_eq!(window(0, 3), expected(32.0, 0.0, 0, 1), "terminated: worth nothing");
    assert_eq!(window(2, 3), expected(128.0, 0.5, 2, 1), "the newest step");
}

#[test]
fn windows_agree_with_a_walk_through_a_plain_array() {
    let mut seen = BTreeSet::new();
    for (seed, worlds, capacity) in
        [(20, 1, 1), (21, 1, 7), (22, 2, 2), (23, 3, 4), (24, 3, 12), (25, 5, 9), (26, 5, 64), (27, 7, 38)]
    {
        let mut draw = Draw::new(seed);
        let mut ring = ReplayBuffer::new(capacity, worlds);
        let mut slots: Vec<Option<Transition>> = vec![None; capacity];
        for t in 0..3 * capacity / worlds + 3 {
            let endings = [0, 0, 0, SPUN_OUT, TERMINATED, TRUNCATED, TERMINATED | TRUNCATED | SPUN_OUT];
            let step: Vec<Transition> = (0..worlds)
                .map(|w| transition(t, w, draw.between(-1.0, 1.0), endings[draw.word() as usize % endings.len()]))
                .collect();
            for (w, transition) in step.iter().enumerate() {
                slots[(t * worlds + w) % capacity] = Some(transition.clone());
            }
            ring.push(step);
            assert_eq!(ring.len(), slots.iter().flatten().count(), "seed {seed}, step {t}: slots in use");
            for slot in 0..capacity {
                let case = format!("seed {seed}, {worlds} worlds, {capacity} slots, step {t}, slot {slot}");
                assert_eq!(ring.transition(slot), slots[slot].as_ref(), "{case}: contents");
                for n in [1, 2, 3, 5, 100] {
                    let Some(window) = ring.window(slot, n, 0.9) else {
                        assert_eq!(slots[slot], None, "{case}: no window");
                        continue;
                    };
                    let case = format!("{case}, n {n}");
                    seen.insert(check_window(&case, &slots, (slot, worlds, t, n), window));
                }
            }
        }
    }
    let all = ["full", "newest step", "terminated", "truncated"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all, "ways in which windows ended");
}

/// Walks the array from slot to slot as far as the window goes, and says why it goes no further.
fn check_window(
    case: &str,
    slots: &[Option<Transition>],
    (slot, worlds, newest, n): (usize, usize, usize, usize),
    window: Window,
) -> &'static str {
    let at = |i: usize| slots[(slot + i * worlds) % slots.len()].as_ref().unwrap();
    let (first, last) = (at(0), at(window.steps - 1));
    assert!((1..=n).contains(&window.steps), "{case}: {} steps", window.steps);
    for i in 0..window.steps {
        let place = [first.observation[0] + i as f64, first.observation[1]];
        assert_eq!(at(i).observation, place, "{case}: step and world of step {i}");
        let ended = at(i).ending & (TERMINATED | TRUNCATED) != 0;
        assert!(!ended || i + 1 == window.steps, "{case}: goes on behind the ending of step {i}");
    }
    let reward: f64 = (0..window.steps).map(|i| 0.9f64.powf(i as f64) * at(i).reward).sum();
    assert_close(&format!("{case}, R"), &[window.reward], &[reward], 0.0, 1e-14);
    assert_eq!(window.last, (slot + (window.steps - 1) * worlds) % slots.len(), "{case}: last slot");
    let terminated = last.ending & TERMINATED != 0;
    let discount = if terminated { 0.0 } else { 0.9f64.powf(window.steps as f64) };
    assert_close(&format!("{case}, discount"), &[window.discount], &[discount], 1e-14, 0.0);
    match last.ending {
        ending if ending & TERMINATED != 0 => "terminated",
        ending if ending & TRUNCATED != 0 => "truncated",
        _ if window.steps == n => "full",
        _ => {
            assert_eq!(last.observation[0], newest as f64, "{case}: cut short before the newest step");
            "newest step"
        }
    }
}

#[test]
#[should_panic(expected = "3 slots do not hold a step of 4 worlds")]
fn a_ring_holds_at_least_one_step() {
    ReplayBuffer::new(3, 4);
}
