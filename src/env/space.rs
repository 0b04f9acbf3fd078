//! What an agent may do: the actions of an environment, and what follows from them for kernels.

use super::{Deviation, Exploration};
use crate::layout::ROWS;
use crate::shader::Constants;
use serde::Serialize;

/// The actions of an environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ActionSpace {
    /// One of `count` actions.
    Discrete {
        /// Number of actions.
        count: u32,
        /// Whether the environment says which of them are allowed (`env_action_mask`).
        masked: bool,
    },
    /// Several choices at once.
    MultiDiscrete {
        /// Number of actions of each choice.
        counts: Vec<u32>,
        /// As above, for all of them one after the other.
        masked: bool,
    },
    /// Real numbers. What the policy draws is clipped or squashed to the bounds before the environment gets it.
    Box {
        /// Lower bound of each number.
        low: Vec<f32>,
        /// Upper bound of each number.
        high: Vec<f32>,
    },
}

impl ActionSpace {
    /// Words of an action.
    pub fn words(&self) -> u32 {
        match self {
            Self::Discrete { .. } => 1,
            Self::MultiDiscrete { counts, .. } => counts.len() as u32,
            Self::Box { low, .. } => low.len() as u32,
        }
    }

    /// Number of actions of each choice; none for real numbers.
    pub fn counts(&self) -> Vec<u32> {
        match self {
            Self::Discrete { count, .. } => vec![*count],
            Self::MultiDiscrete { counts, .. } => counts.clone(),
            Self::Box { .. } => Vec::new(),
        }
    }

    /// Number of actions of all choices; 0 for real numbers.
    pub fn choices(&self) -> u32 {
        self.counts().iter().sum()
    }

    /// Outputs of a policy network: a logit for each action; or a mean for each number, and behind the means the
    /// logarithms of the deviations, where there are any.
    pub fn outputs(&self, exploration: Exploration) -> u32 {
        match exploration.deviation {
            _ if !self.is_box() => self.choices(),
            Deviation::Free | Deviation::StateDependent(_) => self.words() + self.free_outputs(exploration),
            Deviation::Clamped { .. } => 2 * self.words(),
            Deviation::None => self.words(),
        }
    }

    /// How many of the outputs, the last ones, do not depend on the observation: logarithms of deviations.
    pub fn free_outputs(&self, exploration: Exploration) -> u32 {
        match exploration.deviation {
            Deviation::Free | Deviation::StateDependent(_) if self.is_box() => self.words() * exploration.deviations(),
            _ => 0,
        }
    }

    /// Words of a distribution: log p of each action; or mean and log of the deviation of each number.
    pub fn distribution_words(&self) -> u32 {
        if self.is_box() { 2 * self.words() } else { self.choices() }
    }

    /// Whether actions are real numbers.
    pub fn is_box(&self) -> bool {
        matches!(self, Self::Box { .. })
    }

    /// Whether the environment says which actions are allowed.
    pub fn masked(&self) -> bool {
        match self {
            Self::Discrete { masked, .. } | Self::MultiDiscrete { masked, .. } => *masked,
            Self::Box { .. } => false,
        }
    }

    /// Words that say which actions were allowed, a bit for each.
    pub fn mask_words(&self) -> u32 {
        if self.masked() { self.choices().div_ceil(32) } else { 0 }
    }

    /// Rows of a sample: those that every sample has, then the words of the action, then those of the mask.
    pub fn rows(&self) -> u32 {
        ROWS + self.words() + self.mask_words()
    }

    /// Constants of kernels that know samples or actions.
    pub(crate) fn constants(&self) -> Constants {
        let counts = self.counts();
        let mut starts = vec![0];
        for count in &counts {
            starts.push(starts[starts.len() - 1] + count);
        }
        let mut constants = Constants::default();
        constants.word("MW_ROW_OLD", self.rows());
        constants.word("MW_ACTION_WORDS", self.words());
        constants.word("MW_CHOICES", self.choices());
        constants.word("MW_KEPT", self.distribution_words());
        constants.word("MW_HEADS", counts.len() as u32);
        constants.words("MW_HEAD_START", starts);
        constants.word("MW_MASK_WORDS", self.mask_words());
        constants
    }

    /// Slot `action`, and for real numbers slot `bounds`.
    pub(crate) fn action_part(&self) -> &'static str {
        match self {
            Self::Discrete { .. } => "slot/action/discrete.wgsl",
            Self::MultiDiscrete { .. } => "slot/action/multi_discrete.wgsl",
            Self::Box { .. } => "slot/action/box.wgsl",
        }
    }
}

impl std::fmt::Display for ActionSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let masked = if self.masked() { ", masked" } else { "" };
        match self {
            Self::Discrete { count, .. } => write!(f, "Discrete({count}{masked})"),
            Self::MultiDiscrete { counts, .. } => write!(f, "MultiDiscrete({counts:?}{masked})"),
            Self::Box { low, high } => {
                let same = |bounds: &[f32]| bounds.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
                if same(low) && same(high) {
                    let bound = |x: f32| if x.abs() >= 1e6 { format!("{x:e}") } else { x.to_string() };
                    write!(f, "Box({}, {}, [{}])", bound(low[0]), bound(high[0]), low.len())
                } else {
                    write!(f, "Box({low:?}, {high:?})")
                }
            }
        }
    }
}
