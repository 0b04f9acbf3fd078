//! What actions do: worlds are put into one state again and again, and step with another action and the same random numbers.

use super::random;
use super::seen::digest;
use crate::env::{ActionSpace, Environment, world_word};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::pool::{AutoReset, WorldPool};
use crate::reference::philox::philox4x32_10;

/// Worlds whose states are tried.
const WORLDS: u32 = 128;
/// Steps of these in all, about.
const STEPS: usize = 512;
/// Values of an action that are tried.
const VALUES: usize = 64;
/// States in which two actions have to be the same to be called so.
const ENOUGH: u64 = 64;

/// What the actions of an environment do.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// States that were tried.
    pub states: u64,
    /// Whether no action ever changed anything.
    pub none: bool,
    /// Choices, or real numbers, that change nothing.
    pub inert: Vec<usize>,
    /// Actions of a choice that are always the same as the first of them.
    pub same: Vec<(usize, Vec<u32>)>,
}

/// A component of an action and the values that are tried for it.
struct Trial {
    component: usize,
    values: Vec<u32>,
    /// For each pair of values, how often they were compared, and whether they were the same then.
    pairs: Vec<(usize, usize, u64, bool)>,
}

fn trials(space: &ActionSpace) -> Vec<Trial> {
    let components = space.words() as usize;
    let most = (VALUES / components).max(3);
    let values = |component: usize| -> Vec<u32> {
        if let ActionSpace::Box { low, high } = space {
            let (low, high) = random::bounds(low[component], high[component]);
            return [low, 0.5 * low + 0.5 * high, high].map(f32::to_bits).to_vec();
        }
        let count = space.counts()[component] as usize;
        let tried = count.min(most);
        (0..tried).map(|i| (i * (count - 1) / (tried - 1).max(1)) as u32).collect()
    };
    let trial = |component| {
        let values = values(component);
        let pairs = (0..values.len()).flat_map(|b| (0..b).map(move |a| (a, b, 0, true))).collect();
        Trial { component, values, pairs }
    };
    (0..components.min(VALUES)).map(trial).filter(|trial| trial.values.len() > 1).collect()
}

/// Tries every action, or some of many, in the states that random actions lead to; none where there is nothing to choose.
pub(super) fn effects(gpu: &Gpu, env: &Environment, seed: u32) -> Result<Option<Effects>> {
    let spec = env.spec();
    let space = &spec.action_space;
    let mut trials = trials(space);
    if trials.is_empty() {
        return Ok(None);
    }
    let walk = WorldPool::with_auto_reset(gpu, env, WORLDS, seed, AutoReset::SameStep)?;
    let probe = WorldPool::with_auto_reset(gpu, env, WORLDS, seed, AutoReset::Disabled)?;
    let n = WORLDS as usize;
    let tried: usize = trials.iter().map(|trial| trial.values.len()).sum();
    let looks = (STEPS / tried).clamp(4, 32) as u32;
    let limit = if spec.max_episode_steps == 0 { 256 } else { spec.max_episode_steps.min(256) };
    // the first steps, then further and further apart
    let places: Vec<u32> = (0..looks)
        .map(|i| if i < looks / 2 { i } else { i.max(limit * (i + 1 - looks / 2) / looks.div_ceil(2)) })
        .collect();
    let first_choice = |component: usize| space.counts().iter().take(component).sum::<u32>();
    let mut states = 0;
    for step in 0..=places.last().copied().unwrap_or_default() {
        let masks = if space.masked() { gpu.read(&walk.masks)? } else { Vec::new() };
        let mut base = random::actions(space, WORLDS, WORLDS, step, seed);
        random::make_legal(space, &mut base, &masks, step, seed);
        if places.contains(&step) {
            states += u64::from(WORLDS);
            let begun = gpu.read(&walk.worlds)?;
            for trial in &mut trials {
                let legal = |value: u32, world: usize| {
                    let choice = (first_choice(trial.component) + value) as usize;
                    masks.is_empty() || masks[choice / 32 * n + world] >> (choice % 32) & 1 == 1
                };
                let mut made = Vec::new();
                for &value in &trial.values {
                    gpu.write(&probe.worlds, &begun);
                    let mut actions = base.clone();
                    actions[trial.component * n..(trial.component + 1) * n].fill(value);
                    gpu.write(&probe.actions, &actions);
                    probe.step_on_device()?;
                    made.push(left(gpu, &probe)?);
                }
                for (a, b, compared, same) in trial.pairs.iter_mut().filter(|pair| pair.3) {
                    let (first, second) = (trial.values[*a], trial.values[*b]);
                    let both = (0..n).filter(|&world| legal(first, world) && legal(second, world));
                    for world in both {
                        *compared += 1;
                        *same &= made[*a][world] == made[*b][world];
                    }
                }
            }
        }
        gpu.write(&walk.actions, &base);
        walk.step_on_device()?;
    }
    Ok(Some(judge(space, &trials, states)))
}

