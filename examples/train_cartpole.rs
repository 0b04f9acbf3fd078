//! Trains CartPole-v1 from a program of one's own, three independent agents at once, and keeps the best policy.
//!
//!     cargo run --release --example train_cartpole [FILE]

#![allow(clippy::print_stdout, clippy::print_stderr)] // an example prints what it finds

use manyworlds::{AdapterChoice, Config, Environment, Gpu, Policy, Returns, Trainer};

fn main() -> manyworlds::Result<()> {
    let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
    let env = Environment::load("CartPole-v1")?;
    let config = Config { total_timesteps: 500_000, ..Config::preset("CartPole-v1", "ppo")? };
    let threshold = env.spec().reward_threshold.map_or(f64::INFINITY, f64::from);

    // Training yields reports by plain iteration; the device is kept busy between them.
    let mut best: Option<(Returns, Policy)> = None;
    for report in Trainer::new(&gpu, &env, &config, &[1, 2, 3])? {
        let report = report?;
        let Some(agents) = report.evaluation else { continue };
        for (agent, (returns, policy)) in agents.into_iter().enumerate() {
            println!("{:>9} steps, agent {agent}: return {returns}", report.env_steps);
            if best.as_ref().is_none_or(|(known, _)| returns.mean > known.mean) {
                best = Some((returns, policy));
            }
        }
        if best.as_ref().is_some_and(|(returns, _)| returns.passes(threshold)) {
            break;
        }
    }

    if let Some((returns, policy)) = best {
        let again = policy.evaluate(&gpu, 1000, 7, false)?;
        println!(
            "best: seed {}, return {:.1}; from other first states {:.1}",
            policy.config.seed, returns.mean, again.mean
        );
        if let Some(file) = std::env::args().nth(1) {
            policy.save(file.as_ref())?;
            println!("saved to {file}");
        }
    }
    Ok(())
}
