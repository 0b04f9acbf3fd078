//! What host and kernels share: structs, rows of the batch, and numbers with a meaning.

mod structs;

pub use structs::*;

use crate::shader::{Constants, Program};
use serde::Serialize;

/// Rows of the samples `[agent][row][step][world]`, each a word. Behind them lie the further words of the action, then
/// those of the mask of allowed actions ([`crate::env::ActionSpace::rows`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Row {
    /// log π(a|o) under the policy of the rollout, `f32`.
    LogProb,
    /// V(o) under the critic of the rollout, `f32`.
    Value,
    /// Reward, `f32`.
    Reward,
    /// [`TERMINATED`] and [`TRUNCATED`], both if an episode ended both ways at once.
    Ending,
    /// Advantage, `f32`.
    Advantage,
    /// Target of the value, `f32`.
    Target,
    /// First word of the action: its index, or an `f32`.
    Action,
}

/// Number of rows before those of the action.
pub const ROWS: u32 = 6;

/// Bit of [`Row::Ending`]: the environment ended the episode; what follows is worth 0.
pub const TERMINATED: u32 = 1;
/// Bit of [`Row::Ending`]: the time limit ended the episode; what follows is worth V(final observation).
pub const TRUNCATED: u32 = 2;
/// Bit beside them: the loops of the environment were left by their budget. Pools say so; a rollout does not look.
pub const SPUN_OUT: u32 = 4;

/// A number that an update leaves in its [`Metrics`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Measured {
    /// How many.
    Count(u32),
    /// How much; null in JSON where it is not finite.
    Real(f32),
}

impl Metrics {
    /// The field of this name; NaN if there is none.
    pub fn measured(&self, name: &str) -> Measured {
        let fields = STRUCTS.iter().find(|shared| shared.name == "MwMetrics").map_or(&[][..], |shared| shared.fields);
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(self));
        match fields.iter().find(|(known, ..)| *known == name) {
            Some((_, "u32", offset)) => Measured::Count(words[offset / 4]),
            Some((_, _, offset)) => Measured::Real(f32::from_bits(words[offset / 4])),
            None => Measured::Real(f32::NAN),
        }
    }
}

/// What can be unsound, in the order in which one follows from the other: what an environment gives comes before all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    /// A number of an observation that is not finite, or above [`LARGEST`].
    Observation = 1,
    /// A reward of that kind.
    Reward,
    /// The loss of a policy.
    PolicyLoss,
    /// The loss of values, or of critics.
    ValueLoss,
    /// The entropy of a policy.
    Entropy,
    /// The norm of a gradient.
    GradientNorm,
    /// What conjugate gradients stand on.
    Solver,
    /// The surrogate or the divergence that a natural gradient's step is measured by.
    Surrogate,
    /// A number of a gradient that is not finite or above [`LARGEST`], where no norm is taken.
    Gradient,
    /// A parameter, running moments among them.
    Parameter,
    /// The temperature α of a soft actor-critic.
    Temperature,
    /// The return of a member of a population, or what it observed on the way.
    Return,
}

impl Fault {
    const NAMED: [(&'static str, Self); 12] = [
        ("OBSERVATION", Self::Observation),
        ("REWARD", Self::Reward),
        ("POLICY_LOSS", Self::PolicyLoss),
        ("VALUE_LOSS", Self::ValueLoss),
        ("ENTROPY", Self::Entropy),
        ("GRADIENT_NORM", Self::GradientNorm),
        ("SOLVER", Self::Solver),
        ("SURROGATE", Self::Surrogate),
        ("GRADIENT", Self::Gradient),
        ("PARAMETER", Self::Parameter),
        ("TEMPERATURE", Self::Temperature),
        ("RETURN", Self::Return),
    ];

    /// That of a word of [`Metrics`] or of an outcome.
    pub fn of(word: u32) -> Option<Self> {
        Self::NAMED.into_iter().map(|(_, fault)| fault).find(|fault| *fault as u32 == word & 15)
    }
}

/// Largest |x| of an observation and of a reward, 2⁶⁰: the squares of larger ones leave no room for sums over a batch.
pub const LARGEST: f32 = (1_u64 << 60) as f32;

/// vec4s behind the state of a world in `part/world.wgsl`.
pub(crate) const ACCUMULATOR_VECTORS: u32 = 4;

/// A word behind the state of a world in `part/world.wgsl`; [`crate::env::Environment::word`] says where it lies. Returns
/// are sums in two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorldWord {
    /// First of four words that note what was unsound (`part/sound.wgsl`).
    Fault = 0,
    /// Return of the running episode, `f32`.
    Return = 4,
    /// Steps of the running episode.
    Length = 5,
    /// Steps since the start of the run.
    Steps = 6,
    /// Episodes begun since then.
    Begun = 7,
    /// What [`WorldWord::Return`] lacks, `f32`.
    ReturnLow = 8,
    /// What [`WorldWord::EndedReturns`] lacks, `f32`.
    EndedReturnsLow = 9,
    /// Episodes that ended in the last rollout, `f32`.
    Ended = 12,
    /// Their returns together, `f32`.
    EndedReturns = 13,
    /// Their lengths together, `f32`.
    EndedLengths = 14,
    /// How many of them were terminated, `f32`.
    EndedTerminated = 15,
}

