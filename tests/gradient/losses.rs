//! Losses, their gradients and the steps that follow from them, on the device against what PyTorch has made of them.

// a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::oracle;
use crate::oracle::{assert_close, integers, label, network, number, numbers, shape};
use crate::support::{Samples, Stages, assert_norm, bits, few_forms, gpu, ok, run, wide, with_log_std};
use manyworlds::env::{ActionSpace, Exploration};
use manyworlds::gpu::Recording;
use manyworlds::kernels::Objective;
use manyworlds::layout::{Run, TrustRegion};
use manyworlds::reference::categorical::log_probs;
use manyworlds::reference::mlp::Mlp;
use serde_json::Value;

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

    // tests/gradient/gradients.rs has every form against the reference
    for form in few_forms() {
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
        for form in few_forms() {
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
        for form in few_forms() {
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
        // what relu changes is told by one form
        let forms = if case == "reinforce_categorical_relu" { vec![gpu().form()] } else { few_forms() };
        for form in forms {
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
        let trust = TrustRegion {
            delta: hyper("delta") as f32,
            limit: hyper("delta") as f32,
            damping: hyper("damping") as f32,
            backtrack: hyper("backtrack") as f32,
            candidates: fractions.len() as u32,
            iterations: hyper("cg_iterations") as u32,
            samples: count as u32,
            ..TrustRegion::default()
        };
        for form in few_forms() {
            let start = || {
                let run = run(count as u32, 1, count as u32);
                let stages = Stages::with_space(form, &[&[&actor]], space.clone(), &[1], run, None);
                stages.write_samples(0, &samples);
                stages.write_kept(0, &bits(&kept));
                stages
            };
            let solve = |trust: TrustRegion| {
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
                let (_, _, search, ..) = solve(TrustRegion { iterations, ..trust });
                let (got, want) = (f64::from(search.square), squares[iterations as usize]);
                let label = format!("{case}, {form}, squared residual after {iterations} iterations");
                assert_close(&label, &[got], &[want], 0.0, 1e-3 * squares[0]);
                assert_eq!(search.iterations, iterations, "{label}");
            }

            // every candidate of the line search, none accepted: the parameters stay to the bit
            let (gradient, x, search, trials, after) = solve(TrustRegion { limit: -1.0, ..trust });
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
