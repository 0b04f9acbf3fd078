//! From a batch to new parameters: loss gradients of a minibatch, their sum, and Adam's step.

use super::layers::Layers;
use super::{one_workgroup, trace_width};
use crate::batch::Agents;
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Exchange, Exchanged, Joined, LOOP_BUDGET, Recording};
use crate::kernels::{self, Gate, Kernels, Objective, TERM_SPAN};
use crate::layout::{Run, SampleRange, TERMS};
use crate::nn::{Parameters, Span};
use crate::plan::{Kernel, Plan};
use crate::shader::{Constant, Program};

/// How a minibatch is divided: slices give the partial gradients, windows of slices share the trace.
///
/// Slices depend on the sizes of one agent only, so that a run's result does not depend on what runs beside it.
/// Windows change nothing but where results are kept for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slicing {
    /// Samples of a slice; a multiple of 4.
    pub slice: u32,
    /// Slices of a minibatch.
    pub slices: u32,
    /// Slices of a window.
    pub window: u32,
}

/// Bytes of the partial gradients of all agents that slicing aims at.
const PARTIAL_BYTES: u64 = 64 << 20;
/// Samples of a slice where the minibatch is small, and slices of a minibatch where it is large.
const SLICE: u32 = 256;
const SLICES: u32 = 256;
/// The same where a workgroup takes a slice tile by tile: enough workgroups for the largest GPUs.
const TILED_SLICES: u32 = 512;

impl Slicing {
    /// For minibatches of this size.
    pub fn new(minibatch: u32, agents: u32, parameters: &Parameters, kernels: &Kernels) -> Self {
        let partial = u64::from(agents) * 4 * u64::from(parameters.partial_words().max(1));
        let most = u32::try_from(PARTIAL_BYTES / partial).unwrap_or(u32::MAX).clamp(1, LOOP_BUDGET as u32 / 2);
        if let Some(samples) = (0..parameters.networks().len()).filter_map(|n| Some(kernels.tile(n)?.samples)).max() {
            let slice = minibatch.div_ceil(TILED_SLICES).max(2 * samples).next_multiple_of(samples);
            let slices = minibatch.div_ceil(slice);
            return Self { slice, slices, window: slices.min(most) };
        }
        if kernels.summed() {
            let slice = kernels.form.share_size() * kernels.samples();
            let slices = minibatch.div_ceil(slice);
            return Self { slice, slices, window: slices.min(most) };
        }
        let slices = (minibatch / SLICE).clamp(1, SLICES);
        let slice = minibatch.div_ceil(slices).next_multiple_of(4 * kernels.form.vectors);
        let slices = minibatch.div_ceil(slice);
        let row = (0..parameters.networks().len()).map(|network| trace_row_bytes(kernels, network)).max().unwrap_or(16);
        let rows = (kernels.trace / (u64::from(agents) * row)).saturating_sub(kernels.samples().into());
        let window = (rows / u64::from(slice)).clamp(1, u64::from(slices.min(most))) as u32;
        Self { slice, slices, window }
    }

    /// Samples of a minibatch, the last slice filled up.
    fn samples(self) -> u32 {
        self.slice * self.slices
    }
}

fn constant(kernels: &Kernels, network: usize, name: &str) -> u64 {
    match kernels.parameters.constants(network, kernels.form, true).get(name) {
        Some(Constant::Word(word)) => u64::from(*word),
        _ => 0,
    }
}

fn trace_row_bytes(kernels: &Kernels, network: usize) -> u64 {
    u64::from(trace_width(kernels, network)) * 16
}

/// A network and the kernels of its gradient.
#[derive(Debug)]
pub struct Differentiated {
    /// Its place among the parameters.
    pub network: usize,
    /// Loss gradients of samples.
    pub gradient: Program,
    /// Their products with units, where the gradient kernel does not sum these itself.
    pub weights: Option<Program>,
    /// Networks that its kernel runs, from that one on.
    pub networks: u32,
    /// Where the network is run layer by layer, and the gradient kernel is but the objective between the passes.
    pub layers: Option<Layered>,
}

/// What a gradient wants beyond its objective where the network is run layer by layer.
#[derive(Debug)]
pub struct Layered {
    /// What the network sees.
    pub observe: Program,
    /// Whether outputs have tangents.
    pub tangents: bool,
    /// What the slopes by the inputs are for.
    pub slopes: Option<Program>,
}

/// Loss gradients of a minibatch, window by window: partial gradients that are not added up yet.
#[derive(Clone, Debug)]
pub struct Gradients {
    windows: Vec<GradientWindow>,
    /// `[agent][slice of a window][word]`
    pub partial: Buffer<f32>,
    /// `[agent][term][invocation of the minibatch]`
    pub terms: Buffer<f32>,
}