/// Updates that the ring of metrics holds.
pub const RING: u32 = 16;

/// Rows that every rollout leaves before those of its estimator: its return, and the steps it made.
pub const OWN_ROWS: u32 = 2;

/// Random stream of training; evaluation at update u has stream `STREAM_EVALUATION + u`.
pub const STREAM_TRAINING: u32 = 0;
/// First random stream of evaluation.
pub const STREAM_EVALUATION: u32 = 1;
/// First random stream of the episodes of members of a population; those of generation g have `STREAM_SEARCH + g`.
pub const STREAM_SEARCH: u32 = 1 << 31;

/// Sums that the objectives keep for each Lane of samples: policy loss, entropy, `approx_kl`, `old_approx_kl`, clip
/// fraction, |ρ − 1|, value loss, and KL(π_old ‖ π).
pub const TERMS: u32 = 8;

/// The constants above for a prelude.
pub(crate) fn constants() -> Constants {
    let mut constants = Constants::default();
    let rows = [
        ("ACTION", Row::Action),
        ("LOG_PROB", Row::LogProb),
        ("VALUE", Row::Value),
        ("REWARD", Row::Reward),
        ("ENDING", Row::Ending),
        ("ADVANTAGE", Row::Advantage),
        ("TARGET", Row::Target),
    ];
    for (name, row) in rows {
        constants.word(&format!("MW_ROW_{name}"), row as u32);
    }
    let terms = [
        "POLICY_LOSS",
        "ENTROPY",
        "APPROX_KL",
        "OLD_APPROX_KL",
        "CLIP_FRACTION",
        "RATIO_DEVIATION",
        "VALUE_LOSS",
        "KL",
    ];
    for (term, name) in terms.iter().enumerate() {
        constants.word(&format!("MW_TERM_{name}"), term as u32);
    }
    constants.word("MW_TERMS", TERMS);
    // critics keep their mean where policies keep their loss
    constants.word("MW_TERM_Q", 0);
    constants.word("MW_AGENT_STEP", 1);
    constants.word("MW_OWN_ROWS", OWN_ROWS);
    constants.word("MW_RING", RING);
    constants.word("MW_TERMINATED", TERMINATED);
    constants.word("MW_TRUNCATED", TRUNCATED);
    constants.word("MW_SPUN_OUT", SPUN_OUT);
    for (name, fault) in Fault::NAMED {
        constants.word(&format!("MW_FAULT_{name}"), fault as u32);
    }
    constants.word("MW_LARGEST", LARGEST.to_bits());
    constants.word("MW_ACCUMULATOR_VECTORS", ACCUMULATOR_VECTORS);
    // critics keep theirs behind those of the actors
    constants.word("MW_FAULTS_FIRST", 0);
    constants.word("MW_STREAM_TRAINING", STREAM_TRAINING);
    // one of several ranks has others (`kernels::Block`)
    constants.word("MW_FIRST_WORLD", 0);
    constants.word("MW_FIRST_SAMPLE", 0);
    constants.word("MW_FIRST_SHARD", 0);
    constants.word("MW_SHARDS", 1);
    constants
}

/// A kernel with everything above in its prelude, and `part/thread.wgsl`.
///
/// # Errors
/// Never, unless a file of ours is missing.
pub(crate) fn program(name: &str, form: &Constants) -> crate::Result<Program> {
    Program::new(name).constants(form).constants(&constants()).structs(STRUCTS).part("part/thread.wgsl")
}
