//! The kernels of networks that are run layer by layer, each layer one product of matrices over all samples of a window.

use super::{Kernels, Way};
use crate::error::Result;
use crate::gpu::Share;
use crate::shader::Program;

/// What a product of a layer makes: slot `direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Units from those below.
    Forward,
    /// How units change in a direction of the parameters.
    Tangent,
    /// Deltas from those above.
    Backward,
}

/// Whether an agent's samples have work: slot `gate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Always.
    Open,
    /// Until it has learned enough of them.
    Learning,
    /// As long as it looks for the length of a step.
    Searching,
}

impl Gate {
    fn part(self) -> &'static str {
        match self {
            Self::Open => "slot/gate/open.wgsl",
            Self::Learning => "slot/gate/learning.wgsl",
            Self::Searching => "slot/gate/searching.wgsl",
        }
    }
}

/// The programs of a network's forward pass over many columns, and of what becomes of its outputs.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The whole pass; or, behind those of the layers, what becomes of the outputs.
    pub outputs: Program,
    /// What the network sees, where it is run layer by layer, and for which agents.
    pub layers: Option<(Program, Gate)>,
}

/// Samples of an invocation of `layer.wgsl`; 4 and 8 are as fast as each other, 4 is compiled in less than half the time.
const VECTORS: u32 = 4;
/// Results of a subgroup or workgroup, of wide layers and of narrow ones.
const ROWS: [u32; 2] = [64, 16];
/// Threads of `layer_tile.wgsl`.
const THREADS: u32 = 256;

impl Kernels<'_> {
    /// Whether networks are run layer by layer where many samples are at hand: where neither a tile nor registers hold all of them.
    pub(crate) fn layered(&self) -> bool {
        !self.tiled() && (self.form.tile > 0 || !self.all_narrow())
    }

    /// Whether a layer is a product of workgroups; of subgroups otherwise.
    fn by_workgroups(&self) -> bool {
        self.form.lanes == 1 && self.form.share == Share::Plain
    }

    /// Results, in words, that a subgroup or workgroup makes of a layer with so many vec4s of them.
    fn layer_rows(results: u32) -> u32 {
        if results * 4 <= ROWS[1] { ROWS[1] } else { ROWS[0] }
    }

    /// Samples that a subgroup or workgroup takes.
    fn layer_samples(&self, rows: u32) -> u32 {
        if self.by_workgroups() { THREADS / (rows / 4) * 4 } else { self.form.share_size() * VECTORS }
    }

    /// A layer of `network` that has so many vec4s of results.
    pub(crate) fn layer(&self, network: usize, direction: Direction, results: u32, gate: Gate) -> Result<Program> {
        let rows = Self::layer_rows(results);
        let (name, part) = match direction {
            Direction::Forward => ("forward", "slot/direction/forward.wgsl"),
            Direction::Tangent => ("tangents", "slot/direction/tangent.wgsl"),
            Direction::Backward => ("backward", "slot/direction/backward.wgsl"),
        };
        let samples = self.layer_samples(rows);
        let kernel = if self.by_workgroups() { "layer_tile.wgsl" } else { "layer.wgsl" };
        let activation = self.parameters.networks()[network].activation().part();
        self.program(&format!("layer {name}"))?
            .word("MW_LANES", 1)
            .word("MW_VECTORS", 1)
            .word("MW_LAYER_ROWS", rows)
            .word("MW_LAYER_VECTORS", VECTORS)
            .word("MW_LAYER_CHUNKS", rows.div_ceil(self.form.share_size()))
            .word("MW_LAYER_SAMPLES", samples)
            .word("MW_LAYER_TURNS", THREADS / samples.min(THREADS))
            .parts(&["slot/lane/one.wgsl", self.limit(), self.share(), "part/math.wgsl", activation])?
            .parts(&[part, gate.part(), kernel])
    }

    /// Threads of such a kernel for so many samples.
    pub(crate) fn layer_threads(&self, results: u32, samples: u32) -> u64 {
        let rows = Self::layer_rows(results);
        let spans = u64::from(samples.div_ceil(self.layer_samples(rows)));
        let threads = if self.by_workgroups() { THREADS } else { self.form.share_size() };
        spans * u64::from((results * 4).div_ceil(rows)) * u64::from(threads)
    }

    /// What `network` sees of the samples of a window.
    pub(crate) fn observe(
        &self,
        network: usize,
        gate: Gate,
        place: &[&str],
        sight: &dyn Fn(Program) -> Result<Program>,
    ) -> Result<Program> {
        let kernels = self.short_running();
        let program = kernels.program(&format!("observe {}", self.parameters.networks()[network].name()))?;
        let program = program
            .constants(&self.parameters.constants(network, kernels.form, true))
            .word("MW_LANES", 1)
            .word("MW_VECTORS", 1)
            .parts(&["slot/lane/one.wgsl", "part/math.wgsl", "slot/parameters/storage.wgsl"])?
            .parts(&[self.normalise(), gate.part()])?
            .parts(place)?;
        sight(program)?.part("observe.wgsl")
    }

    /// What it sees of the current minibatch.
    pub(crate) fn observe_minibatch(
        &self,
        network: usize,
        sight: &dyn Fn(Program) -> Result<Program>,
    ) -> Result<Program> {
        let minibatch = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"];
        let place = [minibatch[0], minibatch[1], minibatch[2], "slot/place/minibatch.wgsl"];
        self.observe(network, Gate::Learning, &place, sight)
    }

    /// A forward pass over many columns. `sight`: what the network sees of a column; `head`: what becomes of its outputs.
    pub(super) fn passed(
        &self,
        name: &str,
        network: usize,
        gate: Gate,
        sight: &dyn Fn(Program) -> Result<Program>,
        head: impl Fn(Program) -> Result<Program>,
    ) -> Result<Passed> {
        if self.layered() {
            let observe = self.observe(network, gate, &["slot/place/columns.wgsl"], sight)?;
            let outputs = self.traced_outputs(self.program(name)?, network)?.part("part/math.wgsl")?;
            return Ok(Passed { outputs: head(outputs)?.part("outputs.wgsl")?, layers: Some((observe, gate)) });
        }
        let program = self.with_network(self.program(name)?, network, self.vectors(), Way::Forward)?;
        let program = program.part("part/math.wgsl")?.parts(self.memory(network))?;
        Ok(Passed { outputs: head(sight(program)?)?.part("forward.wgsl")?, layers: None })
    }

    /// Adds the outputs of a network that layers have left in the trace.
    pub(super) fn traced_outputs(&self, program: Program, network: usize) -> Result<Program> {
        program
            .constants(&self.parameters.constants(network, self.form, true))
            .word("MW_LANES", 1)
            .word("MW_VECTORS", 1)
            .word("MW_SAMPLES", 1)
            .parts(&["slot/lane/one.wgsl", self.limit(), "part/traced.wgsl"])
    }

    /// What outputs and their slopes by the inputs say.
    pub(super) fn slopes(&self, program: Program, network: usize, slopes: &str) -> Result<Program> {
        self.traced_outputs(program, network)?.parts(&[
            "part/math.wgsl",
            "part/lanes.wgsl",
            Gate::Learning.part(),
            slopes,
            "slopes.wgsl",
        ])
    }
}
