//! Every stage of an update against the f64 reference, in every form, at sizes that divide nothing; outputs are
//! poisoned before.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

mod oracle;
mod support;

use manyworlds::env::ActionSpace;
use manyworlds::gpu::{Buffers, Form, Kernel, Recording};
use manyworlds::kernels::{Estimator, Importance, OverTime, Recursion, Reduction};
use manyworlds::layout::{ROWS, Row, Run, TERMINATED, TERMS, TRUNCATED};
use manyworlds::reference::adam::{Adam, clip_by_global_norm};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::moments::{moments, normalise};
use manyworlds::reference::permute;
use manyworlds::reference::philox::philox4x32_10;
use manyworlds::reference::ppo::{actor_loss, critic_loss};
use manyworlds::reference::{categorical, gae, importance, returns};
use manyworlds::stage::{Elements, Reduced};
use oracle::assert_close;
use std::collections::HashMap;
use std::sync::OnceLock;
use support::{
    Draw, POISON, ROUNDING, SIZES, Samples, Stages, assert_bits, assert_norm, bits, call, forms, from_bits, gpu,
    kernel, ok, outputs_with_bounds, partial_slice, poison, run, shuffled, wide, with_parameters,
};

fn submit(recording: &Recording) {
    ok(gpu().submit(recording));
}

// ---------------------------------------------------------------- reductions

/// Roundings that an element meets on its way into a sum: its turn in a block of 1024 by 64 threads, a tree of 64,
/// and the same again over the blocks.
fn depth(count: usize) -> f64 {
    let blocks = count.div_ceil(1024);
    let second = if blocks > 1 { blocks.div_ceil(64) + 6 } else { 0 };
    (count.div_ceil(64).min(16) + 6 + second) as f64
}

/// What joining in f32 may do to (mean, Σ (x − mean)²), in the order of [`depth`].
///
/// A join rounds the mean, of at most `largest` in size, about twice: the mean of any part is off by δ ≤ 2 depth u
/// largest. A join adds apart² w, where Σ apart² w ≤ M2 and Σ w ≤ (1 + 6 + 1 + 6 / 2) n: by Cauchy and Schwarz the
/// sum is off by at most 2 δ √(M2 · 11 n) + 11 n δ², and by 4 depth roundings of itself.
fn moment_bounds(samples: &[f64], m2: f64) -> (f64, f64) {
    let (n, depth) = (samples.len() as f64, depth(samples.len()));
    let largest = samples.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let mean = 2.0 * depth * ROUNDING * largest;
    (mean, 2.0 * mean * (m2 * 11.0 * n).sqrt() + 11.0 * n * mean * mean + 4.0 * depth * ROUNDING * m2)
}

/// Runs a reduction twice over poisoned results: both runs must be the same bit for bit.
#[track_caller]
fn reduced(case: &str, reduced: &Reduced) -> Vec<[f32; 4]> {
    let mut recording = Recording::default();
    reduced.record(&mut recording);
    let runs = [0, 1].map(|_| {
        poison(&reduced.result);
        submit(&recording);
        ok(gpu().read(&reduced.result))
    });
    assert_bits(&format!("{case}, second run"), runs[1].as_flattened(), runs[0].as_flattened());
    runs[0].clone()
}

#[track_caller]
fn assert_moments(case: &str, got: [f32; 4], samples: &[f64]) {
    let expected = moments(samples);
    let m2 = expected.variance * samples.len() as f64;
    let (mean_bound, m2_bound) = moment_bounds(samples, m2);
    assert_close(&format!("{case}, count"), &[f64::from(got[0])], &[samples.len() as f64], 0.0, 0.0);
    assert_close(&format!("{case}, mean"), &[f64::from(got[1])], &[expected.mean], 0.0, mean_bound);
    assert_close(&format!("{case}, squared deviations"), &[f64::from(got[2])], &[m2], 0.0, m2_bound);
}

/// The sizes of all tests, and one whose blocks are more than a workgroup.
fn reduction_sizes() -> impl Iterator<Item = u32> {
    SIZES.into_iter().chain([70_001])
}

#[test]
fn reduce_gives_the_moments_of_targets_and_of_residuals() {
    for form in forms(gpu()) {
        for (count, offset) in reduction_sizes().flat_map(|count| [(count, 0.0), (count, 1000.0)]) {
            let seed = 300 + count;
            let mut draw = Draw::new(seed);
            let stages = Stages::new(form, &[&[], &[]], &[1, 2], run(count, 1, count), None);
            let kernels = stages.kernels();
            let buffers = stages.buffers();
            let of = |kind| ok(Reduced::new(gpu(), &kernels, kind, Reduction::Moments, 2, count.into(), &buffers));
            let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..2)
                .map(|agent| {
                    let targets = draw.vector(count as usize, offset - 1.0, offset + 1.0);
                    let values = draw.vector(count as usize, -2.0, 2.0);
                    stages.write_row(agent, Row::Target, &bits(&targets));
                    stages.write_row(agent, Row::Value, &bits(&values));
                    (targets, values)
                })
                .collect();
            let case = format!("{form}, seed {seed}, {count} samples around {offset}");
            let targets = reduced(&format!("{case}, targets"), &of(Reduction::Targets));
            let residuals = reduced(&format!("{case}, residuals"), &of(Reduction::Residuals));
            for (agent, (target, value)) in rows.iter().enumerate() {
                let case = format!("{case}, agent {agent}");
                assert_moments(&format!("{case}, targets"), targets[agent], target);
                // the kernel rounds each residual to f32; the difference of two f32 is exact in f64
                let residual: Vec<f64> = target.iter().zip(value).map(|(t, v)| f64::from((t - v) as f32)).collect();
                assert_moments(&format!("{case}, residuals"), residuals[agent], &residual);
            }
        }
    }
}

#[test]
fn reduce_gives_the_moments_of_the_advantages_of_the_current_minibatch() {
    for form in forms(gpu()) {
        // the last minibatch is the short one
        for (batch, minibatch, at) in
            [(1, 1, 0), (65, 64, 0), (65, 64, 1), (345, 100, 3), (1757, 1500, 0), (1757, 585, 3)]
        {
            let seed = 310 + batch;
            let mut draw = Draw::new(seed);
            let stages = Stages::new(form, &[&[], &[]], &[seed, seed + 1], run(batch, 1, minibatch), None);
            stages.set_progress(|_, progress| {
                (progress.update, progress.epoch, progress.minibatch) = (3, 1, at);
            });
            let advantages = [0, 1].map(|_| draw.vector(batch as usize, -3.0, 5.0));
            for (agent, advantages) in advantages.iter().enumerate() {
                stages.write_row(agent, Row::Advantage, &bits(advantages));
            }
            let (kind, then) = (Reduction::Advantages, Reduction::Moments);
            let stage = ok(Reduced::new(gpu(), &stages.kernels(), kind, then, 2, minibatch.into(), &stages.buffers()));
            let case = format!("{form}, seed {seed}, minibatch {at} of {minibatch} from {batch}");
            let got = reduced(&case, &stage);
            for (agent, advantages) in advantages.iter().enumerate() {
                let order = shuffled(batch, 1, seed + agent as u32, 3, 1);
                let first = (at * minibatch) as usize;
                let columns = &order[first..batch.min((at + 1) * minibatch) as usize];
                let samples: Vec<f64> = columns.iter().map(|&column| advantages[column as usize]).collect();
                assert_moments(&format!("{case}, agent {agent}"), got[agent], &samples);
            }
        }
    }
}

