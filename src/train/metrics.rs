//! `metrics.jsonl`: a line for each update.

use crate::config::{Algo, Config};
use crate::error::{Error, Result};
use crate::file;
use crate::layout::Metrics;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Name of the file in a run directory.
pub(super) const METRICS_FILE: &str = "metrics.jsonl";
/// Most bytes of lines that wait for a disk that takes nothing.
const MOST_WAITING: usize = 16 << 20;
/// Most bytes of a line that is read again.
const LONGEST_LINE: u64 = 1 << 16;

/// One line of `metrics.jsonl`. What ddpg, td3 and sac do not measure is null there.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Line {
    /// Number of the update, from 0.
    pub update: u32,
    /// Steps of all worlds after the update.
    pub step: u64,
    /// Mean return of the episodes that ended in the rollout; null where none did.
    pub mean_return: Option<f32>,
    /// Their mean length in steps.
    pub mean_length: Option<f32>,
    /// How many they were.
    pub episodes: u32,
    /// How many of them terminated.
    pub terminated: u32,
    /// How many of them were truncated.
    pub truncated: u32,
    /// Mean over minibatches of mean(−min(ρÂ, clamp(ρ, 1−ε, 1+ε)Â)).
    pub policy_loss: f32,
    /// Mean over minibatches of mean(½(V − target)²), or of its clipped form.
    pub value_loss: f32,
    /// Mean over minibatches of the policy's mean entropy, nats.
    pub entropy: f32,
    /// mean((ρ − 1) − log ρ) of the last minibatch, nats.
    pub approx_kl: Option<f32>,
    /// mean(−log ρ) of the last minibatch, nats.
    pub old_approx_kl: Option<f32>,
    /// Mean over minibatches of the share of samples with |ρ − 1| > ε.
    pub clip_fraction: Option<f32>,
    /// mean KL(π_old ‖ π) over the last epoch (KL penalty), or after the step (npg, trpo), nats; else 0.
    pub kl: Option<f32>,
    /// Weight β of the KL penalty.
    pub kl_coef: Option<f32>,
    /// npg, trpo: what the step should have gained by the surrogate's gradient, step · gᵀx; 0 where none was taken.
    pub expected_improvement: Option<f32>,
    /// npg, trpo: mean(ρÂ) after the step less that before it.
    pub improvement: Option<f32>,
    /// npg, trpo: ‖g − (F + damping)x‖/‖g‖ after conjugate gradients.
    pub cg_residual: Option<f32>,
    /// trpo: candidates of the line search that were measured.
    pub line_search_steps: Option<u32>,
    /// reinforce with reuse: (Σw)²/Σw² over the importance weights of the batch's samples; null without.
    pub effective_samples: Option<f32>,
    /// 1 − var(target − value)/var(target) with the rollout's values.
    pub explained_variance: Option<f32>,
    /// Mean over minibatches of the global gradient norm before its limit.
    pub grad_norm: Option<f32>,
    /// Learning rate.
    pub learning_rate: f32,
    /// Epochs that were made; fewer than `update_epochs` after a stop by `target_kl`.
    pub epochs: Option<u32>,
    /// ddpg, td3, sac: gradient steps since the start; null elsewhere.
    pub gradient_steps: Option<u32>,
    /// ddpg, td3, sac: mean Q(s, a) of the critics over the last minibatch; null elsewhere.
    pub q_value: Option<f32>,
    /// sac: temperature α; null elsewhere.
    pub alpha: Option<f32>,
    /// ddpg, td3, sac: temperature T of the Gumbel-softmax; null elsewhere.
    pub gumbel_temperature: Option<f32>,
    /// Steps per second since the report before.
    pub steps_per_s: f64,
}

