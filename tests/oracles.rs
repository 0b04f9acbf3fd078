//! The stages on the device against the oracle files: losses and gradients by PyTorch, steps by Gymnasium.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

mod oracle;
mod support;

use manyworlds::env::{ActionSpace, Exploration};
use manyworlds::gpu::Recording;
use manyworlds::kernels::{Estimator, Importance, Objective, Optimizer, OverTime};
use manyworlds::layout::{Row, Run, TERMINATED, TRUNCATED, Trust};
use manyworlds::reference::categorical::log_probs;
use manyworlds::reference::mlp::{Activation, Mlp};
use oracle::{assert_close, flags, integers, label, network, number, numbers, shape};
use serde_json::Value;
use support::{
    ROUNDING, Samples, Stages, assert_norm, bits, forms, from_bits, gpu, ok, outputs_with_bounds, partial_slice, run,
    wide, with_log_std,
};

/// What the project promises for ‖got − expected‖ / ‖expected‖ against PyTorch.
const RELATIVE: f64 = 1e-4;

// ---------------------------------------------------------------- PPO

/// What one minibatch of all samples leaves: gradients of actor and critic, and the metrics of [`NAMES`].
struct Step {
    d_actor: Vec<f64>,
    d_critic: Vec<f64>,
    metrics: Vec<f64>,
}

/// Fields of `expected` in the order of [`Step::metrics`].
const NAMES: [&str; 6] = ["policy_loss", "mean_entropy", "approx_kl_k1", "approx_kl_k3", "clip_fraction", "value_loss"];

#[test]
fn ppo_clip_agrees_with_the_oracle() {
    ppo_clip_agrees("categorical");
}

#[test]
fn ppo_clip_of_a_gaussian_policy_agrees_with_the_oracle() {
    ppo_clip_agrees("gaussian");
}

fn ppo_clip_agrees(policy: &str) {
    let file = oracle::losses();
    let at = |name: &str| format!("cases.ppo_clip_{policy}.{name}");
    let input = |name: &str| numbers(&file, &at(&format!("inputs.{name}")));
    let hyper = |name: &str| number(&file, &at(&format!("hyper.{name}"))) as f32;
    let gaussian = policy == "gaussian";
    let case = format!("ppo_clip_{policy}");
    let (actions, space, actor) = policy_of(&file, &case, gaussian);
    let critic = network(&file, &at("networks.critic"));
    // the file has the gradient by the logarithms of the deviations apart
    let expected = |name: &str| {
        let apart = gaussian && ["policy_loss_grad", "actor_loss_grad"].contains(&name);
        let log_std = name.replace("_grad", "_log_std_grad");
        expected_of(&file, &case, name, apart.then_some(log_std.as_str()))
    };
    let samples = Samples {
        observations: input("obs"),
        actions,
        old_log_probs: input("old_log_prob"),
        advantages: input("advantage"),
        targets: input("value_target"),
        old_values: input("old_value"),
    };
    let count = shape(&file, &at("inputs.obs"))[0] as u32;

    for form in forms(gpu()) {
        let step = |clip_coef: f32, ent_coef: f32, clip_vloss: bool| {
            // the file's value loss has no coefficient of its own
            let clip_vloss = u32::from(clip_vloss);
            let run = Run { clip_coef, ent_coef, clip_vloss, vf_coef: 1.0, ..run(count, 1, count) };
            let stages = Stages::with_space(form, &[&[&actor, &critic]], space.clone(), &[1], run, None);
            stages.write_samples(0, &samples);
            let learning = stages.learning();
            ok(gpu().submit(&learning.step));
            let gradient = wide(&stages.layout.compact(&ok(gpu().read(&learning.gradient))));
            let (d_actor, d_critic) = gradient.split_at(gradient.len() - critic.parameters.len());
            let p = stages.progress()[0];
            let metrics = [p.policy_loss, p.entropy, p.old_approx_kl, p.approx_kl, p.clip_fraction, p.value_loss];
            Step { d_actor: d_actor.to_vec(), d_critic: d_critic.to_vec(), metrics: wide(&metrics) }
        };
        let check_norm = |name: &str, got: &[f64]| {
            let (case, expected) = expected(name);
            assert_norm(&format!("{case}, {form}"), got, &expected, RELATIVE);
        };
        // sums of terms of size 1, each with the errors of exp, log and the network: some 1e-6; KL cancels to less
        let check = |name: &str, got: f64| {
            let (case, expected) = expected(name);
            assert_close(&format!("{case}, {form}"), &[got], &expected, 1e-5, 5e-6);
        };

        let plain = step(hyper("clip"), 0.0, false);
        check_norm("policy_loss_grad", &plain.d_actor);
        check_norm("value_loss_grad", &plain.d_critic);
        NAMES.iter().zip(&plain.metrics).for_each(|(name, got)| check(name, *got));

        let with_entropy = step(hyper("clip"), hyper("entropy_coef"), false);
        check_norm("actor_loss_grad", &with_entropy.d_actor);
        check_norm("value_loss_grad", &with_entropy.d_critic);
        NAMES.iter().zip(&with_entropy.metrics).for_each(|(name, got)| check(name, *got));

        let clipped = step(hyper("value_clip"), hyper("entropy_coef"), true);
        check_norm("value_loss_clipped_grad", &clipped.d_critic);
        check("value_loss_clipped", clipped.metrics[5]);
    }
}

