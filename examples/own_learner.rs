//! A learner of one's own on a pool of worlds: the cross-entropy method (Rubinstein 1999) for CartPole's linear policies.
//! Each of 256 worlds plays one candidate; observations and rewards come to the host, actions go back.
//!
//!   cargo run --release --example own_learner

#![allow(clippy::print_stdout, clippy::print_stderr)] // an example prints what it finds

use manyworlds::{AdapterChoice, AutoReset, Environment, Gpu, WorldPool};

const WORLDS: usize = 256;
const ELITE: usize = 32;

fn main() -> manyworlds::Result<()> {
    let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
    let env = Environment::load("CartPole-v1")?;
    let features = env.spec().observation_dim as usize;
    let (mut mean, mut deviation) = (vec![0.0; features], vec![1.0; features]);
    for generation in 0..20 {
        let candidate = |world: usize, f: usize| mean[f] + deviation[f] * normal(generation, world, f);
        let weights: Vec<Vec<f64>> =
            (0..WORLDS).map(|world| (0..features).map(|f| candidate(world, f)).collect()).collect();
        let returns = play(&gpu, &env, &weights, generation)?;

        let mut order: Vec<usize> = (0..WORLDS).collect();
        order.sort_by(|&a, &b| returns[b].total_cmp(&returns[a]));
        let elite = &order[..ELITE];
        for f in 0..features {
            mean[f] = elite.iter().map(|&world| weights[world][f]).sum::<f64>() / ELITE as f64;
            let variance = elite.iter().map(|&world| (weights[world][f] - mean[f]).powi(2)).sum::<f64>() / ELITE as f64;
            deviation[f] = variance.sqrt() + 0.1 / f64::from(generation + 1);
        }
        let average = returns.iter().sum::<f64>() / WORLDS as f64;
        println!("generation {generation}: mean return {average:.1}");
        if average > 475.0 {
            break;
        }
    }
    Ok(())
}

/// Plays one episode in each world under linear policies; gives the returns.
fn play(gpu: &Gpu, env: &Environment, weights: &[Vec<f64>], seed: u32) -> manyworlds::Result<Vec<f64>> {
    let pool = WorldPool::with_auto_reset(gpu, env, WORLDS as u32, seed, AutoReset::Disabled)?;
    let mut returns = vec![0.0; WORLDS];
    let mut running = vec![true; WORLDS];
    while running.contains(&true) {
        let seen = pool.observations()?; // [feature][world]
        let score = |world: usize| {
            weights[world].iter().enumerate().map(|(f, w)| w * f64::from(seen[f * WORLDS + world])).sum::<f64>()
        };
        let actions: Vec<u32> = (0..WORLDS).map(|world| u32::from(score(world) > 0.0)).collect();
        pool.step(&actions)?;
        let (rewards, terminated, truncated) = (pool.rewards()?, pool.terminated()?, pool.truncated()?);
        for world in (0..WORLDS).filter(|&world| running[world]).collect::<Vec<_>>() {
            returns[world] += f64::from(rewards[world]);
            running[world] = !(terminated[world] || truncated[world]);
        }
    }
    Ok(returns)
}

/// A standard normal that depends on nothing but its place (Box & Muller 1958).
fn normal(generation: u32, world: usize, feature: usize) -> f64 {
    let place = (u64::from(generation) << 32) | ((world as u64) << 8) | feature as u64;
    let (u, v) = (uniform(2 * place), uniform(2 * place + 1));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// A number between 0 and 1 that depends on nothing but its place (Steele, Lea & Flood 2014).
fn uniform(place: u64) -> f64 {
    let mut word = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((word ^ (word >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON
}