/// One window of slices.
#[derive(Clone, Debug)]
struct GradientWindow {
    recording: Recording,
    /// Those of the gradients, with the window.
    buffers: Buffers,
    slices: u32,
}

impl Gradients {
    /// Of these networks, for `count` agents, of which every `step`-th has work. `buffers`: what their kernels want beyond
    /// what is made here.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        run: &Run,
        [count, step]: [u32; 2],
        buffers: &Buffers,
        slicing: Slicing,
        networks: &[Differentiated],
    ) -> Result<Self> {
        let samples = kernels.samples();
        let agents = ("agents", u64::from(count));
        let slices = ("slices", u64::from(slicing.window) + 1);
        let words = ("parameters", u64::from(kernels.parameters.partial_words()));
        let partial: Buffer<f32> = plan.buffer("partial gradients", &[agents, slices, words], "hidden")?;
        let threads = ("invocations", u64::from(run.minibatch_threads));
        let terms = plan.buffer("terms", &[agents, ("terms", TERMS.into()), threads], "num_envs")?;
        let traced = !kernels.summed();
        let rows = if traced { u64::from(slicing.window * slicing.slice + samples) } else { 1 };
        let width = networks.iter().map(|of| trace_row_bytes(kernels, of.network) / 4).max().unwrap_or(4);
        let trace: Buffer<f32> =
            plan.buffer("trace", &[agents, ("samples", rows), ("words", width)], "hidden or num_envs")?;
        let buffers = buffers.with("mw_partial", &partial).with("mw_terms", &terms).with("mw_trace", &trace);

        let mut windows = Vec::new();
        let mut first = 0;
        while first < slicing.slices {
            let slices = slicing.window.min(slicing.slices - first);
            let window = SampleRange {
                first: first * slicing.slice,
                count: slices * slicing.slice,
                rows: rows as u32,
                slices: slicing.window + 1,
            };
            let buffers = buffers.with("mw_sample_range", &plan.uniform("window", &window));
            let mut recording = Recording::default();
            for of in networks {
                let gradient = plan.kernel(of.gradient.clone());
                let agents = [count / step, step];
                match &of.layers {
                    Some(layers) => {
                        let width = trace_width(kernels, of.network);
                        let network = Layers { kernels, network: of.network, agents, gate: Gate::Learning, width };
                        layers.record(plan, network, gradient, window.count, &buffers, &mut recording)?;
                    }
                    None => {
                        let (threads, iterations) = whole(kernels, of.network, slicing, window);
                        let threads = threads * u64::from(of.networks);
                        recording.push(&plan.pass(gradient, agents[0], threads, iterations, &buffers));
                    }
                }
                if let Some(weights) = &of.weights {
                    let weights = plan.kernel(weights.clone());
                    let threads = u64::from(slices) * constant(kernels, of.network, "MW_TASKS");
                    recording.push(&plan.pass(weights, agents[0], threads, u64::from(slicing.slice / 4), &buffers));
                }
            }
            windows.push(GradientWindow { recording, buffers, slices });
            first += slices;
        }
        Ok(Self { windows, partial, terms })
    }

    /// Adds all windows; nothing is summed.
    pub fn record(&self, update: &mut Recording) {
        self.windows.iter().for_each(|window| update.extend(&window.recording));
    }

    /// The passes of every window, each followed by one of `sum` over the slices; of `last` behind the last one. With each
    /// its threads.
    pub fn summed(&self, plan: &mut Plan, count: u32, [sum, last]: [(Kernel, u32); 2], buffers: &Buffers) -> Recording {
        let mut recording = Recording::default();
        for (n, window) in self.windows.iter().enumerate() {
            recording.extend(&window.recording);
            let (kernel, threads) = if n + 1 == self.windows.len() { last } else { sum };
            let buffers = window.buffers.and(buffers);
            recording.push(&plan.pass(kernel, count, threads.into(), window.slices.into(), &buffers));
        }
        recording
    }
}

/// What shares of the slices have come to between windows (slot `adders`), `[agent][share][word]`; next to nothing for one window.
fn kept_shares(plan: &mut Plan, kernels: &Kernels, count: u32, slicing: Slicing) -> Result<Buffer<f32>> {
    let shares = u64::from(kernels.sum_workgroup() / kernels.form.workgroup);
    let words = if slicing.window < slicing.slices { u64::from(kernels.parameters.learned()) } else { 4 };
    plan.buffer("kept shares", &[("agents", count.into()), ("shares", shares), ("parameters", words)], "hidden")
}

