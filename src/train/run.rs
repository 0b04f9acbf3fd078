//! A run with a directory: configuration, metrics, checkpoint and summary.

use super::{Config, Policy, Report, Returns, STATE_FILE, State, Trainer};
use crate::algo::Algo;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::file;
use crate::gpu::Gpu;
use crate::layout::Metrics;
use serde::Serialize;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is wanted of a run besides its configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where results go; `None` makes `runs/<env>-<algo>-<seed>-<time>`.
    pub out: Option<PathBuf>,
    /// Go on from where a run stands in this directory, and with the results there.
    pub resume: Option<PathBuf>,
    /// Keep the transitions of ddpg, td3 and sac with the state too.
    pub save_replay: bool,
    /// Stop at the first evaluation that passes the environment's threshold.
    pub until_solved: bool,
    /// When the process began: `solved_at_s` counts from then.
    pub started: Instant,
}

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
    /// Largest resident memory of the process in MB (10⁶ bytes), where the system tells.
    pub peak_rss_mb: Option<f64>,
}

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
    fn of(metrics: &Metrics, config: &Config, steps_per_s: f64) -> Self {
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

/// Refuses a directory that exists and holds something, and one that cannot be made, before any work is done.
///
/// # Errors
/// [`Error::File`].
pub fn check_out(out: &Path) -> Result<()> {
    if out.as_os_str().is_empty() {
        let reason = "the name is empty; name a directory".to_owned();
        return Err(Error::File { action: "create", path: out.to_owned(), reason });
    }
    match fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            None => tempfile::tempfile_in(out).map(drop).map_err(|error| Error::file("create", out, &error)),
            Some(_) => {
                let reason = "it exists and is not empty; choose another --out".to_owned();
                Err(Error::File { action: "create", path: out.to_owned(), reason })
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // the nearest folder that exists must let us in
            let nearest = out.ancestors().skip(1).find(|folder| folder.as_os_str().is_empty() || folder.exists());
            let nearest = nearest.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            tempfile::tempfile_in(nearest).map(drop).map_err(|error| Error::file("create", out, &error))
        }
        Err(error) => Err(Error::file("create", out, &error)),
    }
}

fn default_out(env: &str, algo: &str, seed: u32) -> PathBuf {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let name: String = env.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    Path::new("runs").join(format!("{name}-{algo}-{seed}-{}", since.as_secs()))
}

/// The state in a run directory, if it goes with the checkpoint there and leaves updates to do.
fn resumable(directory: &Path, config: &Config) -> Result<State> {
    let state = State::load(directory)?;
    let policy = Policy::load(directory)?;
    if policy.hash() != state.params_hash {
        let reason = "it does not go with the checkpoint beside it: one of them is of another update".to_owned();
        return Err(Error::Checkpoint { path: directory.join(STATE_FILE), reason });
    }
    if policy.updates != state.updates {
        let reason = format!("it is of update {}, the checkpoint beside it of {}", state.updates, policy.updates);
        return Err(Error::Checkpoint { path: directory.join(STATE_FILE), reason });
    }
    if state.updates >= config.num_updates() {
        let reason = format!(
            "all {} updates are done; raise total_timesteps ({}) to go on",
            config.num_updates(),
            config.total_timesteps
        );
        return Err(Error::setting("resume", reason));
    }
    Ok(state)
}

