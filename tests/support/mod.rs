//! What the tests on the device share: the adapter and its forms, seeded inputs, kernels of a test, and in files of their
//! own the stages of an update, small runs, and a policy that explores.

#![allow(dead_code)] // every integration test compiles its own copy and uses a part of it

pub mod cartpole;
pub mod explorer;
pub mod python;
pub mod ranks;
pub mod replayed;
mod stages;

#[allow(unused_imports)]
pub use stages::{Learning, Samples, Stages, padded, partial_slice, run, with_parameters};

use manyworlds::gpu::{AdapterChoice, Buffer, Buffers, Form, Gpu, Kernel, Recording};
use manyworlds::layout::STREAM_TRAINING;
use manyworlds::plan::{Plan, Target};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::shader::Program;
use std::sync::OnceLock;

/// Half an ulp of 1 in f32: the relative error of one rounding.
pub const ROUNDING: f64 = 1.0 / (1 << 24) as f64;

/// What outputs hold before a kernel writes them: a NaN, and a strange integer.
pub const POISON: u32 = 0x7fc0_dead;

/// The sizes at which kernels are tested: one, around a workgroup, and two that divide nothing.
pub const SIZES: [u32; 6] = [1, 63, 64, 65, 345, 1757];

/// Runs a recording.
#[track_caller]
pub fn submit(recording: &Recording) {
    ok(gpu().submit(recording));
}

/// The value, or the error's own message.
#[track_caller]
pub fn ok<T>(result: manyworlds::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// The adapter that all tests of a binary share. There is no skipping: without an adapter a test fails.
pub fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(open)
}

/// The same adapter as a device of its own.
pub fn open() -> Gpu {
    let gpu = Gpu::new(&AdapterChoice::Auto, 0)
        .unwrap_or_else(|error| panic!("this test runs on a GPU or a software driver, and cannot be skipped: {error}"));
    if let Ok(part) = std::env::var("MANYWORLDS_EXPECT_ADAPTER") {
        let name = &gpu.info().name;
        assert!(name.contains(&part), "MANYWORLDS_EXPECT_ADAPTER is '{part}', the adapter is '{name}'");
    }
    gpu
}

/// What a plan for the shared device makes, built.
#[track_caller]
pub fn planned<T>(make: impl FnOnce(&mut Plan) -> manyworlds::Result<T>) -> T {
    planned_on(gpu(), make)
}

/// What a plan for a device makes, built.
#[track_caller]
pub fn planned_on<T>(gpu: &Gpu, make: impl FnOnce(&mut Plan) -> manyworlds::Result<T>) -> T {
    let mut plan = Plan::new(Target::of(gpu));
    let made = ok(make(&mut plan));
    ok(plan.build(gpu));
    made
}

/// Every form that this adapter can run.
pub fn forms(gpu: &Gpu) -> Vec<Form> {
    gpu.forms()
}

/// Those that differ most: one sample at a time, as many as there are, and tiles. Where code hardly depends on the form,
/// they do for all, at a fraction of the time that compilation takes.
pub fn few_forms() -> Vec<Form> {
    let most = forms(gpu()).into_iter().max_by_key(|form| form.vectors * form.lanes).expect("there are forms");
    vec![Form::PLAIN, most, Form::TILED]
}

/// Fills a buffer of the shared device with [`POISON`].
pub fn poison<T: bytemuck::Pod>(buffer: &Buffer<T>) {
    poison_on(gpu(), buffer);
}

/// Fills a buffer of a device with [`POISON`].
pub fn poison_on<T: bytemuck::Pod>(gpu: &Gpu, buffer: &Buffer<T>) {
    let words = vec![POISON; buffer.len() * size_of::<T>() / 4];
    gpu.write(buffer, &bytemuck::pod_collect_to_vec::<u32, T>(&words));
}

/// Bits of numbers, rounded to f32.
pub fn bits(numbers: &[f64]) -> Vec<u32> {
    numbers.iter().map(|&x| (x as f32).to_bits()).collect()
}

/// Numbers from their bits in f32.
pub fn from_bits(words: &[u32]) -> Vec<f64> {
    words.iter().map(|&word| f64::from(f32::from_bits(word))).collect()
}

/// Numbers as f64.
pub fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Asserts that two lists of f32 are the same bit for bit.
#[track_caller]
pub fn assert_bits(case: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{case}: number of elements");
    let differ = |i: &usize| got[*i].to_bits() != expected[*i].to_bits();
    let places: Vec<usize> = (0..got.len()).filter(differ).collect();
    if let Some(&i) = places.first() {
        panic!(
            "{case}[{i}]: got {:e}, expected {:e}, bit for bit; {} of {} elements differ",
            got[i],
            expected[i],
            places.len(),
            got.len()
        );
    }
}

/// Asserts ‖got − expected‖ ≤ relative · ‖expected‖; a list of zeros is expected exactly.
#[track_caller]
pub fn assert_norm(case: &str, got: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(got.len(), expected.len(), "{case}: number of elements");
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let size = norm(&mut expected.iter().copied());
    let apart: Vec<f64> = got.iter().zip(expected).map(|(g, e)| (g - e).abs()).collect();
    let distance = norm(&mut apart.iter().copied());
    if distance <= relative * size {
        return;
    }
    // a NaN is the worst of all
    let worst = (0..got.len()).max_by(|&a, &b| apart[a].total_cmp(&apart[b])).unwrap_or(0);
    panic!(
        "{case}: ‖got − expected‖ / ‖expected‖ = {distance:e} / {size:e} = {:e}, tolerance {relative:e}; \
         worst at [{worst}]: got {:e}, expected {:e}",
        distance / size,
        got[worst],
        expected[worst]
    );
}