/// Threads and loop iterations of a gradient kernel that runs a whole network for the samples of a window.
fn whole(kernels: &Kernels, network: usize, slicing: Slicing, window: SampleRange) -> (u64, u64) {
    let shape = &kernels.parameters.networks()[network];
    match kernels.tile(network) {
        Some(tile) => {
            let tiles = u64::from(slicing.slice.div_ceil(tile.samples));
            let slices = window.count / slicing.slice;
            (u64::from(slices * tile.threads), tiles * (tile.iterations(shape) + 1) + 64)
        }
        None => {
            let iterations = shape.forward_iterations() + shape.backward_iterations() + 64;
            (u64::from(window.count.div_ceil(kernels.samples())), iterations)
        }
    }
}

impl Layered {
    /// Forward, the objective, and backward.
    fn record(
        &self,
        plan: &mut Plan,
        network: Layers,
        objective: Kernel,
        samples: u32,
        buffers: &Buffers,
        recording: &mut Recording,
    ) -> Result<()> {
        let observe = plan.kernel(self.observe.clone());
        network.forward(plan, observe, samples, buffers, recording)?;
        if self.tangents {
            network.tangents(plan, samples, buffers, recording)?;
        }
        recording.push(&plan.pass(objective, network.agents[0], samples.into(), 0, buffers));
        network.backward(plan, self.slopes.is_some(), samples, buffers, recording)?;
        if let Some(slopes) = &self.slopes {
            let slopes = plan.kernel(slopes.clone());
            recording.push(&plan.pass(slopes, network.agents[0], samples.into(), 0, buffers));
        }
        Ok(())
    }
}

/// Loss gradients of the current minibatch.
#[derive(Clone, Debug)]
pub struct Learner {
    recording: Recording,
    /// `[agent][term][invocation of the minibatch]`
    pub terms: Buffer<f32>,
    /// Gradient before the limit of its norm, `[agent][word]`.
    pub gradient: Buffer<f32>,
    /// Sums of its squares, and then of the terms, `[agent][word]` as in [`Run::sums`].
    pub sums: Buffer<f32>,
    /// The part of the parameters that it is for.
    pub span: Span,
}

impl Learner {
    /// Gradients of these networks, each with its objective. `buffers`: those of agents and batch, moments of the advantages for a
    /// policy, and what objectives want beyond.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        agents: &Agents,
        buffers: &Buffers,
        slicing: Slicing,
        objectives: &[(usize, Objective)],
    ) -> Result<Self> {
        let run = &agents.run;
        let count = agents.count;
        let span = kernels.parameters.span(objectives.iter().map(|&(network, _)| network));
        let mut recording = Recording::default();

        let agent = ("agents", u64::from(count));
        let differentiate = |&(network, objective): &(usize, Objective)| -> Result<Differentiated> {
            let gradient = kernels.gradient(network, objective)?;
            let weights = (!kernels.summed()).then(|| kernels.weight_gradient(network, objective)).transpose()?;
            let layers = kernels.layered().then(|| {
                let observe =
                    kernels.observe_minibatch(network, &|program| program.part("slot/observed/columns.wgsl"))?;
                Ok(Layered { observe, tangents: objective == Objective::Fisher, slopes: None })
            });
            Ok(Differentiated { network, gradient, weights, networks: 1, layers: layers.transpose()? })
        };
        let both = match objectives {
            &[(0, objective), (1, Objective::Value)] => kernels.gradient_of_both(objective)?,
            _ => None,
        };
        let networks = match both {
            Some(gradient) => vec![Differentiated { network: 0, gradient, weights: None, networks: 2, layers: None }],
            None => objectives.iter().map(differentiate).collect::<Result<Vec<_>>>()?,
        };
        let gradients = Gradients::new(plan, kernels, run, [count, 1], buffers, slicing, &networks)?;
        let words = ("parameters", kernels.parameters.learned().into());
        let gradient: Buffer<f32> = plan.buffer("gradient", &[agent, words], "hidden")?;
        let sums: Buffer<f32> = plan.buffer("sums", &[agent, ("words", run.sums().into())], "hidden or num_envs")?;
        let sum = plan.kernel(kernels.sum_slices(span)?);
        let buffers = buffers
            .with("mw_gradient", &gradient)
            .with("mw_sums", &sums)
            .with("mw_kept_shares", &kept_shares(plan, kernels, count, slicing)?);
        let [own, all] =
            [run.norm_blocks, run.norm_blocks + run.term_blocks].map(|n| (sum, n * kernels.sum_workgroup()));
        match kernels.sum_terms()? {
            Some(terms) => {
                recording.extend(&gradients.summed(plan, count, [own; 2], &buffers));
                let (terms, threads) = (plan.kernel(terms), run.term_blocks * kernels.form.workgroup);
                let turns = u64::from(TERM_SPAN / kernels.form.workgroup) + 1;
                recording.push(&plan.pass(
                    terms,
                    count,
                    threads.into(),
                    turns,
                    &buffers.with("mw_terms", &gradients.terms),
                ));
            }
            None => recording.extend(&gradients.summed(plan, count, [own, all], &buffers)),
        }
        if !plan.target().rank.is_alone() && kernels.in_step {
            let learned = u64::from(4 * span.first)..u64::from(4 * (span.first + span.count));
            let terms = u64::from(run.norm_blocks)..u64::from(run.sums());
            recording.exchange(Exchange::of_gradient(
                Exchanged::of_agents(&gradient, Joined::Mean, learned, count),
                &sums,
                run.norm_blocks,
                vec![Exchanged::of_agents(&sums, Joined::Mean, terms, count)],
            ));
        }
        Ok(Self { recording, terms: gradients.terms, gradient, sums, span })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}