fn judge(space: &ActionSpace, trials: &[Trial], states: u64) -> Effects {
    let equal = |pair: &&(usize, usize, u64, bool)| pair.3 && pair.2 >= ENOUGH;
    let is_inert = |trial: &Trial| trial.pairs.iter().all(|pair| equal(&pair));
    let inert: Vec<usize> = trials.iter().filter(|trial| is_inert(trial)).map(|trial| trial.component).collect();
    let none = inert.len() == trials.len();
    let mut same = Vec::new();
    for trial in trials.iter().filter(|trial| !is_inert(trial) && !space.is_box()) {
        let mut known = vec![false; trial.values.len()];
        for a in 0..trial.values.len() {
            let others: Vec<usize> =
                trial.pairs.iter().filter(|pair| pair.0 == a).filter(equal).map(|pair| pair.1).collect();
            if !known[a] && !others.is_empty() {
                let mut group = vec![trial.values[a]];
                group.extend(others.iter().map(|&b| trial.values[b]));
                for &b in &others {
                    known[b] = true;
                }
                same.push((trial.component, group));
            }
        }
    }
    Effects { states, none, inert, same }
}

/// A digest of all that a step leaves of each world.
fn left(gpu: &Gpu, pool: &WorldPool) -> Result<Vec<u64>> {
    let env = pool.env();
    let n = pool.num_envs() as usize;
    let worlds = gpu.read(&pool.worlds)?;
    let observations = pool.final_observations()?;
    let (rewards, endings) = (pool.rewards()?, gpu.read(&pool.endings)?);
    let of = |world: usize| {
        let state =
            (0..env.state_words() as usize).fold(0, |sum, word| digest(sum, worlds[world_word(word, world, n)]));
        let seen = observations.chunks_exact(n).fold(state, |sum, row| digest(sum, row[world].to_bits()));
        digest(digest(seen, rewards[world].to_bits()), endings[world])
    };
    Ok((0..n).map(of).collect())
}

/// Which numbers of the observation can change at all: those that do when worlds are put into states at random, also into
/// such as random actions never reach.
pub(super) fn reachable(gpu: &Gpu, env: &Environment, seed: u32) -> Result<Vec<bool>> {
    let pool = WorldPool::with_auto_reset(gpu, env, 8 * WORLDS, seed, AutoReset::Disabled)?;
    let begun = pool.states()?;
    let fields = env.state_fields();
    let of_world = |world: usize| {
        let word = |(word, value): (usize, &f64)| {
            let random = philox4x32_10([world as u32, word as u32, 0, 1], [seed, 0x0072_6561]);
            let factor = [0.0, 0.3, 1.0, 1.0, -1.0, 3.0, -3.0, 10.0][random[0] as usize % 8];
            let offset = [0.0, 0.0, 0.1, 1.0, -1.0, 2.0, -2.0, 10.0][random[1] as usize % 8];
            if fields[word].is_flag() { f64::from(random[2] % 2) } else { value * factor + offset }
        };
        begun[world].iter().enumerate().map(word).collect::<Vec<f64>>()
    };
    pool.set_states(&(0..begun.len()).map(of_world).collect::<Vec<_>>())?;
    let seen = pool.observations()?;
    let varies = |row: &[f32]| {
        // −0 is 0, and what such a state makes infinite says nothing
        let mut finite = row.iter().filter(|value| value.is_finite()).map(|value| (value + 0.0).to_bits());
        let first = finite.next();
        finite.any(|bits| Some(bits) != first)
    };
    Ok(seen.chunks_exact(begun.len()).map(varies).collect())
}