/// Actions of a case as words `[word][sample]`, the space, and the actor with its log σ where it has them.
fn policy_of(file: &Value, case: &str, gaussian: bool) -> (Vec<u32>, ActionSpace, Mlp) {
    let at = |name: &str| format!("cases.{case}.{name}");
    let actor = network(file, &at("networks.actor"));
    if !gaussian {
        let count = actor.widths[actor.widths.len() - 1] as u32;
        return (integers(file, &at("inputs.action")), ActionSpace::Discrete { count, masked: false }, actor);
    }
    let dim = shape(file, &at("inputs.action"))[1];
    let actions = bits(&numbers(file, &at("inputs.action")));
    let samples = actions.len() / dim;
    let turned = (0..actions.len()).map(|i| actions[i % samples * dim + i / samples]).collect();
    let space = ActionSpace::Box { low: vec![-1.0; dim], high: vec![1.0; dim] };
    (turned, space, with_log_std(&actor, &numbers(file, &at("inputs.log_std"))))
}

/// A field of `expected`, and the gradient by log σ behind it where the file has that apart.
fn expected_of(file: &Value, case: &str, name: &str, log_std: Option<&str>) -> (String, Vec<f64>) {
    let path = format!("cases.{case}.expected.{name}");
    let mut values = numbers(file, &path);
    if let Some(log_std) = log_std {
        values.extend(numbers(file, &format!("cases.{case}.expected.{log_std}")));
    }
    (label(file, &path), values)
}