#[test]
fn reduce_sums_vectors_and_what_worlds_counted() {
    for form in forms(gpu()) {
        for count in reduction_sizes() {
            let seed = 320 + count;
            let mut draw = Draw::new(seed);
            let stages = Stages::new(form, &[&[], &[]], &[1, 2], run(count, 1, count), None);
            let elements: Vec<f64> = draw.vector(2 * 4 * count as usize, -1.0, 3.0);
            // [agent][element] vec4, and the same as the last four of seven words of a world, [agent][word][world]
            let vectors: Vec<f32> = elements.iter().map(|&x| x as f32).collect();
            let of = |agent: usize, i: usize, c: usize| vectors[(agent * count as usize + i) * 4 + c];
            let words = 7 * count as usize;
            let mut worlds = vec![POISON; 2 * words];
            for (at, word) in worlds.iter_mut().enumerate() {
                let (agent, row, world) = (at / words, at % words / count as usize, at % count as usize);
                if row >= 3 {
                    *word = of(agent, world, row - 3).to_bits();
                }
            }
            let partials = ok(gpu().buffer_of("partials", &vectors));
            let worlds = ok(gpu().buffer_of("worlds", &worlds));
            let buffers = Buffers::default().with("mw_partials", &partials).with("mw_world", &worlds);
            let case = format!("{form}, seed {seed}, {count} elements");
            for (kind, stride) in [(Reduction::Sums, 0), (Reduction::Episodes, words as u32)] {
                let elements = Elements { count, stride };
                let then = Reduction::Sums;
                let stage = ok(Reduced::new(gpu(), &stages.kernels(), kind, then, 2, elements, &buffers));
                let got = reduced(&format!("{case}, {kind:?}"), &stage);
                for (agent, component) in (0..8).map(|i| (i / 4, i % 4)) {
                    let terms = || (0..count as usize).map(|i| f64::from(of(agent, i, component)));
                    let (expected, size): (f64, f64) = (terms().sum(), terms().map(f64::abs).sum());
                    let case = format!("{case}, {kind:?}, agent {agent}, component {component}");
                    let tolerance = depth(count as usize) * ROUNDING * size;
                    assert_close(&case, &[f64::from(got[agent][component])], &[expected], 0.0, tolerance);
                }
            }
        }
    }
}

#[test]
fn reduce_sums_terms_of_the_current_minibatch_only() {
    for form in forms(gpu()) {
        for (batch, minibatch, at) in
            [(1, 1, 0), (63, 63, 0), (65, 64, 1), (345, 100, 3), (9000, 8000, 0), (9000, 8000, 1)]
        {
            let seed = 330 + batch;
            let mut draw = Draw::new(seed);
            let stages = Stages::new(form, &[&[], &[]], &[1, 2], run(batch, 1, minibatch), None);
            stages.set_progress(|_, progress| progress.minibatch = at);
            let lanes = stages.agents.run.minibatch_threads as usize;
            let used = minibatch.min(batch - at * minibatch).div_ceil(stages.kernels().samples()) as usize;
            let mut terms = draw.vector(2 * TERMS as usize * lanes, -1.0, 3.0);
            for (place, term) in terms.iter_mut().enumerate() {
                if place % lanes >= used {
                    *term = f64::NAN; // left by an earlier minibatch, not of this one
                }
            }
            let buffer = ok(gpu().buffer_of("terms", &terms.iter().map(|&x| x as f32).collect::<Vec<_>>()));
            let buffers = stages.buffers().with("mw_terms", &buffer);
            let (kind, count) = (Reduction::Terms, lanes as u32);
            let stage = ok(Reduced::partial(gpu(), &stages.kernels(), kind, 2, count, 2, &buffers));
            let case = format!("{form}, seed {seed}, minibatch {at} of {minibatch} from {batch}");
            let got = reduced(&case, &stage);
            let blocks = Reduced::blocks(count) as usize;
            for (agent, term) in (0..16).map(|i| (i / 8, i % 8)) {
                let sum: f64 = (0..blocks).map(|b| f64::from(got[(agent * blocks + b) * 2 + term / 4][term % 4])).sum();
                let row = &terms[(agent * TERMS as usize + term) * lanes..][..used];
                let (expected, size): (f64, f64) = (row.iter().sum(), row.iter().map(|x| x.abs()).sum());
                let case = format!("{case}, agent {agent}, term {term}");
                assert_close(&case, &[sum], &[expected], 0.0, depth(used) * ROUNDING * size);
            }
        }
    }
}

// ---------------------------------------------------------------- advantages

/// One agent's rollout, as far as advantages see it.
struct Episodes {
    reward: Vec<f64>,
    value: Vec<f64>,
    terminated: Vec<bool>,
    truncated: Vec<bool>,
    final_value: Vec<f64>,
    last_value: Vec<f64>,
}

impl Episodes {
    fn draw(draw: &mut Draw, steps: usize, worlds: usize) -> Self {
        let samples = steps * worlds;
        let mut flags = || (0..samples).map(|_| draw.between(0.0, 1.0) < 0.2).collect();
        let (terminated, truncated): (Vec<bool>, Vec<bool>) = (flags(), flags());
        Self {
            reward: draw.vector(samples, -1.0, 1.0),
            value: draw.vector(samples, -1.0, 1.0),
            final_value: draw.vector(samples, -1.0, 1.0),
            last_value: draw.vector(worlds, -1.0, 1.0),
            terminated,
            truncated,
        }
    }

    fn endings(&self) -> Vec<u32> {
        let bits = |flag: bool, bit: u32| if flag { bit } else { 0 };
        self.terminated.iter().zip(&self.truncated).map(|(&a, &b)| bits(a, TERMINATED) | bits(b, TRUNCATED)).collect()
    }

    /// Final values as the kernel wants them, `[slot][world]`: those of steps that were truncated and not
    /// terminated, oldest first, then NaN, and the value after the last step in the last slot.
    fn slots(&self, slots: usize) -> Vec<u32> {
        let worlds = self.last_value.len();
        let mut words = vec![POISON; slots * worlds];
        for world in 0..worlds {
            let kept = (world..self.reward.len()).step_by(worlds);
            let kept = kept.filter(|&at| self.truncated[at] && !self.terminated[at]);
            for (slot, at) in kept.enumerate() {
                words[slot * worlds + world] = (self.final_value[at] as f32).to_bits();
            }
            words[(slots - 1) * worlds + world] = (self.last_value[world] as f32).to_bits();
        }
        words
    }

