//! Returns, advantages and importance weights along time against the f64 reference, walked and scanned, in every form.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::{
    Draw, POISON, ROUNDING, SIZES, Stages, assert_norm, bits, forms, from_bits, gpu, ok, run, submit, wide,
};
use manyworlds::env::ActionSpace;
use manyworlds::kernels::{Estimator, Importance, OverTime, Recursion};
use manyworlds::layout::{Row, Run, TERMINATED, TRUNCATED};
use manyworlds::reference::mlp::Activation;
use manyworlds::reference::{categorical, gae, importance, returns};

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
            short.chain([(1, 1757), (3, 1757)]).flat_map(|size| [(size, OverTime::Serial), (size, OverTime::Scan)]);
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
            [(1, 1), (6, 65), (33, 7)].into_iter().flat_map(|size| [(size, OverTime::Serial), (size, OverTime::Scan)])
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
        let ways = sizes.into_iter().flat_map(|size| [(size, OverTime::Serial), (size, OverTime::Scan)]);
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
