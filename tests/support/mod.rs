//! What the tests on the device share: the adapter and its forms, seeded inputs, kernels of a test, and the one
//! place where stages are put together.

#![allow(dead_code)] // every integration test compiles its own copy and uses a part of it

use manyworlds::batch::{Agents, Batch};
use manyworlds::env::{ActionSpace, Environment, Exploration};
use manyworlds::gpu::{AdapterChoice, Buffer, Buffers, Form, Gpu, Kernel, Recording};
use manyworlds::kernels::{Importance, Kernels, Objective, Optimizer, OverTime, Recursion};
use manyworlds::layout::{Progress, Row, Run, STREAM_TRAINING, Trust, Window};
use manyworlds::nn::{self, Parameters};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::shader::Program;
use manyworlds::stage::{Advantage, Baseline, Learner, Natural, Optimiser, Portion, Rollout, Slicing, Values, Weights};
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

/// Every form that this adapter can run.
pub fn forms(gpu: &Gpu) -> Vec<Form> {
    gpu.forms()
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
    let program = Program::new(name).word("MW_WORKGROUP", 64).word("MW_SHARE", 1);
    let program = words.iter().fold(program, |program, (name, value)| program.word(name, *value));
    link(&ok(ok(program.part("part/thread.wgsl")).parts(parts)).source(&format!("{name}.wgsl"), source))
}

/// Compiles the program of a test.
pub fn link(program: &Program) -> Kernel {
    ok(gpu().kernel(&ok(program.link())))
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
                mw_shuffled(place, test_input[0], test_input[1], test_input[2], test_input[3], test_input[4]);
        }";
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let parts = ["part/random_words.wgsl", "part/permute.wgsl"];
    let kernel = KERNEL.get_or_init(|| kernel("shuffled", &[("MW_STREAM_TRAINING", STREAM_TRAINING)], &parts, SOURCE));
    call(kernel, batch as usize, &[batch, tile, seed, update, epoch], batch as usize)
}

// ---------------------------------------------------------------- stages

/// What holds for a run of so many worlds, steps and samples in a minibatch; rates as `CleanRL` has them.
pub fn run(worlds: u32, steps: u32, minibatch: u32) -> Run {
    Run {
        num_envs: worlds,
        num_steps: steps,
        batch_size: worlds * steps,
        minibatch_size: minibatch,
        num_minibatches: (worlds * steps).div_ceil(minibatch),
        bootstrap_slots: 1,
        bootstrap: 1,
        tile: 1,
        ring: 16,
        num_updates: 10,
        gamma: 0.99,
        gae_lambda: 0.95,
        clip_coef: 0.2,
        vf_coef: 0.5,
        learning_rate: 2.5e-4,
        decay1: (1.0 - 0.9) as f32,
        decay2: (1.0 - 0.999) as f32,
        optimizer_eps: 1e-5,
        ..Run::default()
    }
}

/// Samples of a batch of one agent, `[sample]` and `[sample][feature]`.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    pub observations: Vec<f64>,
    /// `[word of the action][sample]`
    pub actions: Vec<u32>,
    pub old_log_probs: Vec<f64>,
    pub advantages: Vec<f64>,
    pub targets: Vec<f64>,
    pub old_values: Vec<f64>,
}

impl Samples {
    /// The samples at these columns, in this order.
    pub fn select(&self, columns: &[u32]) -> Self {
        let count = self.advantages.len();
        let features = self.observations.len() / count;
        let numbers = |from: &[f64]| columns.iter().map(|&c| from[c as usize]).collect();
        let row = |&c: &u32| self.observations[c as usize * features..][..features].to_vec();
        Self {
            observations: columns.iter().flat_map(row).collect(),
            actions: self
                .actions
                .chunks_exact(count)
                .flat_map(|row| columns.iter().map(|&c| row[c as usize]))
                .collect(),
            old_log_probs: numbers(&self.old_log_probs),
            advantages: numbers(&self.advantages),
            targets: numbers(&self.targets),
            old_values: numbers(&self.old_values),
        }
    }
}

/// Agents with their networks and an empty batch; the stages over them are made on demand. The one place that
/// knows how agents, batch, learner and optimiser are constructed.
pub struct Stages {
    pub form: Form,
    pub layout: Parameters,
    pub space: ActionSpace,
    pub exploration: Exploration,
    pub agents: Agents,
    pub batch: Batch,
    keeps: bool,
    /// What the policy is trained for, and how.
    pub objective: Objective,
    pub optimizer: Optimizer,
    features: usize,
    slicing: Slicing,
}

