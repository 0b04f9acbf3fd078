//! Kinds of actions: several choices at once, masks, and real numbers, in rollouts, gradients and evaluations.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support;
use crate::support::explorer::walk_of;
use crate::support::{
    Draw, Stages, assert_norm, few_forms, forms, from_bits, gpu, ok, run, wide, with_log_std, with_parameters,
};
use manyworlds::config::Config;
use manyworlds::env::{ActionSpace, Environment};
use manyworlds::layout::{Row, Run};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reference::ppo::surrogate;
use manyworlds::reference::{categorical, gaussian};
use manyworlds::train::Trainer;

/// Two choices; which actions are allowed depends on the state. A forbidden one costs 100.
const MASKED: &str = "
const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 2u);
const MAX_EPISODE_STEPS: u32 = 20u;
const REWARD_THRESHOLD: f32 = 19.0;
struct State { a: u32, b: bool }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_u32(rng) % 5u, rng_uniform(rng) < 0.5); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let allowed = env_action_mask(*s);
    var good = false;
    if action[0] == 0u { good = allowed[0]; }
    if action[0] == 1u { good = allowed[1]; }
    if action[0] == 2u { good = allowed[2]; }
    if action[1] == 0u { good = good && allowed[3]; } else { good = good && allowed[4]; }
    (*s).a = ((*s).a + 1u + action[0]) % 5u;
    (*s).b = rng_uniform(rng) < 0.5;
    return Outcome(select(-100.0, 1.0, good), false);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.a), select(0.0, 1.0, s.b)); }
fn env_action_mask(s: State) -> ActionMask {
    let kind = s.a % 3u;
    return ActionMask(kind != 0u, kind != 1u, kind != 2u, true, s.b);
}
";

const WORLDS: u32 = 67;
const STEPS: u32 = 30;
const SEED: u32 = 12;

/// A rollout of an environment under a random actor.
fn rollout(form: manyworlds::gpu::Form, env: &Environment, actor: &Mlp, critic: &Mlp, more: Run) -> Stages {
    let space = env.spec().action_space.clone();
    let run = Run { bootstrap_slots: 3, ..more };
    let stages = Stages::with_space(form, &[&[actor, critic]], space, &[SEED], run, None);
    ok(gpu().submit(&stages.rollout(env, 0)));
    stages
}

/// Rows of the samples from one on, `[row][step · world]`.
fn rows(stages: &Stages, first: u32) -> Vec<Vec<u32>> {
    let batch = (WORLDS * STEPS) as usize;
    ok(gpu().read(&stages.batch.samples)).chunks_exact(batch).skip(first as usize).map(<[u32]>::to_vec).collect()
}

fn observations(stages: &Stages, features: usize) -> Vec<Vec<f64>> {
    let batch = (WORLDS * STEPS) as usize;
    let seen = wide(&ok(gpu().read(&stages.batch.observations)));
    (0..batch).map(|i| (0..features).map(|f| seen[f * batch + i]).collect()).collect()
}

/// Logits of a choice, those of forbidden actions as the kernels have them.
fn masked(logits: &[f64], allowed: &[bool]) -> Vec<f64> {
    logits.iter().zip(allowed).map(|(z, allowed)| if *allowed { *z } else { -1e8 }).collect()
}