    /// Most truncations that are not terminations in any world.
    fn most_kept(&self) -> usize {
        let worlds = self.last_value.len();
        let kept = |at: &usize| self.truncated[*at] && !self.terminated[*at];
        let of = |world: usize| (world..self.reward.len()).step_by(worlds).filter(kept).count();
        (0..worlds).map(of).max().unwrap_or(0)
    }
}

#[test]
fn gae_agrees_with_the_reference_over_every_kind_of_ending() {
    let mut both = 0;
    let mut most = 0;
    for form in forms(gpu()) {
        let short = SIZES.into_iter().flat_map(|worlds| [(worlds, 1), (worlds, 33), (worlds, 65)]);
        let sizes =
            short.chain([(1, 1757), (3, 1757)]).flat_map(|size| [(size, OverTime::Walk), (size, OverTime::Scan)]);
        for ((worlds, steps), way) in sizes {
            let seed = 340 + worlds + steps;
            let mut draw = Draw::new(seed);
            let episodes = [0, 1].map(|_| Episodes::draw(&mut draw, steps as usize, worlds as usize));
            let slots = 1 + episodes.iter().map(Episodes::most_kept).max().unwrap_or(0);
            let run = Run { bootstrap_slots: slots as u32, gamma: 0.97, gae_lambda: 0.9, ..run(worlds, steps, worlds) };
            let stages = Stages::new(form, &[&[], &[]], &[1, 2], run, None);
            for (agent, episodes) in episodes.iter().enumerate() {
                stages.write_row(agent, Row::Reward, &bits(&episodes.reward));
                stages.write_row(agent, Row::Value, &bits(&episodes.value));
                stages.write_row(agent, Row::Ending, &episodes.endings());
                let words = episodes.slots(slots);
                gpu().write_at(&stages.batch.final_values, agent * words.len(), &words);
            }
            submit(&stages.along(&[Recursion::Gae], way));

            let (gamma, lambda) = (f64::from(run.gamma), f64::from(run.gae_lambda));
            for (agent, e) in episodes.iter().enumerate() {
                let (advantage, target) = gae::gae(
                    &e.reward,
                    &e.value,
                    &e.terminated,
                    &e.truncated,
                    &e.final_value,
                    &e.last_value,
                    gamma,
                    lambda,
                );
                // |r|, |v| ≤ 1: a step rounds numbers up to 3 + |A| about five times; errors fade with γλ
                let largest = advantage.iter().fold(1.0, |most: f64, a| most.max(a.abs()));
                let tolerance = 5.0 * ROUNDING * (3.0 + largest) / (1.0 - gamma * lambda);
                let case = format!("{form}, {way:?}, seed {seed}, [{steps}][{worlds}], agent {agent}");
                let got = from_bits(&stages.read_row(agent, Row::Advantage));
                assert_close(&format!("{case}, advantage"), &got, &advantage, 0.0, tolerance);
                let got = from_bits(&stages.read_row(agent, Row::Target));
                assert_close(&format!("{case}, target"), &got, &target, 0.0, tolerance);
                let unchanged =
                    [(Row::Reward, bits(&e.reward)), (Row::Value, bits(&e.value)), (Row::Ending, e.endings())];
                for (row, words) in unchanged {
                    assert_eq!(stages.read_row(agent, row), words, "{case}: {row:?} was changed");
                }
                both += e.endings().iter().filter(|&&ending| ending == TERMINATED | TRUNCATED).count();
                most = most.max(e.most_kept());
            }
        }
    }
    assert!(both > 100 && most > 3, "the inputs have {both} double endings and at most {most} truncations in a world");
}

/// Segments of all lengths, weights held to a limit, and a batch that is not full yet.
#[test]
fn importance_weights_agree_with_the_reference() {
    let mut draw = Draw::new(950);
    let actor = draw.network(&[3, 8, 4], Activation::Tanh);
    for form in forms(gpu()) {
        for ((worlds, steps), way) in
            [(1, 1), (6, 65), (33, 7)].into_iter().flat_map(|size| [(size, OverTime::Walk), (size, OverTime::Scan)])
        {
            for (importance, reuse, update, clip) in [
                (Importance::Full, 0, 0, 0.0),
                (Importance::Causal, 2, 9, 1.5),
                (Importance::FirstOrder, 2, 0, 0.0),
                (Importance::PerDecision, 2, 1, 2.0),
            ] {
                let reuse = if worlds % (reuse + 1) == 0 { reuse } else { 0 };
                let e = Episodes::draw(&mut draw, steps as usize, worlds as usize);
                let run = Run { gamma: 0.9, reuse, importance_clip: clip, ..run(worlds, steps, worlds) };
                let space = ActionSpace::Discrete { count: 4, masked: false };
                let stages = Stages::with_space(form, &[&[&actor]], space, &[1], run, None);
                let samples = (worlds * steps) as usize;
                let observations = draw.vector(3 * samples, -1.0, 1.0);
                let actions: Vec<u32> = (0..samples).map(|_| draw.word() % 4).collect();
                let old = draw.vector(samples, -1.7, -1.1);
                let phi = draw.vector(samples, -1.0, 1.0);
                stages.write_observations(0, &observations);
                stages.write_row(0, Row::Action, &actions);
                stages.write_row(0, Row::LogProb, &bits(&old));
                stages.write_row(0, Row::Reward, &bits(&e.reward));
                stages.write_row(0, Row::Value, &bits(&e.value));
                stages.write_row(0, Row::Ending, &e.endings());
                stages.write_row(0, Row::Advantage, &bits(&phi));
                stages.write_row(0, Row::Target, &bits(&e.reward));
                stages.set_progress(|_, progress| progress.update = update);
                let (recording, weights) = stages.weights(importance, way);
                submit(&recording);

                let log_ratio: Vec<f64> = observations
                    .chunks_exact(3)
                    .zip(&actions)
                    .zip(&old)
                    .map(|((o, &a), old)| categorical::log_prob(&actor.output(o), a as usize) - old)
                    .collect();
                let n = worlds as usize;
                let ended: Vec<bool> = e.terminated.iter().zip(&e.truncated).map(|(a, b)| a | b).collect();
                let filled = |at: usize| at % n / (n / (reuse as usize + 1)) <= update as usize;
                let share = f64::from(reuse + 1) / f64::from((update + 1).min(reuse + 1));
                let held = |weights: &[f64]| -> Vec<f64> {
                    let most = if clip > 0.0 { f64::from(clip) } else { f64::INFINITY };
                    let weight = |(at, w): (usize, &f64)| if filled(at) { share * w.min(most) } else { 0.0 };
                    weights.iter().enumerate().map(weight).collect()
                };
                let [first_order, causal, full] = importance::weights(&log_ratio, &ended, n);
                let used = held(match importance {
                    Importance::Full => &full,
                    Importance::FirstOrder => &first_order,
                    _ => &causal,
                });
                let wanted = match importance {
                    Importance::PerDecision => {
                        importance::per_decision(&used, &e.reward, &ended, n, f64::from(run.gamma))
                    }
                    _ => used.iter().zip(&phi).map(|(w, phi)| w * phi).collect(),
                };
                let case = format!("{form}, {way:?}, {}, [{steps}][{worlds}]", importance.name());
                // a weight's logarithm adds up to 65 ratios, each off by some 1e-6
                let got = from_bits(&stages.read_row(0, Row::Advantage));
                assert_norm(&format!("{case}, weighted"), &got, &wanted, 2e-4);
                let got = wide(&ok(gpu().read(&weights.weights)));
                assert_norm(&format!("{case}, weights"), &got, &used, 2e-4);
                let [sum, squares, ..] = ok(gpu().read(&weights.sums))[0].map(f64::from);
                let effective = importance::effective_samples(&used);
                assert_close(&format!("{case}, effective samples"), &[sum * sum / squares], &[effective], 1e-3, 0.0);
                let target = from_bits(&stages.read_row(0, Row::Target));
                for (at, target) in target.iter().enumerate().filter(|_| importance != Importance::PerDecision) {
                    let wanted = if filled(at) { e.reward[at] } else { e.value[at] };
                    assert!(*target == wanted, "{case}: target {at} is {target}, expected {wanted}");
                }
            }
        }
    }
}

