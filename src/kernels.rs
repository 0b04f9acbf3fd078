//! Every kernel: which parts and which choice for each slot it is linked from. Nothing here touches a GPU.

use crate::env::{ActionSpace, Environment};
use crate::error::Result;
use crate::gpu::{Form, Share};
use crate::layout::{OWN_ROWS, program};
use crate::nn::{Parameters, Tile, form_constants};
use crate::shader::{Linked, Program};
use serde::{Deserialize, Serialize};

/// What a reduction combines, and from where: slots `element` and `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Moments of the advantages of the current minibatch.
    Advantages,
    /// Moments of the value targets of the batch.
    Targets,
    /// Moments of target − value over the batch.
    Residuals,
    /// Moments of earlier moments.
    Moments,
    /// Moments of each feature of the batch's observations.
    Observations,
    /// Moments of the batch's discounted rewards.
    Discounted,
    /// Sums of what worlds counted of their episodes.
    Episodes,
    /// Sums of earlier sums.
    Sums,
    /// Sums of the objectives' terms of the current minibatch.
    Terms,
    /// Moments of each row that rollouts left.
    Rollouts,
    /// Moments of the differences of returns between pairs of agents.
    Differences,
}

impl Reduction {
    /// Every reduction.
    pub const ALL: [Self; 11] = [
        Self::Advantages,
        Self::Targets,
        Self::Residuals,
        Self::Observations,
        Self::Discounted,
        Self::Moments,
        Self::Episodes,
        Self::Sums,
        Self::Terms,
        Self::Rollouts,
        Self::Differences,
    ];

    fn parts(self) -> (&'static str, &'static [&'static str]) {
        const MINIBATCH: [&str; 3] = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"];
        const ADVANTAGES: &[&str] =
            &["slot/element/moments.wgsl", "slot/source/advantages.wgsl", MINIBATCH[0], MINIBATCH[1], MINIBATCH[2]];
        const TERMS: &[&str] =
            &["slot/element/terms.wgsl", "slot/source/terms.wgsl", MINIBATCH[0], MINIBATCH[1], MINIBATCH[2]];
        match self {
            Self::Advantages => ("reduce advantages", ADVANTAGES),
            Self::Targets => ("reduce targets", &["slot/element/moments.wgsl", "slot/source/targets.wgsl"]),
            Self::Residuals => ("reduce residuals", &["slot/element/moments.wgsl", "slot/source/residuals.wgsl"]),
            Self::Observations => {
                ("reduce observations", &["slot/element/moments.wgsl", "slot/source/observations.wgsl"])
            }
            Self::Discounted => ("reduce discounted", &["slot/element/moments.wgsl", "slot/source/discounted.wgsl"]),
            Self::Moments => ("reduce moments", &["slot/element/moments.wgsl", "slot/source/partials.wgsl"]),
            Self::Episodes => ("reduce episodes", &["slot/element/sum.wgsl", "slot/source/episodes.wgsl"]),
            Self::Sums => ("reduce sums", &["slot/element/sum.wgsl", "slot/source/partials.wgsl"]),
            Self::Terms => ("reduce terms", TERMS),
            Self::Rollouts => ("reduce rollouts", &["slot/element/moments.wgsl", "slot/source/rollouts.wgsl"]),
            Self::Differences => ("reduce differences", &["slot/element/moments.wgsl", "slot/source/differences.wgsl"]),
        }
    }
}

/// What a network is trained for: slot `objective`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// The clipped surrogate with an entropy bonus, for a policy.
    PpoClip,
    /// The surrogate with a penalty on the divergence from the rollout's policy.
    PpoKl,
    /// −log π Φ with an entropy bonus, for a policy.
    PolicyGradient,
    /// Squared error of the value.
    Value,
}

/// A policy of the textbook, written out: slot `policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextbookPolicy {
    /// a ~ N(θ₁ s, θ₂²)
    LinearGaussian,
    /// π(0) = clamp(θ, 0, 1)
    Clamp,
}

impl TextbookPolicy {
    /// Number of its parameters.
    pub fn parameters(self) -> u32 {
        match self {
            Self::LinearGaussian => 2,
            Self::Clamp => 1,
        }
    }

