//! Stages of an update against the f64 reference, in every form, at sizes that divide nothing; outputs are poisoned
//! before. Gradients and what goes along time have files of their own.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::{
    Draw, POISON, ROUNDING, SIZES, Stages, assert_bits, assert_norm, bits, call, few_forms, forms, gpu, kernel, ok,
    outputs_with_bounds, partial_slice, planned, poison, run, shuffled, submit, wide,
};
use manyworlds::env::world_word;
use manyworlds::gpu::{Buffer, Buffers, Form, Kernel, Recording};
use manyworlds::kernels::Reduction;
use manyworlds::layout::{ROWS, Row, Run, TERMS};
use manyworlds::reference::adam::{Adam, clip_by_global_norm};
use manyworlds::reference::mlp::Activation;
use manyworlds::reference::moments::moments;
use manyworlds::reference::permute;
use manyworlds::reference::philox::philox4x32_10;
use manyworlds::stage::{Elements, Reduced};
use std::collections::HashMap;
use std::sync::OnceLock;

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
    twice(case, &recording, &reduced.result)
}

#[track_caller]
fn twice(case: &str, recording: &Recording, result: &Buffer<[f32; 4]>) -> Vec<[f32; 4]> {
    let runs = [0, 1].map(|_| {
        poison(result);
        submit(recording);
        ok(gpu().read(result))
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
            let elements = Elements { rows: 2, ..Elements::from(count) };
            let (kind, then) = (Reduction::Targets, Reduction::Moments);
            let stage = planned(|plan| Reduced::new(plan, &kernels, kind, then, 2, elements, &buffers));
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
            let got = reduced(&case, &stage);
            for (agent, (target, value)) in rows.iter().enumerate() {
                let case = format!("{case}, agent {agent}");
                assert_moments(&format!("{case}, targets"), got[2 * agent], target);
                // the kernel rounds each residual to f32; the difference of two f32 is exact in f64
                let residual: Vec<f64> = target.iter().zip(value).map(|(t, v)| f64::from((t - v) as f32)).collect();
                assert_moments(&format!("{case}, residuals"), got[2 * agent + 1], &residual);
            }
        }
    }
}

#[test]
fn advantages_have_moments_in_every_minibatch_of_an_update() {
    const EPOCHS: u32 = 3;
    for form in forms(gpu()) {
        // the last minibatch is a short one, and of 1,499 samples two blocks are left
        for (batch, minibatch, tile) in
            [(1, 1, 1), (65, 64, 1), (345, 100, 5), (1757, 1500, 1), (1757, 585, 1), (2998, 1499, 1)]
        {
            let seed = 310 + batch;
            let mut draw = Draw::new(seed);
            let run = Run { norm_adv: 1, epochs: EPOCHS, tile, ..run(batch, 1, minibatch) };
            let stages = Stages::new(form, &[&[], &[]], &[seed, seed + 1], run, None);
            // where the update stands does not matter
            stages.set_progress(|agent, progress| {
                (progress.update, progress.epoch, progress.minibatch) = (3 + agent as u32, 1, run.num_minibatches - 1);
            });
            let advantages = [0, 1].map(|_| draw.vector(batch as usize, -3.0, 5.0));
            for (agent, advantages) in advantages.iter().enumerate() {
                stages.write_row(agent, Row::Advantage, &bits(advantages));
            }
            let stage = stages.moments();
            let mut recording = Recording::default();
            stage.record(&mut recording);
            assert_eq!(recording.passes().len(), if minibatch > 1024 { 2 } else { 1 }, "{minibatch} of {batch}");
            let case = format!("{form}, seed {seed}, minibatches of {minibatch} from {batch} in tiles of {tile}");
            let got = twice(&case, &recording, &stage.moments);
            let mut rows = got.iter();
            for (agent, advantages) in advantages.iter().enumerate() {
                for epoch in 0..EPOCHS {
                    let order = shuffled(batch, tile, seed + agent as u32, 3 + agent as u32, epoch);
                    for (at, columns) in order.chunks(minibatch as usize).enumerate() {
                        let samples: Vec<f64> = columns.iter().map(|&column| advantages[column as usize]).collect();
                        let case = format!("{case}, agent {agent}, epoch {epoch}, minibatch {at}");
                        assert_moments(&case, *rows.next().unwrap(), &samples);
                    }
                }
            }
            assert!(rows.next().is_none(), "{case}: more than {EPOCHS} epochs of {} minibatches", run.num_minibatches);
        }
    }
}

