//! Every kernel: which parts and which choice for each slot it is linked from. Nothing here touches a GPU.

#![allow(clippy::missing_errors_doc)] // errors of what is planned, linked and built, which `plan` tells of

mod choices;
mod layers;
mod off_policy;
pub(crate) mod search;
mod textbook;

pub use choices::{Estimator, Importance, Objective, Optimizer, OverTime, Phi, Recursion, Reduction};
pub use layers::{Direction, Gate, Passed};
pub use off_policy::OffPolicyKernels;
pub(crate) use off_policy::{ROW_LOG_PROB, seen_actions};
pub use search::{Method, SearchKernels};
pub use textbook::{Combine, Sums, TextbookPolicy};

use crate::env::{ActionSpace, Environment, Exploration};
use crate::error::Result;
use crate::gpu::{Form, Share};
use crate::layout::program;
use crate::nn::{Parameters, Span, Tile, form_constants};
use crate::plan::Target;
use crate::shader::Program;

/// Links kernels in one form.
#[derive(Clone, Copy, Debug)]
pub struct Kernels<'a> {
    /// The form.
    pub form: Form,
    /// The networks of an agent.
    pub parameters: &'a Parameters,
    /// What the agent may do.
    pub space: &'a ActionSpace,
    /// How it explores.
    pub exploration: Exploration,
    /// Whether rollouts keep the distributions of their policy.
    pub keeps: bool,
    /// Number of agents; decides only where parameters are read from.
    pub agents: u32,
    /// Whose parameters worlds are played with.
    pub owner: Owner,
    /// Bytes of the trace of all agents at most ([`crate::plan::Target::trace_bytes`]).
    pub trace: u64,
    /// Which of the run's worlds are this rank's.
    pub block: Block,
    /// Whether the steps of ranks follow their mean gradient.
    pub in_step: bool,
    /// Entries of what holds for agents of their own (`part/own.wgsl`): one, or [`Run::MOST`](crate::layout::Run::MOST).
    pub runs: u32,
}

/// Which of a run's worlds, of its samples of a minibatch, and of its shards one rank has: the number of its first, and how many
/// shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first world, or the first episode of an evaluation.
    pub first_world: u32,
    /// The first sample of a minibatch of transitions.
    pub first_sample: u32,
    /// The first shard.
    pub first_shard: u32,
    /// How many.
    pub shards: u32,
}

impl Block {
    /// All of them, in one shard.
    pub const ALL: Self = Self { first_world: 0, first_sample: 0, first_shard: 0, shards: 1 };

    fn constants(self) -> [(&'static str, u32); 4] {
        [
            ("MW_FIRST_WORLD", self.first_world),
            ("MW_FIRST_SAMPLE", self.first_sample),
            ("MW_FIRST_SHARD", self.first_shard),
            ("MW_SHARDS", self.shards),
        ]
    }
}

/// Whose parameters a world is played with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// Its agent's.
    #[default]
    Agent,
    /// Those of a member of the agent's population.
    Member {
        /// Whether every invocation holds them: right for processors that emulate a GPU, and networks of few parameters.
        held: bool,
        /// Whether observations are normalised, and counted for that.
        normalised: bool,
    },
}

/// What a kernel runs a network for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Its outputs.
    Forward,
    /// Its outputs, and then gradients.
    Backward,
    /// Its outputs and their tangents, and then gradients.
    Tangent,
}

/// Invocations of a gradient whose terms one workgroup sums (`part/term_sums.wgsl`).
pub(crate) const TERM_SPAN: u32 = 1024;

/// Pixels that an invocation of `render.wgsl` draws for a world that it has loaded.
pub(crate) const DRAWN: u32 = 8;

/// Bytes of a uniform buffer that every adapter can bind.
const UNIFORM_BYTES: u64 = 64 << 10;

impl<'a> Kernels<'a> {
    /// Kernels of one agent with these networks.
    pub fn new(form: Form, parameters: &'a Parameters, space: &'a ActionSpace, exploration: Exploration) -> Self {
        Self {
            form,
            parameters,
            space,
            exploration,
            keeps: false,
            agents: 1,
            owner: Owner::Agent,
            trace: Target::SOFTWARE.trace_bytes(),
            block: Block::ALL,
            in_step: true,
            runs: 1,
        }
    }