#[test]
fn every_estimator_agrees_with_the_reference() {
    for form in forms(gpu()) {
        let sizes = [(1, 1), (5, 65), (3, 1757), (64, 33)];
        let ways = sizes.into_iter().flat_map(|size| [(size, OverTime::Walk), (size, OverTime::Scan)]);
        for (((worlds, steps), way), (estimator, only_first)) in ways
            .flat_map(|case| Estimator::ALL.into_iter().zip([false, true].into_iter().cycle()).map(move |e| (case, e)))
        {
            let seed = 910 + worlds + steps;
            let e = Episodes::draw(&mut Draw::new(seed), steps as usize, worlds as usize);
            let slots = 1 + e.most_kept();
            let run = Run { bootstrap_slots: slots as u32, gamma: 0.97, gae_lambda: 0.9, ..run(worlds, steps, worlds) };
            let stages = Stages::new(form, &[&[]], &[1], run, None);
            stages.write_row(0, Row::Reward, &bits(&e.reward));
            stages.write_row(0, Row::Ending, &e.endings());
            if estimator.has_critic() {
                stages.write_row(0, Row::Value, &bits(&e.value));
                gpu().write(&stages.batch.final_values, &e.slots(slots));
            }
            submit(&stages.along(&estimator.recursions(true, only_first), way));

            let (gamma, lambda) = (f64::from(run.gamma), f64::from(run.gae_lambda));
            let n = worlds as usize;
            let tail = (e.final_value.as_slice(), e.last_value.as_slice());
            let returns = |tail| returns::returns(&e.reward, &e.terminated, &e.truncated, n, tail, gamma);
            let advantage =
                |lambda| gae::gae(&e.reward, &e.value, &e.terminated, &e.truncated, tail.0, tail.1, gamma, lambda);
            let (weight, target) = match estimator {
                Estimator::Gae => advantage(lambda),
                Estimator::TdResidual => (advantage(0.0).0, returns(Some(tail))),
                Estimator::Q => (returns(Some(tail)), returns(Some(tail))),
                Estimator::ValueBaseline => {
                    (returns(None).iter().zip(&e.value).map(|(g, v)| g - v).collect(), returns(None))
                }
                _ => (returns(None), returns(None)),
            };
            let (whole, factor) = returns::segments(&returns(None), &e.terminated, &e.truncated, n, gamma);
            let weight: Vec<f64> = match estimator {
                Estimator::TotalReturn => whole,
                _ => weight.iter().zip(&factor).map(|(w, f)| w * f).collect(),
            };
            let ended: Vec<bool> = e.terminated.iter().zip(&e.truncated).map(|(a, b)| a | b).collect();
            let in_first = |at: usize| (at % n..at).step_by(n).all(|before| !ended[before]);
            let weight: Vec<f64> =
                (0..weight.len()).map(|at| if only_first && !in_first(at) { 0.0 } else { weight[at] }).collect();
            // |r|, |v| ≤ 1: a step rounds numbers up to 3 + |G| about five times; errors fade with γ
            let largest = target.iter().fold(1.0, |most: f64, g| most.max(g.abs()));
            let tolerance = 5.0 * ROUNDING * (3.0 + largest) / (1.0 - gamma);
            let case = format!("{form}, {way:?}, {}, seed {seed}, [{steps}][{worlds}]", estimator.name());
            let got = from_bits(&stages.read_row(0, Row::Advantage));
            assert_close(&format!("{case}, weight"), &got, &weight, 0.0, tolerance);
            let got = from_bits(&stages.read_row(0, Row::Target));
            assert_close(&format!("{case}, target"), &got, &target, 0.0, tolerance);
            let value = if estimator.has_critic() { bits(&e.value) } else { vec![0; e.value.len()] };
            assert_eq!(stages.read_row(0, Row::Value), value, "{case}: values");
        }
    }
}

// ---------------------------------------------------------------- networks

#[test]
fn value_agrees_with_the_reference_at_every_size_and_shape() {
    let small: Vec<(Vec<u32>, Activation, u32)> =
        SIZES.into_iter().map(|worlds| (vec![4, 7, 1], Activation::Tanh, worlds)).collect();
    let others = [
        (vec![4, 7, 1], Activation::Relu, 345),
        (vec![5, 1], Activation::Tanh, 63),
        (vec![3, 20, 12, 5, 1], Activation::Relu, 65),
        // an even layer above 128: hidden units go through memory, where threads past the end must not meet the last
        (vec![3, 5, 130, 1], Activation::Tanh, 66),
        (vec![4, 64, 64, 1], Activation::Tanh, 1757),
    ];
    // takes long to compile: in the adapter's own form only
    let wide = [(vec![3, 130, 20, 5, 1], Activation::Tanh, 345)];
    let cases = |form: Form| {
        let wide = if form == gpu().form() { wide.to_vec() } else { vec![] };
        [small.clone(), others.to_vec(), wide].concat()
    };
    for form in forms(gpu()) {
        for (widths, activation, worlds) in cases(form) {
            let seed = 350 + worlds;
            let mut draw = Draw::new(seed);
            // two agents with networks and observations of their own; two slots of final observations
            let networks = [0, 1].map(|_| draw.network(&widths, activation));
            let run = Run { bootstrap_slots: 2, ..run(worlds, 1, worlds) };
            let stages = Stages::new(form, &[&[&networks[0]], &[&networks[1]]], &[1, 2], run, None);
            let features = widths[0] as usize;
            let seen = [0, 1].map(|_| draw.vector(worlds as usize * features, -2.0, 2.0));
            let last = [0, 1].map(|_| draw.vector(2 * worlds as usize * features, -2.0, 2.0));
            for agent in 0..2 {
                stages.write_observations(agent, &seen[agent]);
                stages.write_final_observations(agent, &last[agent]);
            }
            submit(&stages.values(0));
            let finals = ok(gpu().read(&stages.batch.final_values));
            for (agent, network) in networks.iter().enumerate() {
                let count = 2 * worlds as usize;
                let values = [
                    ("values", stages.read_row(agent, Row::Value), &seen[agent]),
                    ("final values", finals[agent * count..][..count].to_vec(), &last[agent]),
                ];
                for (name, got, inputs) in values {
                    let case =
                        format!("{form}, seed {seed}, {widths:?} {activation:?}, {worlds} worlds, agent {agent}");
                    for (column, input) in inputs.chunks_exact(features).enumerate() {
                        let (expected, bound) = outputs_with_bounds(network, input)[0];
                        let case = format!("{case}, {name}[{column}]");
                        let got = f64::from(f32::from_bits(got[column]));
                        assert_close(&case, &[got], &[expected], 0.0, bound);
                    }
                }
                let other = stages.read_row(agent, Row::Reward);
                assert!(other.iter().all(|&word| word == POISON), "{form}, agent {agent}: another row was written");
            }
        }
    }
}

