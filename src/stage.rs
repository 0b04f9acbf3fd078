//! The stages of an update: each makes its buffers and its passes once and is replayed from then on.

#![allow(clippy::missing_errors_doc)] // errors of what is planned, linked and built, which `plan` tells of

mod baseline;
mod estimates;
mod gradient_steps;
mod layers;
mod learner;
mod natural;
mod normaliser;
mod picture;
mod pool;
mod reduction;
mod replay_buffer;
mod rollout;
mod search;

pub use baseline::Baseline;
pub use estimates::Estimates;
pub use gradient_steps::{Actors, Critics, GradientSteps, Learned, Step, Targets, slicing};
pub use learner::{Differentiated, Gradients, Layered, Learner, Optimiser, Portion, Slicing};
pub use natural::Natural;
pub use normaliser::Normaliser;
pub use picture::{Grid, Picture};
pub use pool::{AutoReset, Order, Packing, Pool, PoolSteps};
pub use reduction::{AdvantageMoments, Elements, Reduced};
pub use replay_buffer::{Interact, Minibatch, ReplayBuffer, ReplayBufferPart};
pub use rollout::{Acting, Evaluation, RandomSteps, Rollout};
pub use search::{Beginning, Generation};

use crate::batch::{Agents, Batch};
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Exchange, Exchanged, Joined, Recording};
use crate::kernels::{Gate, Importance, Kernels, OverTime, Passed, Recursion, Reduction};
use crate::layout::{Columns, Row, Run, SampleRange};
use crate::plan::{Kernel, Plan};
use crate::shader::{Constant, Program};
use layers::Layers;

/// V(o) of every observation of the batch and of those to bootstrap from.
#[derive(Clone, Debug)]
pub struct Values {
    recording: Recording,
}

