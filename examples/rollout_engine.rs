//! Rollouts for a learner elsewhere: the policy runs on the device, and what it did stays there until somebody wants it.
//!
//!   cargo run --release --example rollout_engine [RUN_OR_CHECKPOINT]

#![allow(clippy::print_stdout, clippy::print_stderr)] // an example prints what it finds

use manyworlds::{AdapterChoice, Config, Environment, Gpu, Policy, Rollout, wgpu};
use std::path::Path;
use std::time::Instant;

fn main() -> manyworlds::Result<()> {
    let policy = match std::env::args().nth(1) {
        Some(path) => Policy::load(Path::new(&path))?,
        None => Policy::untrained(&Environment::load("CartPole-v1")?, Config::default())?,
    };
    let (worlds, steps) = (1024, 64);
    let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
    let rollout = Rollout::new(&gpu, &policy, worlds, steps, 1)?;
    for round in 0..3 {
        let started = Instant::now();
        let batch = rollout.collect()?;
        gpu.wait()?;
        let rate = f64::from(worlds * steps) / started.elapsed().as_secs_f64();

        // a program with a learner in wgpu binds these as they are
        let _observations: &wgpu::Buffer = batch.observations.raw(); // [feature][step][world]
        let _samples: &wgpu::Buffer = batch.samples.raw(); // [row][step][world], rows as in Row

        let rewards = rollout.rewards()?;
        let mean = rewards.iter().copied().map(f64::from).sum::<f64>() / rewards.len() as f64;
        let ended = rollout.endings()?.into_iter().filter(|ending| *ending != 0).count();
        println!("rollout {round}: {rate:.0} steps/s, mean reward {mean:.3}, {ended} endings");
    }
    Ok(())
}
