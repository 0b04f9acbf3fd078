//! Elementary functions and random numbers on the device, against f64 and the known answers of Random123.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::support::{Draw, call, kernel};
use crate::{oracle, support};
use manyworlds::gpu::Kernel;
use manyworlds::reference::philox::{below, philox4x32_10, range, uniform};
use std::sync::OnceLock;

/// Rows of the kernel's output.
#[derive(Clone, Copy)]
enum Function {
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Wrap,
}

/// A function of `part/math.wgsl` at many points.
fn on_device(function: Function, points: &[f32]) -> Vec<f32> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<f32>;
        @bind var<storage, read_write> test_output: array<f32>;     // [function][point]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let i = mw_thread(group, groups, local).index;
            let count = arrayLength(&test_input);
            if i >= count { return; }
            let x = test_input[i];
            test_output[i] = exp_(x);
            test_output[count + i] = log_(x);
            test_output[2u * count + i] = sin_(x);
            test_output[3u * count + i] = cos_(x);
            test_output[4u * count + i] = tanh_(x);
            test_output[5u * count + i] = wrap_(x);
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let kernel = KERNEL.get_or_init(|| kernel("functions", &[], &["part/math.wgsl"], SOURCE));
    assert!(points.len() >= 4, "the smallest buffer holds four words");
    let input: Vec<u32> = points.iter().map(|x| x.to_bits()).collect();
    let output = call(kernel, points.len(), &input, 6 * points.len());
    output[function as usize * points.len()..][..points.len()].iter().map(|&word| f32::from_bits(word)).collect()
}

/// Evenly spaced points, ends included.
fn grid(low: f64, high: f64, count: u32) -> impl Iterator<Item = f32> {
    (0..count).map(move |i| (low + (high - low) * f64::from(i) / f64::from(count - 1)) as f32)
}

/// A point and its neighbours in f32.
fn around(x: f64) -> [f32; 3] {
    let x = x as f32;
    [x.next_down(), x, x.next_up()]
}

/// Asserts the promise of `part` for every point: |got − expected| ≤ tolerance(expected).
#[track_caller]
fn assert_promise(
    part: &str,
    points: &[f32],
    got: &[f32],
    expected: impl Fn(f64) -> f64,
    tolerance: impl Fn(f64) -> f64,
) {
    let wrong = |&i: &usize| {
        let expected = expected(f64::from(points[i]));
        let within = (f64::from(got[i]) - expected).abs() <= tolerance(expected);
        !within
    };
    let failures: Vec<usize> = (0..points.len()).filter(wrong).collect();
    if let Some(&i) = failures.first() {
        let expected = expected(f64::from(points[i]));
        panic!(
            "{part} at [{i}] x = {:e}: got {:e}, expected {expected:e}, difference {:e}, tolerance {:e} \
             (the head of the shader file promises it); {} of {} points fail",
            points[i],
            got[i],
            f64::from(got[i]) - expected,
            tolerance(expected),
            failures.len(),
            points.len()
        );
    }
}

#[test]
fn exp_keeps_its_promise_and_is_exactly_1_at_0() {
    let mut points: Vec<f32> = grid(-87.0, 88.0, 1 << 19).chain(grid(-1.0, 1.0, 1 << 16)).collect();
    // where the argument reduction changes its multiple of log 2
    points.extend((-125..=126).flat_map(|n| around((f64::from(n) + 0.5) * std::f64::consts::LN_2)));
    points.extend([1e-30, -1e-30, 1e-7, -1e-7]);
    let got = on_device(Function::Exp, &points);
    assert_promise("exp_", &points, &got, f64::exp, |e| 3e-7 * e);

    let special = on_device(Function::Exp, &[0.0, -0.0, -87.0, 88.0, -1000.0, 1000.0]);
    for (place, x) in [0.0, -0.0].iter().enumerate() {
        assert_eq!(special[place].to_bits(), 1f32.to_bits(), "exp_({x:?}) = {:e}, exactly 1 expected", special[place]);
    }
    assert_eq!(special[4].to_bits(), special[2].to_bits(), "exp_(-1000) = {:e} is not exp_(-87)", special[4]);
    assert_eq!(special[5].to_bits(), special[3].to_bits(), "exp_(1000) = {:e} is not exp_(88)", special[5]);
}