impl Values {
    /// V by the critic `network`.
    pub fn new(plan: &mut Plan, kernels: &Kernels, network: usize, agents: &Agents, batch: &Batch) -> Result<Self> {
        let run = &agents.run;
        let passed = kernels.value(network)?;
        let slots = run.bootstrap_slots * run.num_envs;
        let offset = Row::Value as u32 * run.batch_size;
        let rows =
            Columns { count: run.batch_size, stride: kernels.rows() * run.batch_size, offset, ..Columns::default() };
        let finals = Columns { count: slots, stride: slots, ..Columns::default() };
        let mut recording = Recording::default();
        for (columns, input, output) in
            [(rows, &batch.observations, &batch.samples), (finals, &batch.final_observations, &batch.final_values)]
        {
            let buffers = agents.buffers().with("mw_observed", input).with("mw_values", output);
            recording.extend(&forward(plan, kernels, &passed, network, agents.count, columns, &buffers)?);
        }
        Ok(Self { recording })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}

/// The passes of a network over the columns from the first one on: one, or where hidden units need memory windows that share
/// it, which change nothing but where those are kept for a moment.
fn forward(
    plan: &mut Plan,
    kernels: &Kernels,
    passed: &Passed,
    network: usize,
    agents: u32,
    columns: Columns,
    buffers: &Buffers,
) -> Result<Recording> {
    let kernel = plan.kernel(passed.outputs.clone());
    if let Some((observe, gate)) = &passed.layers {
        return layer_by_layer(plan, kernels, (kernel, observe, *gate), network, agents, columns, buffers);
    }
    let iterations = kernels.forward_iterations(network) + 1;
    let samples = kernels.columns(network);
    let units = kernels.parameters.networks()[network].units();
    let total = (columns.count - columns.first).div_ceil(samples);
    let window = (WORKSPACE_WORDS / (units * samples)).min(WINDOW) / agents;
    let most = if kernels.needs_workspace(network) { window.clamp(1, total) } else { total };
    let buffers = with_workspace(plan, kernels, network, agents, most, buffers)?;
    let turns = turns(kernels, network, agents, total);
    let mut recording = Recording::default();
    let mut done = 0;
    while done < total {
        let threads = most.min((total - done).div_ceil(turns));
        let window = Columns { first: columns.first + done * samples, threads, turns, ..columns };
        let buffers = buffers.with("mw_columns", &plan.uniform("columns", &window));
        recording.push(&plan.pass(kernel, agents, threads.into(), u64::from(turns) * iterations, &buffers));
        done = (done + threads.saturating_mul(turns)).min(total);
    }
    Ok(recording)
}

/// The same, layer by layer.
fn layer_by_layer(
    plan: &mut Plan,
    kernels: &Kernels,
    passed: (Kernel, &Program, Gate),
    network: usize,
    agents: u32,
    columns: Columns,
    buffers: &Buffers,
) -> Result<Recording> {
    let (outputs, observe, gate) = passed;
    let observe = plan.kernel(observe.clone());
    let width = trace_width(kernels, network);
    let rows = kernels.trace / (16 * u64::from(width)) / u64::from(agents);
    let most = rows.clamp(1, u64::from(columns.count - columns.first)) as u32;
    let axes = [("agents", agents.into()), ("columns", most.into()), ("words", 4 * u64::from(width))];
    let trace: Buffer<f32> = plan.buffer("trace", &axes, "num_envs or hidden")?;
    let layers = Layers { kernels, network, agents: [agents, 1], gate, width };
    let mut recording = Recording::default();
    for first in (columns.first..columns.count).step_by(most as usize) {
        let count = most.min(columns.count - first);
        let buffers = buffers
            .with("mw_trace", &trace)
            .with("mw_columns", &plan.uniform("columns", &Columns { first, ..columns }))
            .with("mw_sample_range", &plan.uniform("window", &SampleRange { first: 0, count, rows: most, slices: 1 }));
        layers.forward(plan, observe, count, &buffers, &mut recording)?;
        recording.push(&plan.pass(outputs, agents, count.into(), 0, &buffers));
    }
    Ok(recording)
}

/// Vec4s of a row of the trace.
fn trace_width(kernels: &Kernels, network: usize) -> u32 {
    match kernels.parameters.constants(network, kernels.form, true).get("MW_TRACE_WIDTH") {
        Some(Constant::Word(word)) => *word,
        _ => 0,
    }
}

/// Advantages and value targets of the batch.
#[derive(Clone, Debug)]
pub struct Advantage {
    recording: Recording,
}

impl Advantage {
    /// Which way is faster for a run: a scan reads every step once more, and pays where a thread for each world leaves
    /// most of the adapter idle (`benches/NOTES.md`).
    pub fn way(software: bool, run: &Run) -> OverTime {
        let most = if software { 1 } else { SCAN_WORLDS };
        if run.num_envs <= most && run.num_steps >= SCAN_STEPS { OverTime::Scan } else { OverTime::Serial }
    }

