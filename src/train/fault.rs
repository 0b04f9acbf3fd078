//! What was unsound in an update or an evaluation, said to a person: which number, where, and what helps.

use crate::config::Config;
use crate::env::{Environment, world_word};
use crate::error::{Error, Result};
use crate::layout::{Fault, LARGEST, Metrics, WorldWord};
use crate::nn::Parameters;

/// Rewards and observations up to here are told to be normalised; the sums of squares of larger ones overflow over a run.
const NORMALISED: &str = "1e12";

/// Fails where an update met something unsound: [`Error::LoopCut`] or [`Error::NotFinite`].
pub(super) fn check_update(
    metrics: &Metrics,
    env: &Environment,
    config: &Config,
    seed: u32,
    layout: &Parameters,
) -> Result<()> {
    if metrics.fault_loop > 0 {
        return Err(env.loop_cut(metrics.fault_loop));
    }
    let Some(fault) = Fault::of(metrics.fault) else { return Ok(()) };
    let value = f32::from_bits(metrics.fault_value);
    let in_world = matches!(fault, Fault::Observation | Fault::Reward);
    let (tensor, value) = match fault {
        Fault::Observation => (format!("number {} of the observation", metrics.fault >> 4), Some(value)),
        Fault::Gradient => (format!("the gradient of {}", tensor(layout, metrics)), None),
        Fault::Parameter => (tensor(layout, metrics), None),
        Fault::Return => (format!("the return of member {} of the population", metrics.fault_world), Some(value)),
        other => (name(other).to_owned(), Some(value)),
    };
    Err(Error::NotFinite {
        tensor,
        value,
        world: in_world.then_some(metrics.fault_world),
        step: in_world.then_some(metrics.fault_step),
        update: metrics.update,
        seed,
        remedy: match fault {
            Fault::Observation | Fault::Reward | Fault::Return => {
                remedy_of_environment(fault, f32::from_bits(metrics.fault_value), env, config, seed)
            }
            _ => remedy_of_learning(fault, metrics, config),
        },
    })
}

/// Fails where outcomes of an evaluation are unsound: [`Error::LoopCut`] or [`Error::EpisodeNotFinite`].
pub(super) fn check_outcomes(outcomes: &[[f32; 4]], env: &Environment, seed: u32, updates: u32) -> Result<()> {
    // a number above 0 is a fault, one below it a loop
    if let Some(outcome) = outcomes.iter().find(|outcome| outcome[3] < 0.0) {
        return Err(env.loop_cut(-outcome[3] as u32));
    }
    let unsound = |outcome: &[f32; 4]| outcome[3] != 0.0 || !outcome[0].is_finite();
    let Some(episode) = outcomes.iter().position(unsound) else { return Ok(()) };
    let word = outcomes[episode][3] as u32;
    let tensor = match Fault::of(word) {
        Some(Fault::Observation) => format!("number {} of an observation", word >> 4),
        Some(_) => "a reward".to_owned(),
        None => "the return".to_owned(),
    };
    Err(Error::EpisodeNotFinite { tensor, episode: episode as u32, seed, updates, check: check_env(env, seed) })
}

/// Fails where worlds, `[agent][word / 4][world][word % 4]`, have met something unsound.
pub(crate) fn check_worlds(words: &[u32], env: &Environment, config: &Config, seeds: &[u32]) -> Result<()> {
    let worlds = config.num_envs as usize;
    for (words, &seed) in words.chunks_exact(words.len() / seeds.len()).zip(seeds) {
        let of =
            |world: usize| [0, 1, 2].map(|word| words[world_word(env.word(WorldWord::Fault) + word, world, worlds)]);
        let faulty = |&world: &usize| of(world)[0] != 0;
        // a loop before all else, then the first step
        let order = |&world: &usize| (of(world)[0] >> 16 == 0, of(world)[1]);
        let Some(first) = (0..worlds).filter(faulty).min_by_key(order) else { continue };
        let [what, fault_step, fault_value] = of(first);
        let metrics = Metrics {
            fault: what & 0xffff,
            fault_world: first as u32,
            fault_step,
            fault_value,
            fault_loop: what >> 16,
            ..Metrics::default()
        };
        check_update(&metrics, env, config, seed, &Parameters::default())?;
    }
    Ok(())
}

