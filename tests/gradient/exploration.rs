//! How policies over real numbers explore: squashed actions and state-dependent noise, in rollouts and gradients.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::explorer::{CLOCK, Reference, SEED, explorations, walk};
use crate::support::{
    Draw, Stages, assert_norm, bits, few_forms, from_bits, gpu, ok, run, wide, with_log_std, with_parameters,
};
use manyworlds::env::{Deviation, Environment, Exploration, StateDependent};
use manyworlds::gpu::Form;
use manyworlds::kernels::Objective;
use manyworlds::layout::{Row, Run};
use manyworlds::reference::gaussian;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::ppo::{critic_loss, surrogate};

const WORLDS: u32 = 67;
const STEPS: u32 = 30;

/// Hidden layers that stay in registers, and such that go through memory.
const NARROW: &[u32] = &[6];
const WIDE: &[u32] = &[5, 130];

fn stages(form: Form, reference: &Reference, critic: &Mlp, env: &Environment, run: Run) -> Stages {
    let run = Run { bootstrap_slots: run.num_steps.div_ceil(env.spec().max_episode_steps) + 1, ..run };
    let space = (env.spec().action_space.clone(), reference.exploration);
    Stages::exploring(form, &[&[&reference.network(), critic]], space, &[SEED], run, None)
}

/// `[row][step · world]` of all samples.
fn rows(stages: &Stages) -> Vec<Vec<u32>> {
    let batch = stages.agents.run.batch_size as usize;
    ok(gpu().read(&stages.batch.samples)).chunks_exact(batch).map(<[u32]>::to_vec).collect()
}

fn observations(stages: &Stages, features: usize) -> Vec<Vec<f64>> {
    let batch = stages.agents.run.batch_size as usize;
    let seen = wide(&ok(gpu().read(&stages.batch.observations)));
    (0..batch).map(|i| (0..features).map(|f| seen[f * batch + i]).collect()).collect()
}

/// Everything on in the forms that differ most; each way to explore by itself, and a network that goes through memory, in one.
/// Each comes with objectives, of which the penalty has the most in it: ratio, entropy and divergence.
fn cases() -> Vec<(Form, Exploration, &'static [u32], &'static [Objective])> {
    let [_, squashed, state_dependent, both] = explorations(3);
    let mut cases: Vec<(Form, Exploration, &'static [u32], &'static [Objective])> = vec![
        (Form::PLAIN, squashed, NARROW, &[Objective::PpoClip, Objective::PolicyGradient]),
        (Form::PLAIN, state_dependent, NARROW, &[Objective::PpoClip, Objective::PpoKl]),
        (gpu().form(), state_dependent, WIDE, &[Objective::PpoClip]),
    ];
    cases.extend(few_forms().into_iter().map(|form| (form, both, NARROW, &[Objective::PpoKl][..])));
    cases
}