#[test]
fn masked_actions_never_come_up_and_have_no_gradient() {
    let env = ok(Environment::from_source("Masked", "masked.wgsl", MASKED));
    let mut draw = Draw::new(SEED);
    let actor = draw.network(&[2, 6, 5], Activation::Tanh);
    let critic = draw.network(&[2, 6, 1], Activation::Tanh);
    for form in forms(gpu()) {
        let (clip, ent_coef) = (0.2, 0.05);
        let all = Run { clip_coef: clip as f32, ent_coef: ent_coef as f32, ..run(WORLDS, STEPS, WORLDS * STEPS) };
        let stages = rollout(form, &env, &actor, &critic, all);
        let words = rows(&stages, Row::Action as u32);
        let (log_probs, rewards) =
            (from_bits(&stages.read_row(0, Row::LogProb)), from_bits(&stages.read_row(0, Row::Reward)));
        let seen = observations(&stages, 2);
        let network = &with_parameters(&stages.layout, &[&actor, &critic], &stages.parameters(0))[0];

        // what the reference makes of every sample; old log-probabilities are moved, so that ratios differ from 1
        let batch = seen.len();
        let advantages = draw.vector(batch, -1.0, 1.0);
        let moved: Vec<f64> = draw.vector(batch, -0.5, 0.5);
        let mut gradient = vec![0.0; network.parameters.len()];
        let mut forbidden = 0;
        for i in 0..batch {
            let case = format!("{form}, seed {SEED}, sample {i}, observation {:?}", seen[i]);
            let kind = seen[i][0] as u32 % 3;
            let allowed = [kind != 0, kind != 1, kind != 2, true, seen[i][1] == 1.0];
            let bits = allowed.iter().enumerate().map(|(a, &allowed)| u32::from(allowed) << a).sum::<u32>();
            assert_eq!(words[2][i], bits, "{case}: mask");
            let actions = [words[0][i] as usize, words[1][i] as usize];
            assert!(allowed[actions[0]] && allowed[3 + actions[1]], "{case}: forbidden action {actions:?}");
            assert_eq!(rewards[i], 1.0, "{case}: reward");
            forbidden += allowed.iter().filter(|allowed| !**allowed).count();

            let activations = network.forward(&seen[i]);
            let outputs = &activations[activations.len() - 1];
            let heads = [masked(&outputs[..3], &allowed[..3]), masked(&outputs[3..], &allowed[3..])];
            let log_prob: f64 = heads.iter().zip(actions).map(|(logits, a)| categorical::log_prob(logits, a)).sum();
            assert_close(&format!("{case}, log_prob"), &[log_probs[i]], &[log_prob], 0.0, 2e-6);

            let old = f64::from((log_prob + moved[i]) as f32);
            let ratio = (log_prob - old).exp();
            let (_, slope) = surrogate(ratio, advantages[i], clip);
            let share = 1.0 / batch as f64;
            let mut d_output = vec![];
            for (logits, action) in heads.iter().zip(actions) {
                let (d_log, d_entropy) =
                    (categorical::d_log_prob_d_logits(logits, action), categorical::d_entropy_d_logits(logits));
                d_output.extend(d_log.iter().zip(d_entropy).map(|(l, h)| -share * (slope * ratio * l + ent_coef * h)));
            }
            for (a, allowed) in allowed.iter().enumerate() {
                assert!(*allowed || d_output[a].abs() < 1e-12, "{case}: the reference has a gradient for action {a}");
            }
            let (one, _) = network.backward(&activations, &d_output);
            gradient.iter_mut().zip(one).for_each(|(sum, g)| *sum += g);
        }
        assert!(forbidden > 1000, "{form}: only {forbidden} actions were forbidden");

        let old: Vec<u32> = (0..batch).map(|i| ((log_probs[i] + moved[i]) as f32).to_bits()).collect();
        stages.write_row(0, Row::LogProb, &old);
        stages.write_row(0, Row::Advantage, &support::bits(&advantages));
        stages.write_row(0, Row::Target, &vec![0; batch]);
        stages.write_row(0, Row::Value, &vec![0; batch]);
        let learning = stages.learning();
        ok(gpu().submit(&learning.step));
        let got = wide(&stages.layout.compact(&ok(gpu().read(&learning.gradient))));
        assert_norm(&format!("{form}, seed {SEED}, actor's gradient"), &got[..gradient.len()], &gradient, 1e-4);
    }
}

#[test]
fn a_gaussian_policy_draws_what_the_reference_draws_and_the_environment_gets_it_clipped() {
    let env = walk_of(STEPS + 1); // no episode ends
    let ActionSpace::Box { low, high } = env.spec().action_space.clone() else { panic!("no real numbers") };
    let mut draw = Draw::new(SEED);
    let means = draw.network(&[3, 6, 3], Activation::Tanh);
    let log_std = [-0.7, 0.1, 0.4];
    let actor = with_log_std(&means, &log_std.map(|x| f64::from(x as f32)));
    let critic = draw.network(&[3, 6, 1], Activation::Tanh);
    for form in forms(gpu()) {
        let stages = rollout(form, &env, &actor, &critic, run(WORLDS, STEPS, WORLDS * STEPS));
        let words = rows(&stages, Row::Action as u32);
        let (log_probs, rewards) =
            (from_bits(&stages.read_row(0, Row::LogProb)), from_bits(&stages.read_row(0, Row::Reward)));
        let seen = observations(&stages, 3);
        let mut clipped = 0;
        for i in 0..seen.len() {
            let (t, world) = (i as u32 / WORLDS, i as u32 % WORLDS);
            let case = format!("{form}, seed {SEED}, step {t}, world {world}");
            let activations = means.forward(&seen[i]);
            let mean = &activations[activations.len() - 1];
            let uniforms = philox4x32_10([world, t, 1, 0], [SEED, 0]).map(uniform);
            let expected = gaussian::sample(mean, &log_std, &uniforms);
            let action: Vec<f64> = (0..3).map(|k| f64::from(f32::from_bits(words[k][i]))).collect();
            assert_close(&format!("{case}, action"), &action, &expected, 1e-5, 1e-5);
            let log_prob = gaussian::log_prob(mean, &log_std, &action);
            assert_close(&format!("{case}, log_prob"), &[log_probs[i]], &[log_prob], 2e-5, 2e-5);
            let held: Vec<f64> = (0..3).map(|k| action[k].clamp(low[k].into(), high[k].into())).collect();
            clipped += (0..3).filter(|&k| held[k] != action[k]).count();
            let reward = held[0] + 10.0 * held[1] + 100.0 * held[2];
            assert_close(&format!("{case}, reward"), &[rewards[i]], &[reward], 1e-6, 1e-6);
        }
        assert!(clipped > 100, "{form}: only {clipped} numbers were clipped");
    }
}