// ---------------------------------------------------------------- shuffling

/// `mw_permute` for several keys, `[key][place]`.
fn permutations(count: u32, keys: u32, seed: u32) -> Vec<u32> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<u32>;            // count, keys, then four words for each key
        @bind var<storage, read_write> test_output: array<u32>;     // [key][place]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let i = mw_thread(group, groups, local).index;
            let count = test_input[0];
            if i >= count * test_input[1] { return; }
            let at = 2u + i / count * 4u;
            let words = vec4<u32>(test_input[at], test_input[at + 1u], test_input[at + 2u], test_input[at + 3u]);
            test_output[i] = mw_permute(i % count, count, words);
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let parts = ["part/random_words.wgsl", "part/permute.wgsl"];
    let kernel = KERNEL.get_or_init(|| kernel("permute", &[("MW_STREAM_TRAINING", 0)], &parts, SOURCE));
    let mut input = vec![count, keys];
    // as a run draws them: (update, epoch, purpose 3, 0) under (seed, training)
    input.extend((0..keys).flat_map(|key| philox4x32_10([key / 4, key % 4, 3, 0], [seed, 0])));
    call(kernel, (count * keys) as usize, &input, (count * keys) as usize)
}

#[track_caller]
fn assert_bijection(case: &str, places: &[u32]) {
    let mut seen = vec![false; places.len()];
    for (place, &to) in places.iter().enumerate() {
        assert!((to as usize) < places.len(), "{case}: {place} goes to {to}, past the end of {}", places.len());
        assert!(
            !std::mem::replace(&mut seen[to as usize], true),
            "{case}: {place} goes to {to}, as another place does"
        );
    }
}

#[test]
fn permute_is_a_bijection_at_every_size() {
    for count in [1, 2, 3, 5, 64, 345, 1757, 4096] {
        for (key, places) in permutations(count, 50, 360).chunks_exact(count as usize).enumerate() {
            assert_bijection(&format!("seed 360, {count} places, key {key}"), places);
        }
    }
}

/// Asserts that equally likely cells were hit evenly: χ² stays within five standard deviations of its mean, the
/// degrees of freedom.
#[track_caller]
fn assert_even(case: &str, hits: impl Iterator<Item = f64>, expected: f64, freedom: f64) {
    let square: f64 = hits.map(|hits| (hits - expected).powi(2) / expected).sum();
    let limit = freedom + 5.0 * (2.0 * freedom).sqrt();
    assert!(square <= limit, "{case}: χ² = {square:.1} with {freedom} degrees of freedom, limit {limit:.1}");
}

#[test]
fn permute_sends_every_place_everywhere_equally_often() {
    let keys = 10_000;
    for count in [2, 3, 5, 8, 13] {
        let seed = 370 + count;
        let size = count as usize;
        let all = permutations(count, keys, seed);
        let mut hits = vec![0.0; size * size];
        for places in all.chunks_exact(size) {
            for (place, &to) in places.iter().enumerate() {
                hits[place * size + to as usize] += 1.0;
            }
        }
        let case = format!("seed {seed}, {keys} permutations of {count}, place by place");
        let freedom = f64::from((count - 1) * (count - 1));
        assert_even(&case, hits.into_iter(), f64::from(keys) / f64::from(count), freedom);
    }
}

#[test]
fn permute_reaches_every_order_of_few_equally_often() {
    let keys = 10_000;
    for (count, orders) in [(2, 2), (3, 6), (4, 24)] {
        let seed = 380 + count;
        let all = permutations(count, keys, seed);
        let mut hits: HashMap<&[u32], f64> = HashMap::new();
        all.chunks_exact(count as usize).for_each(|order| *hits.entry(order).or_default() += 1.0);
        let case = format!("seed {seed}, {keys} permutations of {count}, order by order: {hits:?}");
        let expected = f64::from(keys) / f64::from(orders);
        assert_even(
            &case,
            (0..orders as usize).map(|i| hits.values().nth(i).copied().unwrap_or(0.0)),
            expected,
            f64::from(orders - 1),
        );
    }
}

#[test]
fn shuffled_agrees_with_the_reference() {
    for (batch, tile) in [(1, 1), (2, 1), (345, 1), (345, 5), (1757, 1), (4096, 64)] {
        for (seed, update, epoch) in [(1, 0, 0), (77, 3, 2)] {
            let expected: Vec<u32> =
                (0..batch).map(|place| permute::shuffled(place, batch, tile, seed, update, epoch)).collect();
            let got = shuffled(batch, tile, seed, update, epoch);
            assert_eq!(got, expected, "batch {batch}, tile {tile}, seed {seed}, update {update}, epoch {epoch}");
        }
    }
}

#[test]
fn shuffled_moves_whole_tiles_and_visits_every_column_once() {
    for (batch, tile) in [(345, 1), (345, 5), (64 * 33, 64), (8, 8)] {
        let orders = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0)].map(|(seed, update, epoch)| {
            let order = shuffled(batch, tile, seed, update, epoch);
            let case = format!("seed {seed}, update {update}, epoch {epoch}, {batch} columns in tiles of {tile}");
            assert_bijection(&case, &order);
            for (at, columns) in order.chunks_exact(tile as usize).enumerate() {
                assert_eq!(columns[0] % tile, 0, "{case}: tile {at} begins at {}", columns[0]);
                assert!(columns.windows(2).all(|pair| pair[1] == pair[0] + 1), "{case}: tile {at} is {columns:?}");
            }
            order
        });
        for (a, b) in [(0, 1), (0, 2), (0, 3)] {
            assert!(batch == tile || orders[a] != orders[b], "{batch} columns in tiles of {tile}: orders {a} and {b}");
        }
    }
}

// ---------------------------------------------------------------- gradient

