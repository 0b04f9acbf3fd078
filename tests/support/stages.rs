//! The one place where the stages of an update are put together.

use super::{bits, gpu, ok, planned, poison, submit, wide};
use manyworlds::batch::{Agents, Batch};
use manyworlds::env::{ActionSpace, Environment, Exploration};
use manyworlds::gpu::{Buffer, Buffers, Form, Recording};
use manyworlds::kernels::{Importance, Kernels, Objective, Optimizer, OverTime, Recursion};
use manyworlds::layout::{Progress, Row, Run, SampleRange, TrustRegion};
use manyworlds::nn::{self, Parameters};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::stage::{
    Advantage, AdvantageMoments, Baseline, Learner, Natural, Optimiser, Portion, Rollout, Slicing, Values, Weights,
};

/// What holds for a run of so many worlds, steps and samples in a minibatch; rates as `CleanRL` has them.
pub fn run(worlds: u32, steps: u32, minibatch: u32) -> Run {
    Run {
        num_envs: worlds,
        num_steps: steps,
        batch_size: worlds * steps,
        minibatch_size: minibatch,
        num_minibatches: (worlds * steps).div_ceil(minibatch),
        epochs: 3,
        bootstrap_slots: 1,
        bootstrap: 1,
        tile: 1,
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
        let kernels = Kernels { keeps, agents: count, ..Kernels::new(form, &layout, &space, exploration) };
        let mut slicing = Slicing::new(run.minibatch_size, count, &layout, &kernels);
        slicing.window = window.map_or(slicing.window, |most| slicing.window.min(most));
        run.set_slicing(slicing, &kernels, layout.span([]));
        let parameters: Vec<f32> = networks.iter().flat_map(|networks| padded(&layout, networks)).collect();
        let first = Progress { beta: 0.7, ..Progress::default() };
        let (agents, batch) = planned(|plan| {
            let agents = Agents::new(plan, run, seeds, layout.words(), move || parameters.clone(), first)?;
            Ok((agents, Batch::new(plan, count, &run, features as u32, kernels.rows())?))
        });
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
        let kernels = Kernels::new(self.form, &self.layout, &self.space, self.exploration);
        Kernels { keeps: self.keeps, agents: self.agents.count, ..kernels }
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
        let rollout =
            planned(|plan| Rollout::new(plan, &self.kernels(), env, network, &self.agents, &self.batch, false));
        let mut recording = rollout.reset().clone();
        rollout.record(&mut recording);
        recording
    }

    /// V of every observation under a network.
    pub fn values(&self, network: usize) -> Recording {
        let mut recording = Recording::default();
        planned(|plan| Values::new(plan, &self.kernels(), network, &self.agents, &self.batch)).record(&mut recording);
        recording
    }

    /// What these recursions leave: Φ and targets.
    pub fn along(&self, recursions: &[Recursion], way: OverTime) -> Recording {
        let mut recording = Recording::default();
        planned(|plan| Advantage::new(plan, &self.kernels(), &self.agents, &self.batch, recursions, way))
            .record(&mut recording);
        recording
    }

    /// Importance weights under the policy (network 0).
    pub fn weights(&self, importance: Importance, way: OverTime) -> (Recording, Weights) {
        let weights =
            planned(|plan| Weights::new(plan, &self.kernels(), 0, &self.agents, &self.batch, importance, way));
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
        let (agents, learner, _) = self.policy_learner_of(&self.whole());
        let mut recording = Recording::default();
        learner.record(&mut recording);
        let kernels = self.kernels();
        planned(|plan| Baseline::new(plan, &kernels, 0, &agents, &self.batch, &learner, self.slicing))
            .record(&mut recording);
        (recording, learner)
    }

    /// One minibatch of all samples, for the policy alone.
    fn whole(&self) -> Run {
        let mut run = Run { stride: 1, epochs: 1, ..self.agents.run };
        run.set_slicing(self.slicing, &self.kernels(), self.layout.span([0]));
        run
    }

    fn policy_learner_of(&self, run: &Run) -> (Agents, Learner, AdvantageMoments) {
        let agents = planned(|plan| self.agents.apart(plan, *run));
        let objectives = [(0, Objective::PolicyGradient)];
        let (kernels, buffers) = (self.kernels(), self.buffers_of(&agents));
        let (learner, moments) = planned(|plan| {
            let moments = AdvantageMoments::new(plan, &kernels, &agents, &buffers)?;
            let buffers = buffers.with("mw_moments", &moments.moments);
            Ok((Learner::new(plan, &kernels, &agents, &buffers, self.slicing, &objectives)?, moments))
        });
        poison(&learner.gradient);
        (agents, learner, moments)
    }

    /// The gradient of the policy (network 0) over the whole batch, and the natural gradient's step.
    pub fn natural(&self, trust: TrustRegion, stride: u32) -> (Learner, Natural) {
        let run = self.whole();
        let (agents, learner, moments) = self.policy_learner_of(&run);
        let kernels = self.kernels();
        let products = Portion::new(&kernels.untiled(), 0, run, stride);
        let natural =
            planned(|plan| Natural::new(plan, &kernels, 0, &agents, &self.batch, &learner, &moments, products, trust));
        (learner, natural)
    }

    /// Moments of the advantages of every minibatch.
    pub fn moments(&self) -> AdvantageMoments {
        planned(|plan| AdvantageMoments::new(plan, &self.kernels(), &self.agents, &self.buffers()))
    }

    /// One minibatch of PPO for actor (network 0) and critic (network 1).
    pub fn learning(&self) -> Learning {
        let objectives = [(0, self.objective), (1, Objective::Value)];
        let kernels = self.kernels();
        let moments = self.moments();
        poison(&moments.moments);
        let buffers = self.buffers().with("mw_moments", &moments.moments);
        let learner = planned(|plan| Learner::new(plan, &kernels, &self.agents, &buffers, self.slicing, &objectives));
        poison(&learner.gradient);
        poison(&learner.sums);
        poison(&learner.terms);
        let optimiser = planned(|plan| Optimiser::new(plan, &kernels, &self.agents, &learner, self.optimizer));
        let mut step = Recording::default();
        moments.record(&mut step);
        learner.record(&mut step);
        optimiser.record(&mut step);
        Learning { step, optimiser, gradient: learner.gradient }
    }

    /// Adam's step for gradients that the test writes, `[agent][word]`: partial gradients of one slice.
    pub fn optimiser(&self) -> (Learning, Buffer<f32>) {
        assert_eq!(self.slicing.slices, 1, "a minibatch of one slice");
        let (learner, sum, partial) = self.summing();
        let optimiser = planned(|plan| Optimiser::new(plan, &self.kernels(), &self.agents, &learner, self.optimizer));
        let mut step = sum;
        optimiser.record(&mut step);
        (Learning { step, optimiser, gradient: learner.gradient }, partial)
    }

    /// What is left of these terms, `[agent][term][invocation]`, by the sum of one slice.
    pub fn sums(&self, terms: &[f32]) -> Vec<f32> {
        let (learner, sum, _) = self.summing();
        gpu().write(&learner.terms, terms);
        submit(&sum);
        ok(gpu().read(&learner.sums))
    }

    /// The sum of one slice for a learner without gradients, and the slice.
    fn summing(&self) -> (Learner, Recording, Buffer<f32>) {
        let (kernels, run) = (self.kernels(), &self.agents.run);
        let words = u64::from(self.agents.count) * u64::from(self.layout.partial_words());
        let partial = ok(gpu().buffer("partial", words, "a test's", "the test"));
        let learner = planned(|plan| Learner::new(plan, &kernels, &self.agents, &self.buffers(), self.slicing, &[]));
        poison(&learner.gradient);
        poison(&learner.sums);
        let window = SampleRange { first: 0, count: self.slicing.slice, rows: 1, slices: 1 };
        let buffers = self
            .buffers()
            .with("mw_sample_range", &ok(gpu().uniform("window", &window)))
            .with("mw_partial", &partial)
            .with("mw_gradient", &learner.gradient)
            .with("mw_terms", &learner.terms)
            .with("mw_sums", &learner.sums)
            .with("mw_kept_shares", &ok(gpu().buffer::<f32>("shares", 4, "a test's", "the test")));
        let terms = ok(kernels.sum_terms());
        let beside = if terms.is_none() { run.term_blocks } else { 0 };
        let mut recording = Recording::default();
        let slices = (Some(ok(kernels.sum_slices(learner.span))), run.norm_blocks + beside, kernels.sum_workgroup());
        for (program, blocks, workgroup) in [slices, (terms, run.term_blocks, self.form.workgroup)] {
            let Some(program) = program else { continue };
            let kernel = ok(gpu().kernel(&program));
            let threads = u64::from(blocks * workgroup);
            recording.push(&ok(kernel.pass(gpu(), self.agents.count, threads, 16, &buffers)));
        }
        (learner, recording, partial)
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