#[test]
fn a_policy_draws_what_the_reference_draws_and_the_environment_gets_it_within_its_bounds() {
    let env = walk();
    let mut draw = Draw::new(SEED);
    for (form, exploration, hidden, _) in cases() {
        let reference = Reference::draw(&mut draw, hidden, exploration, &env);
        let critic = draw.network(&[3, 6, 1], Activation::Tanh);
        let stages = stages(form, &reference, &critic, &env, run(WORLDS, STEPS, WORLDS * STEPS));
        ok(gpu().submit(&stages.rollout(&env, 0)));
        let rows = rows(&stages);
        let seen = observations(&stages, 3);
        let mut held = 0;
        for i in 0..seen.len() {
            let (t, world) = (i as u32 / WORLDS, i as u32 % WORLDS);
            let case = format!("{form}, {exploration:?}, hidden {hidden:?}, seed {SEED}, step {t}, world {world}");
            let number = |row: usize| f64::from(f32::from_bits(rows[row][i]));
            let u: Vec<f64> = (0..3).map(|k| number(Row::Action as usize + k)).collect();
            let expected = reference.drawn(&seen[i], world, t, t % env.spec().max_episode_steps);
            assert_close(&format!("{case}, drawn"), &u, &expected, 2e-5, 2e-5);
            let log_prob = reference.log_prob(&seen[i], &u);
            assert_close(&format!("{case}, log_prob"), &[number(Row::LogProb as usize)], &[log_prob], 2e-5, 2e-5);
            let kept: Vec<f64> = (0..6).map(|k| number(stages.space.rows() as usize + k)).collect();
            let expected = [reference.mean(&seen[i]), reference.log_std(&seen[i])].concat();
            assert_close(&format!("{case}, kept"), &kept, &expected, 1e-5, 1e-5);
            let a = reference.action(&u);
            held += (0..3).filter(|&k| (a[k] - u[k]).abs() > 0.01).count();
            let reward = a[0] + 10.0 * a[1] + 100.0 * a[2];
            assert_close(&format!("{case}, reward"), &[number(Row::Reward as usize)], &[reward], 1e-6, 1e-5);
        }
        assert!(held > 100, "{form}, {exploration:?}: the bounds changed only {held} numbers");
    }
}