#[test]
fn ppo_with_a_kl_penalty_agrees_with_the_oracle() {
    let file = oracle::losses();
    for (case, gaussian) in [("ppo_kl_categorical", false), ("ppo_kl_gaussian", true)] {
        let at = |name: &str| format!("cases.{case}.{name}");
        let input = |name: &str| numbers(&file, &at(&format!("inputs.{name}")));
        let (actions, space, actor) = policy_of(&file, case, gaussian);
        let count = shape(&file, &at("inputs.obs"))[0];
        let outputs = space.outputs(Exploration::default()) as usize;
        let critic =
            Mlp { widths: vec![actor.widths[0], 1], parameters: vec![0.0; actor.widths[0] + 1], ..actor.clone() };
        let beta = number(&file, &at("hyper.beta"));
        // what a rollout keeps, `[output][sample]`
        let old: Vec<f64> = if gaussian {
            let (mean, log_std) = (input("old_mean"), input("old_log_std"));
            let dim = log_std.len();
            let means = (0..dim * count).map(|i| mean[i % count * dim + i / count]);
            means.chain(log_std.iter().flat_map(|x| std::iter::repeat_n(*x, count))).collect()
        } else {
            let kept: Vec<Vec<f64>> = input("old_logits").chunks_exact(outputs).map(log_probs).collect();
            (0..outputs * count).map(|i| kept[i % count][i / count]).collect()
        };
        let samples = Samples {
            observations: input("obs"),
            actions,
            old_log_probs: input("old_log_prob"),
            advantages: input("advantage"),
            targets: vec![0.0; count],
            old_values: vec![0.0; count],
        };
        for form in forms(gpu()) {
            // the whole loss, and with advantages of 0 nothing but the penalty
            for (name, part) in [("loss_grad", 1.0), ("mean_kl_grad", beta)] {
                let mut samples = samples.clone();
                if name == "mean_kl_grad" {
                    samples.advantages = vec![0.0; count];
                }
                let run = run(count as u32, 1, count as u32);
                let mut stages = Stages::with_space(form, &[&[&actor, &critic]], space.clone(), &[1], run, None);
                stages.objective = Objective::PpoKl;
                stages.write_samples(0, &samples);
                stages.write_kept(0, &bits(&old));
                stages.set_progress(|_, progress| progress.beta = beta as f32);
                let learning = stages.learning();
                ok(gpu().submit(&learning.step));
                let gradient = wide(&stages.layout.compact(&ok(gpu().read(&learning.gradient))));
                let log_std = name.replace("_grad", "_log_std_grad");
                let (label, expected) = expected_of(&file, case, name, gaussian.then_some(log_std.as_str()));
                let got: Vec<f64> = gradient[..expected.len()].iter().map(|g| g / part).collect();
                assert_norm(&format!("{label}, {form}"), &got, &expected, RELATIVE);
                let (label, expected) = expected_of(&file, case, "mean_kl", None);
                let got = f64::from(stages.progress()[0].kl);
                // sums of terms of size 1, each with the errors of exp and the network: some 1e-6
                assert_close(&format!("{label}, {form}"), &[got], &expected, 1e-5, 5e-6);
            }
        }
    }
}

#[test]
fn a2c_agrees_with_the_oracle() {
    let file = oracle::losses();
    for (case, gaussian) in [("a2c_categorical", false), ("a2c_gaussian", true)] {
        let at = |name: &str| format!("cases.{case}.{name}");
        let input = |name: &str| numbers(&file, &at(&format!("inputs.{name}")));
        let (actions, space, actor) = policy_of(&file, case, gaussian);
        let critic = network(&file, &at("networks.critic"));
        let count = shape(&file, &at("inputs.obs"))[0];
        let samples = Samples {
            observations: input("obs"),
            actions,
            old_log_probs: numbers(&file, &at("expected.log_prob")),
            advantages: input("advantage"),
            targets: input("return"),
            old_values: vec![0.0; count],
        };
        for form in forms(gpu()) {
            let run = Run {
                ent_coef: number(&file, &at("hyper.entropy_coef")) as f32,
                // the file's value loss is the mean square; ours half of it
                vf_coef: 2.0 * number(&file, &at("hyper.value_coef")) as f32,
                ..run(count as u32, 1, count as u32)
            };
            let mut stages = Stages::with_space(form, &[&[&actor, &critic]], space.clone(), &[1], run, None);
            stages.objective = Objective::PolicyGradient;
            stages.write_samples(0, &samples);
            let learning = stages.learning();
            ok(gpu().submit(&learning.step));
            let gradient = wide(&stages.layout.compact(&ok(gpu().read(&learning.gradient))));
            let (d_actor, d_critic) = gradient.split_at(gradient.len() - critic.parameters.len());
            for (name, got) in [("actor_grad", d_actor), ("critic_grad", d_critic)] {
                let log_std = (gaussian && name == "actor_grad").then_some("actor_log_std_grad");
                let (label, expected) = expected_of(&file, case, name, log_std);
                assert_norm(&format!("{label}, {form}"), got, &expected, RELATIVE);
            }
            let p = stages.progress()[0];
            for (name, got) in
                [("policy_loss", p.policy_loss), ("mean_entropy", p.entropy), ("value_loss", 2.0 * p.value_loss)]
            {
                let (label, expected) = expected_of(&file, case, name, None);
                // sums of terms of size 1, each with the errors of log and the network: some 1e-6
                assert_close(&format!("{label}, {form}"), &[got.into()], &expected, 1e-5, 5e-6);
            }
            let ratio = f64::from(p.first_ratio_deviation);
            assert_close(&format!("{case}, {form}, the ratio to its own policy"), &[ratio], &[0.0], 0.0, 1e-5);
        }
    }
}