/// The stages of one minibatch.
pub struct Learning {
    /// Gradient, its sum, and Adam's step.
    pub step: Recording,
    pub optimiser: Optimiser,
    /// `[agent][word]`, before the limit of its norm.
    pub gradient: Buffer<f32>,
}

impl Stages {
    /// `networks` is `[agent][network]`, of the same shapes for every agent; it may hold none. `run` says everything
    /// but the slicing; `window` limits the slices of a window.
    pub fn new(form: Form, networks: &[&[&Mlp]], seeds: &[u32], run: Run, window: Option<u32>) -> Self {
        let actor = networks[0].first().map_or(1, |network| network.widths[network.widths.len() - 1]);
        let space = ActionSpace::Discrete { count: actor as u32, masked: false };
        Self::with_space(form, networks, space, seeds, run, window)
    }

    /// The same for a policy over these actions. The network of a policy over real numbers has its deviations' logarithms
    /// as last outputs, whose weights are 0.
    pub fn with_space(
        form: Form,
        networks: &[&[&Mlp]],
        space: ActionSpace,
        seeds: &[u32],
        run: Run,
        window: Option<u32>,
    ) -> Self {
        Self::exploring(form, networks, (space, Exploration::default()), seeds, run, window)
    }

    /// The same for a policy that explores in its own way.
    pub fn exploring(
        form: Form,
        networks: &[&[&Mlp]],
        (space, exploration): (ActionSpace, Exploration),
        seeds: &[u32],
        mut run: Run,
        window: Option<u32>,
    ) -> Self {
        // kept where a test's objective may want it: everywhere
        let keeps = true;
        let mut layout = Parameters::default();
        for (network, name) in networks[0].iter().zip(["actor", "critic"]) {
            let widths: Vec<u32> = network.widths.iter().map(|&width| width as u32).collect();
            let activation = match network.activation {
                Activation::Tanh => nn::Activation::Tanh,
                Activation::Relu => nn::Activation::Relu,
            };
            let free = if name == "actor" { space.free_outputs(exploration) } else { 0 };
            layout.add_policy(name, &widths, activation, free, 0.0);
        }
        let features = networks[0].first().map_or(1, |network| network.widths[0]);
        let count = seeds.len() as u32;
        let kernels = Kernels { form, parameters: &layout, space: &space, exploration, keeps, agents: count };
        let mut slicing = Slicing::new(run.minibatch_size, count, &layout, &kernels);
        slicing.window = window.map_or(slicing.window, |most| slicing.window.min(most));
        run.set_slicing(slicing, &kernels, layout.span([]));
        let parameters: Vec<f32> = networks.iter().flat_map(|networks| padded(&layout, networks)).collect();
        let agents = ok(Agents::new(gpu(), run, seeds, &parameters, 0.7));
        let batch = ok(Batch::new(gpu(), count, &run, features as u32, kernels.rows()));
        for buffer in [&batch.samples, &batch.final_values] {
            poison(buffer);
        }
        for buffer in [&batch.observations, &batch.final_observations] {
            poison(buffer);
        }
        let (objective, optimizer) = (Objective::PpoClip, Optimizer::Adam);
        Self { form, layout, space, exploration, agents, batch, keeps, objective, optimizer, features, slicing }
    }