/// Samples that lie at least 0.05 off every kink of the losses with ε = 0.2, in every row of the clip table.
fn draw_samples(draw: &mut Draw, actor: &Mlp, critic: &Mlp, count: usize) -> Samples {
    let features = actor.widths[0];
    let mut samples = Samples { observations: draw.vector(count * features, -1.5, 1.5), ..Samples::default() };
    for s in 0..count {
        let observation = &samples.observations[s * features..][..features];
        let logits = actor.output(observation);
        let action = categorical::sample(&logits, draw.between(0.0, 1.0));
        let zones = [(0.4, 0.75), (0.85, 1.15), (1.25, 1.8)];
        let ratio: f64 = draw.between(zones[s % 3].0, zones[s % 3].1);
        let sign = if s % 6 < 3 { 1.0 } else { -1.0 };
        samples.actions.push(action as u32);
        samples.old_log_probs.push(f64::from((categorical::log_prob(&logits, action) - ratio.ln()) as f32));
        samples.advantages.push(sign * draw.between(0.3, 1.8));
        let value = critic.output(observation)[0];
        let zones = [(-0.6, -0.25), (-0.15, 0.15), (0.25, 0.6)];
        samples.old_values.push(f64::from((value - draw.between(zones[s / 2 % 3].0, zones[s / 2 % 3].1)) as f32));
        samples.targets.push(f64::from((value - sign * draw.between(0.5, 1.0)) as f32));
    }
    samples
}

/// A gradient test: shapes, sizes and switches.
#[derive(Clone, Debug)]
struct Case {
    seed: u32,
    features: u32,
    hidden: &'static [u32],
    actions: u32,
    activation: Activation,
    batch: u32,
    minibatch: u32,
    norm_adv: bool,
    clip_vloss: bool,
    ent_coef: f32,
    tile: u32,
    window: Option<u32>,
}

impl Case {
    /// Small networks, everything switched on.
    const SMALL: Self = Self {
        seed: 400,
        features: 4,
        hidden: &[7],
        actions: 2,
        activation: Activation::Tanh,
        batch: 345,
        minibatch: 345,
        norm_adv: true,
        clip_vloss: true,
        ent_coef: 0.01,
        tile: 1,
        window: None,
    };

    fn run(&self) -> Run {
        Run {
            norm_adv: u32::from(self.norm_adv),
            clip_vloss: u32::from(self.clip_vloss),
            ent_coef: self.ent_coef,
            max_grad_norm: 0.5,
            // steps so small that samples stay off the kinks
            learning_rate: 1e-5,
            tile: self.tile,
            ..run(self.batch, 1, self.minibatch)
        }
    }

    fn networks(&self, draw: &mut Draw) -> [Mlp; 2] {
        let widths = |outputs| [&[self.features], self.hidden, &[outputs]].concat();
        [self.actions, 1].map(|outputs| draw.network(&widths(outputs), self.activation))
    }
}

/// Runs epochs of minibatches; compares every gradient and every sum of the metrics with the reference at the
/// device's own parameters.
fn check_gradient(form: Form, case: &Case, epochs: u32) {
    let label = format!("{form}, {case:?}");
    let mut draw = Draw::new(case.seed);
    let [actor, critic] = case.networks(&mut draw);
    let samples = draw_samples(&mut draw, &actor, &critic, case.batch as usize);
    let run = case.run();
    let stages = Stages::new(form, &[&[&actor, &critic]], &[case.seed], run, case.window);
    stages.write_samples(0, &samples);
    let learning = stages.learning();
    let padding = stages.padding();
    let (clip, ent_coef, vf_coef) = (f64::from(run.clip_coef), f64::from(run.ent_coef), f64::from(run.vf_coef));

    let mut sums = [0.0; 5];
    for epoch in 0..epochs {
        let order = shuffled(case.batch, case.tile, case.seed, 0, epoch);
        for (minibatch, columns) in order.chunks(case.minibatch as usize).enumerate() {
            let label = format!("{label}, epoch {epoch}, minibatch {minibatch} of {} samples", columns.len());
            let before = stages.parameters(0);
            let networks = with_parameters(&stages.layout, &[&actor, &critic], &before);
            submit(&learning.step);

            let now = samples.select(columns);
            let advantages = if case.norm_adv { normalise(&now.advantages) } else { now.advantages.clone() };
            let policy = actor_loss(
                &networks[0],
                &now.observations,
                &now.actions,
                &now.old_log_probs,
                &advantages,
                clip,
                ent_coef,
            );
            let value_clip = case.clip_vloss.then_some(clip);
            let value = critic_loss(&networks[1], &now.observations, &now.targets, &now.old_values, value_clip);
            let d_value: Vec<f64> = value.gradient.iter().map(|g| vf_coef * g).collect();

            // 1e-4: what the project promises for gradients against PyTorch
            let padded = ok(gpu().read(&learning.gradient));
            let gradient = wide(&stages.layout.compact(&padded));
            let (d_actor, d_critic) = gradient.split_at(policy.gradient.len());
            assert_norm(&format!("{label}, actor's gradient"), d_actor, &policy.gradient, 1e-4);
            assert_norm(&format!("{label}, critic's gradient"), d_critic, &d_value, 1e-4);

            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let step = [policy.policy_loss, policy.entropy, policy.clip_fraction, value.value_loss, norm];
            sums.iter_mut().zip(step).for_each(|(sum, term)| *sum += term);
            let progress = stages.progress()[0];
            let got = [
                progress.policy_loss,
                progress.entropy,
                progress.clip_fraction,
                progress.value_loss,
                progress.grad_norm,
            ];
            // terms of size 1 with the errors of exp, log and the network, some 1e-6 each
            let got = got.map(f64::from);
            assert_close(&format!("{label}, sums of losses"), &got, &sums, 1e-5, 1e-5);
            let got = [progress.approx_kl, progress.old_approx_kl].map(f64::from);
            assert_close(&format!("{label}, KL"), &got, &[policy.approx_kl, policy.old_approx_kl], 1e-5, 1e-5);
            if (epoch, minibatch) == (0, 0) {
                let apart = |(new, old): (&f64, &f64)| ((new - old).exp() - 1.0).abs();
                let apart =
                    policy.log_probs.iter().zip(&now.old_log_probs).map(apart).sum::<f64>() / columns.len() as f64;
                let got = [progress.first_ratio_deviation, progress.first_clip_fraction].map(f64::from);
                assert_close(&format!("{label}, first ratio"), &got, &[apart, policy.clip_fraction], 1e-5, 1e-5);
            }

            let after = stages.parameters(0);
            assert_ne!(before, after, "{label}: nothing was learned");
            let state = ok(gpu().read(&learning.optimiser.state));
            let (m, v) = state.split_at(padded.len());
            for (name, words) in [("gradient", &padded[..]), ("parameters", &after[..]), ("m", m), ("v", v)] {
                for &word in &padding {
                    assert!(
                        words[word] == 0.0,
                        "{label}: padding of {name} at word {word} is {:e}, not 0",
                        words[word]
                    );
                }
            }
        }
    }
    let progress = stages.progress()[0];
    assert_eq!((progress.epoch, progress.minibatch), (epochs, 0), "{label}: where the agent stands");
    assert_eq!(progress.adam_steps, epochs * run.num_minibatches, "{label}: steps of Adam");
}

#[test]
fn gradient_agrees_with_the_reference_at_every_size() {
    for form in forms(gpu()) {
        for batch in SIZES {
            check_gradient(form, &Case { seed: 400 + batch, batch, minibatch: batch, ..Case::SMALL }, 1);
        }
    }
}