#[test]
fn the_policy_gradient_agrees_with_the_oracle() {
    let file = oracle::losses();
    for (case, gaussian) in
        [("reinforce_categorical", false), ("reinforce_categorical_relu", false), ("reinforce_gaussian", true)]
    {
        let at = |name: &str| format!("cases.{case}.{name}");
        let (actions, space, actor) = policy_of(&file, case, gaussian);
        let count = shape(&file, &at("inputs.obs"))[0];
        let critic =
            Mlp { widths: vec![actor.widths[0], 1], parameters: vec![0.0; actor.widths[0] + 1], ..actor.clone() };
        let samples = Samples {
            observations: numbers(&file, &at("inputs.obs")),
            actions,
            old_log_probs: numbers(&file, &at("expected.log_prob")),
            advantages: numbers(&file, &at("inputs.weight")),
            targets: vec![0.0; count],
            old_values: vec![0.0; count],
        };
        for form in forms(gpu()) {
            // loss = −objective − c_H · H: one run without the bonus, one with nothing else
            for (ent_coef, name) in [(0.0, "objective_grad"), (1.0, "mean_entropy_grad")] {
                let mut samples = samples.clone();
                if ent_coef > 0.0 {
                    samples.advantages = vec![0.0; count];
                }
                let run = Run { ent_coef, ..run(count as u32, 1, count as u32) };
                let mut stages = Stages::with_space(form, &[&[&actor, &critic]], space.clone(), &[1], run, None);
                stages.objective = Objective::PolicyGradient;
                stages.write_samples(0, &samples);
                let learning = stages.learning();
                ok(gpu().submit(&learning.step));
                let gradient = wide(&stages.layout.compact(&ok(gpu().read(&learning.gradient))));
                let log_std = name.replace("_grad", "_log_std_grad");
                let (label, expected) = expected_of(&file, case, name, gaussian.then_some(log_std.as_str()));
                let got: Vec<f64> = gradient[..expected.len()].iter().map(|g| -g).collect();
                assert_norm(&format!("{label}, {form}"), &got, &expected, RELATIVE);
            }
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
    for form in forms(gpu()) {
        for (importance, name) in [
            (Importance::Full, "full_product"),
            (Importance::Causal, "causal_product"),
            (Importance::FirstOrder, "first_order"),
            (Importance::PerDecision, "per_decision_rewards"),
        ] {
            for way in [OverTime::Walk, OverTime::Scan] {
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
                if way == OverTime::Walk {
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

#[test]
fn trpo_agrees_with_the_oracle() {
    let file = oracle::losses();
    for (case, gaussian) in [("trpo_categorical", false), ("trpo_gaussian", true)] {
        let at = |name: &str| format!("cases.{case}.{name}");
        let hyper = |name: &str| number(&file, &at(&format!("hyper.{name}")));
        let expected = |name: &str| expected_of(&file, case, name, None);
        let (actions, space, actor) = policy_of(&file, case, gaussian);
        let count = shape(&file, &at("inputs.obs"))[0];
        let observations = numbers(&file, &at("inputs.obs"));
        // what a rollout keeps
        let network = network(&file, &at("networks.actor"));
        let keep = |observation: &[f64]| {
            let outputs = network.output(observation);
            if gaussian { [outputs, numbers(&file, &at("inputs.log_std"))].concat() } else { log_probs(&outputs) }
        };
        let kept: Vec<Vec<f64>> = observations.chunks_exact(network.widths[0]).map(keep).collect();
        let kept: Vec<f64> = (0..kept[0].len()).flat_map(|k| kept.iter().map(move |row| row[k])).collect();
        let samples = Samples {
            observations,
            actions,
            old_log_probs: numbers(&file, &at("expected.old_log_prob")),
            advantages: numbers(&file, &at("inputs.advantage")),
            targets: vec![0.0; count],
            old_values: vec![0.0; count],
        };
        let (_, squares) = expected("cg_residual_squared");
        let (_, fractions) = expected("line_search_fraction");
        let trust = Trust {
            delta: hyper("delta") as f32,
            limit: hyper("delta") as f32,
            damping: hyper("damping") as f32,
            backtrack: hyper("backtrack") as f32,
            candidates: fractions.len() as u32,
            iterations: hyper("cg_iterations") as u32,
            samples: count as u32,
            ..Trust::default()
        };
        for form in forms(gpu()) {
            let start = || {
                let run = run(count as u32, 1, count as u32);
                let stages = Stages::with_space(form, &[&[&actor]], space.clone(), &[1], run, None);
                stages.write_samples(0, &samples);
                stages.write_kept(0, &bits(&kept));
                stages
            };
            let solve = |trust: Trust| {
                let stages = start();
                let (learner, natural) = stages.natural(trust, 1);
                let mut update = Recording::default();
                learner.record(&mut update);
                natural.record(&mut update);
                ok(gpu().submit(&update));
                let gradient = stages.layout.compact(&ok(gpu().read(&learner.gradient)));
                let solver = ok(gpu().read(&natural.solver));
                let x = wide(&stages.layout.compact(&solver[..solver.len() / 3]));
                let search = ok(gpu().read(&natural.search))[0];
                let trials = ok(gpu().read(&natural.trials));
                (gradient, x, search, trials, wide(&stages.layout.compact(&stages.parameters(0))))
            };
            let check = |name: &str, got: &[f64], tolerance: f64| {
                let (label, expected) = expected(name);
                assert_norm(&format!("{label}, {form}"), got, &expected, tolerance);
            };

            // F v
            let stages = start();
            let (_, natural) = stages.natural(trust, 1);
            let v: Vec<f32> = numbers(&file, &at("inputs.v")).iter().map(|&x| x as f32).collect();
            gpu().write(&natural.direction, &stages.layout.expand(&v));
            let mut product = Recording::default();
            natural.fisher.record(&mut product);
            ok(gpu().submit(&product));
            let got = wide(&stages.layout.compact(&ok(gpu().read(&natural.fisher.gradient))));
            check("fisher_vector_product", &got, 1e-3);

            // the iterates, one after the other; the squared residuals against the first one
            for iterations in 1..=trust.iterations {
                let (_, _, search, ..) = solve(Trust { iterations, ..trust });
                let (got, want) = (f64::from(search.square), squares[iterations as usize]);
                let label = format!("{case}, {form}, squared residual after {iterations} iterations");
                assert_close(&label, &[got], &[want], 0.0, 1e-3 * squares[0]);
                assert_eq!(search.iterations, iterations, "{label}");
            }

            // every candidate of the line search, none accepted: the parameters stay to the bit
            let (gradient, x, search, trials, after) = solve(Trust { limit: -1.0, ..trust });
            check("surrogate_grad", &gradient.iter().map(|&g| f64::from(-g)).collect::<Vec<_>>(), RELATIVE);
            check("cg_solution", &x, 1e-3);
            check("curvature", &[search.curvature.into()], 1e-3);
            check("step_scale", &[search.scale.into()], 1e-3);
            check("surrogate_old", &[trials[0][0].into()], RELATIVE);
            // the old policy's divergence from itself: some 1e-7 of rounding
            assert_close(&format!("{case}, {form}, KL to itself"), &[trials[0][1].into()], &[0.0], 0.0, 1e-6);
            let column = |k: usize| trials[1..].iter().map(|trial| f64::from(trial[k])).collect::<Vec<_>>();
            check("line_search_surrogate", &column(0), RELATIVE);
            check("line_search_kl", &column(1), RELATIVE);
            let old: Vec<f64> = actor.parameters.iter().map(|&p| f64::from(p as f32)).collect();
            assert_eq!(after, old, "{case}, {form}: parameters after a search that has failed");

            // the true limit: the first candidate that keeps it
            let (_, x, search, trials, after) = solve(trust);
            let (label, accepted) = expected("accepted");
            assert_eq!(f64::from(search.measured) - 2.0, accepted[0], "{label}, {form}");
            let step = f64::from(search.scale * search.fraction);
            let moved: Vec<f64> = old.iter().zip(&x).map(|(old, x)| old + step * x).collect();
            assert_norm(&format!("{case}, {form}, parameters"), &after, &moved, 1e-6);
            assert!(trials[accepted[0] as usize + 1][1] <= trust.delta, "{case}, {form}: KL after the step");
        }
    }
}

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
        for way in [OverTime::Walk, OverTime::Scan] {
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