    fn part(self) -> &'static str {
        match self {
            Self::LinearGaussian => "slot/policy/linear_gaussian.wgsl",
            Self::Clamp => "slot/policy/clamp.wgsl",
        }
    }
}

/// What a rollout sums up for an estimate of the policy gradient: slot `estimator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// All scores times the whole return.
    TotalReturn,
    /// Each score times the rewards that follow.
    RewardToGo,
    /// The same less a baseline for each parameter.
    Baseline,
    /// What baselines are made of.
    BaselineTerms,
    /// Each score times the rewards that follow, less the value of its state.
    ValueBaseline,
    /// Each score times one reward and the value of what it led to.
    Q,
    /// Each score times the residual of its step.
    TdResidual,
    /// Each score times the decaying sum of residuals.
    Gae,
    /// Nothing: returns are enough.
    Utility,
    /// Observations and rewards of every step.
    Trajectory,
}

impl Sums {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::TotalReturn,
        Self::RewardToGo,
        Self::Baseline,
        Self::BaselineTerms,
        Self::ValueBaseline,
        Self::Q,
        Self::TdResidual,
        Self::Gae,
        Self::Utility,
        Self::Trajectory,
    ];

    /// Rows that it leaves of a rollout of `depth` steps with so many parameters, [`OWN_ROWS`] before them.
    pub fn rows(self, parameters: u32, depth: u32) -> u32 {
        match self {
            Self::BaselineTerms => OWN_ROWS + 5 * parameters + 1,
            Self::Utility => OWN_ROWS,
            Self::Trajectory => depth.saturating_mul(2).saturating_add(OWN_ROWS),
            _ => OWN_ROWS + parameters,
        }
    }

    fn parts(self) -> (&'static str, &'static [&'static str]) {
        const VALUE: &str = "part/state_value.wgsl";
        match self {
            Self::TotalReturn => ("estimate total return", &["slot/estimator/total_return.wgsl"]),
            Self::RewardToGo => ("estimate reward to go", &["slot/estimator/reward_to_go.wgsl"]),
            Self::Baseline => ("estimate baseline", &["slot/estimator/baseline.wgsl"]),
            Self::BaselineTerms => ("estimate baseline terms", &["slot/estimator/baseline_terms.wgsl"]),
            Self::ValueBaseline => ("estimate value baseline", &[VALUE, "slot/estimator/value_baseline.wgsl"]),
            Self::Q => ("estimate q", &[VALUE, "slot/estimator/q.wgsl"]),
            Self::TdResidual => ("estimate td residual", &[VALUE, "slot/estimator/td_residual.wgsl"]),
            Self::Gae => ("estimate gae", &[VALUE, "slot/estimator/gae.wgsl"]),
            Self::Utility => ("estimate utility", &["slot/estimator/utility.wgsl"]),
            Self::Trajectory => ("estimate trajectory", &["slot/estimator/trajectory.wgsl"]),
        }
    }
}

/// How the estimates of a repetition's rollouts become one: slot `combine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// Their mean.
    Mean,
    /// The mean of each less a baseline of the others.
    LeaveOneOut,
}

/// How advantages are found along time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverTime {
    /// A thread walks through the steps of a world.
    Walk,
    /// A workgroup scans the steps of a world.
    Scan,
}

/// What makes a step of a gradient: slot `optimizer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Kingma & Ba (2015).
    #[default]
    Adam,
    /// Tieleman & Hinton (2012), as `PyTorch` has it.
    RmsProp,
    /// Plain gradient descent.
    Sgd,
}

impl Optimizer {
    /// Its name, which is that of its kernel.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::RmsProp => "rmsprop",
            Self::Sgd => "sgd",
        }
    }

    fn part(self) -> &'static str {
        match self {
            Self::Adam => "slot/optimizer/adam.wgsl",
            Self::RmsProp => "slot/optimizer/rmsprop.wgsl",
            Self::Sgd => "slot/optimizer/sgd.wgsl",
        }
    }
}

