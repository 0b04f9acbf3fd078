//! Small runs of CartPole-v1.

use super::{ok, poison_on};
use manyworlds::algo::OnPolicy;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::gpu::Gpu;

/// A small run: networks of two layers of 8, an odd number of worlds, minibatches that do not divide. Kernels depend on the
/// number of agents, so tests have one or three.
pub fn config(num_envs: u32, num_steps: u32) -> Config {
    Config {
        num_envs,
        num_steps,
        total_timesteps: 10 * u64::from(num_envs * num_steps),
        num_minibatches: 4,
        update_epochs: 2,
        hidden: vec![8, 8],
        eval_episodes: 63,
        ..Config::default()
    }
}

pub fn ppo(gpu: &Gpu, config: &Config, seeds: &[u32]) -> OnPolicy {
    let ppo = ok(OnPolicy::new(gpu, &ok(Environment::load("CartPole-v1")), config, seeds));
    poison_on(gpu, &ppo.batch.samples);
    poison_on(gpu, &ppo.batch.observations);
    poison_on(gpu, &ppo.batch.final_observations);
    poison_on(gpu, &ppo.batch.final_values);
    ppo
}

/// An agent's part of a buffer `[agent][…]`.
pub fn of_agent<T: Copy>(all: &[T], agents: u32, agent: usize) -> Vec<T> {
    let size = all.len() / agents as usize;
    all[agent * size..][..size].to_vec()
}