#[test]
fn log_keeps_its_promise() {
    // normal numbers: adapters may flush smaller ones to 0
    let mut points: Vec<f32> = grid(-125.9, 127.9, 1 << 19).map(f32::exp2).collect();
    points.extend(grid(0.5, 2.0, 1 << 18));
    points.extend((-125..=126).flat_map(|n| around(2f64.powi(n) * 0.5f64.sqrt())));
    points.extend([1.0f32.next_down(), 1.0f32.next_up(), f32::MIN_POSITIVE, f32::MAX]);
    let got = on_device(Function::Log, &points);
    assert_promise("log_", &points, &got, f64::ln, |e| 3e-7 * e.abs().max(1.0));
    let one = on_device(Function::Log, &[1.0; 4])[0];
    assert_eq!(one.abs().to_bits(), 0, "log_(1) = {one:e}, exactly 0 expected");
}

#[test]
fn sin_and_cos_keep_their_promises() {
    let mut points: Vec<f32> = grid(-8192.0, 8192.0, 1 << 19).chain(grid(-4.0, 4.0, 1 << 18)).collect();
    // zeros, extremes and the edges of quadrants
    points.extend((-10_430..=10_430).flat_map(|n| around(f64::from(n) * std::f64::consts::FRAC_PI_4)));
    points.retain(|x| x.abs() <= 8192.0);
    points.extend([0.0, -0.0, 1e-20, -1e-20]);
    assert_promise("sin_", &points, &on_device(Function::Sin, &points), f64::sin, |_| 3e-7);
    assert_promise("cos_", &points, &on_device(Function::Cos, &points), f64::cos, |_| 3e-7);
}

/// Where tanh is tested: dense where it bends, both of its branches, and far outside.
fn tanh_points() -> Vec<f32> {
    let mut points: Vec<f32> = grid(-12.0, 12.0, 1 << 19).chain(grid(-0.7, 0.7, 1 << 17)).collect();
    points.extend([0.625, -0.625, 8.1, -8.1, 20.0].into_iter().flat_map(around));
    points.extend([0.0, -0.0, 1e-20, -1e-20, 89.0, -89.0, 1e4, -1e4, 1e18, -1e18, 3e38, -3e38]);
    points
}

#[test]
fn tanh_keeps_its_promise() {
    let points = tanh_points();
    assert_promise("tanh_", &points, &on_device(Function::Tanh, &points), f64::tanh, |_| 3e-7);
}

#[test]
fn wrap_keeps_its_promise() {
    let turn = std::f64::consts::TAU;
    let odd = (-1300..1300).flat_map(|k| around((f64::from(k) + 0.5) * turn));
    let points: Vec<f32> = grid(-8192.0, 8192.0, 20_001).chain(odd).filter(|x| x.abs() <= 8192.0).collect();
    for (x, got) in points.iter().zip(on_device(Function::Wrap, &points)) {
        let (x, got) = (f64::from(*x), f64::from(got));
        // −π and π are the same angle
        let apart = (got - x) / turn;
        let apart = (apart - apart.round()).abs() * turn;
        assert!(apart <= 1e-6, "wrap_({x}) = {got}: {apart:e} away from the angle, 1e-6 allowed");
        assert!(got.abs() <= std::f64::consts::PI + 1e-6, "wrap_({x}) = {got} is outside [-π, π]");
    }
}