#[test]
fn gradient_agrees_with_the_reference_at_every_size_with_two_layers_of_64() {
    for form in forms(gpu()) {
        for batch in [1, 63, 65, 345, 1757] {
            let case = Case { seed: 400 + batch, batch, minibatch: batch, hidden: &[64, 64], ..Case::SMALL };
            check_gradient(form, &case, 1);
        }
    }
}

#[test]
fn gradient_agrees_with_the_reference_over_minibatches_that_do_not_divide() {
    for form in forms(gpu()) {
        // the last minibatch holds 1, 1, 45 and 2 samples; the third shuffles tiles, the fourth has many slices
        for (batch, minibatch, tile) in [(65, 32, 1), (65, 64, 1), (345, 100, 5), (2562, 1280, 1)] {
            check_gradient(form, &Case { seed: 410 + batch, batch, minibatch, tile, ..Case::SMALL }, 2);
        }
    }
}

#[test]
fn gradient_agrees_with_the_reference_under_every_switch() {
    for form in forms(gpu()) {
        for switches in 0..8 {
            let (norm_adv, clip_vloss) = (switches & 1 == 1, switches & 2 == 2);
            let ent_coef = if switches & 4 == 4 { 0.01 } else { 0.0 };
            check_gradient(
                form,
                &Case { seed: 420 + switches, norm_adv, clip_vloss, ent_coef, minibatch: 115, ..Case::SMALL },
                1,
            );
        }
    }
}

#[test]
fn gradient_agrees_with_the_reference_for_every_shape() {
    let narrow: [(&[u32], u32, u32, Activation); 3] =
        [(&[20, 12, 5], 3, 5, Activation::Relu), (&[8, 8], 1, 1, Activation::Tanh), (&[], 4, 3, Activation::Tanh)];
    // these take long to compile: in the adapter's own form only
    let wide: [(&[u32], u32, u32, Activation); 3] = [
        (&[64, 64], 4, 2, Activation::Tanh),
        (&[130, 20, 5], 5, 3, Activation::Tanh),
        (&[5, 130], 3, 2, Activation::Tanh),
    ];
    for form in forms(gpu()) {
        let wide = if form == gpu().form() { &wide[..] } else { &[] };
        for (seed, &(hidden, features, actions, activation)) in (430..).zip(narrow.iter().chain(wide)) {
            let case = Case { seed, hidden, features, actions, activation, minibatch: 173, ..Case::SMALL };
            check_gradient(form, &case, 1);
        }
    }
}

/// Widths that fill a tile, that need workgroups of 256, whose rows do not divide a workgroup, and a batch of few slices
/// and many tiles.
#[test]
fn gradient_agrees_with_the_reference_in_tiles() {
    let shapes: [(&[u32], u32, u32, Activation); 5] = [
        (&[64, 64], 4, 2, Activation::Tanh),
        (&[128, 100], 5, 3, Activation::Relu),
        (&[130, 20, 5], 5, 3, Activation::Tanh),
        (&[5, 130], 3, 2, Activation::Tanh),
        (&[24], 50, 6, Activation::Tanh),
    ];
    for (seed, (hidden, features, actions, activation)) in (450..).zip(shapes) {
        let case = Case { seed, hidden, features, actions, activation, minibatch: 173, ..Case::SMALL };
        check_gradient(Form::TILED, &case, 1);
    }
    check_gradient(Form::TILED, &Case { seed: 455, batch: 70_001, minibatch: 70_001, hidden: &[16], ..Case::SMALL }, 1);
}

#[test]
fn gradient_agrees_with_the_reference_where_units_go_through_memory_in_the_plain_form() {
    let case = Case { seed: 439, hidden: &[5, 130], features: 3, minibatch: 173, ..Case::SMALL };
    check_gradient(Form::PLAIN, &case, 1);
}

/// Learns for two epochs; gives parameters, Adam's state and progress of each agent.
fn learn(form: Form, case: &Case, agents: &[(u32, [Mlp; 2], Samples)]) -> Vec<(Vec<f32>, Vec<f32>, String)> {
    let networks: Vec<[&Mlp; 2]> = agents.iter().map(|(_, [actor, critic], _)| [actor, critic]).collect();
    let networks: Vec<&[&Mlp]> = networks.iter().map(|networks| &networks[..]).collect();
    let seeds: Vec<u32> = agents.iter().map(|(seed, _, _)| *seed).collect();
    let run = Run { learning_rate: 1e-3, ..case.run() };
    let stages = Stages::new(form, &networks, &seeds, run, case.window);
    for (agent, (_, _, samples)) in agents.iter().enumerate() {
        stages.write_samples(agent, samples);
    }
    let learning = stages.learning();
    for _ in 0..2 * run.num_minibatches {
        submit(&learning.step);
    }
    let state = ok(gpu().read(&learning.optimiser.state));
    let progress = stages.progress();
    (0..agents.len())
        .map(|agent| (stages.parameters(agent), stages.of_agent(&state, agent), format!("{:?}", progress[agent])))
        .collect()
}

/// Agents with these seeds for [`learn`].
fn learners(case: &Case, seeds: &[u32]) -> Vec<(u32, [Mlp; 2], Samples)> {
    let of = |&seed: &u32| {
        let mut draw = Draw::new(seed);
        let networks = case.networks(&mut draw);
        let samples = draw_samples(&mut draw, &networks[0], &networks[1], case.batch as usize);
        (seed, networks, samples)
    };
    seeds.iter().map(of).collect()
}

#[test]
fn several_agents_learn_bit_for_bit_what_each_learns_alone() {
    let case = Case { minibatch: 100, hidden: &[12, 5], actions: 3, ..Case::SMALL };
    let agents = learners(&case, &[441, 442, 443]);
    for form in forms(gpu()) {
        let together = learn(form, &case, &agents);
        for (agent, (parameters, state, progress)) in together.iter().enumerate() {
            let label = format!("{form}, {case:?}, agent {agent} of three, seed {}", agents[agent].0);
            let alone = &learn(form, &case, &agents[agent..=agent])[0];
            assert_bits(&format!("{label}, parameters"), parameters, &alone.0);
            assert_bits(&format!("{label}, Adam's state"), state, &alone.1);
            assert_eq!(*progress, alone.2, "{label}: progress");
        }
        assert_ne!(together[0].0, together[1].0, "{form}: agents 0 and 1 are the same");
    }
}

#[test]
fn windows_of_the_trace_change_nothing() {
    let case = Case { batch: 2562, minibatch: 1281, ..Case::SMALL };
    let agents = learners(&case, &[445]);
    for form in forms(gpu()) {
        let whole = &learn(form, &case, &agents)[0];
        for window in [1, 3] {
            let case = Case { window: Some(window), ..case.clone() };
            let got = &learn(form, &case, &agents)[0];
            let label = format!("{form}, seed 445, {window} of 5 slices in a window");
            assert_bits(&format!("{label}, parameters"), &got.0, &whole.0);
            assert_eq!(got.2, whole.2, "{label}: progress");
        }
    }
}

