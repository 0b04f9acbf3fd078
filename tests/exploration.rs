//! How policies over real numbers explore: squashed actions and state-dependent noise, in rollouts, gradients and
//! evaluations, in every form; and the clip range that falls.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

mod oracle;
mod support;

use manyworlds::algo::ActorCritic;
use manyworlds::env::{ActionSpace, Environment, Exploration, StateDependent};
use manyworlds::gpu::{Form, Recording};
use manyworlds::kernels::Objective;
use manyworlds::layout::{Row, Run};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reference::ppo::{critic_loss, surrogate};
use manyworlds::reference::{gaussian, squashed, state_dependent};
use manyworlds::train::{Config, Penalty, Policy, Trainer};
use manyworlds::{Rollout, WorldPool};
use oracle::assert_close;
use support::{
    Draw, ROUNDING, Stages, assert_norm, bits, forms, from_bits, gpu, ok, run, wide, with_log_std, with_parameters,
};

/// Three numbers between different bounds: a walk that only the actions move, in episodes of 11 steps.
const WALK: &str = "
const OBSERVATION_DIM: u32 = 3u;
const ACTION_DIM: u32 = 3u;
const ACTION_LOW: array<f32, 3> = array<f32, 3>(-1.0, -0.5, 0.0);
const ACTION_HIGH: array<f32, 3> = array<f32, 3>(1.0, 0.5, 2.0);
const MAX_EPISODE_STEPS: u32 = 11u;
struct State { at: vec3<f32> }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(vec3<f32>(rng_uniform(rng), rng_uniform(rng), rng_uniform(rng))); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let push = vec3<f32>(action[0], action[1], action[2]);
    (*s).at = 0.5 * (*s).at + push;
    return Outcome(push.x + 10.0 * push.y + 100.0 * push.z, false);
}
fn env_observe(s: State) -> Observation { return Observation(s.at.x, s.at.y, s.at.z); }
";

/// Its observation follows a clock; two numbers; episodes of 7 steps.
const CLOCK: &str = "
const OBSERVATION_DIM: u32 = 2u;
const ACTION_DIM: u32 = 2u;
const ACTION_LOW: f32 = 0.0;
const ACTION_HIGH: f32 = 2.0;
const MAX_EPISODE_STEPS: u32 = 7u;
override speed: f32 = 0.0;
struct State { t: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(0.0); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).t += speed;
    return Outcome(action[0], false);
}
fn env_observe(s: State) -> Observation { return Observation(1.0 - 0.25 * s.t, 0.5 + 0.5 * s.t); }
";

const WORLDS: u32 = 67;
const STEPS: u32 = 30;
const SEED: u32 = 12;
/// Steps of a window: neither divides the episodes nor the rollout.
const WINDOW: u32 = 4;
const PURPOSE_EXPLORATION: u32 = 5;

fn walk() -> Environment {
    ok(Environment::from_source("Walk", "walk.wgsl", WALK))
}

/// Every way to explore, for observations of so many numbers.
fn explorations(observation: u32) -> [Exploration; 4] {
    let state = StateDependent { features: observation + 1, steps: WINDOW };
    [(false, None), (true, None), (false, Some(state)), (true, Some(state))]
        .map(|(squash, state_dependent)| Exploration { squash, state_dependent })
}

fn bounds(env: &Environment) -> Vec<(f64, f64)> {
    let ActionSpace::Box { low, high } = &env.spec().action_space else { panic!("no real numbers") };
    low.iter().zip(high).map(|(low, high)| (f64::from(*low), f64::from(*high))).collect()
}

/// A policy in f64: a network of means, and log σ behind it.
struct Reference {
    means: Mlp,
    log_sigma: Vec<f64>,
    exploration: Exploration,
    bounds: Vec<(f64, f64)>,
}

impl Reference {
    fn draw(draw: &mut Draw, hidden: &[u32], exploration: Exploration, env: &Environment) -> Self {
        let (inputs, numbers) = (env.spec().observation_dim, env.spec().action_space.words());
        let means = draw.network(&[&[inputs], hidden, &[numbers]].concat(), Activation::Tanh);
        let free = env.spec().action_space.free_outputs(exploration) as usize;
        Self { means, log_sigma: draw.vector(free, -1.2, 0.1), exploration, bounds: bounds(env) }
    }