#[test]
fn activation_tanh_keeps_its_promise_in_every_lane() {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<f32>;
        @bind var<storage, read_write> test_output: array<f32>;     // [tanh, slope][point]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let first = mw_thread(group, groups, local).index * MW_LANES;
            let count = arrayLength(&test_input);
            if first >= count { return; }
            var x: array<f32, MW_LANES>;
            @unroll for i in 0..MW_LANES { x[i] = test_input[first + i]; }
            let y = mw_activation(mw_lane_from(x));
            let slope = mw_d_activation(y);
            @unroll for i in 0..MW_LANES {
                test_output[first + i] = mw_lane_get(y, i);
                test_output[count + first + i] = mw_lane_get(slope, i);
            }
        }";
    let mut points = tanh_points();
    points.resize(points.len().next_multiple_of(4), 1.0);
    let input: Vec<u32> = points.iter().map(|x| x.to_bits()).collect();
    for (lanes, part) in [(1, "slot/lane/one.wgsl"), (4, "slot/lane/four.wgsl")] {
        let [output, other] = ["slot/limit/clamp.wgsl", "slot/limit/select.wgsl"].map(|limit| {
            let parts = ["part/math.wgsl", part, limit, "slot/activation/tanh.wgsl"];
            let kernel = kernel("activation", &[("MW_LANES", lanes)], &parts, SOURCE);
            call(&kernel, points.len() / lanes as usize, &input, 2 * points.len())
        });
        assert!(output == other, "{lanes} lanes: limits by clamping and by choosing are the same bits");
        let got: Vec<f32> = output.iter().map(|&word| f32::from_bits(word)).collect();
        let (got, slope) = got.split_at(points.len());
        let case = format!("activation tanh, {lanes} lanes");
        assert_promise(&case, &points, got, f64::tanh, |_| 3.5e-7);
        // 1 − y²: twice the error of y, and two roundings
        let d = |x: f64| 1.0 - x.tanh() * x.tanh();
        assert_promise(&format!("{case}, slope"), &points, slope, d, |_| 2.0 * 3.5e-7 + 2.0 * support::ROUNDING);
    }
}

// ---------------------------------------------------------------- random numbers

/// Counters and keys (six words each): the four words of Philox, and `mw_uniform` of each.
fn philox_on_device(inputs: &[([u32; 4], [u32; 2])]) -> Vec<([u32; 4], [f32; 4])> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<u32>;            // [call][counter, key]
        @bind var<storage, read_write> test_output: array<u32>;     // [call][words, uniforms]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let i = mw_thread(group, groups, local).index;
            let at = 6u * i;
            if at >= arrayLength(&test_input) { return; }
            let counter = vec4<u32>(test_input[at], test_input[at + 1u], test_input[at + 2u], test_input[at + 3u]);
            let words = mw_philox(counter, vec2<u32>(test_input[at + 4u], test_input[at + 5u]));
            for (var w = 0u; w < 4u; w++) {
                test_output[8u * i + w] = words[w];
                test_output[8u * i + 4u + w] = bitcast<u32>(mw_uniform(words[w]));
            }
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let kernel = KERNEL.get_or_init(|| kernel("philox", &[], &["part/random_words.wgsl"], SOURCE));
    let input: Vec<u32> = inputs.iter().flat_map(|(c, k)| c.iter().chain(k).copied()).collect();
    let output = call(kernel, inputs.len(), &input, 8 * inputs.len());
    let split = |words: &[u32]| {
        let uniforms = [4, 5, 6, 7].map(|at| f32::from_bits(words[at]));
        ([words[0], words[1], words[2], words[3]], uniforms)
    };
    output.chunks_exact(8).map(split).collect()
}

