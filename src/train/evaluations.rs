//! `evaluations.jsonl`: a line for each evaluation of the deterministic policy.

use super::Returns;
use serde::{Deserialize, Serialize};

/// Name of the file in a run directory.
pub const EVALUATIONS_FILE: &str = "evaluations.jsonl";

/// One line of `evaluations.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluated {
    /// Number of the evaluation, from 1.
    pub evaluation: u32,
    /// Seed of the run.
    pub seed: u32,
    /// Number of the update that it follows, from 0, as in `metrics.jsonl`.
    pub update: u32,
    /// Steps of all worlds by then.
    pub step: u64,
    /// Wall seconds of the run by then, as in `metrics.jsonl`.
    pub seconds: f64,
    /// How its episodes came out.
    #[serde(flatten)]
    pub returns: Returns,
    /// That of the best member that a search ever had; absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_member: Option<Returns>,
}