    fn network(&self) -> Mlp {
        with_log_std(&self.means, &self.log_sigma)
    }

    fn mean(&self, observation: &[f64]) -> Vec<f64> {
        self.means.output(observation)
    }

    fn features(observation: &[f64]) -> Vec<f64> {
        [observation, &[1.0]].concat()
    }

    /// log s.
    fn log_std(&self, observation: &[f64]) -> Vec<f64> {
        match self.exploration.state_dependent {
            Some(_) => state_dependent::log_std(&Self::features(observation), &self.log_sigma),
            None => self.log_sigma.clone(),
        }
    }

    /// Of a slope by log s, that by log σ.
    fn d_log_sigma(&self, observation: &[f64], d_log_std: &[f64]) -> Vec<f64> {
        match self.exploration.state_dependent {
            Some(_) => state_dependent::d_log_sigma(&Self::features(observation), &self.log_sigma, d_log_std),
            None => d_log_std.to_vec(),
        }
    }

    /// What is drawn for a world at the step `step` of its run, which is the `length`-th of its episode.
    fn drawn(&self, observation: &[f64], world: u32, step: u32, length: u32) -> Vec<f64> {
        let mean = self.mean(observation);
        let count = self.log_sigma.len().next_multiple_of(2);
        let uniforms = |step: u32, purpose: u32| -> Vec<f64> {
            let call = |call: usize| philox4x32_10([world, step, purpose, call as u32], [SEED, 0]).map(uniform);
            (0..count.div_ceil(4)).flat_map(call).collect()
        };
        match self.exploration.state_dependent {
            Some(state) => {
                let begin = step - length % state.steps;
                let (zeros, ones) = (vec![0.0; self.log_sigma.len()], vec![0.0; self.log_sigma.len()]);
                let normals = gaussian::sample(&zeros, &ones, &uniforms(begin, PURPOSE_EXPLORATION));
                state_dependent::action(&mean, &Self::features(observation), &self.log_sigma, &normals)
            }
            None => gaussian::sample(&mean, &self.log_sigma, &uniforms(step, 1)),
        }
    }

    fn log_prob(&self, observation: &[f64], u: &[f64]) -> f64 {
        let (mean, log_std) = (self.mean(observation), self.log_std(observation));
        if self.exploration.squash {
            squashed::log_prob(&mean, &log_std, u, &self.bounds)
        } else {
            gaussian::log_prob(&mean, &log_std, u)
        }
    }

    /// What the environment gets.
    fn action(&self, u: &[f64]) -> Vec<f64> {
        let held = |(u, &(low, high)): (&f64, &(f64, f64))| {
            if self.exploration.squash { squashed::action(*u, low, high) } else { u.clamp(low, high) }
        };
        u.iter().zip(&self.bounds).map(held).collect()
    }

    /// Entropy, and its gradient by mean and log s.
    fn entropy(&self, observation: &[f64], u: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
        let (mean, log_std) = (self.mean(observation), self.log_std(observation));
        if self.exploration.squash {
            let (d_mean, d_log_std) = squashed::d_entropy(&mean, u);
            (squashed::entropy(&log_std, u, &self.bounds), d_mean, d_log_std)
        } else {
            (gaussian::entropy(&log_std), vec![0.0; u.len()], vec![1.0; u.len()])
        }
    }
}

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

/// Everything on in the forms that differ most; every way to explore, and a network that goes through memory, in the first.
fn cases() -> Vec<(Form, Exploration, &'static [u32])> {
    let [_, squashed, state_dependent, both] = explorations(3);
    let first = forms(gpu())[0];
    let mut cases = vec![(first, squashed, NARROW), (first, state_dependent, NARROW), (first, state_dependent, WIDE)];
    let apart = |form: &Form| form.lanes == 4 || form.tile > 0;
    cases.extend(forms(gpu()).into_iter().filter(apart).map(|form| (form, both, NARROW)));
    cases
}