/// Trains one agent and writes `config.toml`, `metrics.jsonl` and, at every evaluation, `checkpoint.safetensors` and
/// `state.safetensors`. `watch` sees every report as it arrives.
///
/// The result is the policy of the first evaluation that passes (`until_solved`), or of the last update; there is none
/// where `watch` breaks the run off.
///
/// # Errors
/// As [`Trainer::new`], and [`Error::File`].
pub fn run(
    gpu: &Gpu,
    env: &Environment,
    config: &Config,
    options: &Options,
    mut watch: impl FnMut(&Report, &Line) -> ControlFlow<()>,
) -> Result<Option<Summary>> {
    let threshold = env.spec().reward_threshold.map(f64::from);
    if options.until_solved && threshold.is_none() {
        let reason = "it declares no REWARD_THRESHOLD, so --until-solved has nothing to reach".to_owned();
        return Err(Error::Environment { name: env.name().to_owned(), reason });
    }
    let named = options.resume.clone().or(options.out.clone());
    let out = named.unwrap_or_else(|| default_out(env.name(), config.algo.name(), config.seed));
    if options.resume.is_none() {
        check_out(&out)?;
    }
    let trainer = Trainer::new(gpu, env, config, &[config.seed])?.keeping(options.save_replay);
    let trainer = if options.until_solved { trainer.patient() } else { trainer };
    trainer.check_state(gpu)?;
    let (trainer, done) = match &options.resume {
        Some(directory) => {
            let state = resumable(directory, config)?;
            (trainer.resume(&state)?, state.updates)
        }
        None => (trainer, 0),
    };
    fs::create_dir_all(&out).map_err(|error| Error::file("create", &out, &error))?;
    let (checkpoint, state_file) = (out.join("checkpoint.safetensors"), out.join(STATE_FILE));
    let write = |name: &str, text: &str| {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| Error::file("write", path, &error))
    };
    let overrides: String = env.overrides().iter().map(|o| format!("# --set-env {}={}\n", o.name, o.value)).collect();
    write("config.toml", &format!("# env = {:?}\n{overrides}{}", env.name(), config.to_toml()))?;
    let path = out.join("metrics.jsonl");
    // of updates that are made again, the first lines are forgotten
    let kept: String = match &options.resume {
        Some(_) => {
            let text = fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error))?;
            text.split_inclusive('\n').take(done as usize).collect()
        }
        None => String::new(),
    };
    file::replace(&path, kept.as_bytes())?;
    let mut lines =
        fs::File::options().append(true).open(&path).map_err(|error| Error::file("write", &path, &error))?;

    let batch = u64::from(config.rollout_size());
    let setup_s = options.started.elapsed().as_secs_f64();
    let mut last = Instant::now();
    let mut solved_at = None;
    let mut result: Option<(Returns, Policy, u64)> = None;
    for report in trainer {
        let report = report?;
        let steps = report.metrics.len() as u64 * batch;
        let steps_per_s = steps as f64 / last.elapsed().as_secs_f64().max(1e-9);
        last = Instant::now();
        let mut text = String::new();
        let mut line = None;
        for metrics in &report.metrics {
            let now = Line::of(&metrics[0], config, steps_per_s);
            text += &serde_json::to_string(&now).unwrap_or_default();
            text.push('\n');
            line = Some(now);
        }
        lines.write_all(text.as_bytes()).map_err(|error| Error::file("write", &path, &error))?;
        if line.is_some_and(|line| watch(&report, &line).is_break()) {
            return Ok(None);
        }
        let Some((returns, policy)) = report.evaluation.and_then(|mut agents| agents.pop()) else {
            continue;
        };
        let state = report.state.map(|state| state.serialize(&state_file)).transpose()?.unwrap_or_default();
        file::replace_all(&[(&checkpoint, &policy.serialize(&checkpoint)?), (&state_file, &state)])?;
        let passed = threshold.is_some_and(|threshold| returns.passes(threshold));
        result = Some((returns, policy, report.env_steps));
        if passed && solved_at.is_none() {
            solved_at = Some((report.env_steps, options.started.elapsed().as_secs_f64()));
        }
        if passed && options.until_solved {
            break;
        }
    }
    let wall_s = options.started.elapsed().as_secs_f64();
    let (eval, policy, env_steps) = result.ok_or_else(|| Error::Gpu("a run ended without an evaluation".to_owned()))?;
    Ok(Some(Summary {
        env: env.name().to_owned(),
        algo: config.algo.name(),
        seed: config.seed,
        num_envs: config.num_envs,
        env_steps,
        updates: policy.updates,
        setup_s,
        wall_s,
        steps_per_s: (env_steps - config.env_steps(done)) as f64 / (wall_s - setup_s).max(1e-9),
        solved: solved_at.is_some(),
        solved_at_steps: solved_at.map(|(steps, _)| steps),
        solved_at_s: solved_at.map(|(_, seconds)| seconds),
        eval,
        params_hash: policy.hash(),
        adapter: gpu.info().name.clone(),
        backend: gpu.info().backend.to_str().to_owned(),
        driver: gpu.driver(),
        run_dir: out,
        peak_rss_mb: peak_rss_mb(),
    }))
}

/// Largest resident memory of this process so far, in MB; Linux tells.
pub(crate) fn peak_rss_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