#[test]
fn gradients_agree_with_the_reference_under_every_objective_and_the_agents_own_clip_range() {
    let env = walk();
    let mut draw = Draw::new(SEED + 1);
    let (worlds, steps) = (29, 5);
    let batch = (worlds * steps) as usize;
    for (form, exploration, hidden, objectives) in cases() {
        let reference = Reference::draw(&mut draw, hidden, exploration, &env);
        let critic = draw.network(&[3, 6, 1], Activation::Tanh);
        // what holds for the run is far from what holds for this update
        let (clip, ent_coef, beta) = (f64::from(0.11f32), f64::from(0.05f32), f64::from(0.7f32));
        let run = Run {
            clip_coef: 0.9,
            clip_vloss: 1,
            ent_coef: ent_coef as f32,
            vf_coef: 1.0,
            ..run(worlds, steps, worlds * steps)
        };
        let mut stages = stages(form, &reference, &critic, &env, run);
        ok(gpu().submit(&stages.rollout(&env, 0)));
        let rows = rows(&stages);
        let seen = observations(&stages, 3);
        let number = |row: usize, i: usize| f64::from(f32::from_bits(rows[row][i]));
        let advantages = draw.vector(batch, -1.0, 1.0);
        let old_log_probs: Vec<f64> =
            (0..batch).map(|i| f64::from((number(0, i) + draw.between(-0.5, 0.5)) as f32)).collect();
        // the old policy is another one, `[word][sample]`
        let kept_at = stages.space.rows() as usize;
        let kept: Vec<f64> = (0..6 * batch)
            .map(|j| f64::from((number(kept_at + j / batch, j % batch) + draw.between(-0.4, 0.4)) as f32))
            .collect();
        let (targets, old_values) = (draw.vector(batch, -1.0, 1.0), draw.vector(batch, -1.0, 1.0));
        stages.write_row(0, Row::LogProb, &bits(&old_log_probs));
        stages.write_row(0, Row::Advantage, &bits(&advantages));
        stages.write_row(0, Row::Target, &bits(&targets));
        stages.write_row(0, Row::Value, &bits(&old_values));
        stages.write_kept(0, &bits(&kept));

        for &objective in objectives {
            let case = format!("{form}, {exploration:?}, hidden {hidden:?}, {objective:?}, seed {}", SEED + 1);
            let share = 1.0 / batch as f64;
            let mut gradient = vec![0.0; reference.means.parameters.len()];
            let mut d_log_sigma = vec![0.0; reference.log_sigma.len()];
            let (mut clipped, mut entropy, mut kl) = (0.0, 0.0, 0.0);
            for i in 0..batch {
                let u: Vec<f64> = (0..3).map(|k| number(Row::Action as usize + k, i)).collect();
                let activations = reference.means.forward(&seen[i]);
                let (mean, log_std) = (reference.mean(&seen[i]), reference.log_std(&seen[i]));
                let ratio = (reference.log_prob(&seen[i], &u) - old_log_probs[i]).exp();
                clipped += share * f64::from(u8::from((ratio - 1.0).abs() > clip));
                let d_log_prob = match objective {
                    Objective::PpoClip => ratio * surrogate(ratio, advantages[i], clip).1,
                    Objective::PpoKl => ratio * advantages[i],
                    _ => advantages[i],
                };
                let (d_mean, d_log_std) = gaussian::d_log_prob(&mean, &log_std, &u);
                let (its, h_mean, h_log_std) = reference.entropy(&seen[i], &u);
                entropy += share * its;
                let of_sample = |word: usize| kept[word * batch + i];
                let old: Vec<f64> = (0..6).map(of_sample).collect();
                let (old, new) = ((&old[..3], &old[3..]), (&mean[..], &log_std[..]));
                kl += share * gaussian::kl(old, new);
                let weight = if objective == Objective::PpoKl { beta } else { 0.0 };
                let (k_mean, k_log_std) = gaussian::d_kl(old, new);
                let sum = |d: &[f64], h: &[f64], k: &[f64]| -> Vec<f64> {
                    (0..3).map(|j| share * (-d_log_prob * d[j] - ent_coef * h[j] + weight * k[j])).collect()
                };
                let (one, _) = reference.means.backward(&activations, &sum(&d_mean, &h_mean, &k_mean));
                gradient.iter_mut().zip(one).for_each(|(sum, g)| *sum += g);
                let one = reference.d_log_sigma(&seen[i], &sum(&d_log_std, &h_log_std, &k_log_std));
                d_log_sigma.iter_mut().zip(one).for_each(|(sum, g)| *sum += g);
            }
            gradient.extend(&d_log_sigma);

            stages.objective = objective;
            stages.set_progress(|_, progress| {
                *progress = manyworlds::layout::Progress {
                    seed: SEED,
                    beta: beta as f32,
                    clip_coef: clip as f32,
                    ..Default::default()
                };
            });
            let before = stages.parameters(0);
            let learning = stages.learning();
            ok(gpu().submit(&learning.step));
            let got = wide(&stages.layout.compact(&ok(gpu().read(&learning.gradient))));
            assert_norm(&format!("{case}, actor's gradient"), &got[..gradient.len()], &gradient, 1e-4);
            let free = gradient.len() - d_log_sigma.len();
            assert_norm(&format!("{case}, of log σ"), &got[free..gradient.len()], &d_log_sigma, 1e-4);
            let flat: Vec<f64> = seen.concat();
            let critic = &with_parameters(&stages.layout, &[&reference.network(), &critic], &before)[1];
            let value = critic_loss(critic, &flat, &targets, &old_values, Some(clip));
            assert_norm(&format!("{case}, critic's gradient"), &got[gradient.len()..], &value.gradient, 1e-4);

            let progress = stages.progress()[0];
            let f = |x: f32| f64::from(x);
            // a ratio within rounding of the range's end may count on either side
            assert_close(&format!("{case}, clip fraction"), &[f(progress.clip_fraction)], &[clipped], 0.0, 1.5 * share);
            assert_close(&format!("{case}, entropy"), &[f(progress.entropy)], &[entropy], 1e-5, 1e-5);
            if objective == Objective::PpoKl {
                assert_close(&format!("{case}, KL"), &[f(progress.kl)], &[kl], 1e-5, 1e-5);
            }
            gpu().write(&stages.agents.parameters, &before);
        }
    }
}

/// A policy whose means are 0 for every observation, with these log σ `[feature][number]`.
fn motionless(log_sigma: &[f64]) -> Mlp {
    let means = Mlp { widths: vec![2, 2], activation: Activation::Tanh, parameters: vec![0.0; 6] };
    with_log_std(&means, log_sigma)
}

