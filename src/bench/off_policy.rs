//! Learning from replay: gradient steps per second, and what steps of worlds cost beside them.

use super::{RUNS, Spread, seconds_of, span};
use crate::algo::OffPolicy;
use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::Gpu;
use serde::Serialize;
use std::time::Instant;

/// One combination.
#[derive(Clone, Debug)]
pub struct ReplayCase {
    /// The algorithm, which has to learn from replay.
    pub algo: Algo,
    /// Worlds side by side.
    pub num_envs: u32,
    /// Transitions of a gradient step.
    pub batch_size: u32,
    /// Widths of the hidden layers of actor and critics.
    pub net: Vec<u32>,
}

/// What came out; one line of `bench --replay --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayMeasured {
    /// The algorithm.
    pub algo: &'static str,
    /// Name of the environment.
    pub env: String,
    /// Worlds side by side.
    pub num_envs: u32,
    /// Transitions of a gradient step.
    pub batch_size: u32,
    /// Widths of the hidden layers, such as `64,64`.
    pub net: String,
    /// Gradient steps per second, of the critics, and of the actor as often as the algorithm has it.
    pub updates_per_s: Spread,
    /// Dispatches of a gradient step, mean over those with the actor and those without.
    pub dispatches_per_update: f64,
    /// Share of the time that dynamics, resets and writes to the ring take where every step of all worlds is followed by one
    /// gradient step, the actor's forward pass left out.
    pub worlds_share: f64,
    /// Timed runs.
    pub runs: usize,
    /// Name of the adapter.
    pub adapter: String,
    /// Driver and version.
    pub driver: String,
}

impl ReplayCase {
    /// Settings of a run of this shape; the rest as the algorithm has it.
    ///
    /// # Errors
    /// As [`Config::resolve`].
    pub fn config(&self) -> Result<Config> {
        let net: Vec<String> = self.net.iter().map(u32::to_string).collect();
        let pairs = [
            format!("num_envs={}", self.num_envs),
            format!("batch_size={}", self.batch_size),
            format!("hidden=[{}]", net.join(", ")),
            format!("learning_starts={}", self.batch_size.max(1000)),
            "buffer_size=1000000".to_owned(),
            format!("num_steps={STEPS}"),
            "eval_episodes=1".to_owned(),
            // long work, so that the form of the kernels is the one that is fastest once it is compiled
            format!("total_timesteps={}", i64::MAX >> 16),
        ];
        Config::resolve("", self.algo.name(), None, &pairs)
    }
}

/// Gradient steps of a recording.
const STEPS: u32 = 100;

/// Measures one combination: gradient steps alone, whole updates and steps of worlds, in turns.
///
/// # Errors
/// As [`OffPolicy::new`]; [`crate::Error::Setting`] where `seconds` is not from 0 to 3600.
pub fn measure_replay(gpu: &Gpu, env: &Environment, case: &ReplayCase, seconds: f64) -> Result<ReplayMeasured> {
    let span = span(seconds)?;
    let config = case.config()?;
    let agents = OffPolicy::new(gpu, env, &config, &[1])?;
    agents.begin(gpu)?;
    let learning = agents.gradient_steps_only(&config);
    let worlds = agents.worlds_only(&config);
    for work in [agents.update(), &learning, &worlds] {
        gpu.submit(work)?;
    }
    gpu.wait()?;
    let (mut rates, mut shares) = (Vec::new(), Vec::new());
    let timed = Instant::now();
    while rates.len() < RUNS || timed.elapsed() < span {
        rates.push(f64::from(STEPS) / seconds_of(gpu, &learning, 1)?);
        shares.push(seconds_of(gpu, &worlds, 1)? / seconds_of(gpu, agents.update(), 1)?);
    }
    let net: Vec<String> = case.net.iter().map(u32::to_string).collect();
    Ok(ReplayMeasured {
        algo: case.algo.name(),
        env: env.name().to_owned(),
        num_envs: case.num_envs,
        batch_size: case.batch_size,
        net: net.join(","),
        updates_per_s: Spread::of(&rates),
        dispatches_per_update: learning.passes().len() as f64 / f64::from(STEPS),
        worlds_share: Spread::of(&shares).median,
        runs: rates.len(),
        adapter: gpu.info().name.clone(),
        driver: gpu.driver(),
    })
}