// ---------------------------------------------------------------- optimiser

#[test]
fn adam_agrees_with_the_reference_over_20_steps_and_leaves_a_stopped_agent_alone() {
    for (form, max_grad_norm) in forms(gpu()).into_iter().flat_map(|form| [(form, 0.0), (form, 0.5)]) {
        let seed = 450;
        let mut draw = Draw::new(seed);
        let network = draw.network(&[20, 12, 5, 1], Activation::Tanh);
        let run = Run { max_grad_norm, learning_rate: 0.01, ..run(4, 1, 4) };
        let stages = Stages::new(form, &[&[&network], &[&network], &[&network]], &[1, 2, 3], run, None);
        let (learning, partial) = stages.optimiser();
        let start = stages.parameters(1);
        stages.set_progress(|agent, progress| progress.stopped = u32::from(agent == 1));

        let mut expected = [0, 2].map(|_| (network.parameters.clone(), Adam::new(network.parameters.len(), 1e-5)));
        let (mut clipped, mut norms) = (0, [0.0; 2]);
        for step in 0..20 {
            let label = format!("{form}, seed {seed}, max_grad_norm {max_grad_norm}, step {step}");
            // gradients on both sides of the limit, with zeros among them
            let most = if step % 4 == 1 { 0.01 } else { 1.0 };
            let gradients = [0, 1].map(|_| {
                let mut gradient = draw.vector(network.parameters.len(), -most, most);
                gradient.iter_mut().step_by(7).for_each(|g| *g = 0.0);
                gradient
            });
            let of = |i: usize| partial_slice(&stages.layout, &gradients[i]);
            let poisoned = vec![f32::NAN; stages.layout.partial_words() as usize];
            gpu().write(&partial, &[of(0), poisoned, of(1)].concat());
            submit(&learning.step);

            for (i, (parameters, adam)) in expected.iter_mut().enumerate() {
                let mut gradient = gradients[i].clone();
                let norm = clip_by_global_norm(&mut gradient, f64::from(max_grad_norm));
                if max_grad_norm == 0.0 {
                    gradient.clone_from(&gradients[i]);
                } else {
                    clipped += usize::from(norm > f64::from(max_grad_norm));
                }
                norms[i] += norm;
                adam.step(parameters, &gradient, f64::from(run.learning_rate));
                let agent = 2 * i;
                let padded = stages.parameters(agent);
                let got = wide(&stages.layout.compact(&padded));
                let moved = |p: &[f64]| p.iter().zip(&network.parameters).map(|(p, s)| p - s).collect::<Vec<_>>();
                // a step of 0.01 is kept to half an ulp of parameters up to 1: 6e-6 of it
                assert_norm(
                    &format!("{label}, agent {agent}, way from the start"),
                    &moved(&got),
                    &moved(parameters),
                    1e-4,
                );
                let progress = stages.progress()[agent];
                assert_eq!(progress.adam_steps, step + 1, "{label}, agent {agent}: steps of Adam");
                let got = f64::from(progress.grad_norm);
                assert_close(&format!("{label}, agent {agent}, sum of norms"), &[got], &[norms[i]], 1e-5, 0.0);
            }
        }
        let label = format!("{form}, seed {seed}, stopped agent");
        assert_bits(&format!("{label}, parameters"), &stages.parameters(1), &start);
        let state = stages.of_agent(&ok(gpu().read(&learning.optimiser.state)), 1);
        assert_bits(&format!("{label}, Adam's state"), &state, &vec![0.0; state.len()]);
        let progress = stages.progress()[1];
        assert_eq!((progress.adam_steps, progress.minibatches, progress.epoch), (0, 0, 0), "{label}: progress");
        assert!(max_grad_norm == 0.0 || (5..=35).contains(&clipped), "{clipped} of 40 gradients were clipped");
    }
}

#[test]
fn target_kl_stops_an_agent_exactly_after_the_epoch_and_no_other() {
    for form in forms(gpu()) {
        let case = Case { minibatch: 100, ..Case::SMALL };
        let mut agents = learners(&case, &[461, 462]);
        // the samples of agent 0 come from a policy far away (KL about 0.1), those of agent 1 from its own
        let (_, [actor, _], samples) = &mut agents[1];
        for (s, observation) in samples.observations.chunks_exact(actor.widths[0]).enumerate() {
            let log_prob = categorical::log_prob(&actor.output(observation), samples.actions[s] as usize);
            samples.old_log_probs[s] = f64::from(log_prob as f32);
        }
        let run = Run { target_kl: 0.02, ..case.run() };
        let networks = [0, 1].map(|agent: usize| [&agents[agent].1[0], &agents[agent].1[1]]);
        let stages = Stages::new(form, &[&networks[0], &networks[1]], &[461, 462], run, None);
        for (agent, (_, _, samples)) in agents.iter().enumerate() {
            stages.write_samples(agent, samples);
        }
        let learning = stages.learning();
        let label = format!("{form}, seeds 461 and 462, {case:?}");
        let minibatches = run.num_minibatches;
        let mut frozen = None;
        for step in 1..=3 * minibatches {
            let before = [0, 1].map(|agent| stages.parameters(agent));
            submit(&learning.step);
            let after = [0, 1].map(|agent| stages.parameters(agent));
            let progress = stages.progress();
            let label = format!(
                "{label}, minibatch {step} of {minibatches} in an epoch, KL {:e} and {:e}",
                progress[0].approx_kl, progress[1].approx_kl
            );
            assert_eq!(progress[0].adam_steps, step.min(minibatches), "{label}: steps of agent 0");
            assert_eq!(progress[0].stopped, u32::from(step >= minibatches), "{label}: agent 0 stopped");
            assert_eq!((progress[1].adam_steps, progress[1].stopped), (step, 0), "{label}: steps of agent 1, stopped");
            assert_ne!(before[1], after[1], "{label}: agent 1 learned nothing");
            if step <= minibatches {
                assert_ne!(before[0], after[0], "{label}: agent 0 learned nothing");
                assert!(progress[0].approx_kl > run.target_kl, "{label}: agent 0 is no example");
            } else {
                assert_bits(&format!("{label}, parameters of agent 0"), &after[0], &before[0]);
            }
            assert!(progress[1].approx_kl < run.target_kl, "{label}: agent 1 is no example");
            if step >= minibatches {
                // what the metrics are made from stands still too
                let now = format!("{:?}", manyworlds::layout::Progress { active_: 0, ..progress[0] });
                assert_eq!(*frozen.get_or_insert(now.clone()), now, "{label}: progress of agent 0");
                assert_eq!(progress[0].epoch, 1, "{label}: epochs of agent 0");
            }
        }
    }
}

#[test]
fn rows_of_the_samples_are_as_many_as_the_layout_says() {
    let rows = [Row::LogProb, Row::Value, Row::Reward, Row::Ending, Row::Advantage, Row::Target, Row::Action];
    let places: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
    assert_eq!(places, (0..=ROWS).collect::<Vec<_>>());
}