/// One pass of the batch, of every column or of every third, is not shuffled and has one row.
#[test]
fn advantages_of_a_batch_that_is_not_shuffled_have_moments_of_its_columns() {
    let (batch, stride) = (1757_u32, 3_u32);
    for form in few_forms() {
        let run = Run {
            norm_adv: 1,
            epochs: 1,
            stride,
            minibatch_size: batch.div_ceil(stride),
            num_minibatches: 1,
            ..run(batch, 1, batch)
        };
        let stages = Stages::new(form, &[&[]], &[5], run, None);
        let advantages = Draw::new(311).vector(batch as usize, -3.0, 5.0);
        stages.write_row(0, Row::Advantage, &bits(&advantages));
        let stage = stages.moments();
        let mut recording = Recording::default();
        stage.record(&mut recording);
        let got = twice(&format!("{form}, every {stride}-rd"), &recording, &stage.moments);
        let samples: Vec<f64> = advantages.into_iter().step_by(stride as usize).collect();
        assert_moments(&format!("{form}, every {stride}-rd of {batch}"), got[0], &samples);
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
            // [agent][element] vec4, and the same as the last of four vec4s of a world, [agent][vec4][world]; the second number
            // of the one before is the low word of the returns
            let vectors: Vec<f32> = elements.iter().map(|&x| x as f32).collect();
            let of = |agent: usize, i: usize, c: usize| vectors[(agent * count as usize + i) * 4 + c];
            let lows: Vec<f32> = draw.vector(2 * count as usize, -1e-3, 1e-3).iter().map(|&x| x as f32).collect();
            let words = 16 * count as usize;
            let mut worlds = vec![POISON; 2 * words];
            for (agent, worlds) in worlds.chunks_exact_mut(words).enumerate() {
                for (world, low) in lows[agent * count as usize..][..count as usize].iter().enumerate() {
                    worlds[world_word(9, world, count as usize)] = low.to_bits();
                }
                for (world, component) in (0..4 * count as usize).map(|at| (at / 4, at % 4)) {
                    worlds[world_word(12 + component, world, count as usize)] = of(agent, world, component).to_bits();
                }
            }
            let partials = ok(gpu().buffer_of("partials", &vectors));
            let worlds = ok(gpu().buffer_of("worlds", &worlds));
            let buffers = Buffers::default().with("mw_partials", &partials).with("mw_world", &worlds);
            let case = format!("{form}, seed {seed}, {count} elements");
            for (kind, stride) in [(Reduction::Sums, 0), (Reduction::Episodes, words as u32)] {
                let elements = Elements { stride, ..Elements::from(count) };
                let then = Reduction::Sums;
                let stage = planned(|plan| Reduced::new(plan, &stages.kernels(), kind, then, 2, elements, &buffers));
                let got = reduced(&format!("{case}, {kind:?}"), &stage);
                for (agent, component) in (0..8).map(|i| (i / 4, i % 4)) {
                    let low = |i: usize| match (kind, component) {
                        (Reduction::Episodes, 1) => f64::from(lows[agent * count as usize + i]),
                        _ => 0.0,
                    };
                    let terms = || (0..count as usize).map(|i| f64::from(of(agent, i, component)) + low(i));
                    let (expected, size): (f64, f64) = (terms().sum(), terms().map(f64::abs).sum());
                    let case = format!("{case}, {kind:?}, agent {agent}, component {component}");
                    let tolerance = (depth(count as usize) + 1.0) * ROUNDING * size;
                    assert_close(&case, &[f64::from(got[agent][component])], &[expected], 0.0, tolerance);
                }
            }
        }
    }
}