    /// Advantages by these recursions, one after the other.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        agents: &Agents,
        batch: &Batch,
        recursions: &[Recursion],
        way: OverTime,
    ) -> Result<Self> {
        let recording = along(plan, kernels, agents, &batch.buffers(&agents.buffers()), recursions, way)?;
        Ok(Self { recording })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}

/// Weights Φ of samples that older policies have drawn.
#[derive(Clone, Debug)]
pub struct Weights {
    recording: Recording,
    /// The weights, `[agent][step][world]`.
    pub weights: Buffer<f32>,
    /// Their sums and those of their squares, `[agent]`.
    pub sums: Buffer<[f32; 4]>,
}

impl Weights {
    /// Weights by the policy `network`; the stage comes after [`Advantage`].
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        network: usize,
        agents: &Agents,
        batch: &Batch,
        importance: Importance,
        way: OverTime,
    ) -> Result<Self> {
        let count = agents.run.batch_size;
        let axes = [("agents", agents.count.into()), ("samples", count.into())];
        let weights = plan.buffer("weights", &axes, "num_envs")?;
        let buffers = batch.buffers(&agents.buffers()).with("mw_importance", &weights);
        let columns = Columns { count, ..Columns::default() };
        let observed = buffers.with("mw_observed", &batch.observations);
        let passed = kernels.log_ratio(network)?;
        let mut recording = forward(plan, kernels, &passed, network, agents.count, columns, &observed)?;
        recording.extend(&along(plan, kernels, agents, &buffers, importance.recursions(), way)?);
        let elements = Elements::from(count);
        let sums =
            Reduced::new(plan, kernels, Reduction::Importance, Reduction::Sums, agents.count, elements, &buffers)?;
        sums.record(&mut recording);
        if !plan.target().rank.is_alone() {
            // the ratio of their squares that is told is as many times larger ([`Metrics::of_ranks`])
            recording.exchange(Exchange::new(vec![Exchanged::whole(&sums.result, Joined::Mean)]));
        }
        Ok(Self { recording, weights, sums: sums.result })
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}

/// The passes of recursions over the steps of worlds.
fn along(
    plan: &mut Plan,
    kernels: &Kernels,
    agents: &Agents,
    buffers: &Buffers,
    recursions: &[Recursion],
    way: OverTime,
) -> Result<Recording> {
    let (worlds, steps) = (u64::from(agents.run.num_envs), u64::from(agents.run.num_steps));
    let workgroup = u64::from(kernels.form.workgroup);
    let (threads, iterations) = match way {
        OverTime::Serial => (worlds, 2 * steps),
        OverTime::Scan => (worlds * workgroup, 3 * steps.div_ceil(workgroup)),
    };
    let mut recording = Recording::default();
    for &recursion in recursions {
        let kernel = plan.kernel(kernels.recursion(recursion, way)?);
        recording.push(&plan.pass(kernel, agents.count, threads, iterations, buffers));
    }
    Ok(recording)
}

/// Where a subgroup runs a network together, each thread takes up to 64 columns or worlds one after the other, which pays
/// for loading the weights, as long as that leaves every core a workgroup of some agent. Results do not depend on it.
fn turns(kernels: &Kernels, network: usize, agents: u32, total: u32) -> u32 {
    if !kernels.units(network) {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let threads = kernels.form.workgroup * cores.div_ceil(agents);
    (total / threads).clamp(1, 64)
}

/// Most worlds (on a GPU), and fewest steps, that are scanned.
const SCAN_WORLDS: u32 = 64;
const SCAN_STEPS: u32 = 256;
/// Threads of all agents that share a workspace at most.
const WINDOW: u32 = 1 << 16;
/// Words of the workspace of all agents that a window of a wide network may take: 64 MiB.
const WORKSPACE_WORDS: u32 = 1 << 24;

/// Buffers and, where a forward pass needs it, memory for its hidden units: `[agent][unit][thread + 1]`, each a Lane.
fn with_workspace(
    plan: &mut Plan,
    kernels: &Kernels,
    network: usize,
    agents: u32,
    threads: u32,
    buffers: &Buffers,
) -> Result<Buffers> {
    if !kernels.needs_workspace(network) {
        return Ok(buffers.clone());
    }
    let axes = [
        ("agents", u64::from(agents)),
        ("units", kernels.parameters.networks()[network].units().into()),
        ("threads", u64::from(threads) + 1), // one place for all threads past the end
        ("lanes", kernels.form.lanes.into()),
    ];
    let workspace: Buffer<f32> = plan.buffer("workspace", &axes, "num_envs or hidden")?;
    Ok(buffers.with("mw_workspace", &workspace))
}

/// A pass of one workgroup for each agent.
fn one_workgroup(plan: &mut Plan, kernel: Kernel, agents: u32, iterations: u64, buffers: &Buffers) -> Recording {
    let mut recording = Recording::default();
    recording.push(&plan.pass(kernel, agents, 1, iterations, buffers));
    recording
}
