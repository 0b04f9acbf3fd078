//! The kernels of searches without gradients.

use super::{Kernels, Optimizer};
use crate::env::Environment;
use crate::error::Result;
use crate::shader::Program;

/// How a generation comes from the one before: slot `search`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Cross-entropy method.
    Cem,
    /// Evolution strategies, with this optimiser.
    Es(Optimizer),
    /// Augmented random search.
    Ars,
    /// Genetic algorithm.
    Ga,
    /// Pattern search.
    Pattern,
    /// Random search.
    Random,
}

impl Method {
    fn part(self) -> &'static str {
        match self {
            Self::Cem => "slot/search/cem.wgsl",
            Self::Es(_) => "slot/search/es.wgsl",
            Self::Ars => "slot/search/ars.wgsl",
            Self::Ga => "slot/search/ga.wgsl",
            Self::Pattern => "slot/search/pattern.wgsl",
            Self::Random => "slot/search/random.wgsl",
        }
    }

    /// Rows of sums over a generation that it wants (`weigh.wgsl`).
    pub(crate) fn sums(self) -> u32 {
        match self {
            Self::Es(_) => 1,
            Self::Cem | Self::Ars => 2,
            Self::Ga | Self::Pattern | Self::Random => 0,
        }
    }

    /// Whether pairs are ordered, and not members.
    pub(crate) fn orders_pairs(self) -> bool {
        self == Self::Ars
    }

    /// Slot `ranked`.
    fn ranked(self) -> &'static str {
        if self.orders_pairs() { "slot/ranked/pairs.wgsl" } else { "slot/ranked/members.wgsl" }
    }
}

/// Links the kernels of a search.
#[derive(Clone, Copy, Debug)]
pub struct SearchKernels<'a> {
    /// Those of the agents: the actor, and behind it the best member.
    pub agents: Kernels<'a>,
    /// Those of the members, whose only network is the actor.
    pub members: Kernels<'a>,
    /// How a generation comes from the one before.
    pub method: Method,
}

/// Members that a thread of `rank.wgsl` orders: at one, fetching scores took longer than playing episodes from 4,096 members on.
pub(crate) const RANKED: u32 = 16;

/// Vec4s of parameters that a workgroup of `weigh.wgsl` sums: fetching a weight takes a processor as long as making one of them.
pub(crate) const BLOCK: u32 = 4;

/// Members that a thread of `perturb.wgsl` makes.
pub(crate) const TOGETHER: u32 = 8;

/// Words of `mw_tally` for each agent: steps, terminated episodes, the complement of the first unsound member.
pub(crate) const TALLIES: u32 = 3;

impl SearchKernels<'_> {
    /// Words of the actor, padding included.
    pub fn actor_words(&self) -> u32 {
        self.members.parameters.words()
    }

    fn program(&self, name: &str) -> Result<Program> {
        let program = self.agents.short_running().program(name)?.constants(&self.agents.parameters.own_constants());
        Ok(program.word("MW_ACTOR", self.actor_words()).word("MW_TALLIES", TALLIES))
    }

    /// A program with the method in it.
    fn with_method(&self, program: Program) -> Result<Program> {
        let program = program.word("MW_SUMS", self.method.sums()).parts(&[
            "part/math.wgsl",
            "part/random_words.wgsl",
            "part/noise.wgsl",
            "part/search.wgsl",
        ])?;
        let program = match self.method {
            Method::Es(optimizer) => program.parts(&[optimizer.part(), "part/past.wgsl"])?,
            _ => program,
        };
        program.part(self.method.part())
    }

    /// The parameters of a window of members.
    pub fn perturb(&self) -> Result<Program> {
        self.with_method(self.program("perturb")?)?.word("MW_TOGETHER", TOGETHER).part("perturb.wgsl")
    }

    /// Whole episodes of a window of members.
    pub fn play(&self, env: &Environment) -> Result<Program> {
        let agents = self.agents.parameters;
        let program = self.members.evaluate(env, 0)?;
        Ok(program.word("MW_AGENT_PARAMETERS", agents.words()).word("MW_AGENT_NORMALISER", agents.learned() / 4))
    }

    /// What they are worth.
    pub fn fitness(&self) -> Result<Program> {
        self.program("fitness")?.parts(&["part/fault.wgsl", "fitness.wgsl"])
    }

    /// What was counted of observations, joined to what was before.
    pub fn merge_moments(&self) -> Result<Program> {
        self.agents.merge_moments()
    }

    /// The order of a generation.
    pub fn rank(&self) -> Result<Program> {
        self.program("rank")?.word("MW_RANKED", RANKED).parts(&[self.method.ranked(), "rank.wgsl"])
    }

    /// Sums over a generation, for a method that wants some.
    pub fn weigh(&self) -> Result<Program> {
        let program = self.agents.program("weigh")?.constants(&self.agents.parameters.own_constants());
        let program = program.word("MW_ACTOR", self.actor_words()).word("MW_BLOCK", BLOCK);
        self.with_method(program)?.parts(&["slot/element/sum.wgsl", "part/tree.wgsl", "weigh.wgsl"])
    }

    /// What a generation leaves to the next.
    pub fn recombine(&self) -> Result<Program> {
        self.with_method(self.program("recombine")?)?.parts(&[
            self.method.ranked(),
            "part/fault_places.wgsl",
            "recombine.wgsl",
        ])
    }

    /// The end of a generation.
    pub fn finish_generation(&self) -> Result<Program> {
        self.program("finish generation")?.parts(&[
            "slot/element/sum.wgsl",
            "part/tree.wgsl",
            self.method.ranked(),
            "finish_generation.wgsl",
        ])
    }
}