#[test]
fn terms_are_summed_of_the_current_minibatch_only() {
    for form in forms(gpu()) {
        for (batch, minibatch, at) in
            [(1, 1, 0), (63, 63, 0), (65, 64, 1), (345, 100, 3), (9000, 8000, 0), (9000, 8000, 1)]
        {
            let seed = 330 + batch;
            let mut draw = Draw::new(seed);
            let network = draw.network(&[2, 3, 1], Activation::Tanh);
            let stages = Stages::new(form, &[&[&network], &[&network]], &[1, 2], run(batch, 1, minibatch), None);
            stages.set_progress(|_, progress| progress.minibatch = at);
            let lanes = stages.agents.run.minibatch_threads as usize;
            let used = minibatch.min(batch - at * minibatch).div_ceil(stages.kernels().samples()) as usize;
            let mut terms = draw.vector(2 * TERMS as usize * lanes, -1.0, 3.0);
            for (place, term) in terms.iter_mut().enumerate() {
                if place % lanes >= used {
                    *term = f64::NAN; // left by an earlier minibatch, not of this one
                }
            }
            let terms32: Vec<f32> = terms.iter().map(|&x| x as f32).collect();
            let sums = stages.sums(&terms32);
            let case = format!("{form}, seed {seed}, minibatch {at} of {minibatch} from {batch}");
            let run = &stages.agents.run;
            let blocks = run.term_blocks as usize;
            assert_eq!(blocks, lanes.div_ceil(1024), "{case}: blocks");
            for (agent, term) in (0..16).map(|i| (i / 8, i % 8)) {
                let of_agent = &sums[agent * run.sums() as usize..][run.norm_blocks as usize..];
                let sum: f64 = (0..blocks).map(|b| f64::from(of_agent[b * TERMS as usize + term])).sum();
                let row = &terms[(agent * TERMS as usize + term) * lanes..][..used];
                let (expected, size): (f64, f64) = (row.iter().sum(), row.iter().map(|x| x.abs()).sum());
                let case = format!("{case}, agent {agent}, term {term}");
                assert_close(&case, &[sum], &[expected], 0.0, depth(used) * ROUNDING * size);
            }
        }
    }
}

// ---------------------------------------------------------------- networks

#[test]
fn value_agrees_with_the_reference_at_every_size_and_shape() {
    let mut small: Vec<(Vec<u32>, Activation, u32)> =
        SIZES.into_iter().map(|worlds| (vec![4, 7, 1], Activation::Tanh, worlds)).collect();
    small.push((vec![3, 20, 12, 5, 1], Activation::Relu, 65));
    // in the forms that differ most
    let others = [
        (vec![5, 1], Activation::Tanh, 63),
        // an even layer above 128: hidden units go through memory, where threads past the end must not meet the last
        (vec![3, 5, 130, 1], Activation::Tanh, 66),
    ];
    // the default networks, where units fill a subgroup twice, and a wide middle, which takes long to compile
    let default = [(vec![4, 64, 64, 1], Activation::Tanh, 1757)];
    let wide = [(vec![3, 130, 20, 5, 1], Activation::Tanh, 345)];
    let cases = |form: Form| {
        let own = form == gpu().form();
        let others = if few_forms().contains(&form) { &others[..] } else { &[] };
        let default = if own || form.share_size() > 1 { &default[..] } else { &[] };
        let wide = if own { &wide[..] } else { &[] };
        [&small, others, default, wide].concat()
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
fn rows_of_the_samples_are_as_many_as_the_layout_says() {
    let rows = [Row::LogProb, Row::Value, Row::Reward, Row::Ending, Row::Advantage, Row::Target, Row::Action];
    let places: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
    assert_eq!(places, (0..=ROWS).collect::<Vec<_>>());
}
