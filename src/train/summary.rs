//! What a run came to.

use super::Returns;
use crate::env::Misfit;
use serde::Serialize;
use std::fs;
use std::path::PathBuf;

/// What a run came to; the fields of `train --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the environment.
    pub env: String,
    /// The algorithm.
    pub algo: &'static str,
    /// Seed of the run.
    pub seed: u32,
    /// Worlds side by side.
    pub num_envs: u32,
    /// Steps of all worlds up to the result.
    pub env_steps: u64,
    /// Updates up to the result.
    pub updates: u32,
    /// Seconds from the start of the process to the first submission.
    pub setup_s: f64,
    /// Seconds from the start of the process to the result.
    pub wall_s: f64,
    /// Steps of all worlds in updates of this process, by `wall_s − setup_s`.
    pub steps_per_s: f64,
    /// Whether an evaluation has passed the environment's threshold.
    pub solved: bool,
    /// Steps of all worlds at the first evaluation that passed.
    pub solved_at_steps: Option<u64>,
    /// Seconds from the start of the process to the first evaluation that passed.
    pub solved_at_s: Option<f64>,
    /// The result's evaluation.
    pub eval: Returns,
    /// That of the best member that a search ever had; absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_of_best: Option<Returns>,
    /// BLAKE3 of the result's parameters.
    pub params_hash: String,
    /// Name of the adapter.
    pub adapter: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// Driver and version.
    pub driver: String,
    /// Where everything was written.
    pub run_dir: PathBuf,
    /// Lines of `metrics.jsonl` that could not be written.
    pub metrics_lost: u64,
    /// Largest resident memory of the process in MB (10⁶ bytes), where the system tells.
    pub peak_rss_mb: Option<f64>,
    /// Bounds of actions that the first policy hardly reached, as it was said at the start; null where they fit.
    pub misfit: Option<Misfit>,
}

/// Largest resident memory of this process so far, in MB; Linux tells.
pub(crate) fn peak_rss_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