/// Limits the norm of the gradient and takes the optimiser's step; moves the agents' progress on by one minibatch.
#[derive(Clone, Debug)]
pub struct Optimiser {
    step: Recording,
    advance: Recording,
    /// What it keeps of earlier gradients, `[agent][m, v][word]`.
    pub state: Buffer<f32>,
}

impl Optimiser {
    /// The optimiser for the gradients of a learner, and what their terms say.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        agents: &Agents,
        learner: &Learner,
        optimizer: kernels::Optimizer,
    ) -> Result<Self> {
        let run: &Run = &agents.run;
        let count = agents.count;
        let words = ("parameters", kernels.parameters.learned().into());
        let state = plan.buffer("optimizer", &[("agents", count.into()), ("moments", 2), words], "hidden")?;
        let buffers = agents
            .buffers()
            .with("mw_gradient", &learner.gradient)
            .with("mw_sums", &learner.sums)
            .with("mw_past", &state);
        let turns = u64::from(run.norm_blocks + run.term_blocks) / u64::from(kernels.form.workgroup) + 2;
        let kernel = plan.kernel(kernels.advance()?);
        let advance = one_workgroup(plan, kernel, count, turns, &buffers);
        let kernel = plan.kernel(kernels.descend(optimizer, learner.span)?);
        // on a GPU the step moves the progress on itself
        let mut step = if kernels.form.hardware { Recording::default() } else { advance.clone() };
        step.push(&plan.pass(kernel, count, learner.span.count.into(), turns, &buffers));
        Ok(Self { step, advance, state })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.step);
    }

    /// Adds all but the step: the progress of the agents, the metrics of the minibatch.
    pub fn record_progress(&self, update: &mut Recording) {
        update.extend(&self.advance);
    }
}

/// Samples that a learner takes in one minibatch.
#[derive(Clone, Copy, Debug)]
pub struct Portion {
    /// The run of every n-th sample.
    pub run: Run,
    /// How it is divided.
    pub slicing: Slicing,
}

impl Portion {
    /// Every `stride`-th sample of a batch, for the learner of one network.
    pub fn new(kernels: &Kernels, network: usize, run: Run, stride: u32) -> Self {
        let minibatch_size = run.batch_size.div_ceil(stride);
        let slicing = Slicing::new(minibatch_size, kernels.agents, kernels.parameters, kernels);
        let mut run = Run { minibatch_size, num_minibatches: 1, stride, norm_adv: 0, ..run };
        run.set_slicing(slicing, kernels, kernels.parameters.span([network]));
        Self { run, slicing }
    }
}

impl Run {
    /// Fills in what follows from the slicing of a minibatch, for the part of the parameters that is learned.
    pub fn set_slicing(&mut self, slicing: Slicing, kernels: &Kernels, span: Span) {
        self.slice = slicing.slice;
        self.minibatch_threads = slicing.samples() / kernels.samples();
        self.term_blocks = self.minibatch_threads.div_ceil(TERM_SPAN).max(1);
        self.norm_blocks = span.count.div_ceil(kernels.form.workgroup);
    }

    /// Words of an agent in what `sum_slices.wgsl` leaves beside the gradient (`shaders/part/sums.wgsl`): squares of each of its
    /// workgroups, and [`TERMS`] of each block of the minibatch.
    pub fn sums(&self) -> u32 {
        self.norm_blocks + TERMS * self.term_blocks
    }
}
