//! Learning from replay: gradient steps per second, and what steps of worlds cost beside them.

use super::work::{RUNS, limit, wants_more};
use super::{Spread, seconds_of, span};
use crate::algo::OffPolicy;
use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::Gpu;
use serde::Serialize;

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
    /// Gradient steps of a timed run: 100, or as many as there is time for.
    pub gradient_steps: u32,
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

/// Of those with the actor and those without, all that there are.
const FEWEST: u32 = 2;

/// Measures one combination: gradient steps alone, whole updates and steps of worlds, in turns; five times, or as often
/// as fills `seconds`. Where that takes more than three times `seconds`, runs have fewer steps, and where it still does,
/// they are fewer.
///
/// # Errors
/// As [`OffPolicy::new`]; [`crate::Error::Setting`] where `seconds` is not from 0 to 3600.
pub fn measure_replay(gpu: &Gpu, env: &Environment, case: &ReplayCase, seconds: f64) -> Result<ReplayMeasured> {
    span(seconds)?;
    let mut config = case.config()?;
    let agents = OffPolicy::update_only(gpu, env, &config, 1)?;
    gpu.wait()?;
    let few = agents.gradient_steps_only(&Config { num_steps: FEWEST, ..config.clone() });
    // the first of them may wait for what a driver has left to the first dispatch
    let each = seconds_of(gpu, &few, 1)?.min(seconds_of(gpu, &few, 1)?) / f64::from(FEWEST);
    config.num_steps = steps_of_a_run(each, seconds);
    let learning = agents.gradient_steps_only(&config);
    let worlds = agents.worlds_only(&config);
    let update = agents.update_of(&config);
    if config.num_steps == STEPS {
        for work in [&update, &learning, &worlds] {
            gpu.submit(work)?;
        }
        gpu.wait()?;
    }
    let (mut rates, mut shares, mut spent) = (Vec::new(), Vec::new(), 0.0);
    while wants_more(rates.len(), spent, seconds) {
        let [learning, worlds, update] = [&learning, &worlds, &update].map(|work| seconds_of(gpu, work, 1));
        let [learning, worlds, update] = [learning?, worlds?, update?];
        rates.push(f64::from(config.num_steps) / learning);
        shares.push(worlds / update);
        spent += learning + worlds + update;
    }
    let net: Vec<String> = case.net.iter().map(u32::to_string).collect();
    Ok(ReplayMeasured {
        algo: case.algo.name(),
        env: env.name().to_owned(),
        num_envs: case.num_envs,
        batch_size: case.batch_size,
        net: net.join(","),
        updates_per_s: Spread::of(&rates),
        dispatches_per_update: learning.passes().len() as f64 / f64::from(config.num_steps),
        worlds_share: Spread::of(&shares).median,
        gradient_steps: config.num_steps,
        runs: rates.len(),
        adapter: gpu.info().name.clone(),
        driver: gpu.driver(),
    })
}

/// How many gradient steps of `each` seconds a run has, so that there is time for five runs of them and five updates; even,
/// since the actor's step may be every second one.
fn steps_of_a_run(each: f64, seconds: f64) -> u32 {
    let steps = limit(seconds) / (2 * RUNS) as f64 / each;
    FEWEST * (steps.clamp(FEWEST.into(), STEPS.into()) as u32 / FEWEST)
}

#[cfg(test)]
mod tests {
    use super::steps_of_a_run;

    #[test]
    fn a_run_has_as_many_gradient_steps_as_there_is_time_for() {
        // five times gradient steps alone and five times in updates, in 6 s
        assert_eq!(steps_of_a_run(0.001, 2.0), 100);
        assert_eq!(steps_of_a_run(0.02, 2.0), 30);
        assert_eq!(steps_of_a_run(0.2, 2.0), 2);
        assert_eq!(steps_of_a_run(20.0, 2.0), 2);
        assert_eq!(steps_of_a_run(0.0, 0.0), 100);
    }
}