#[test]
fn philox_gives_the_known_answers_of_random123() {
    let vectors = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([0xffff_ffff; 4], [0xffff_ffff; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    let got = philox_on_device(&vectors.map(|(counter, key, _)| (counter, key)));
    for ((counter, key, expected), (words, _)) in vectors.iter().zip(&got) {
        assert_eq!(words, expected, "counter {counter:x?}, key {key:x?}: got {words:x?}, expected {expected:x?}");
    }
}

#[test]
fn philox_and_its_uniforms_equal_the_reference_bit_for_bit() {
    let seed = 200;
    let mut draw = Draw::new(seed);
    let mut inputs: Vec<([u32; 4], [u32; 2])> =
        (0..20_000).map(|_| (std::array::from_fn(|_| draw.word()), std::array::from_fn(|_| draw.word()))).collect();
    // small counters, as runs use them
    inputs.extend((0..2_000).map(|i| ([i % 100, i / 100, i % 5, i % 3], [1 + i % 7, i % 2])));
    let got = philox_on_device(&inputs);
    for (at, (&(counter, key), (words, uniforms))) in inputs.iter().zip(&got).enumerate() {
        let expected = philox4x32_10(counter, key);
        let case = format!("seed {seed}[{at}], counter {counter:x?}, key {key:x?}");
        assert_eq!(*words, expected, "{case}: got {words:x?}, expected {expected:x?}");
        for (word, got) in expected.iter().zip(uniforms) {
            assert!(0.0 < *got && *got < 1.0, "{case}: uniform of {word:x} is {got:e}, not inside (0, 1)");
            // the reference's value is exact in f32 (tests/reference/basics.rs)
            let expected = uniform(*word) as f32;
            assert_eq!(got.to_bits(), expected.to_bits(), "{case}: uniform of {word:x} is {got:e}, not {expected:e}");
        }
    }
}

#[test]
fn uniforms_stay_inside_the_open_interval_at_its_ends() {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<u32>;
        @bind var<storage, read_write> test_output: array<f32>;

        @compute @workgroup_size(1)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>) { test_output[group.x] = mw_uniform(test_input[group.x]); }";
    let words = [0, 511, 512, u32::MAX];
    let kernel = kernel("uniform", &[], &["part/random_words.wgsl"], SOURCE);
    let got = call(&kernel, words.len(), &words, words.len());
    for (word, got) in words.iter().zip(&got) {
        let (got, expected) = (f32::from_bits(*got), uniform(*word) as f32);
        assert!(got.to_bits() == expected.to_bits(), "uniform of word {word}: got {got:e}, expected {expected:e}");
        assert!(0.0 < got && got < 1.0, "uniform of word {word}: {got:e} is not inside (0, 1)");
    }
}

/// What each world draws: ten words, then two normals and a uniform in (−2, 3) from a second stream.
const DRAWS: usize = 13;

fn streams_on_device(worlds: usize, key: [u32; 2], step: u32) -> Vec<u32> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<u32>;            // key, step, worlds
        @bind var<storage, read_write> test_output: array<u32>;     // [world][draw]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let world = mw_thread(group, groups, local).index;
            if world >= test_input[3] { return; }
            let key = vec2<u32>(test_input[0], test_input[1]);
            var rng = mw_rng(key, world, test_input[2], MW_PURPOSE_STEP);
            for (var i = 0u; i < 10u; i++) { test_output[world * 13u + i] = rng_u32(&rng); }
            var second = mw_rng(key, world, test_input[2] + 1u, MW_PURPOSE_RESET);
            test_output[world * 13u + 10u] = bitcast<u32>(rng_normal(&second));
            test_output[world * 13u + 11u] = bitcast<u32>(rng_normal(&second));
            test_output[world * 13u + 12u] = bitcast<u32>(rng_range(&second, -2.0, 3.0));
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let parts = ["part/math.wgsl", "part/random_words.wgsl", "part/random.wgsl"];
    let kernel = KERNEL.get_or_init(|| kernel("streams", &[], &parts, SOURCE));
    call(kernel, worlds, &[key[0], key[1], step, worlds as u32], DRAWS * worlds)
}

#[test]
fn a_stream_of_a_world_is_its_philox_blocks_word_by_word() {
    let (key, step, worlds) = ([201, 1], 77, 345);
    let got = streams_on_device(worlds, key, step);
    for (world, draws) in got.chunks_exact(DRAWS).enumerate() {
        for (at, word) in draws[..10].iter().enumerate() {
            // purpose 2 is a step of the world; four words to a block
            let expected = philox4x32_10([world as u32, step, 2, at as u32 / 4], key)[at % 4];
            assert_eq!(*word, expected, "key {key:?}, world {world}, step {step}, draw {at}");
        }
        // purpose 0 is a reset; two normals took the first block
        let word = philox4x32_10([world as u32, step + 1, 0, 1], key)[0];
        let (expected, got) = (5.0 * uniform(word) - 2.0, f64::from(f32::from_bits(draws[12])));
        // one rounding of a number below 4
        let case = format!("key {key:?}, world {world}, rng_range");
        oracle::assert_close(&case, &[got], &[expected], 0.0, 4.0 * support::ROUNDING);
    }
}

