//! Worlds that are stepped with actions of a policy, of the caller, or of chance.

use super::show::{Step, value};
use crate::env::ActionSpace;
use crate::gpu::Gpu;
use crate::pool::WorldPool;
use crate::reference::philox::{philox4x32_10, uniform};
use crate::train::{Insight, Thought};
use crate::{Error, Result};

/// Who chooses.
pub enum Player {
    Random,
    /// Actions one after the other, over and over.
    Given(Vec<Vec<u32>>),
    /// A policy, and whether its actions are drawn.
    Policy(Box<Insight>, bool),
}

impl Player {
    /// The next action of the only world of a pool, and what a policy made of what it saw.
    pub fn choose(&self, pool: &WorldPool, t: u32, seed: u32) -> Result<(Vec<u32>, Option<Thought>)> {
        let space = &pool.env().spec().action_space;
        match self {
            Self::Random => {
                let mut action = random(space, t, seed);
                pool.make_legal(&mut action)?;
                Ok((action, None))
            }
            Self::Given(listed) => {
                let action = listed[t as usize % listed.len()].clone();
                refuse_forbidden_at(pool, std::slice::from_ref(&action), |_| format!("step {t}"))?;
                Ok((action, None))
            }
            Self::Policy(insight, drawn) => {
                let observation: Vec<f64> = pool.observations()?.into_iter().map(f64::from).collect();
                let allowed = allowed(pool)?;
                let allowed = allowed.as_ref().map(|worlds| worlds[0].as_slice());
                let thought = insight.look(&observation, allowed, drawn.then_some([seed, t]))?;
                let word = |number: &f64| if space.is_box() { (*number as f32).to_bits() } else { *number as u32 };
                Ok((thought.action.iter().map(word).collect(), Some(thought)))
            }
        }
    }
}

/// Which actions are allowed next, `[world][action]`; none where the environment has no masks.
pub fn allowed(pool: &WorldPool) -> Result<Option<Vec<Vec<bool>>>> {
    let space = &pool.env().spec().action_space;
    if !space.masked() {
        return Ok(None);
    }
    let rows = (0..space.choices()).map(|action| pool.allowed(action)).collect::<Result<Vec<_>>>()?;
    let worlds = pool.num_envs() as usize;
    Ok(Some((0..worlds).map(|world| rows.iter().map(|row| row[world]).collect()).collect()))
}

/// Refuses actions that the masks forbid, `[world][component]`.
pub fn refuse_forbidden(pool: &WorldPool, actions: &[Vec<u32>], what: &str) -> Result<()> {
    refuse_forbidden_at(pool, actions, |world| format!("{what} {world}"))
}

fn refuse_forbidden_at(pool: &WorldPool, actions: &[Vec<u32>], at: impl Fn(usize) -> String) -> Result<()> {
    let Some(allowed) = allowed(pool)? else { return Ok(()) };
    let env = pool.env();
    let (counts, names) = (env.spec().action_space.counts(), env.action_names());
    let single = counts.len() == 1;
    let named = |action: usize| match names.get(action).filter(|name| single && **name != action.to_string()) {
        Some(name) => format!("{action} ({name})"),
        None => action.to_string(),
    };
    for (world, action) in actions.iter().enumerate() {
        let mut first = 0;
        for (choice, (&action, &count)) in action.iter().zip(&counts).enumerate() {
            let flags = &allowed[world][first..first + count as usize];
            if !flags[action as usize] {
                let others: Vec<String> = (0..flags.len()).filter(|&i| flags[i]).map(named).collect();
                let others =
                    if others.is_empty() { "none is".to_owned() } else { format!("allowed: {}", others.join(", ")) };
                let of = if single { String::new() } else { format!(" of choice {choice}") };
                let reason =
                    format!("{}: action {}{of} is not allowed there; {others}", at(world), named(action as usize));
                return Err(Error::Mask { env: env.name().to_owned(), reason });
            }
            first += count as usize;
        }
    }
    Ok(())
}

/// A uniformly random action.
fn random(space: &ActionSpace, step: u32, seed: u32) -> Vec<u32> {
    let word = |component: usize| philox4x32_10([0, step, component as u32, 0], [seed, 0x0074_7261])[0];
    match space {
        ActionSpace::Box { low, high } => {
            let number = |i: usize| {
                // nobody means a billion: where there are no bounds, numbers of size 1
                let (low, high) = if high[i] - low[i] >= 1e6 { (-1.0, 1.0) } else { (low[i], high[i]) };
                (low + (high - low) * uniform(word(i)) as f32).to_bits()
            };
            (0..low.len()).map(number).collect()
        }
        _ => space.counts().iter().enumerate().map(|(i, count)| word(i) % count).collect(),
    }
}

/// One step of every world of a pool, `actions` being `[world][word]`.
pub fn step(gpu: &Gpu, pool: &WorldPool, actions: &[Vec<u32>], t: u32) -> Result<Vec<Step>> {
    let env = pool.env();
    let (n, space) = (actions.len(), &env.spec().action_space);
    let (before, seen, allowed) = (pool.states()?, pool.observations()?, allowed(pool)?);
    let turned: Vec<u32> =
        (0..space.words() as usize).flat_map(|c| actions.iter().map(move |action| action[c])).collect();
    gpu.write(&pool.actions, &turned);
    pool.step_on_device()?;
    pool.check_loops()?;
    let (after, rewards) = (pool.states()?, pool.rewards()?);
    let (terminated, truncated) = (pool.terminated()?, pool.truncated()?);
    let last = pool.final_observations()?;
    let list = |numbers: &[f64]| numbers.iter().map(|number| value(*number)).collect();
    let column =
        |rows: &[f32], world: usize| (0..rows.len() / n).map(|f| value(f64::from(rows[f * n + world]))).collect();
    let action = |words: &[u32]| {
        let one = |word: &u32| {
            if space.is_box() { value(f64::from(f32::from_bits(*word))) } else { (*word).into() }
        };
        if matches!(space, ActionSpace::Discrete { .. }) { one(&words[0]) } else { words.iter().map(one).collect() }
    };
    let of = |world: usize| Step {
        step: t,
        state: list(&before[world]),
        seen: column(&seen, world),
        allowed: allowed.as_ref().map(|worlds| worlds[world].clone()),
        probabilities: None,
        mean: None,
        std: None,
        value: None,
        action: action(&actions[world]),
        observation: column(&last, world),
        reward: value(f64::from(rewards[world])),
        return_so_far: None,
        terminated: terminated[world],
        truncated: truncated[world],
        next_state: list(&after[world]),
    };
    Ok((0..n).map(of).collect())
}