#[test]
fn a_policy_draws_what_the_reference_draws_and_the_environment_gets_it_within_its_bounds() {
    let env = walk();
    let mut draw = Draw::new(SEED);
    for (form, exploration, hidden) in cases() {
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
fn gradients_agree_with_the_reference_under_both_objectives_and_the_agents_own_clip_range() {
    let env = walk();
    let mut draw = Draw::new(SEED + 1);
    let (worlds, steps) = (29, 5);
    let batch = (worlds * steps) as usize;
    for (form, exploration, hidden) in cases() {
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

        let objectives = [Objective::PpoClip, Objective::PpoKl, Objective::PolicyGradient];
        for objective in objectives.into_iter().take(if hidden == NARROW { 3 } else { 1 }) {
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
    let exploration =
        Exploration { squash: false, state_dependent: Some(StateDependent { features: 3, steps: window }) };
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
    for form in forms(gpu()) {
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

/// A small run on the walk with everything on.
fn config(worlds: u32) -> Config {
    Config {
        num_envs: worlds,
        num_steps: 13,
        total_timesteps: u64::from(10 * worlds * 13),
        num_minibatches: 1,
        update_epochs: 2,
        learning_rate: 0.01,
        hidden: vec![8, 8],
        eval_episodes: 63,
        squash: true,
        use_sde: true,
        sde_sample_freq: 3,
        norm_obs: true,
        penalty: Penalty::Kl,
        ..Config::default()
    }
}

#[test]
fn runs_repeat_and_a_world_does_not_depend_on_the_number_of_worlds() {
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        let updated = |config: &Config| {
            let learner = ok(ActorCritic::new(&gpu, &walk(), config, &[5]));
            for _ in 0..2 {
                ok(gpu.submit(learner.update()));
            }
            ok(gpu.read(&learner.agents.parameters))
        };
        let [first, again] = [0; 2].map(|_| updated(&config(41)));
        support::assert_bits(&format!("{form}, seed 5, parameters after two updates"), &again, &first);

        let runs = [345, 66].map(|worlds| {
            let learner = ok(ActorCritic::new(&gpu, &walk(), &config(worlds), &[5]));
            let mut rollout = Recording::default();
            learner.rollout.record(&mut rollout);
            ok(gpu.submit(&rollout));
            (worlds as usize, ok(gpu.read(&learner.batch.samples)))
        });
        let [(all, expected), (worlds, got)] = &runs;
        for (row, t, world) in (0..3).flat_map(|k| (0..13).flat_map(move |t| (0..66).map(move |w| (k, t, w)))) {
            let row = Row::Action as usize + row;
            let at = |worlds: usize| (row * 13 + t) * worlds + world;
            let case = format!("{form}, seed 5, row {row}, step {t}, world {world} of {worlds}");
            assert_eq!(got[at(*worlds)], expected[at(*all)], "{case}: other bits than beside {all} worlds");
        }
    }
}

#[test]
fn the_ratio_is_1_in_the_first_minibatch_however_a_policy_explores() {
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        let [_, squashed, state_dependent, both] = explorations(3);
        for (exploration, penalty) in [(squashed, Penalty::Clip), (state_dependent, Penalty::Clip), (both, Penalty::Kl)]
        {
            let (squash, use_sde) = (exploration.squash, exploration.state_dependent.is_some());
            let config = Config { squash, use_sde, penalty, ..config(45) };
            let learner = ok(ActorCritic::new(&gpu, &walk(), &config, &[1]));
            for update in 0..3 {
                ok(gpu.submit(learner.update()));
                let m = ok(gpu.read(&learner.metrics))[update];
                let case = format!("{form}, {exploration:?}, {penalty:?}, seed 1, update {update}");
                // a subgroup that runs the policy together, and a workgroup with a tile, add in orders of their own;
                // the terms of log π, below 16 and four at most, compilers may add in another order everywhere
                let most = if form.units || form.tile > 0 { 1e-5 } else { 4.0 * 16.0 * ROUNDING as f32 };
                let ratio = m.first_ratio_deviation;
                assert!(ratio <= most, "{case}: mean |ratio - 1| is {ratio:e}, at most {most:e} expected");
                assert!(m.approx_kl > 1e-4, "{case}: KL after the second epoch is {:e}", m.approx_kl);
                assert!(penalty == Penalty::Clip || m.kl > 1e-5, "{case}: kept KL is {:e}", m.kl);
            }
        }
    }
}

#[test]
fn what_a_policy_does_is_the_same_in_f64_on_the_device_and_in_a_checkpoint() {
    let mut env = ok(Environment::from_source("Clock", "clock.wgsl", CLOCK));
    ok(env.set("speed", 0.0));
    let observation = [1.0, 0.5];
    for (squash, use_sde) in [(false, false), (true, false), (false, true), (true, true)] {
        let case = format!("squash {squash}, use_sde {use_sde}");
        let config = Config { squash, use_sde, hidden: vec![5], log_std_init: -0.5, seed: 3, ..Config::default() };
        let policy = ok(Policy::untrained(&env, config));
        let act = policy.act(&observation);
        // the middle of the bounds, or the lower end of them
        assert!(if squash { (act[0] - 1.0).abs() < 0.1 } else { act[0] < 0.1 }, "{case}: it does {act:?}");
        let returns = ok(policy.evaluate(gpu(), 50, 4, false));
        assert_close(&format!("{case}, mean return of 7 steps"), &[returns.mean], &[7.0 * act[0]], 1e-5, 1e-5);
        let sampled = ok(policy.evaluate(gpu(), 50, 4, true));
        assert!(sampled.std > 0.1, "{case}: sampled returns have the deviation {}", sampled.std);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        ok(policy.save(&path));
        let loaded = ok(Policy::load(&path));
        assert_eq!((&loaded.config, loaded.hash()), (&policy.config, policy.hash()), "{case}: the checkpoint");
        assert_eq!(loaded.act(&observation), act, "{case}: the checkpoint's policy");

        // a rollout for other learners keeps what was drawn, and the density of what the environment got
        let rollout = ok(Rollout::new(gpu(), &loaded, 65, 6, 9));
        ok(rollout.collect());
        let [log_probs, first, rewards] =
            [Row::LogProb, Row::Action, Row::Reward].map(|row| from_bits(&ok(rollout.row(row))));
        let second =
            from_bits(&ok(gpu().read(&rollout.batch().samples))[(Row::Action as usize + 1) * 65 * 6..][..65 * 6]);
        let network =
            Mlp { widths: vec![2, 5, 2], activation: Activation::Tanh, parameters: wide(&policy.parameters()[..27]) };
        let free = if use_sde { 6 } else { 2 };
        let reference = Reference {
            means: network,
            log_sigma: wide(&policy.parameters()[27..27 + free]),
            exploration: policy.config.exploration(&env),
            bounds: bounds(&env),
        };
        for i in 0..65 * 6 {
            let u = [first[i], second[i]];
            let expected = reference.log_prob(&observation, &u);
            assert_close(&format!("{case}, sample {i}, log_prob"), &[log_probs[i]], &[expected], 2e-5, 2e-5);
            let reward = reference.action(&u)[0];
            assert_close(&format!("{case}, sample {i}, reward"), &[rewards[i]], &[reward], 1e-6, 1e-6);
        }
    }
}

#[test]
fn exploration_begins_with_the_deviation_that_was_asked_for() {
    let env = walk();
    let config = Config { use_sde: true, log_std_init: -0.7, hidden: vec![4], ..Config::default() };
    let policy = ok(Policy::untrained(&env, config));
    // network of the means: 3 · 4 + 4, 4 · 3 + 3; then log σ
    let log_sigma = wide(&policy.parameters()[31..43]);
    for signs in [[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]] {
        let log_std = state_dependent::log_std(&Reference::features(&signs), &log_sigma);
        assert_close("log s at an observation of mean square 1", &log_std, &[-0.7; 3], 1e-6, 0.0);
    }
}

#[test]
fn what_cannot_be_squashed_or_explored_is_refused_by_name() {
    let refused = |env: &Environment, config: Config| {
        let error = config.check_for(env).unwrap_err().to_string();
        let again = Policy::untrained(env, config.clone()).unwrap_err().to_string();
        assert_eq!(error, again);
        error
    };
    let (squash, sde) = (Config { squash: true, ..Config::default() }, Config { use_sde: true, ..Config::default() });
    let cartpole = ok(Environment::load("CartPole-v1"));
    for (name, config) in [("squash", squash.clone()), ("use_sde", sde.clone())] {
        let error = refused(&cartpole, config);
        let parts = [&format!("'{name}'"), "CartPole-v1", "Discrete(2)", "leave it false"];
        assert!(parts.iter().all(|part| error.contains(*part)), "{error}");
    }
    let error = refused(&ok(Environment::load("LQR")), squash);
    assert!(error.contains("-1e9 to 1e9") && error.contains("less than 1e6 apart"), "{error}");
    let many = CLOCK.replace("OBSERVATION_DIM: u32 = 2u", "OBSERVATION_DIM: u32 = 63u").replace(
        "return Observation(1.0 - 0.25 * s.t, 0.5 + 0.5 * s.t);",
        "var seen: Observation; seen[0] = s.t; return seen;",
    );
    let error = refused(&ok(Environment::from_source("Many", "many.wgsl", &many)), sde.clone());
    assert!(error.contains("2 means + 64 features") && error.contains("= 130 outputs"), "{error}");
    ok(sde.check_for(&ok(Environment::load("LQR"))));
}

/// The caller of a pool says what the environment gets, however a policy would have squashed it.
#[test]
fn a_pool_neither_clips_nor_squashes() {
    let env = ok(Environment::from_source("Clock", "clock.wgsl", CLOCK));
    let pool = ok(WorldPool::new(gpu(), &env, 5, 3));
    let actions: Vec<f32> = (0..10).map(|i| i as f32 - 3.0).collect();
    ok(pool.step(&actions));
    assert_eq!(ok(pool.rewards()), actions[..5]);
}

#[test]
fn the_clip_range_falls_like_the_learning_rate() {
    let env = walk();
    for anneal_clip in [true, false] {
        let config = Config { anneal_clip, clip_coef: 0.3, total_timesteps: 4 * 41 * 13, ..config(41) };
        let learner = ok(ActorCritic::new(gpu(), &env, &config, &[2]));
        for update in 0..4 {
            let clip = f64::from(ok(gpu().read(&learner.agents.progress))[0].clip_coef);
            let expected = if anneal_clip { 0.3 * (1.0 - f64::from(update) / 4.0) } else { 0.3 };
            // the range, the quotient and the product are rounded
            assert_close(
                &format!("update {update}, anneal_clip {anneal_clip}"),
                &[clip],
                &[expected],
                3.0 * ROUNDING,
                0.0,
            );
            ok(gpu().submit(learner.update()));
        }
    }
}

/// The flag is found with few worlds and small deviations, where noise of every step never finds it (`benches/NOTES.md`).
#[test]
fn learning_lasting_noise_finds_what_noise_of_every_step_does_not() {
    let env = ok(Environment::load("MountainCarContinuous-v0"));
    let settings = ["num_envs=32", "num_steps=128", "log_std_init=-1.5", "total_timesteps=500000", "eval_every=0"];
    let mean = |more: &[&str]| {
        let pairs: Vec<String> = settings.iter().chain(more).map(ToString::to_string).collect();
        let config = ok(Config::resolve("MountainCarContinuous-v0", "ppo", None, &pairs));
        let last = ok(Trainer::new(gpu(), &env, &config, &[1, 2, 3])).map(ok).last().unwrap();
        last.evaluation.unwrap().iter().map(|(returns, _)| returns.mean).collect::<Vec<f64>>()
    };
    let plain = mean(&[]);
    assert!(plain.iter().all(|mean| *mean < 1.0), "seeds 1 to 3 without: {plain:?}");
    let lasting = mean(&["use_sde=true", "sde_sample_freq=64"]);
    assert!(lasting.iter().all(|mean| *mean >= 90.0), "seeds 1 to 3 with it: {lasting:?}");
}
