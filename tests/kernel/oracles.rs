//! What comes before and after losses, on the device against the oracle files: values, advantages, importance weights,
//! optimisers.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle;
use crate::oracle::{assert_close, flags, integers, label, network, number, numbers, shape};
use crate::support::{
    ROUNDING, Stages, assert_norm, bits, few_forms, forms, from_bits, gpu, ok, outputs_with_bounds, partial_slice, run,
    wide,
};
use manyworlds::env::ActionSpace;
use manyworlds::gpu::Recording;
use manyworlds::kernels::{Estimator, Importance, Objective, Optimizer, OverTime};
use manyworlds::layout::{Row, Run, TERMINATED, TRUNCATED};
use manyworlds::reference::mlp::{Activation, Mlp};

/// What the project promises for ‖got − expected‖ / ‖expected‖ against PyTorch.
const RELATIVE: f64 = 1e-4;

#[test]
fn values_agree_with_the_oracle() {
    let file = oracle::losses();
    let at = |name: &str| format!("cases.ppo_clip_categorical.{name}");
    let critic = network(&file, &at("networks.critic"));
    let observations = numbers(&file, &at("inputs.obs"));
    let expected = numbers(&file, &at("expected.value"));
    for form in forms(gpu()) {
        let stages = Stages::new(form, &[&[&critic]], &[1], run(expected.len() as u32, 1, 1), None);
        stages.write_observations(0, &observations);
        ok(gpu().submit(&stages.values(0)));
        let got = from_bits(&stages.read_row(0, Row::Value));
        let case = format!("{}, {form}", label(&file, &at("expected.value")));
        for (s, observation) in observations.chunks_exact(critic.widths[0]).enumerate() {
            let bound = outputs_with_bounds(&critic, observation)[0].1;
            assert_close(&format!("{case}[{s}]"), &got[s..=s], &expected[s..=s], 0.0, bound);
        }
    }
}

// ---------------------------------------------------------------- advantages

#[test]
fn gae_agrees_with_the_oracle() {
    let file = oracle::losses();
    let at = |name: &str| format!("cases.gae.{name}");
    let input = |name: &str| numbers(&file, &at(&format!("inputs.{name}")));
    let flag = |name: &str| flags(&file, &at(&format!("inputs.{name}")));
    let (reward, value, final_value) = (input("reward"), input("value"), input("final_value"));
    let (terminated, truncated) = (flag("terminated"), flag("truncated"));
    let last_value = input("last_value");
    let shape = shape(&file, &at("inputs.reward"));
    let (steps, worlds) = (shape[0], shape[1]);

    // final values of steps that were truncated and not terminated, oldest first; the last slot is after the rollout
    let kept = |world: usize| {
        let steps = (0..steps).map(move |t| t * worlds + world);
        steps.filter(|&i| truncated[i] && !terminated[i]).map(|i| final_value[i]).collect::<Vec<_>>()
    };
    let slots = 1 + (0..worlds).map(|world| kept(world).len()).max().unwrap_or(0);
    let mut final_values = vec![f64::NAN; slots * worlds];
    for world in 0..worlds {
        for (slot, value) in kept(world).into_iter().enumerate() {
            final_values[slot * worlds + world] = value;
        }
        final_values[(slots - 1) * worlds + world] = last_value[world];
    }
    let bit = |flag: bool, bit: u32| if flag { bit } else { 0 };
    let endings = terminated.iter().zip(&truncated).map(|(&a, &b)| bit(a, TERMINATED) | bit(b, TRUNCATED));
    let endings: Vec<u32> = endings.collect();
    assert!(slots > 1, "{}: the file has no truncation", label(&file, &at("inputs.truncated")));

    for form in forms(gpu()) {
        let gamma = number(&file, &at("hyper.gamma"));
        let advantage = |gamma: f64, gae_lambda: f64, estimator: Estimator, way: OverTime| {
            let run = Run {
                bootstrap_slots: slots as u32,
                gamma: gamma as f32,
                gae_lambda: gae_lambda as f32,
                ..run(worlds as u32, steps as u32, 1)
            };
            let stages = Stages::new(form, &[&[]], &[1], run, None);
            stages.write_row(0, Row::Reward, &bits(&reward));
            stages.write_row(0, Row::Value, &bits(&value));
            stages.write_row(0, Row::Ending, &endings);
            gpu().write(&stages.batch.final_values, &bits(&final_values));
            ok(gpu().submit(&stages.along(&estimator.recursions(false, false), way)));
            [Row::Advantage, Row::Target].map(|row| from_bits(&stages.read_row(0, row)))
        };
        let check = |name: &str, got: &[f64]| {
            let path = at(&format!("expected.{name}"));
            let expected = numbers(&file, &path);
            let case = format!("{}, {form}", label(&file, &path));
            assert_norm(&case, got, &expected, RELATIVE);
            // a step rounds numbers up to the largest about five times, γ and λ are rounded once, and steps add up
            let largest = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            assert_close(&case, got, &expected, 0.0, 8.0 * ROUNDING * (3.0 + largest) * steps as f64);
        };
        for way in [OverTime::Serial, OverTime::Scan] {
            let lambda = number(&file, &at("hyper.lambda"));
            let of = |estimator| advantage(gamma, lambda, estimator, way);
            let [full, target] = of(Estimator::Gae);
            check("advantage", &full);
            check("return", &target);
            check("td_residual", &advantage(gamma, 0.0, Estimator::Gae, way)[0]);
            check("reward_to_go_bootstrapped", &advantage(gamma, 1.0, Estimator::Gae, way)[1]);

            for row in of(Estimator::RewardToGo).iter().chain(&of(Estimator::MeanBaseline)) {
                check("reward_to_go", row);
            }
            for row in &of(Estimator::Q) {
                check("reward_to_go_bootstrapped", row);
            }
            let [residual, target] = of(Estimator::TdResidual);
            check("td_residual", &residual);
            check("reward_to_go_bootstrapped", &target);
            let [less_value, target] = of(Estimator::ValueBaseline);
            check("reward_to_go", &target);
            check("reward_to_go", &less_value.iter().zip(&value).map(|(a, v)| a + v).collect::<Vec<_>>());
            check("total_return", &of(Estimator::TotalReturn)[0]);
            check("total_return_undiscounted", &advantage(1.0, lambda, Estimator::TotalReturn, way)[0]);
        }
    }
}