/// Fails where a parameter `[word]`, without padding, is not finite.
pub(super) fn check_parameters(
    parameters: &[f32],
    config: &Config,
    seed: u32,
    update: u32,
    layout: &Parameters,
) -> Result<()> {
    let Some(place) = parameters.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let mut end = 0;
    let tensors = layout.tensors();
    let found = tensors.iter().find(|tensor| {
        end += tensor.len();
        place < end
    });
    let metrics = Metrics::default();
    Err(Error::NotFinite {
        tensor: found.map(|tensor| tensor.name.clone()).unwrap_or_default(),
        value: Some(parameters[place]),
        world: None,
        step: None,
        update,
        seed,
        remedy: remedy_of_learning(Fault::Parameter, &metrics, config),
    })
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Observation => "a number of the observation",
        Fault::Reward => "the reward",
        Fault::PolicyLoss => "the policy loss",
        Fault::ValueLoss => "the value loss",
        Fault::Entropy => "the entropy of the policy",
        Fault::GradientNorm => "the gradient norm",
        Fault::Solver => "the natural gradient",
        Fault::Surrogate => "the surrogate of the natural gradient's step",
        Fault::Gradient => "the gradient",
        Fault::Parameter => "a parameter",
        Fault::Temperature => "the temperature alpha",
        Fault::Return => "the return of a member",
    }
}

/// What can be unsound, by the numbers that kernels leave in [`Metrics`].
pub(crate) fn fault_names() -> impl Iterator<Item = (u32, &'static str)> {
    (1..16).filter_map(|number| Some((number, name(Fault::of(number)?))))
}

/// The tensor in which a gradient or parameter is unsound.
fn tensor(layout: &Parameters, metrics: &Metrics) -> String {
    // networks that lie in buffers of their own count words anew
    let first = match metrics.fault_world {
        0 => 0,
        network => 4 * layout.span([network as usize]).first,
    };
    layout.tensor_at((first + metrics.fault_step) as usize).unwrap_or_else(|| name(Fault::Parameter).to_owned())
}

/// The command that shows what an environment does wrong.
fn check_env(env: &Environment, seed: u32) -> String {
    let file = if env.is_built_in() { env.name() } else { env.path() };
    let overrides = env.changed().map(|known| format!(" --set-env {}={}", known.name, known.value));
    format!("manyworlds check-env {file}{} --seed {seed}", overrides.collect::<String>())
}

fn remedy_of_environment(fault: Fault, value: f32, env: &Environment, config: &Config, seed: u32) -> String {
    if !value.is_finite() || fault == Fault::Return {
        return format!("it is the environment's; look for where it comes from with `{}`", check_env(env, seed));
    }
    let (what, setting) = match fault {
        Fault::Reward => ("rewards", "norm_reward"),
        _ => ("observations", "norm_obs"),
    };
    let normalise = if config.algo.is_off_policy() {
        String::new()
    } else {
        format!(" ({setting}=true does so up to {NORMALISED})")
    };
    format!(
        "its square overflows, at most {LARGEST:e} can be learned from: scale the {what} of the environment{normalise}"
    )
}

fn remedy_of_learning(fault: Fault, metrics: &Metrics, config: &Config) -> String {
    // squares of returns, summed over a batch
    let horizon = (1.0 / (1.0 - config.gamma)).min(1e4);
    let batch = if config.algo.is_off_policy() { config.batch_size } else { config.rollout_size() };
    let squares = (f64::from(metrics.largest_reward) * horizon).powi(2) * f64::from(batch);
    if squares >= f64::from(f32::MAX) {
        let normalise = if config.algo.is_off_policy() { "" } else { ", or set norm_reward=true" };
        return format!(
            "rewards of up to {:e} make returns whose squares overflow: scale the rewards of the environment{normalise}",
            metrics.largest_reward
        );
    }
    let rate = match fault {
        Fault::ValueLoss if config.algo.fits_apart() => {
            format!("value_learning_rate ({:?})", config.value_learning_rate)
        }
        _ if config.algo.is_search() => {
            format!("sigma ({:?}) or learning_rate ({:?})", config.sigma, config.learning_rate)
        }
        _ if config.algo.is_natural() => format!("delta ({:?}), or raise damping ({:?})", config.delta, config.damping),
        _ if config.algo.is_off_policy() => {
            format!(
                "learning_rate ({}) or value_learning_rate ({:?})",
                config.learning_rate, config.value_learning_rate
            )
        }
        _ if config.max_grad_norm == 0.0 => {
            format!("learning_rate ({:?}), or limit max_grad_norm (0, none)", config.learning_rate)
        }
        _ => format!("learning_rate ({:?}) or max_grad_norm ({:?})", config.learning_rate, config.max_grad_norm),
    };
    format!("reduce {rate}; rewards and observations far from 1 do the same, and are best scaled")
}