/// A policy that may do nothing wrong gets 20 from the first evaluation to the last.
#[test]
fn evaluation_honours_masks_too() {
    let env = ok(Environment::from_source("Masked", "masked.wgsl", MASKED));
    let config = Config {
        num_envs: 64,
        num_steps: 16,
        total_timesteps: 4096,
        hidden: vec![8],
        eval_every: 1,
        eval_episodes: 100,
        ..Config::default()
    };
    for report in ok(Trainer::new(gpu(), &env, &config, &[1])) {
        let report = ok(report);
        let first = report.metrics[0][0].first_ratio_deviation;
        assert!(first <= 1e-5, "update {}: the first ratio is off by {first:e}", report.updates);
        let (returns, _) = &report.evaluation.unwrap()[0];
        assert_eq!((returns.min, returns.max), (20.0, 20.0), "update {}: a forbidden action", report.updates);
    }
}

#[test]
fn a_pool_says_which_actions_are_allowed_next() {
    let env = ok(Environment::from_source("Masked", "masked.wgsl", MASKED));
    let pool = ok(manyworlds::WorldPool::new(gpu(), &env, 50, 3));
    for step in 0..30 {
        let states = ok(pool.states());
        let allowed: Vec<Vec<bool>> = (0..5).map(|action| ok(pool.allowed(action))).collect();
        for (world, state) in states.iter().enumerate() {
            let kind = state[0] as u32 % 3;
            let expected = [kind != 0, kind != 1, kind != 2, true, state[1] == 1.0];
            let got: Vec<bool> = allowed.iter().map(|row| row[world]).collect();
            assert_eq!(got, expected, "step {step}, world {world}, state {state:?}");
        }
        ok(pool.step(&vec![0; 100]));
    }
}

/// The same environment with long loops in its mask and its reset: every lane has the whole budget for each.
#[test]
fn loops_in_masks_and_resets_end_as_they_should_in_every_lane() {
    let mask = "var kind = 0u; for (var i = 0u; i <= 198u; i++) { kind = (s.a + i) % 3u; }";
    let reset = "let w = rng_u32(rng) % 5u; var a = 0u; for (var i = 0u; i <= 195u; i++) { a = (w + i) % 5u; }";
    let text = MASKED
        .replace("let kind = s.a % 3u;", mask)
        .replace("return State(rng_u32(rng) % 5u,", &format!("{reset} return State(a,"));
    assert!(text.contains("198u") && text.contains("195u"), "the example has changed");
    let [plain, loops] = [MASKED, &text].map(|text| ok(Environment::from_source("Masked", "masked.wgsl", text)));
    assert!(loops.has_loops() && !plain.has_loops());
    let mut draw = Draw::new(SEED);
    let actor = draw.network(&[2, 6, 5], Activation::Tanh);
    let critic = draw.network(&[2, 6, 1], Activation::Tanh);
    for form in few_forms() {
        let stages =
            [&plain, &loops].map(|env| rollout(form, env, &actor, &critic, run(WORLDS, STEPS, WORLDS * STEPS)));
        let [plain, loops] = stages
            .map(|stages| [Row::LogProb, Row::Reward, Row::Ending, Row::Action].map(|row| stages.read_row(0, row)));
        assert!(plain == loops, "{form}, seed {SEED}: loops change what happens");
    }
    let pool = ok(manyworlds::WorldPool::new(gpu(), &loops, 50, 3));
    ok(pool.step(&vec![0; 100]));
    assert!(ok(pool.spun_out()).iter().all(|spun| !spun), "a budget was passed");
}