#[test]
fn off_policy_gradients_agree_with_the_oracle() {
    let file = oracle::losses();
    let case = "off_policy_gradient";
    let at = |name: &str| format!("cases.{case}.{name}");
    let actor = network(&file, &at("networks.actor"));
    let shape = shape(&file, &at("inputs.reward"));
    let (worlds, steps) = (shape[0], shape[1]);
    let features = actor.widths[0];
    // the file has [trajectory][step]
    let turned =
        |values: &[f64]| -> Vec<f64> { (0..worlds * steps).map(|i| values[i % worlds * steps + i / worlds]).collect() };
    let input = |name: &str| turned(&numbers(&file, &at(&format!("inputs.{name}"))));
    let observations = numbers(&file, &at("inputs.obs"));
    let rows: Vec<&[f64]> = observations.chunks_exact(features).collect();
    let observations: Vec<f64> = (0..rows.len()).flat_map(|i| rows[i % worlds * steps + i / worlds].to_vec()).collect();
    let actions: Vec<f64> = integers(&file, &at("inputs.action")).into_iter().map(f64::from).collect();
    let actions: Vec<u32> = turned(&actions).iter().map(|&a| a as u32).collect();
    let count = actor.widths[actor.widths.len() - 1] as u32;
    for form in few_forms() {
        for (importance, name) in [
            (Importance::Full, "full_product"),
            (Importance::Causal, "causal_product"),
            (Importance::FirstOrder, "first_order"),
            (Importance::PerDecision, "per_decision_rewards"),
        ] {
            for way in [OverTime::Serial, OverTime::Scan] {
                let run = Run {
                    gamma: number(&file, &at("hyper.gamma")) as f32,
                    stride: 1,
                    ..run(worlds as u32, steps as u32, (worlds * steps) as u32)
                };
                let space = ActionSpace::Discrete { count, masked: false };
                let mut stages = Stages::with_space(form, &[&[&actor]], space, &[1], run, None);
                stages.objective = Objective::PolicyGradient;
                stages.write_observations(0, &observations);
                stages.write_row(0, Row::Action, &actions);
                stages.write_row(0, Row::LogProb, &bits(&input("behaviour_log_prob")));
                stages.write_row(0, Row::Reward, &bits(&input("reward")));
                stages.write_row(0, Row::Ending, &vec![0; worlds * steps]); // the rollout's end is the trajectory's
                ok(gpu().submit(&stages.along(&Estimator::RewardToGo.recursions(false, false), way)));
                let path = at("expected.reward_to_go");
                let got = from_bits(&stages.read_row(0, Row::Advantage));
                assert_norm(
                    &format!("{}, {form}", label(&file, &path)),
                    &got,
                    &turned(&numbers(&file, &path)),
                    RELATIVE,
                );
                ok(gpu().submit(&stages.weights(importance, way).0));
                let path = at(&format!("expected.{name}.weight"));
                let got = from_bits(&stages.read_row(0, Row::Advantage));
                let label_of = |path: &str| format!("{}, {form}, {way:?}", label(&file, path));
                assert_norm(&label_of(&path), &got, &turned(&numbers(&file, &path)), RELATIVE);
                if way == OverTime::Serial {
                    let learner = stages.policy_learner();
                    let mut recording = Recording::default();
                    learner.record(&mut recording);
                    ok(gpu().submit(&recording));
                    let gradient = wide(&stages.layout.compact(&ok(gpu().read(&learner.gradient))));
                    let ascent: Vec<f64> = gradient.iter().map(|g| -g).collect();
                    let path = at(&format!("expected.{name}.objective_grad"));
                    assert_norm(&label_of(&path), &ascent, &numbers(&file, &path), RELATIVE);
                }
            }
        }
    }
}