#[test]
fn normals_are_those_of_box_and_muller_and_have_their_moments() {
    let (key, step, worlds) = ([202, 0], 5, 1 << 17);
    let output = streams_on_device(worlds, key, step);
    let mut normals = vec![];
    for (world, draws) in output.chunks_exact(DRAWS).enumerate() {
        let words = philox4x32_10([world as u32, step + 1, 0, 0], key);
        for (i, word) in draws[10..12].iter().enumerate() {
            let got = f64::from(f32::from_bits(*word));
            let (a, b) = (uniform(words[2 * i]), uniform(words[2 * i + 1]));
            let radius = (-2.0 * a.ln()).sqrt();
            let expected = radius * (std::f64::consts::TAU * b).cos();
            // log_ is off by 3e-7 max(1, |log|), so r² by twice that and r by that over r; the angle's rounding and
            // that of 2π by 5.5e-7, cos_ by 3e-7, and four roundings
            let tolerance = 6e-7 * a.ln().abs().max(1.0) / radius + radius * (8.5e-7 + 4.0 * support::ROUNDING);
            let case = format!("key {key:?}, world {world}, normal {i}");
            oracle::assert_close(&case, &[got], &[expected], 0.0, tolerance);
            normals.push(got);
        }
    }
    let count = normals.len() as f64;
    let moment = |power: i32| normals.iter().map(|x| x.powi(power)).sum::<f64>() / count;
    // power, expected, variance of one term: E x²ᵏ − (E xᵏ)²
    for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0_f64)] {
        let case = format!("key {key:?}, {count} normals: mean of x^{power}, five standard errors");
        oracle::assert_close(&case, &[moment(power)], &[expected], 0.0, 5.0 * (variance / count).sqrt());
    }
}

/// Which function draws: `rng_range` or `rng_below`.
const RANGE: u32 = 0;
const BELOW: u32 = 1;

/// Draws of worlds 0, 1, … with parameters (which, low or n, high), as bits. `rng_range` gets the word that is given,
/// `rng_below` the block of `philox4x32_10` at (world, 0, 2, 0).
fn drawn_on_device(key: [u32; 2], draws: &[[u32; 3]], words: &[u32]) -> Vec<u32> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<u32>;            // key, then (which, low or n, high, word) of each draw
        @bind var<storage, read_write> test_output: array<u32>;     // [draw]

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let i = mw_thread(group, groups, local).index;
            let at = 2u + 4u * i;
            if at >= arrayLength(&test_input) { return; }
            let key = vec2<u32>(test_input[0], test_input[1]);
            if test_input[at] == 0u {
                var rng = mw_rng_filled(key, i, 0u, MW_PURPOSE_STEP, vec4<u32>(test_input[at + 3u]));
                let low = bitcast<f32>(test_input[at + 1u]);
                let high = bitcast<f32>(test_input[at + 2u]);
                test_output[i] = bitcast<u32>(rng_range(&rng, low, high));
            } else {
                var rng = mw_rng(key, i, 0u, MW_PURPOSE_STEP);
                test_output[i] = rng_below(&rng, test_input[at + 1u]);
            }
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let parts = ["part/math.wgsl", "part/random_words.wgsl", "part/random.wgsl"];
    let kernel = KERNEL.get_or_init(|| kernel("draws", &[], &parts, SOURCE));
    let each = draws.iter().zip(words).flat_map(|(draw, word)| draw.iter().chain([word]));
    let input: Vec<u32> = key.iter().chain(each).copied().collect();
    call(kernel, draws.len(), &input, draws.len())
}

