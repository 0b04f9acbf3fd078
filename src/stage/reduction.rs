//! Fixed-order reductions of many elements to one for each agent, or for each row of one.

use crate::batch::Agents;
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Exchange, Exchanged, Joined, Recording};
use crate::kernels::{Kernels, Reduction};
use crate::layout::Blocks;
use crate::plan::Plan;

/// Elements that one workgroup reduces at first.
const SPAN: u32 = 1024;

/// What is reduced for each agent.
#[derive(Clone, Copy, Debug)]
pub struct Elements {
    /// Rows, each of which is reduced for itself.
    pub rows: u32,
    /// Number of elements of a row.
    pub count: u32,
    /// Words of an agent in the source, where the source has to know; else 0.
    pub stride: u32,
}

impl From<u32> for Elements {
    fn from(count: u32) -> Self {
        Self { rows: 1, count, stride: 0 }
    }
}

/// A reduction and its result.
#[derive(Clone, Debug)]
pub struct Reduced {
    recording: Recording,
    /// `[agent][row]`, or `[agent][row][block]` of the first pass alone.
    pub result: Buffer<[f32; 4]>,
}

impl Reduced {
    /// The first pass alone: `[agent][row][block]`.
    pub fn partial(
        plan: &mut Plan,
        kernels: &Kernels,
        kind: Reduction,
        agents: u32,
        elements: Elements,
        buffers: &Buffers,
    ) -> Result<Self> {
        let Elements { rows, count, stride } = elements;
        let blocks = Blocks { rows, count, span: SPAN, blocks: count.div_ceil(SPAN).max(1), stride };
        let mut recording = Recording::default();
        let result = pass(plan, kernels, kind, agents, blocks, buffers, &mut recording)?;
        Ok(Self { recording, result })
    }

    /// Reduces `elements` of each agent by `kind`, and what that leaves by `then`.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        kind: Reduction,
        then: Reduction,
        agents: u32,
        elements: Elements,
        buffers: &Buffers,
    ) -> Result<Self> {
        let mut reduced = Self::partial(plan, kernels, kind, agents, elements, buffers)?;
        let blocks = elements.count.div_ceil(SPAN);
        if blocks > 1 {
            let span = blocks.next_multiple_of(kernels.form.workgroup);
            let all = Blocks { rows: elements.rows, count: blocks, span, blocks: 1, stride: 0 };
            let buffers = Buffers::default().with("mw_partials", &reduced.result);
            reduced.result = pass(plan, kernels, then, agents, all, &buffers, &mut reduced.recording)?;
        }
        Ok(reduced)
    }

    /// The same moments of the elements of all ranks.
    #[must_use]
    pub fn of_ranks(mut self, plan: &Plan) -> Self {
        if !plan.target().rank.is_alone() {
            self.recording.exchange(Exchange::new(vec![Exchanged::whole(&self.result, Joined::Moments)]));
        }
        self
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}

/// Moments of the advantages of every minibatch of an update, where those are normalised: they hold for the whole update, as the
/// order of the samples does.
#[derive(Clone, Debug)]
pub struct AdvantageMoments {
    recording: Recording,
    /// (count, mean, squared deviations, 0), `[agent][epoch][minibatch]`.
    pub moments: Buffer<[f32; 4]>,
}

impl AdvantageMoments {
    /// Of the advantages in a batch. `buffers`: those of agents and batch.
    pub fn new(plan: &mut Plan, kernels: &Kernels, agents: &Agents, buffers: &Buffers) -> Result<Self> {
        let (run, count) = (&agents.run, agents.count);
        if run.norm_adv == 0 {
            let moments = plan.buffer("moments", &[("agents", count.into())], "the number of agents")?;
            return Ok(Self { recording: Recording::default(), moments });
        }
        let rows = run.epochs * run.num_minibatches;
        let elements = Elements { rows, ..Elements::from(run.minibatch_size) };
        let (kind, then) = (Reduction::Advantages, Reduction::Moments);
        let Reduced { recording, result } =
            Reduced::new(plan, kernels, kind, then, count, elements, buffers)?.of_ranks(plan);
        Ok(Self { recording, moments: result })
    }

    /// Adds the stage to an update, behind all that changes advantages.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}

fn pass(
    plan: &mut Plan,
    kernels: &Kernels,
    kind: Reduction,
    agents: u32,
    blocks: Blocks,
    buffers: &Buffers,
    recording: &mut Recording,
) -> Result<Buffer<[f32; 4]>> {
    let kernel = plan.kernel(kernels.reduce(kind)?);
    let axes = [("agents", agents.into()), ("rows", blocks.rows.into()), ("blocks", blocks.blocks.into())];
    let result = plan.buffer("partial results", &axes, "num_envs")?;
    let buffers = buffers.with("mw_blocks", &plan.uniform("blocks", &blocks)).with("mw_result", &result);
    let workgroup = kernels.form.workgroup;
    let threads = u64::from(blocks.rows) * u64::from(blocks.blocks) * u64::from(workgroup);
    recording.push(&plan.pass(kernel, agents, threads, u64::from(blocks.span / workgroup), &buffers));
    Ok(result)
}