// ---------------------------------------------------------------- optimiser

#[test]
fn optimizers_and_norm_clipping_agree_with_the_oracle() {
    let file = oracle::losses();
    let at = |name: &str| format!("cases.optimizers.{name}");
    let hyper = |name: &str| number(&file, &at(&format!("hyper.{name}")));
    let start = numbers(&file, &at("inputs.params"));
    let gradients = numbers(&file, &at("inputs.gradient"));
    let norms = numbers(&file, &at("expected.gradient_norm"));
    // a layer with one output has a weight for each input, and a bias: any vector of two numbers or more
    let vector = Mlp { widths: vec![start.len() - 1, 1], activation: Activation::Tanh, parameters: start.clone() };
    for form in forms(gpu()) {
        let (adam, rmsprop) = ((Optimizer::Adam, hyper("beta2")), (Optimizer::RmsProp, hyper("rmsprop_alpha")));
        for (name, (optimizer, decay2), max_grad_norm) in [
            ("adam", adam, 0.0),
            ("adam_clipped", adam, hyper("max_norm")),
            ("rmsprop", rmsprop, 0.0),
            ("rmsprop_clipped", rmsprop, hyper("max_norm")),
        ] {
            let run = Run {
                learning_rate: hyper("lr") as f32,
                decay1: (1.0 - hyper("beta1")) as f32,
                decay2: (1.0 - decay2) as f32,
                optimizer_eps: hyper("eps") as f32,
                max_grad_norm: max_grad_norm as f32,
                ..run(1, 1, 1)
            };
            let mut stages = Stages::new(form, &[&[&vector]], &[1], run, None);
            stages.optimizer = optimizer;
            let (learning, partial) = stages.optimiser();
            let path = at(&format!("expected.{name}"));
            let case = format!("{}, {form}", label(&file, &path));
            let expected = numbers(&file, &path);
            let mut sum = 0.0;
            for (step, gradient) in gradients.chunks_exact(start.len()).enumerate() {
                gpu().write(&partial, &partial_slice(&stages.layout, gradient));
                ok(gpu().submit(&learning.step));
                let got = wide(&stages.layout.compact(&stages.parameters(0)));
                let expected = &expected[step * start.len()..][..start.len()];
                assert_norm(&format!("{case}[{step}]"), &got, expected, RELATIVE);
                // the way from the start says more: it is kept to half an ulp of the parameters
                let way = |p: &[f64]| p.iter().zip(&start).map(|(p, s)| p - s).collect::<Vec<_>>();
                assert_norm(&format!("{case}[{step}], way from the start"), &way(&got), &way(expected), RELATIVE);
                sum += norms[step];
                let got = f64::from(stages.progress()[0].grad_norm);
                let case = format!("{}, {form}, sum to [{step}]", label(&file, &at("expected.gradient_norm")));
                // squares and their sum: half as many roundings as there are numbers
                assert_close(&case, &[got], &[sum], ROUNDING * (start.len() as f64 + 4.0), 0.0);
            }
        }
    }
}