#[test]
fn ranges_are_those_of_the_reference_and_never_reach_an_end() {
    const LEAST: f32 = f32::MIN_POSITIVE;
    let after = 1.0_f32.next_up();
    let ends = [
        (100.0, 101.0),
        (-0.05, 0.05),
        (-std::f32::consts::PI, std::f32::consts::PI),
        (0.0, 1.0),
        (-2.0, 3.0),
        (1.0, 2.0),
        (16_777_215.0, 16_777_218.0),
        (1e6, 1e6 + 0.125),
        (1.0, after.next_up()),
        (-1e-30, 1e-30),
        (0.0, 3.0 * LEAST),
        (LEAST / 3.0, 1e-36),
        (-LEAST, LEAST),
        (1e38, 2e38),
        (-3e38, 3e38),
        (-f32::MAX, f32::MAX),
        (f32::MAX.next_down().next_down(), f32::MAX),
        (0.0, f32::MAX),
        (-f32::MAX, -1e38),
    ];
    // no f32 lies between these
    let empty = [(1.0, after), (5.0, 5.0), (0.0, 0.0), (-after, -1.0), (f32::MAX, f32::MAX), (-LEAST, 0.0)];
    let mut draw = Draw::new(203);
    let mut words: Vec<u32> = vec![0, 511, 512, 1 << 31, (1 << 31) - 1, u32::MAX, u32::MAX - 511, u32::MAX - 512];
    words.extend((0..500).map(|_| draw.word()));
    let (mut draws, mut given) = (vec![], vec![]);
    for (low, high) in ends.iter().chain(&empty).flat_map(|&(low, high): &(f32, f32)| [(low, high), (high, low)]) {
        draws.extend(words.iter().map(|_| [RANGE, low.to_bits(), high.to_bits()]));
        given.extend(&words);
    }
    let got = drawn_on_device([204, 0], &draws, &given);
    for ((&[_, low, high], &word), &got) in draws.iter().zip(&given).zip(&got) {
        let (low, high, got) = (f32::from_bits(low), f32::from_bits(high), f32::from_bits(got));
        let case = format!("rng_range({low:e}, {high:e}), word {word:#010x}");
        let expected = range(word, low, high);
        assert_eq!(got.to_bits(), expected.to_bits(), "{case}: got {got:e}, expected {expected:e}");
        let (least, most) = (low.min(high), low.max(high));
        if empty.contains(&(least, most)) {
            assert!(got == least, "{case}: {got:e}, the lower end expected");
        } else {
            assert!(least < got && got < most, "{case}: {got:e} is not inside");
        }
        // the formula, but for an end that it may reach: roundings of the difference, the product and the sum
        let formula = f64::from(low) + (f64::from(high) - f64::from(low)) * uniform(word);
        let rounding = support::ROUNDING
            * (2.0 * (f64::from(high) - f64::from(low)).abs() + 2.0 * f64::from(least.abs().max(most.abs())));
        let spared = 4.0 * f64::from(LEAST);
        assert!(
            (f64::from(got) - formula).abs() <= 2.0 * rounding + spared,
            "{case}: got {got:e}, the formula gives {formula:e}"
        );
    }
}

#[test]
fn integers_below_n_are_those_of_the_reference_and_equally_likely() {
    let (key, count) = ([205, 0], 1 << 18);
    let worlds: Vec<u32> = (0..count).collect();
    for n in [0, 1, 2, 3, 5, 1000, 1 << 31, (1 << 31) + 1, 3_000_000_000, u32::MAX] {
        let got = drawn_on_device(key, &vec![[BELOW, n, 0]; worlds.len()], &worlds);
        // numbers are counted in bins of one, or a thousand bins of a thousandth of n
        let bins = n.clamp(1, 1000);
        let mut counts = vec![0.0; bins as usize];
        for (&world, &got) in worlds.iter().zip(&got) {
            let expected = below(philox4x32_10([world, 0, 2, 0], key), n);
            assert_eq!(got, expected, "rng_below({n}), key {key:?}, world {world}");
            assert!(got < n.max(1), "rng_below({n}), world {world}: {got}");
            counts[(u64::from(got) * u64::from(bins) / u64::from(n.max(1))) as usize] += 1.0;
        }
        // χ² with the bins' true probabilities; five standard deviations about its mean
        let probability = |bin: u32| {
            let first = |bin: u64| (bin * u64::from(n)).div_ceil(u64::from(bins));
            (first(u64::from(bin) + 1) - first(u64::from(bin))) as f64 / f64::from(n)
        };
        if n > 1 {
            let square = |bin: u32| {
                let expected = probability(bin) * f64::from(count);
                (counts[bin as usize] - expected).powi(2) / expected
            };
            let chi_squared: f64 = (0..bins).map(square).sum();
            let freedom = f64::from(bins - 1);
            let case = format!("rng_below({n}), key {key:?}, χ² of {count} draws in {bins} bins");
            oracle::assert_close(&case, &[chi_squared], &[freedom], 0.0, 5.0 * (2.0 * freedom).sqrt());
        }
    }
}