const LOG_SIGMA: [f64; 6] = [-0.5, 0.25, -1.0, 0.0, -0.25, -0.75];

/// Actions `[step][world]` of two numbers each, under the motionless policy at a clock of this speed.
fn noise(form: Form, speed: f64, worlds: u32, steps: u32, window: u32) -> Vec<Vec<[f64; 2]>> {
    let mut env = ok(Environment::from_source("Clock", "clock.wgsl", CLOCK));
    ok(env.set("speed", speed));
    let exploration = Exploration {
        squash: false,
        deviation: Deviation::StateDependent(StateDependent { features: 3, steps: window }),
    };
    let actor = motionless(&LOG_SIGMA);
    let critic = Mlp { widths: vec![2, 1], activation: Activation::Tanh, parameters: vec![0.0; 3] };
    let run = Run { bootstrap_slots: steps.div_ceil(7) + 1, ..run(worlds, steps, worlds * steps) };
    let space = (env.spec().action_space.clone(), exploration);
    let stages = Stages::exploring(form, &[&[&actor, &critic]], space, &[SEED], run, None);
    ok(gpu().submit(&stages.rollout(&env, 0)));
    let [first, second] = [0, 1].map(|k| from_bits(&rows(&stages)[Row::Action as usize + k]));
    let pair = |i: usize| [first[i], second[i]];
    (0..steps as usize).map(|t| (0..worlds as usize).map(|w| pair(t * worlds as usize + w)).collect()).collect()
}

#[test]
fn a_matrix_is_kept_for_a_window_and_no_longer_than_its_episode() {
    for form in few_forms() {
        // windows of 3 steps in episodes of 7: 0-2, 3-5, 6, then anew
        let drawn = noise(form, 0.0, 37, 20, 3);
        for world in 0..37 {
            for t in 1..20 {
                let (case, begins) = (format!("{form}, seed {SEED}, world {world}, step {t}"), t % 7 % 3 == 0);
                let same = drawn[t][world] == drawn[t - 1][world];
                assert_eq!(same, !begins, "{case}: {:?} after {:?}", drawn[t][world], drawn[t - 1][world]);
            }
        }
        let firsts: std::collections::BTreeSet<u64> = drawn[0].iter().map(|a| a[0].to_bits()).collect();
        assert_eq!(firsts.len(), 37, "{form}: worlds share a matrix");
    }
}

#[test]
fn noise_has_the_covariance_of_the_features() {
    let worlds = 20_011;
    let features = |t: f64| [1.0 - 0.25 * t, 0.5 + 0.5 * t, 1.0];
    let form = gpu().form(); // every form draws the same, to rounding (the first test)
    let drawn = noise(form, 1.0, worlds, 7, 7);
    let count = f64::from(worlds);
    for (t, later) in [(0, 0), (0, 1), (2, 6), (6, 6)] {
        for (i, j) in [(0, 0), (0, 1), (1, 1)] {
            let case = format!("seed {SEED}, steps {t} and {later}, numbers {i} and {j}");
            let covariance = |t: usize, later: usize, i: usize, j: usize| -> f64 {
                let (x, y) = (features(t as f64), features(later as f64));
                let term = |k: usize| x[k] * y[k] * (2.0 * LOG_SIGMA[2 * k + i]).exp();
                if i == j { (0..3).map(term).sum() } else { 0.0 }
            };
            let expected = covariance(t, later, i, j);
            let products = drawn[t].iter().zip(&drawn[later]).map(|(a, b)| a[i] * b[j]);
            let got = products.sum::<f64>() / count;
            // the mean of products of normals with mean 0 has this deviation
            let deviation =
                ((covariance(t, t, i, i) * covariance(later, later, j, j) + expected * expected) / count).sqrt();
            assert_close(&case, &[got], &[expected], 0.0, 4.0 * deviation);
        }
    }
}
