//! Searches for θ of the simple regulator's policy, by the same kernels that search for networks.

use super::{ROLLOUTS, START, STEPS};
use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::train::Trainer;

/// Members of a generation, but for `pattern`, which has as many as there are neighbours.
pub(super) const POPULATION: u32 = 20;
/// Deviation of the first generation of `cem` and what is added to its variance there, falling to 0 at half the generations;
/// deviation of the mutations of `ga`; first step of `pattern`.
pub(super) const SIGMA: f64 = 0.3;
pub(super) const EXTRA: f64 = 0.04;
pub(super) const MUTATION: f64 = 0.1;
pub(super) const STEP: f64 = 0.3;
/// Share of a generation that makes the next.
pub(super) const ELITE: f64 = 0.25;

/// The regulator whose action is θ.
///
/// # Errors
/// None that is not a mistake of ours.
pub fn regulator_of_theta() -> Result<Environment> {
    let mut env = Environment::from_source(
        "SimpleRegulatorOfTheta",
        "regulator_of_theta.wgsl",
        include_str!("regulator_of_theta.wgsl"),
    )?;
    env.set_all([("theta_1", START[0]), ("theta_2", START[1])])?;
    Ok(env)
}

fn config(algo: Algo, generations: u32) -> Result<Config> {
    let mut pairs = vec![
        "hidden=[]".to_owned(),
        format!("generations={generations}"),
        format!("episodes_per_member={ROLLOUTS}"),
        "eval_every=1".to_owned(),
        "eval_episodes=1".to_owned(),
    ];
    pairs.extend(match algo {
        Algo::Pattern => vec![format!("step_size={STEP}")],
        Algo::Ga => {
            vec![format!("population={POPULATION}"), format!("sigma={MUTATION}"), format!("elite_fraction={ELITE}")]
        }
        _ => vec![
            format!("population={POPULATION}"),
            format!("sigma={SIGMA}"),
            format!("elite_fraction={ELITE}"),
            format!("extra_noise={EXTRA}"),
        ],
    });
    Config::resolve("", algo.name(), None, &pairs)
}

/// Where searches stand before every generation and after the last, `[generation][parameter][repetition]`.
///
/// # Errors
/// Those of [`Trainer::new`].
pub(super) fn search(gpu: &Gpu, algo: Algo, seed: u32, repetitions: u32) -> Result<Vec<[Vec<f64>; 2]>> {
    let seeds: Vec<u32> = (0..repetitions).map(|n| seed.wrapping_add(n)).collect();
    let mut path = vec![START.map(|theta| vec![theta; seeds.len()])];
    for report in Trainer::new(gpu, &regulator_of_theta()?, &config(algo, STEPS)?, &seeds)? {
        let Some(policies) = report?.policies else { continue };
        // behind the weights of what is always 0 lies the bias
        let of = |n: usize| policies.iter().map(|policy| START[n] + f64::from(policy.parameters()[2 + n])).collect();
        path.push([of(0), of(1)]);
    }
    Ok(path)
}