/// Seeded inputs: uniform numbers, each exact in f32, four to a Philox call.
pub struct Draw {
    seed: u32,
    count: u32,
}

impl Draw {
    pub fn new(seed: u32) -> Self {
        Self { seed, count: 0 }
    }

    pub fn word(&mut self) -> u32 {
        let words = philox4x32_10([self.count / 4, 0, 0, 0], [self.seed, 0]);
        self.count += 1;
        words[(self.count as usize - 1) % 4]
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        f64::from((low + (high - low) * uniform(self.word())) as f32)
    }

    pub fn vector(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.between(low, high)).collect()
    }

    /// A network whose units neither vanish nor saturate: weights up to √(3 / inputs), biases up to 0.3.
    pub fn network(&mut self, widths: &[u32], activation: Activation) -> Mlp {
        let widths: Vec<usize> = widths.iter().map(|&width| width as usize).collect();
        let mut parameters = vec![];
        for layer in Mlp::layers(&widths) {
            let most = (3.0 / layer.inputs as f64).sqrt();
            parameters.extend(self.vector(layer.inputs * layer.outputs, -most, most));
            parameters.extend(self.vector(layer.outputs, -0.3, 0.3));
        }
        Mlp { widths, activation, parameters }
    }
}

/// Outputs of a network with a bound on what f32 may make of each: a sum of n products is off by n + 2 roundings of
/// Σ|w||a| + |b|, tanh by what its part promises (3.5e-7), and its slope is at most 1.
pub fn outputs_with_bounds(network: &Mlp, input: &[f64]) -> Vec<(f64, f64)> {
    let activations = network.forward(input);
    let mut bounds = vec![0.0; input.len()];
    let layers = Mlp::layers(&network.widths);
    for (l, layer) in layers.iter().enumerate() {
        let promised = match network.activation {
            Activation::Tanh if l + 1 < layers.len() => 3.5e-7,
            _ => 0.0,
        };
        let of_unit = |o: usize| {
            let row = &network.parameters[layer.weight + o * layer.inputs..][..layer.inputs];
            let bias = network.parameters[layer.bias + o].abs();
            let size: f64 = row.iter().zip(&activations[l]).map(|(w, a)| (w * a).abs()).sum::<f64>() + bias;
            let carried: f64 = row.iter().zip(&bounds).map(|(w, b)| w.abs() * b).sum();
            promised + carried + (layer.inputs as f64 + 2.0) * ROUNDING * (size + carried)
        };
        bounds = (0..layer.outputs).map(of_unit).collect();
    }
    activations[layers.len()].iter().copied().zip(bounds).collect()
}

/// A policy over real numbers, as [`Parameters`] has it: a network of the means, and behind its parameters the logarithms
/// of the deviations, which count as outputs.
pub fn with_log_std(means: &Mlp, log_std: &[f64]) -> Mlp {
    let mut widths = means.widths.clone();
    let last = widths.len() - 1;
    widths[last] += log_std.len();
    let parameters = [&means.parameters[..], log_std].concat();
    Mlp { widths, activation: means.activation, parameters }
}

// ---------------------------------------------------------------- kernels of a test

/// A kernel of a test: `parts`, then `source`, which reads `test_input` and writes `test_output`.
pub fn kernel(name: &str, words: &[(&str, u32)], parts: &[&str], source: &str) -> Kernel {
    let program = Program::new(name).word("MW_WORKGROUP", 64).word("MW_SHARE", 1).word("MW_FIRST_WORLD", 0);
    let program = words.iter().fold(program, |program, (name, value)| program.word(name, *value));
    link(&ok(ok(program.part("part/thread.wgsl")).parts(parts)).source(&format!("{name}.wgsl"), source))
}

/// Compiles the program of a test.
pub fn link(program: &Program) -> Kernel {
    ok(gpu().kernel(program))
}

/// Runs a kernel of a test over so many threads; gives the words of `test_output`, poisoned before.
pub fn call(kernel: &Kernel, threads: usize, input: &[u32], outputs: usize) -> Vec<u32> {
    let (input, output) = (ok(gpu().buffer_of("test input", input)), words("test output", outputs));
    let buffers = Buffers::default().with("test_input", &input).with("test_output", &output);
    let mut recording = Recording::default();
    recording.push(&ok(kernel.pass(gpu(), 1, threads as u64, 0, &buffers)));
    ok(gpu().submit(&recording));
    ok(gpu().read(&output))
}

/// A poisoned buffer of words.
pub fn words(label: &'static str, count: usize) -> Buffer<u32> {
    let buffer = ok(gpu().buffer(label, count as u64, "a test's", "the test"));
    poison(&buffer);
    buffer
}

/// The order in which an epoch visits the columns of the batch, as `part/permute.wgsl` has it.
pub fn shuffled(batch: u32, tile: u32, seed: u32, update: u32, epoch: u32) -> Vec<u32> {
    const SOURCE: &str = "
        @bind var<storage, read> test_input: array<u32>;            // batch, tile, seed, update, epoch
        @bind var<storage, read_write> test_output: array<u32>;

        @compute @workgroup_size(MW_WORKGROUP)
        fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) local: u32) {
            let place = mw_thread(group, groups, local).index;
            if place >= test_input[0] { return; }
            test_output[place] =
                mw_shuffled(place, test_input[0], test_input[1], test_input[2], test_input[3], test_input[4], 0u);
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let parts = ["part/random_words.wgsl", "part/permute.wgsl"];
    let kernel = KERNEL.get_or_init(|| kernel("shuffled", &[("MW_STREAM_TRAINING", STREAM_TRAINING)], &parts, SOURCE));
    call(kernel, batch as usize, &[batch, tile, seed, update, epoch], batch as usize)
}
