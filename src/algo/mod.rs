//! Algorithms: each file reads from top to bottom like its pseudocode, and beside it stands what it is made of.

#![allow(clippy::missing_errors_doc)] // errors of what is planned, linked and built, which `plan` tells of

mod learning;
mod networks;
mod off_policy;
mod on_policy;
mod search;

pub(crate) use learning::ActionRows;
pub use learning::{Learning, describe, plan, sizes};
pub use networks::networks;
pub(crate) use networks::{ACTOR, CRITIC, first_words};
pub use off_policy::OffPolicy;
pub use on_policy::OnPolicy;
pub use search::Population;

use crate::config::Config;
use crate::kernels::Optimizer;
use crate::layout::Run;

/// Updates whose metrics the device keeps until they are read.
pub const RING: u32 = crate::layout::RING;

impl Run {
    /// What of it falls linearly to 0.
    fn annealing(config: &Config) -> u32 {
        u32::from(config.anneal_lr) | u32::from(config.anneal_clip) << 1
    }

    /// The same with the decays of an optimiser.
    fn decaying(self, config: &Config, optimizer: Optimizer) -> Self {
        let decay2 = match optimizer {
            Optimizer::RmsProp => 1.0 - config.rmsprop_alpha,
            _ => 1.0 - 0.999,
        };
        Self { decay1: (1.0 - 0.9) as f32, decay2: decay2 as f32, optimizer_eps: config.adam_eps as f32, ..self }
    }
}