impl Line {
    pub(super) fn of(metrics: &Metrics, config: &Config, steps_per_s: f64) -> Self {
        let some = metrics.episodes > 0.0;
        let replay = config.algo.is_off_policy();
        let rollouts = !replay;
        Self {
            update: metrics.update,
            step: config.env_steps(metrics.update + 1),
            mean_return: some.then_some(metrics.return_sum / metrics.episodes),
            mean_length: some.then_some(metrics.length_sum / metrics.episodes),
            episodes: metrics.episodes as u32,
            terminated: metrics.terminated as u32,
            truncated: (metrics.episodes - metrics.terminated) as u32,
            policy_loss: metrics.policy_loss,
            value_loss: metrics.value_loss,
            entropy: metrics.entropy,
            approx_kl: rollouts.then_some(metrics.approx_kl),
            old_approx_kl: rollouts.then_some(metrics.old_approx_kl),
            clip_fraction: rollouts.then_some(metrics.clip_fraction),
            kl: rollouts.then_some(metrics.kl),
            kl_coef: rollouts.then_some(metrics.beta),
            expected_improvement: rollouts.then_some(metrics.expected_improvement),
            improvement: rollouts.then_some(metrics.improvement),
            cg_residual: rollouts.then_some(metrics.cg_residual),
            line_search_steps: rollouts.then_some(metrics.line_search_steps),
            effective_samples: (metrics.effective_samples > 0.0).then_some(metrics.effective_samples),
            explained_variance: rollouts.then_some(metrics.explained_variance),
            grad_norm: rollouts.then_some(metrics.grad_norm),
            learning_rate: metrics.learning_rate,
            epochs: rollouts.then_some(metrics.epochs),
            gradient_steps: replay.then_some(metrics.gradient_steps),
            q_value: replay.then_some(metrics.q_value),
            alpha: (config.algo == Algo::Sac).then_some(metrics.alpha),
            gumbel_temperature: replay.then_some(metrics.gumbel_temperature),
            steps_per_s,
        }
    }
}

/// The file that lines are appended to. What it does not take waits and is tried again with the next lines.
#[derive(Debug)]
pub(super) struct MetricsFile {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    waiting: String,
    /// Lines that will not be written any more.
    lost: u64,
}

impl MetricsFile {
    /// A file for the lines from update `first` on, in a run directory. Those before it are kept; what follows them is of
    /// updates that are made again, or was being written when a process died, and is forgotten.
    pub fn open(run: &Path, first: u32) -> Result<Self> {
        let path = run.join(METRICS_FILE);
        let failed = |error: std::io::Error| Error::file("write", &path, &error);
        let length = match file::open(&path, u64::MAX) {
            Ok((file, _)) if first > 0 => {
                lines_before(file, first).map_err(|error| Error::file("read", &path, &error))?
            }
            Err(error) if path.exists() => return Err(error),
            _ => 0,
        };
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        Ok(Self { path, file, length, waiting: String::new(), lost: 0 })
    }

    /// Appends lines, after those that wait.
    ///
    /// # Errors
    /// [`Error::File`] where the disk does not take them; they wait.
    pub fn append(&mut self, lines: &[Line]) -> Result<()> {
        for line in lines {
            let text = serde_json::to_string(line).unwrap_or_default();
            if self.waiting.len() + text.len() < MOST_WAITING {
                self.waiting += &text;
                self.waiting.push('\n');
            } else {
                self.lost += 1;
            }
        }
        if let Err(error) = self.file.write_all(self.waiting.as_bytes()) {
            // half a line would spoil the next one
            let _ = self.file.set_len(self.length);
            return Err(Error::file("write", &self.path, &error));
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Lines that are not in the file.
    pub fn missing(&self) -> u64 {
        self.lost + self.waiting.lines().count() as u64
    }
}

/// Bytes of the lines of updates before `first`.
fn lines_before(file: File, first: u32) -> std::io::Result<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        update: u32,
    }
    let mut lines = BufReader::new(file);
    let (mut length, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        let earlier = serde_json::from_slice(&line).is_ok_and(|Numbered { update }| update < first);
        if !line.ends_with(b"\n") || !earlier {
            return Ok(length);
        }
        length += read as u64;
    }
}