    /// Kernels of worlds in which nobody acts by a network.
    pub fn of_worlds(form: Form, space: &'a ActionSpace) -> Self {
        Self::new(form, Parameters::NONE, space, Exploration::default())
    }
}

impl Kernels<'_> {
    fn program(&self, name: &str) -> Result<Program> {
        let program = program(name, &form_constants(self.form))?
            .constants(&self.space.constants())
            .constants(&self.exploration.constants(self.space));
        let program =
            self.block.constants().into_iter().fold(program, |program, (name, word)| program.word(name, word));
        let program = program.word("MW_RUNS", self.runs).part("part/own.wgsl")?;
        Ok(program.word("MW_ROWS", self.rows()).word("MW_OLD_ROWS", self.rows() - self.space.rows()))
    }

    /// The same where a thread has little to do.
    fn short_running(&self) -> Self {
        Self { form: self.form.short_running(), ..*self }
    }

    /// Rows of a sample: those of the space, and the distribution's where it is kept.
    pub fn rows(&self) -> u32 {
        self.space.rows() + if self.keeps { self.space.distribution_words() } else { 0 }
    }

    /// A program for a span of the parameters.
    fn of_span(&self, span: Span, name: &str) -> Result<Program> {
        let program = self.program(name)?.constants(&self.parameters.own_constants());
        Ok(program.word("MW_SPAN_FIRST", span.first).word("MW_SPAN", span.count))
    }

    /// A program with a network of the table and its forward pass.
    fn with_network(&self, program: Program, network: usize, vectors: u32, way: Way) -> Result<Program> {
        let backward = way != Way::Forward;
        let units = !backward && self.units(network);
        let lanes = if units { 1 } else { self.form.lanes };
        let lane = if lanes == 1 { "slot/lane/one.wgsl" } else { "slot/lane/four.wgsl" };
        let vectors = if units { 1 } else { vectors };
        let arrangement: &[&str] = match (self.narrow(network), way) {
            _ if units => &["part/mlp_units.wgsl"],
            _ if self.holds() => &["part/mlp_held.wgsl"],
            (true, Way::Tangent) => &["part/mlp_registers.wgsl", "part/mlp_tangent.wgsl"],
            (true, _) => &["part/mlp_registers.wgsl", "part/mlp.wgsl"],
            (false, _) => &["part/mlp_wide.wgsl"],
        };
        let activation = self.parameters.networks()[network].activation().part();
        let program = program
            .constants(&self.parameters.constants(network, self.form, backward))
            .word("MW_AGENTS", self.uniform_agents(way))
            .word("MW_VECTORS", vectors)
            .word("MW_LANES", lanes)
            .word("MW_SAMPLES", vectors * lanes);
        let parts = [self.source(way), self.chunk(way), lane, self.limit(), self.share(), self.normalise(), activation];
        program.parts(&parts)?.parts(arrangement)
    }

    /// Slot `limit`: where a processor plays the GPU, it selects.
    fn limit(&self) -> &'static str {
        let emulated = self.form.lanes > 1 || self.form.share != Share::Plain || self.holds();
        if emulated { "slot/limit/select.wgsl" } else { "slot/limit/clamp.wgsl" }
    }

    /// Slot `normalise`.
    fn normalise(&self) -> &'static str {
        if let Owner::Member { normalised: true, .. } = self.owner {
            return "slot/normalise/watched.wgsl";
        }
        let running = self.parameters.normaliser().observations;
        if running { "slot/normalise/running.wgsl" } else { "slot/normalise/none.wgsl" }
    }

    /// Whether every invocation holds the parameters that it plays with.
    fn holds(&self) -> bool {
        matches!(self.owner, Owner::Member { held: true, .. })
    }

    /// Slot `parameters`.
    fn source(&self, way: Way) -> &'static str {
        if self.owner != Owner::Agent {
            return "slot/parameters/member.wgsl";
        }
        if self.uniform(way) { "slot/parameters/uniform.wgsl" } else { "slot/parameters/storage.wgsl" }
    }

    /// Whether the parameters of all agents are read from a uniform: on a GPU where all threads read the same ones, which tiles do
    /// not.
    fn uniform(&self, way: Way) -> bool {
        let bytes = u64::from(self.agents) * u64::from(self.parameters.words()) * 4;
        let same = self.form.lanes > 1 || self.form.hardware && way == Way::Forward;
        same && self.owner == Owner::Agent && bytes <= UNIFORM_BYTES
    }

    /// Slot `chunk`.
    fn chunk(&self, way: Way) -> &'static str {
        let direct = self.form.hardware && way == Way::Forward;
        if direct { "slot/chunk/direct.wgsl" } else { "slot/chunk/loaded.wgsl" }
    }

    /// The agents whose parameters a uniform holds. Kernels that read them from storage are the same for any number.
    fn uniform_agents(&self, way: Way) -> u32 {
        if self.uniform(way) { self.agents } else { 1 }
    }

    /// Whether a network stays in registers; a wide one needs a workspace.
    pub(crate) fn narrow(&self, network: usize) -> bool {
        self.parameters.networks()[network].narrow()
    }

    /// Slot `memory` of a forward pass that is not followed by a backward one.
    fn memory(&self, network: usize) -> &'static [&'static str] {
        match self.narrow(network) {
            _ if self.units(network) || self.holds() => &[],
            true => &["slot/memory/none.wgsl"],
            false => &["slot/memory/workspace.wgsl"],
        }
    }

    /// Whether a subgroup runs the network together where no backward pass follows.
    pub(crate) fn units(&self, network: usize) -> bool {
        self.form.units && self.parameters.networks()[network].fits_units(self.form.share_size())
    }

    /// Whether a forward pass that no backward one follows keeps hidden units in a workspace.
    pub(crate) fn needs_workspace(&self, network: usize) -> bool {
        !self.narrow(network) && !self.units(network) && !self.holds()
    }

    /// Worlds in an invocation of the kernels with worlds in them.
    pub(crate) fn worlds(&self, network: usize) -> u32 {
        if self.units(network) { 1 } else { self.form.lanes }
    }

    /// Columns that an invocation of `forward.wgsl` takes at a time.
    pub(crate) fn columns(&self, network: usize) -> u32 {
        if self.units(network) { 1 } else { self.samples() }
    }

    /// Loop iterations of one forward pass of an invocation that no backward pass follows.
    pub(crate) fn forward_iterations(&self, network: usize) -> u64 {
        let alone = self.parameters.networks()[network].forward_iterations();
        if self.units(network) { u64::from(self.form.share_size()) } else { alone }
    }

    /// Lanes in an invocation of the kernels that learn; wide networks have one.
    fn vectors(&self) -> u32 {
        if self.all_narrow() { self.form.vectors } else { 1 }
    }

    /// Whether all networks stay in registers.
    pub(crate) fn all_narrow(&self) -> bool {
        (0..self.parameters.networks().len()).all(|network| self.narrow(network))
    }

    /// Samples in an invocation of the kernels that learn.
    pub fn samples(&self) -> u32 {
        if self.tiled() || self.layered() { 1 } else { self.vectors() * self.form.lanes }
    }

    /// How a workgroup runs a network on a tile of samples where it learns, if all networks of the agent are run so.
    pub(crate) fn tile(&self, network: usize) -> Option<Tile> {
        let networks = self.parameters.networks();
        let tiled = networks.iter().all(|network| network.tile(self.form.tile).is_some());
        networks.get(network)?.tile(self.form.tile).filter(|_| tiled)
    }

    /// Whether the gradient kernels take tiles of samples.
    pub(crate) fn tiled(&self) -> bool {
        self.tile(0).is_some()
    }

    /// Whether the gradient kernels sum the weight gradients themselves, tile by tile or with subgroups; else
    /// `weight_gradient` does.
    pub(crate) fn summed(&self) -> bool {
        self.tiled() || self.form.share_size() > 1 && !self.layered()
    }

    fn share(&self) -> &'static str {
        match self.form.share {
            Share::Plain => "slot/share/plain.wgsl",
            Share::Subgroup(_) => "slot/share/subgroup.wgsl",
        }
    }

    /// First states of worlds.
    pub fn reset(&self, env: &Environment) -> Result<Program> {
        env.link_into(self.program("reset")?)?.part("reset.wgsl")
    }

    /// New episodes in all worlds.
    pub fn restart(&self, env: &Environment) -> Result<Program> {
        env.link_into(self.program("restart")?)?.part("restart.wgsl")
    }

    /// One step of every world with the caller's actions.
    pub fn pool(&self, env: &Environment) -> Result<Program> {
        let program = self.program("pool")?.word("MW_HAS_LOOPS", env.has_loops().into());
        let program = env.link_into(program)?.parts(self.mask_bits())?;
        program.parts(&[env.keep_part(), "part/pool.wgsl", "pool.wgsl"])
    }

    /// What the policy `network` does in every world, for worlds that others step.
    pub fn act(&self, env: &Environment, network: usize) -> Result<Program> {
        self.acting("act", env, network)?.part("act.wgsl")
    }

    /// A picture of every world: as its environment draws it, or a chart of what it observes.
    pub fn render(&self, env: &Environment) -> Result<Program> {
        if env.draws() {
            let program = env.link_picture_into(self.program("render")?.word("MW_DRAWN", DRAWN))?;
            return program.parts(&["slot/picture/pixel.wgsl", "render.wgsl"]);
        }
        let program = self.program("render chart")?.word("MW_DRAWN", DRAWN);
        let program = program.word("MW_OBSERVATIONS", env.spec().observation_dim);
        program.parts(&["part/picture.wgsl", "slot/picture/chart.wgsl", "render.wgsl"])
    }

    /// Least and greatest value of every number of an observation.
    pub fn ranges(&self) -> Result<Program> {
        self.program("ranges")?.parts(&["part/picture.wgsl", "ranges.wgsl"])
    }

    /// T steps of every world with random actions.
    pub fn step(&self, env: &Environment) -> Result<Program> {
        env.link_into(self.program("step")?)?.part("step.wgsl")
    }

    /// Many steps of every world with the caller's choices of so many bits, summed.
    pub fn pool_sums(&self, env: &Environment, bits: u32) -> Result<Program> {
        let program = self.program("pool sums")?.word("MW_GIVEN_BITS", bits);
        let program = program.word("MW_HAS_LOOPS", env.has_loops().into());
        env.link_into(program)?.parts(&["part/pool.wgsl", "pool_sums.wgsl"])
    }

    /// An estimate of the policy gradient from each rollout of a textbook policy.
    pub fn estimate(&self, env: &Environment, policy: TextbookPolicy, sums: Sums) -> Result<Program> {
        let (name, parts) = sums.parts();
        self.textbook(name, env, policy)?.parts(parts)?.part("estimate.wgsl")
    }

    /// A step uphill from such estimates.
    pub fn ascend(&self, env: &Environment, policy: TextbookPolicy, combine: Combine) -> Result<Program> {
        let (name, part) = match combine {
            Combine::Mean => ("ascend", "slot/combine/mean.wgsl"),
            Combine::LeaveOneOut => ("ascend leave one out", "slot/combine/leave_one_out.wgsl"),
        };
        self.textbook(name, env, policy)?.parts(&[part, "ascend.wgsl"])
    }

    fn textbook(&self, name: &str, env: &Environment, policy: TextbookPolicy) -> Result<Program> {
        let program = env.link_into(self.program(name)?)?.word("MW_THETA", policy.parameters());
        program.parts(&["part/estimate.wgsl", policy.part()])
    }

    /// A kernel in which worlds act under the policy `network`.
    fn acting(&self, name: &str, env: &Environment, network: usize) -> Result<Program> {
        let program = env.link_into(self.with_network(self.program(name)?, network, 1, Way::Forward)?)?;
        let input = if env.has_features() && self.needs_workspace(network) { "loop" } else { "constants" };
        let input = format!("slot/input/{input}.wgsl");
        let show = if self.space.masked() { "slot/show/mask.wgsl" } else { "slot/show/nothing.wgsl" };
        program
            .parts(&self.exploration.distribution_parts(self.space))?
            .parts(&[self.exploration.noise_part(), self.exploration.bounded_part(self.space)])?
            .parts(self.mask_bits())?
            .parts(self.memory(network))?
            .word("MW_DRAWS", u32::from(self.owner == Owner::Agent))
            .parts(&[show, &input, "part/policy.wgsl"])
    }

    /// Where environments say which actions are allowed.
    fn mask_bits(&self) -> &'static [&'static str] {
        if self.space.masked() { &["part/mask_bits.wgsl"] } else { &[] }
    }

    /// T steps of every world under the policy `network`.
    pub fn rollout(&self, env: &Environment, network: usize) -> Result<Program> {
        self.acting("rollout", env, network)?.parts(&[env.keep_part(), "rollout.wgsl"])
    }

    /// One episode in each world under the policy `network`.
    pub fn evaluate(&self, env: &Environment, network: usize) -> Result<Program> {
        // nothing is squared here
        let largest = f32::MAX.to_bits();
        let (name, streams) = match self.owner {
            Owner::Agent => ("evaluate", "slot/streams/own.wgsl"),
            Owner::Member { .. } => ("evaluate members", "slot/streams/member.wgsl"),
        };
        self.acting(name, env, network)?
            .word("MW_LARGEST", largest)
            .parts(self.watching())?
            .parts(&[streams, "evaluate.wgsl"])
    }

    /// Slot `watch`.
    fn watching(&self) -> &'static [&'static str] {
        match self.owner {
            Owner::Member { normalised: true, .. } => &["slot/element/moments.wgsl", "slot/watch/moments.wgsl"],
            _ => &["slot/watch/none.wgsl"],
        }
    }

    /// Values of observations under the critic `network`.
    pub fn value(&self, network: usize) -> Result<Passed> {
        let sight = |program: Program| program.part("slot/observed/columns.wgsl");
        self.passed("value", network, Gate::Open, &sight, |program| program.part("slot/head/value.wgsl"))
    }

    /// How the policy `network` compares with that of the rollout.
    pub fn surrogate(&self, network: usize) -> Result<Passed> {
        self.of_samples("surrogate", network, Gate::Searching, "slot/head/surrogate.wgsl")
    }

    /// Logarithms of the ratios of the policy `network` to those that acted.
    pub fn log_ratio(&self, network: usize) -> Result<Passed> {
        self.of_samples("log ratio", network, Gate::Open, "slot/head/log_ratio.wgsl")
    }

    /// Outputs of the policy `network` for samples of a batch.
    fn of_samples(&self, name: &str, network: usize, gate: Gate, head: &str) -> Result<Passed> {
        let sight = |program: Program| program.part("slot/observed/columns.wgsl");
        self.passed(name, network, gate, &sight, |program| {
            let program = program.parts(&self.exploration.distribution_parts(self.space))?;
            program.parts(&[
                "part/lanes.wgsl",
                "part/samples.wgsl",
                "part/whole_batch.wgsl",
                "part/policy_samples.wgsl",
                head,
            ])
        })
    }

    /// The beginning of conjugate gradients for a span of the parameters.
    pub fn conjugate_begin(&self, span: Span) -> Result<Program> {
        self.of_span(span, "conjugate begin")?.parts(&[
            "slot/element/number.wgsl",
            "part/tree.wgsl",
            "part/solver.wgsl",
            "conjugate_begin.wgsl",
        ])
    }

    /// One iteration of conjugate gradients.
    pub fn conjugate_step(&self, span: Span) -> Result<Program> {
        self.of_span(span, "conjugate step")?.parts(&[
            "slot/element/number.wgsl",
            "part/tree.wgsl",
            "part/solver.wgsl",
            "conjugate_step.wgsl",
        ])
    }

    /// The length of the natural gradient's step.
    pub fn conjugate_end(&self, span: Span) -> Result<Program> {
        self.of_span(span, "conjugate end")?.parts(&[
            "slot/element/number.wgsl",
            "part/tree.wgsl",
            "part/solver.wgsl",
            "conjugate_end.wgsl",
        ])
    }

    /// Whether parameters are taken, and the next ones along the natural gradient.
    pub fn line_search(&self, span: Span) -> Result<Program> {
        self.of_span(span, "line search")?.parts(&[
            "slot/element/sum.wgsl",
            "part/tree.wgsl",
            "part/fault.wgsl",
            "line_search.wgsl",
        ])
    }

    /// A recursion along the steps of worlds: returns, advantages.
    pub fn recursion(&self, recursion: Recursion, over_time: OverTime) -> Result<Program> {
        let running = self.parameters.normaliser().rewards;
        let reward = if running { "slot/reward/running.wgsl" } else { "slot/reward/plain.wgsl" };
        let (name, part) = match recursion {
            Recursion::Gae => ("gae", "slot/recursion/gae.wgsl"),
            Recursion::Returns { .. } => ("returns", "slot/recursion/returns.wgsl"),
            Recursion::Segment { .. } => ("segment", "slot/recursion/segment.wgsl"),
            Recursion::Ratio { .. } => ("ratio", "slot/recursion/ratio.wgsl"),
            Recursion::Whole => ("whole", "slot/recursion/whole.wgsl"),
            Recursion::PerDecision => ("per decision", "slot/recursion/per_decision.wgsl"),
        };
        let (suffix, kernel) = match over_time {
            OverTime::Serial => ("", "serial.wgsl"),
            OverTime::Scan => (" scan", "scan.wgsl"),
        };
        let program = self.program(&format!("{name}{suffix}"))?.constants(&self.parameters.own_constants());
        let program = match recursion {
            Recursion::Gae | Recursion::Whole | Recursion::PerDecision => program,
            Recursion::Returns { phi, bootstraps, critic } => program
                .word("MW_PHI", phi as u32)
                .word("MW_BOOTSTRAPS", bootstraps.into())
                .word("MW_CRITIC", critic.into()),
            Recursion::Segment { total, discounted, first } => program
                .word("MW_TOTAL", total.into())
                .word("MW_DISCOUNTED", discounted.into())
                .word("MW_FIRST", first.into()),
            Recursion::Ratio { product, weighs } => {
                program.word("MW_PRODUCT", product.into()).word("MW_WEIGHS", weighs.into())
            }
        };
        let importance: &[&str] = match recursion {
            Recursion::Ratio { .. } | Recursion::Whole | Recursion::PerDecision => {
                &["part/math.wgsl", "part/importance.wgsl"]
            }
            _ => &[],
        };
        program.parts(&[reward, "part/transition.wgsl"])?.parts(importance)?.parts(&[part, "part/affine.wgsl", kernel])
    }

    /// Discounted sums of rewards.
    pub fn discount_rewards(&self) -> Result<Program> {
        self.program("discount rewards")?.part("discount_rewards.wgsl")
    }

    /// A batch's moments joined to the running ones.
    pub fn merge_moments(&self) -> Result<Program> {
        let program = self.program("merge moments")?.constants(&self.parameters.own_constants());
        program.parts(&["part/fault_places.wgsl", "merge_moments.wgsl"])
    }

    /// A reduction.
    pub fn reduce(&self, reduction: Reduction) -> Result<Program> {
        let (name, parts) = reduction.parts();
        self.program(name)?.word("MW_SAMPLES", self.samples()).parts(parts)?.parts(&["part/tree.wgsl", "reduce.wgsl"])
    }

    /// The same without tiles of samples, which no tangent runs through.
    #[must_use]
    pub fn untiled(&self) -> Self {
        Self { form: Form { tile: 0, ..self.form }, ..*self }
    }

    /// The same where what single samples leave is kept for `weight_gradient` to sum.
    #[must_use]
    pub fn traced(&self) -> Self {
        Self { form: Form { tile: 0, share: Share::Plain, units: false, ..self.form }, ..*self }
    }

    /// Loss gradients of `network` for an objective; the products of a Fisher matrix want [`Kernels::untiled`].
    pub fn gradient(&self, network: usize, objective: Objective) -> Result<Program> {
        let name = match objective {
            Objective::Fisher => "fisher",
            Objective::Score | Objective::Squares { .. } => "score",
            _ => "gradient",
        };
        let way = if objective == Objective::Fisher { Way::Tangent } else { Way::Backward };
        let program = self.program(&format!("{name} {}", self.parameters.networks()[network].name()))?;
        let program = self.objective(self.columns_of_batch(program, network, way)?, objective)?;
        program.parts(self.gradient_parts())
    }

    /// The same of the policy for its objective and of the values behind it, in one kernel, where their layers are as wide.
    pub fn gradient_of_both(&self, objective: Objective) -> Result<Option<Program>> {
        let [actor, critic] = self.parameters.networks() else { return Ok(None) };
        if !self.tiled() || !actor.as_wide_as(critic) {
            return Ok(None);
        }
        let program = self.program(&format!("gradient {} and {}", actor.name(), critic.name()))?;
        let program = self.objective(self.columns_of_batch(program, 0, Way::Backward)?, objective)?;
        let program =
            program.word("MW_NETWORK_STRIDE", self.parameters.span([1]).first - self.parameters.span([0]).first);
        let networks = ["part/value_loss.wgsl", "slot/networks/policy_and_values.wgsl", "gradient_tile.wgsl"];
        Ok(Some(program.parts(&networks)?))
    }

    /// A network forward and backward for columns of the batch.
    fn columns_of_batch(&self, program: Program, network: usize, way: Way) -> Result<Program> {
        self.backward(program, network, way, self.weights())?.parts(&[
            "slot/observed/columns.wgsl",
            "slot/slopes/none.wgsl",
            "part/samples.wgsl",
        ])
    }

    /// Adds an objective of samples of a batch.
    fn objective(&self, program: Program, objective: Objective) -> Result<Program> {
        match objective {
            Objective::PpoClip => self.of_policy(program, "slot/objective/ppo_clip.wgsl"),
            Objective::PpoKl => self.of_policy(program, "slot/objective/ppo_kl.wgsl"),
            Objective::PolicyGradient => self.of_policy(program, "slot/objective/policy_gradient.wgsl"),
            Objective::Value => program.parts(&["part/value_loss.wgsl", "slot/objective/value.wgsl"]),
            Objective::Score | Objective::Squares { .. } => self.of_policy(program, "slot/objective/score.wgsl"),
            Objective::Fisher => self.of_policy(program, "slot/objective/fisher.wgsl"),
        }
    }

    /// Slot `weights` of a network that learns.
    fn weights(&self) -> &'static str {
        if self.summed() { "slot/weights/summed.wgsl" } else { "slot/memory/trace.wgsl" }
    }

    /// The kernel behind an objective.
    fn gradient_parts(&self) -> &'static [&'static str] {
        match (self.tiled(), self.layered()) {
            (true, _) => &["slot/networks/one.wgsl", "gradient_tile.wgsl"],
            (_, true) => &["objective.wgsl"],
            _ => &["gradient.wgsl"],
        }
    }

    /// Adds a network forward and backward, and all that gradients have in common but what they see and what they are of.
    fn backward(&self, program: Program, network: usize, way: Way, weights: &str) -> Result<Program> {
        let program = if self.tiled() {
            let constants = self.parameters.constants(network, self.form, true);
            let activation = self.parameters.networks()[network].activation().part();
            program.constants(&constants).word("MW_AGENTS", self.uniform_agents(way)).parts(&[
                self.source(way),
                "slot/lane/one.wgsl",
                self.limit(),
                self.normalise(),
                activation,
                "part/mlp_tile.wgsl",
            ])?
        } else if self.layered() {
            self.traced_outputs(program, network)?
        } else {
            self.with_network(program, network, self.vectors(), way)?.parts(&["part/mlp_backward.wgsl", weights])?
        };
        program
            .parts(&["part/math.wgsl", "part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"])?
            .parts(&["part/partial.wgsl", "part/lanes.wgsl", "part/terms.wgsl"])
    }

    /// Adds an objective of the policy.
    fn of_policy(&self, program: Program, objective: &str) -> Result<Program> {
        let parts = ["part/policy_samples.wgsl", "part/policy_terms.wgsl", objective];
        program.parts(&self.exploration.distribution_parts(self.space))?.parts(&parts)
    }

    /// Partial weight gradients of `network`, or sums of their squares.
    pub fn weight_gradient(&self, network: usize, objective: Objective) -> Result<Program> {
        let network_name = self.parameters.networks()[network].name();
        let (name, weighted, product) = match objective {
            Objective::Squares { weighted } => ("weight squares", weighted, "slot/product/squares.wgsl"),
            _ => ("weight gradient", false, "slot/product/plain.wgsl"),
        };
        self.program(&format!("{name} {network_name}"))?
            .word("MW_WEIGHTED", weighted.into())
            .constants(&self.parameters.constants(network, self.form, true))
            .parts(&[self.share(), "part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"])?
            .parts(&["part/partial.wgsl", product, "weight_gradient.wgsl"])
    }

    /// The gradient less each parameter's best baseline, over a span of the parameters.
    pub fn subtract_baseline(&self, span: Span) -> Result<Program> {
        self.of_span(span, "subtract baseline")?.parts(&[
            "slot/element/number.wgsl",
            "part/tree.wgsl",
            "part/sums.wgsl",
            "part/norm.wgsl",
            "subtract_baseline.wgsl",
        ])
    }

    /// Invocations of a workgroup of `sum_slices`; what one in the form's size has of the parameters.
    pub fn sum_workgroup(&self) -> u32 {
        if self.form.hardware { 256 } else { self.form.workgroup }
    }

    /// Sum of the partial gradients of a span of the parameters; on a GPU of the terms that go with them too.
    pub fn sum_slices(&self, span: Span) -> Result<Program> {
        let adders = if self.form.hardware { "slot/adders/several.wgsl" } else { "slot/adders/one.wgsl" };
        self.slices_summed(span, self.sum_workgroup(), adders)
    }

    /// The same of all windows but the last, whose slices the step goes on with, one after the other, so that windows change no
    /// order of the sum.
    pub fn sum_earlier_slices(&self, span: Span) -> Result<Program> {
        self.slices_summed(span, self.form.workgroup, "slot/adders/one.wgsl")
    }

    fn slices_summed(&self, span: Span, workgroup: u32, adders: &str) -> Result<Program> {
        let beside: &[&str] = if self.form.hardware {
            &["part/term_sums.wgsl", "slot/beside/terms.wgsl"]
        } else {
            &["slot/beside/nothing.wgsl"]
        };
        let kernels = Self { form: Form { workgroup, ..self.form }, ..*self };
        kernels
            .summing(kernels.of_span(span, "sum slices")?.word("MW_SUM_PLACES", self.form.workgroup))?
            .parts(&["slot/element/number.wgsl", "part/tree.wgsl", "part/partial.wgsl", "part/slices.wgsl"])?
            .part("part/norm.wgsl")?
            .parts(beside)?
            .parts(&[adders, "sum_slices.wgsl"])
    }

    /// Sums of the terms, where those of the slices do not have them.
    pub fn sum_terms(&self) -> Result<Option<Program>> {
        let program = || self.summing(self.program("sum terms")?)?.parts(&["part/term_sums.wgsl", "sum_terms.wgsl"]);
        (!self.form.hardware).then(program).transpose()
    }

    fn summing(&self, program: Program) -> Result<Program> {
        let minibatch = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"];
        let program = program.word("MW_SAMPLES", self.samples()).word("MW_TERM_SPAN", TERM_SPAN);
        program.parts(&minibatch)?.part("part/sums.wgsl")
    }

    /// What moves an agent's progress on by a minibatch.
    fn stepping(&self, program: Program) -> Result<Program> {
        let minibatch = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"];
        let standing = if self.form.hardware { "slot/standing/copied.wgsl" } else { "slot/standing/own.wgsl" };
        program.parts(&minibatch)?.parts(&["part/fault.wgsl", "part/sums.wgsl", standing, "part/step.wgsl"])
    }

    /// One minibatch further, without a step.
    pub fn advance(&self) -> Result<Program> {
        self.stepping(self.program("advance")?)?.part("advance.wgsl")
    }

    /// The optimiser's step for a span of the parameters; on a GPU one minibatch further with it.
    pub fn descend(&self, optimizer: Optimizer, span: Span) -> Result<Program> {
        let program = self.of_span(span, optimizer.name())?;
        let program = if self.form.hardware {
            self.stepping(program)?.part("slot/taken/beside.wgsl")?
        } else {
            program.part("slot/taken/before.wgsl")?
        };
        program.parts(&[optimizer.part(), "part/past.wgsl", "part/fault_places.wgsl", "descend.wgsl"])
    }

    /// End of an update.
    pub fn finish_update(&self) -> Result<Program> {
        self.program("finish update")?.parts(&[
            "part/schedule.wgsl",
            "part/next_update.wgsl",
            "part/verdict.wgsl",
            "finish_update.wgsl",
        ])
    }

    /// End of a fit of values apart from the policy.
    pub fn finish_fit(&self) -> Result<Program> {
        self.program("finish fit")?.parts(&["part/schedule.wgsl", "part/next_update.wgsl", "finish_fit.wgsl"])
    }

    /// The schedules of a run that goes on with another number of updates.
    pub fn reschedule(&self) -> Result<Program> {
        self.program("reschedule")?.parts(&["part/schedule.wgsl", "reschedule.wgsl"])
    }
}