    pub fn kernels(&self) -> Kernels<'_> {
        Kernels {
            form: self.form,
            parameters: &self.layout,
            space: &self.space,
            exploration: self.exploration,
            keeps: self.keeps,
            agents: self.agents.count,
        }
    }

    /// Every buffer of agents and batch by its name in shaders.
    pub fn buffers(&self) -> Buffers {
        self.buffers_of(&self.agents)
    }

    fn buffers_of(&self, agents: &Agents) -> Buffers {
        self.batch.buffers(&agents.buffers())
    }

    /// Writes one row of an agent's samples, or several from it on.
    pub fn write_row(&self, agent: usize, row: Row, words: &[u32]) {
        let batch = self.agents.run.batch_size as usize;
        assert_eq!(words.len() % batch, 0, "columns of {row:?}");
        gpu().write_at(&self.batch.samples, (agent * self.kernels().rows() as usize + row as usize) * batch, words);
    }

    /// Writes what a rollout keeps of its distributions, `[output][sample]`.
    pub fn write_kept(&self, agent: usize, words: &[u32]) {
        let batch = self.agents.run.batch_size as usize;
        let row = agent * self.kernels().rows() as usize + self.space.rows() as usize;
        gpu().write_at(&self.batch.samples, row * batch, words);
    }

    /// Reads one row of an agent's samples.
    pub fn read_row(&self, agent: usize, row: Row) -> Vec<u32> {
        let batch = self.agents.run.batch_size as usize;
        let first = (agent * self.kernels().rows() as usize + row as usize) * batch;
        ok(gpu().read(&self.batch.samples))[first..first + batch].to_vec()
    }

    /// Writes observations `[sample][feature]` of an agent.
    pub fn write_observations(&self, agent: usize, observations: &[f64]) {
        let turned = turned(observations, self.features);
        gpu().write_at(&self.batch.observations, agent * turned.len(), &turned);
    }

    /// Writes observations to bootstrap from, `[slot · world][feature]`, of an agent.
    pub fn write_final_observations(&self, agent: usize, observations: &[f64]) {
        let turned = turned(observations, self.features);
        gpu().write_at(&self.batch.final_observations, agent * turned.len(), &turned);
    }

    /// Writes what an update of an agent learns from.
    pub fn write_samples(&self, agent: usize, samples: &Samples) {
        self.write_observations(agent, &samples.observations);
        self.write_row(agent, Row::Action, &samples.actions);
        self.write_row(agent, Row::LogProb, &bits(&samples.old_log_probs));
        self.write_row(agent, Row::Advantage, &bits(&samples.advantages));
        self.write_row(agent, Row::Target, &bits(&samples.targets));
        self.write_row(agent, Row::Value, &bits(&samples.old_values));
    }

    /// Changes the progress of every agent; the closure is given the agent's number.
    pub fn set_progress(&self, change: impl Fn(usize, &mut Progress)) {
        let mut progress = self.progress();
        progress.iter_mut().enumerate().for_each(|(agent, progress)| change(agent, progress));
        gpu().write(&self.agents.progress, &progress);
    }

    pub fn progress(&self) -> Vec<Progress> {
        ok(gpu().read(&self.agents.progress))
    }

    /// Padded parameters of an agent.
    pub fn parameters(&self, agent: usize) -> Vec<f32> {
        self.of_agent(&ok(gpu().read(&self.agents.parameters)), agent)
    }

    /// An agent's words of a buffer `[agent][…]`.
    pub fn of_agent(&self, all: &[f32], agent: usize) -> Vec<f32> {
        let size = all.len() / self.agents.count as usize;
        all[agent * size..][..size].to_vec()
    }

    /// Words of an agent's parameters that are padding.
    pub fn padding(&self) -> Vec<usize> {
        let used = self.layout.expand(&vec![1.0; self.layout.tensors().iter().map(nn::Tensor::len).sum()]);
        (0..used.len()).filter(|&word| used[word] == 0.0).collect()
    }

    /// A reset of every world, and the steps of a rollout under a network.
    pub fn rollout(&self, env: &Environment, network: usize) -> Recording {
        let rollout = ok(Rollout::new(gpu(), &self.kernels(), env, network, &self.agents, &self.batch, false));
        let mut recording = rollout.reset().clone();
        rollout.record(&mut recording);
        recording
    }

    /// V of every observation under a network.
    pub fn values(&self, network: usize) -> Recording {
        let mut recording = Recording::default();
        ok(Values::new(gpu(), &self.kernels(), network, &self.agents, &self.batch)).record(&mut recording);
        recording
    }

    /// What these recursions leave: Φ and targets.
    pub fn along(&self, recursions: &[Recursion], way: OverTime) -> Recording {
        let mut recording = Recording::default();
        ok(Advantage::new(gpu(), &self.kernels(), &self.agents, &self.batch, recursions, way)).record(&mut recording);
        recording
    }

    /// Importance weights under the policy (network 0).
    pub fn weights(&self, importance: Importance, way: OverTime) -> (Recording, Weights) {
        let weights = ok(Weights::new(gpu(), &self.kernels(), 0, &self.agents, &self.batch, importance, way));
        let mut recording = Recording::default();
        weights.record(&mut recording);
        (recording, weights)
    }

    /// −log π Φ of the policy (network 0) alone, over the whole batch.
    pub fn policy_learner(&self) -> Learner {
        self.policy_learner_of(&self.whole()).1
    }

    /// The same with the best baseline for each parameter.
    pub fn optimal_baseline(&self) -> (Recording, Learner) {
        let (agents, learner) = self.policy_learner_of(&self.whole());
        let mut recording = Recording::default();
        learner.record(&mut recording);
        let kernels = self.kernels();
        ok(Baseline::new(gpu(), &kernels, 0, &agents, &self.batch, &learner, self.slicing)).record(&mut recording);
        (recording, learner)
    }

    /// One minibatch of all samples, for the policy alone.
    fn whole(&self) -> Run {
        let mut run = Run { stride: 1, ..self.agents.run };
        run.set_slicing(self.slicing, &self.kernels(), self.layout.span([0]));
        run
    }

    fn policy_learner_of(&self, run: &Run) -> (Agents, Learner) {
        let agents = ok(self.agents.apart(gpu(), *run));
        let objectives = [(0, Objective::PolicyGradient)];
        let buffers = self.buffers_of(&agents);
        let learner = ok(Learner::new(gpu(), &self.kernels(), &agents, &buffers, self.slicing, &objectives));
        poison(&learner.gradient);
        (agents, learner)
    }

    /// The gradient of the policy (network 0) over the whole batch, and the natural gradient's step.
    pub fn natural(&self, trust: Trust, stride: u32) -> (Learner, Natural) {
        let run = self.whole();
        let (agents, learner) = self.policy_learner_of(&run);
        let kernels = self.kernels();
        let untiled = kernels.untiled();
        let products = Portion::new(&untiled, 0, run, stride);
        let natural = Natural::new(gpu(), &untiled, 0, &agents, &self.batch, &learner, products, trust);
        (learner, ok(natural))
    }

    /// One minibatch of PPO for actor (network 0) and critic (network 1).
    pub fn learning(&self) -> Learning {
        let objectives = [(0, self.objective), (1, Objective::Value)];
        let kernels = self.kernels();
        let learner = ok(Learner::new(gpu(), &kernels, &self.agents, &self.buffers(), self.slicing, &objectives));
        poison(&learner.gradient);
        poison(&learner.norms);
        poison(&learner.terms);
        let optimiser = ok(Optimiser::new(gpu(), &kernels, &self.agents, &learner, self.optimizer));
        let mut step = Recording::default();
        learner.record(&mut step);
        optimiser.record(&mut step);
        Learning { step, optimiser, gradient: learner.gradient }
    }

    /// Adam's step for gradients that the test writes, `[agent][word]`: partial gradients of one slice.
    pub fn optimiser(&self) -> (Learning, Buffer<f32>) {
        assert_eq!(self.slicing.slices, 1, "a minibatch of one slice");
        let count = u64::from(self.agents.count);
        let words = u64::from(self.layout.learned());
        let partial_words = u64::from(self.layout.partial_words());
        let partial = ok(gpu().buffer("partial", count * partial_words, "a test's", "the test"));
        let kernels = self.kernels();
        let learner = ok(Learner::new(gpu(), &kernels, &self.agents, &self.buffers(), self.slicing, &[]));
        poison(&learner.gradient);
        poison(&learner.norms);
        let window = Window { first: 0, count: self.slicing.slice, rows: 1, slices: 1 };
        let buffers = self
            .buffers()
            .with("mw_window", &ok(gpu().uniform("window", &window)))
            .with("mw_partial", &partial)
            .with("mw_gradient", &learner.gradient)
            .with("mw_norms", &learner.norms);
        let sum = ok(gpu().kernel(&ok(kernels.sum_slices(learner.span))));
        let optimiser = ok(Optimiser::new(gpu(), &kernels, &self.agents, &learner, self.optimizer));
        let mut step = Recording::default();
        step.push(&ok(sum.pass(gpu(), self.agents.count, words / 4, 1, &buffers)));
        optimiser.record(&mut step);
        (Learning { step, optimiser, gradient: learner.gradient }, partial)
    }
}