/// Links kernels in one form.
#[derive(Clone, Copy, Debug)]
pub struct Kernels<'a> {
    /// The form.
    pub form: Form,
    /// The networks of an agent.
    pub parameters: &'a Parameters,
    /// What the agent may do.
    pub space: &'a ActionSpace,
    /// Whether rollouts keep the distributions of their policy.
    pub keeps: bool,
    /// Number of agents; decides only where parameters are read from.
    pub agents: u32,
}

/// Bytes of a uniform buffer that every adapter can bind.
const UNIFORM_BYTES: u64 = 64 << 10;

impl Kernels<'_> {
    fn plain(&self, name: &str) -> Result<Program> {
        let program = program(name, &form_constants(self.form))?.constants(&self.space.constants());
        Ok(program.word("MW_ROWS", self.rows()).word("MW_OLD_ROWS", self.rows() - self.space.rows()))
    }

    /// Rows of a sample: those of the space, and the distribution's where it is kept.
    pub fn rows(&self) -> u32 {
        self.space.rows() + if self.keeps { self.space.outputs() } else { 0 }
    }

    /// A program with a network of the table and its forward pass.
    fn with_network(&self, program: Program, network: usize, vectors: u32, backward: bool) -> Result<Program> {
        let units = !backward && self.units(network);
        let lanes = if units { 1 } else { self.form.lanes };
        let lane = if lanes == 1 { "slot/lane/one.wgsl" } else { "slot/lane/four.wgsl" };
        let vectors = if units { 1 } else { vectors };
        let arrangement = match self.narrow(network) {
            _ if units => "part/mlp_units.wgsl",
            true => "part/mlp.wgsl",
            false => "part/mlp_wide.wgsl",
        };
        let activation = self.parameters.networks()[network].activation().part();
        let program = program
            .constants(&self.parameters.constants(network, self.form, backward))
            .word("MW_AGENTS", self.agents)
            .word("MW_VECTORS", vectors)
            .word("MW_LANES", lanes)
            .word("MW_SAMPLES", vectors * lanes);
        program.parts(&[self.source(), lane, self.share(), self.normalise(), activation, arrangement])
    }

    /// Slot `normalise`.
    fn normalise(&self) -> &'static str {
        let running = self.parameters.normaliser().observations;
        if running { "slot/normalise/running.wgsl" } else { "slot/normalise/none.wgsl" }
    }

    /// Slot `parameters`.
    fn source(&self) -> &'static str {
        let bytes = u64::from(self.agents) * u64::from(self.parameters.words()) * 4;
        let uniform = self.form.lanes > 1 && bytes <= UNIFORM_BYTES;
        if uniform { "slot/parameters/uniform.wgsl" } else { "slot/parameters/storage.wgsl" }
    }

    /// Whether a network stays in registers; a wide one needs a workspace.
    pub(crate) fn narrow(&self, network: usize) -> bool {
        self.parameters.networks()[network].narrow()
    }

    /// Slot `memory` of a forward pass that is not followed by a backward one.
    fn memory(&self, network: usize) -> &'static [&'static str] {
        match self.narrow(network) {
            _ if self.units(network) => &[],
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
        !self.narrow(network) && !self.units(network)
    }

    /// Worlds in an invocation of the kernels with worlds in them.
    pub(crate) fn worlds(&self, network: usize) -> u32 {
        if self.units(network) { 1 } else { self.form.lanes }
    }

    /// Columns that an invocation of `value.wgsl` takes at a time.
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
        let narrow = (0..self.parameters.networks().len()).all(|network| self.narrow(network));
        if narrow { self.form.vectors } else { 1 }
    }

    /// Samples in an invocation of the kernels that learn.
    pub fn samples(&self) -> u32 {
        if self.tiled() { 1 } else { self.vectors() * self.form.lanes }
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
        self.tiled()
            || self.form.share_size() > 1 && (0..self.parameters.networks().len()).all(|network| self.narrow(network))
    }

    fn share(&self) -> &'static str {
        match self.form.share {
            Share::Plain => "slot/share/plain.wgsl",
            Share::Subgroup(_) => "slot/share/subgroup.wgsl",
        }
    }

    /// First states of worlds.
    ///
    /// # Errors
    /// [`crate::Error::Shader`] where the environment does not link.
    pub fn reset(&self, env: &Environment) -> Result<Linked> {
        env.link_into(self.plain("reset")?)?.part("reset.wgsl")?.link()
    }

    /// One step of every world with the caller's actions.
    ///
    /// # Errors
    /// As [`Kernels::reset`].
    pub fn pool(&self, env: &Environment) -> Result<Linked> {
        env.link_into(self.plain("pool")?)?.parts(self.mask_bits())?.parts(&[env.keep_part(), "pool.wgsl"])?.link()
    }

    /// T steps of every world with random actions.
    ///
    /// # Errors
    /// As [`Kernels::reset`].
    pub fn step(&self, env: &Environment) -> Result<Linked> {
        env.link_into(self.plain("step")?)?.part("step.wgsl")?.link()
    }

    /// An estimate of the policy gradient from each rollout of a textbook policy.
    ///
    /// # Errors
    /// As [`Kernels::reset`].
    pub fn estimate(&self, env: &Environment, policy: TextbookPolicy, sums: Sums) -> Result<Linked> {
        let (name, parts) = sums.parts();
        self.textbook(name, env, policy)?.parts(parts)?.part("estimate.wgsl")?.link()
    }

    /// A step uphill from such estimates.
    ///
    /// # Errors
    /// As [`Kernels::reset`].
    pub fn climb(&self, env: &Environment, policy: TextbookPolicy, combine: Combine) -> Result<Linked> {
        let (name, part) = match combine {
            Combine::Mean => ("climb", "slot/combine/mean.wgsl"),
            Combine::LeaveOneOut => ("climb leave one out", "slot/combine/leave_one_out.wgsl"),
        };
        self.textbook(name, env, policy)?.parts(&[part, "climb.wgsl"])?.link()
    }

    fn textbook(&self, name: &str, env: &Environment, policy: TextbookPolicy) -> Result<Program> {
        let program = env.link_into(self.plain(name)?)?.word("MW_THETA", policy.parameters());
        program.parts(&["part/estimate.wgsl", policy.part()])
    }

    /// A kernel in which worlds act under the policy `network`.
    fn acting(&self, name: &str, env: &Environment, network: usize) -> Result<Program> {
        let program = env.link_into(self.with_network(self.plain(name)?, network, 1, false)?)?;
        let input = if env.has_features() && self.needs_workspace(network) { "loop" } else { "constants" };
        let input = format!("slot/input/{input}.wgsl");
        let show = if self.space.masked() { "slot/show/mask.wgsl" } else { "slot/show/nothing.wgsl" };
        program.parts(self.space.distribution_parts())?.parts(self.mask_bits())?.parts(self.memory(network))?.parts(&[
            show,
            &input,
            "part/policy.wgsl",
        ])
    }

    /// Where environments say which actions are allowed.
    fn mask_bits(&self) -> &'static [&'static str] {
        if self.space.masked() { &["part/mask_bits.wgsl"] } else { &[] }
    }

    /// T steps of every world under the policy `network`.
    ///
    /// # Errors
    /// As [`Kernels::reset`].
    pub fn rollout(&self, env: &Environment, network: usize) -> Result<Linked> {
        self.acting("rollout", env, network)?.parts(&[env.keep_part(), "rollout.wgsl"])?.link()
    }

    /// One episode in each world under the policy `network`.
    ///
    /// # Errors
    /// As [`Kernels::reset`].
    pub fn evaluate(&self, env: &Environment, network: usize) -> Result<Linked> {
        self.acting("evaluate", env, network)?.part("evaluate.wgsl")?.link()
    }

    /// Values of observations under the critic `network`.
    ///
    /// # Errors
    /// Never, unless a file of ours is broken.
    pub fn value(&self, network: usize) -> Result<Linked> {
        self.with_network(self.plain("value")?, network, self.vectors(), false)?
            .part("part/math.wgsl")?
            .parts(self.memory(network))?
            .part("value.wgsl")?
            .link()
    }

    /// Advantages and targets.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn gae(&self, over_time: OverTime) -> Result<Linked> {
        let running = self.parameters.normaliser().rewards;
        let reward = if running { "slot/reward/running.wgsl" } else { "slot/reward/plain.wgsl" };
        let (name, kernel) = match over_time {
            OverTime::Walk => ("gae", "gae.wgsl"),
            OverTime::Scan => ("gae scan", "gae_scan.wgsl"),
        };
        let program = self.plain(name)?.constants(&self.parameters.own_constants());
        program.parts(&[reward, "part/residual.wgsl", kernel])?.link()
    }

    /// Discounted sums of rewards.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn discount_rewards(&self) -> Result<Linked> {
        self.plain("discount rewards")?.part("discount_rewards.wgsl")?.link()
    }

    /// A batch's moments joined to the running ones.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn merge_moments(&self) -> Result<Linked> {
        self.plain("merge moments")?.constants(&self.parameters.own_constants()).part("merge_moments.wgsl")?.link()
    }

    /// A reduction.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn reduce(&self, reduction: Reduction) -> Result<Linked> {
        let (name, parts) = reduction.parts();
        self.plain(name)?.word("MW_SAMPLES", self.samples()).parts(parts)?.part("reduce.wgsl")?.link()
    }

    /// Loss gradients of `network` for an objective.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn gradient(&self, network: usize, objective: Objective) -> Result<Linked> {
        let shape = &self.parameters.networks()[network];
        let program = self.plain(&format!("gradient {}", shape.name()))?;
        let program = if self.tiled() {
            let constants = self.parameters.constants(network, self.form, true);
            let activation = shape.activation().part();
            program.constants(&constants).parts(&[
                self.source(),
                "slot/lane/one.wgsl",
                self.normalise(),
                activation,
                "part/mlp_tile.wgsl",
            ])?
        } else {
            self.with_network(program, network, self.vectors(), true)?.parts(&[
                if self.narrow(network) { "part/mlp_backward.wgsl" } else { "part/mlp_wide_backward.wgsl" },
                if self.summed() { "slot/weights/summed.wgsl" } else { "slot/memory/trace.wgsl" },
            ])?
        };
        let program = program
            .parts(&["part/math.wgsl", "part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"])?
            .parts(&["part/partial.wgsl", "part/samples.wgsl"])?;
        let program = match objective {
            Objective::PpoClip => self.of_policy(program, "slot/objective/ppo_clip.wgsl")?,
            Objective::PpoKl => self.of_policy(program, "slot/objective/ppo_kl.wgsl")?,
            Objective::PolicyGradient => self.of_policy(program, "slot/objective/policy_gradient.wgsl")?,
            Objective::Value => program.part("slot/objective/value.wgsl")?,
        };
        program.part(if self.tiled() { "gradient_tile.wgsl" } else { "gradient.wgsl" })?.link()
    }

    /// Adds an objective of the policy.
    fn of_policy(&self, program: Program, objective: &str) -> Result<Program> {
        program.parts(self.space.distribution_parts())?.parts(&["part/policy_samples.wgsl", objective])
    }

    /// Partial weight gradients of `network`.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn weight_gradient(&self, network: usize) -> Result<Linked> {
        let name = format!("weight gradient {}", self.parameters.networks()[network].name());
        self.plain(&name)?
            .constants(&self.parameters.constants(network, self.form, true))
            .parts(&[self.share(), "part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"])?
            .parts(&["part/partial.wgsl", "weight_gradient.wgsl"])?
            .link()
    }

    /// Sum of the partial gradients.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn sum_slices(&self) -> Result<Linked> {
        let parts = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"];
        let program = self.plain("sum slices")?.constants(&self.parameters.own_constants()).parts(&parts)?;
        program.parts(&["part/partial.wgsl", "sum_slices.wgsl"])?.link()
    }

    /// One minibatch further.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn advance(&self) -> Result<Linked> {
        let parts = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl", "advance.wgsl"];
        self.plain("advance")?.parts(&parts)?.link()
    }

    /// The optimiser's step.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn descend(&self, optimizer: Optimizer) -> Result<Linked> {
        let program = self.plain(optimizer.name())?.constants(&self.parameters.own_constants());
        program.parts(&[optimizer.part(), "descend.wgsl"])?.link()
    }

    /// End of an update.
    ///
    /// # Errors
    /// As [`Kernels::value`].
    pub fn finish_update(&self) -> Result<Linked> {
        self.plain("finish update")?.part("finish_update.wgsl")?.link()
    }
}
