//! How well a trained quadrotor hovers: of 1,000 starts, how many come within 0.1 m of the goal in 5 s and stay there for
//! 10 s. The worlds are on the device, the policy runs here.
//!
//!   cargo run --release --example hover RUN_OR_CHECKPOINT

#![allow(clippy::print_stdout, clippy::print_stderr)] // an example prints what it finds

use manyworlds::{AdapterChoice, AutoReset, Gpu, Policy, WorldPool};

const WORLDS: usize = 1000;
/// Steps of 0.02 s.
const SETTLE: u32 = 250;
const HOLD: u32 = 500;
/// Metres.
const NEAR: f64 = 0.1;

fn main() -> manyworlds::Result<()> {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: hover RUN_OR_CHECKPOINT (of a policy for QuadrotorHover)");
        std::process::exit(2);
    };
    let policy = Policy::load(path.as_ref())?;
    let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
    let pool = WorldPool::with_auto_reset(&gpu, &policy.env, WORLDS as u32, 2, AutoReset::Disabled)?;
    let actor = policy.actor()?;
    let components = policy.env.spec().action_space.words() as usize;
    let mut held = [true; WORLDS];
    let mut farthest = [0.0_f64; WORLDS];
    for step in 0..SETTLE + HOLD {
        let seen = pool.observations()?;
        let features = seen.len() / WORLDS;
        let mut actions = vec![0.0; components * WORLDS];
        for world in 0..WORLDS {
            let observation: Vec<f64> = (0..features).map(|f| f64::from(seen[f * WORLDS + world])).collect();
            for (component, number) in actor.act(&observation)?.into_iter().enumerate() {
                actions[component * WORLDS + world] = number as f32;
            }
        }
        pool.step(&actions)?;
        let terminated = pool.terminated()?;
        for (world, state) in pool.states()?.iter().enumerate() {
            let distance = state[..3].iter().map(|x| x * x).sum::<f64>().sqrt();
            held[world] &= !terminated[world];
            if step >= SETTLE {
                held[world] &= distance <= NEAR;
                farthest[world] = farthest[world].max(distance);
            }
        }
    }
    let share = held.iter().filter(|held| **held).count() as f64 / WORLDS as f64;
    farthest.sort_by(f64::total_cmp);
    println!(
        "within {NEAR} m for 10 s in {:.1} % of {WORLDS} starts; farthest: median {:.3} m, 95 % below {:.3} m",
        100.0 * share,
        farthest[WORLDS / 2],
        farthest[WORLDS * 95 / 100]
    );
    Ok(())
}