/// A gradient as the partial gradient of the only slice.
pub fn partial_slice(layout: &Parameters, gradient: &[f64]) -> Vec<f32> {
    let mut words = layout.expand(&gradient.iter().map(|&g| g as f32).collect::<Vec<_>>());
    words.resize(layout.partial_words() as usize, f32::NAN);
    words
}

/// Parameters of an agent's networks with their padding.
pub fn padded(layout: &Parameters, networks: &[&Mlp]) -> Vec<f32> {
    let compact: Vec<f32> = networks.iter().flat_map(|n| n.parameters.iter().map(|&p| p as f32)).collect();
    layout.expand(&compact)
}

/// The networks with the parameters that an agent has on the device.
pub fn with_parameters(layout: &Parameters, networks: &[&Mlp], padded: &[f32]) -> Vec<Mlp> {
    let compact = wide(&layout.compact(padded));
    let mut rest = compact.as_slice();
    let take = |network: &&Mlp| {
        let (now, later) = rest.split_at(network.parameters.len());
        rest = later;
        Mlp { parameters: now.to_vec(), ..(*network).clone() }
    };
    networks.iter().map(take).collect()
}

/// `[sample][feature]` to `[feature][sample]`.
fn turned(rows: &[f64], features: usize) -> Vec<f32> {
    let samples = rows.len() / features;
    (0..rows.len()).map(|i| rows[i % samples * features + i / samples] as f32).collect()
}
