//! Whether an environment keeps what it promises: what Gymnasium's and Stable-Baselines3's checkers look at, and more.

use super::Finding;
use super::effects::{effects, reachable};
use super::random::{self, actions};
use super::seen::{Seen, Watcher};
use super::warnings::{Warning, warnings};
use crate::config::Config;
use crate::env::{Environment, world_word};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::layout::{SPUN_OUT, TERMINATED, TRUNCATED};
use crate::pool::{AutoReset, WorldPool};

/// Steps of all worlds that `check-env` makes with random and extreme actions.
pub const CHECK_STEPS: u32 = 1 << 20;
/// Worlds and steps where results are compared bit for bit.
const WORLDS: u32 = 65;
const COMPARED: u32 = 64;

/// What was found out about an environment.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What it promises; each is ok, or has the first counter-example.
    pub findings: Vec<Finding>,
    /// What uniformly random actions make of it.
    pub seen: Seen,
    /// What its author may not have meant.
    pub warnings: Vec<Warning>,
}

impl Checked {
    /// Whether all is kept that an environment promises; warnings do not count.
    pub fn ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.ok)
    }
}

/// Runs every check, with about so many random steps. `config` is what the environment would be trained with.
///
/// # Errors
/// As [`WorldPool::new`]; what an environment does wrong is a finding, not an error.
pub fn check_environment(gpu: &Gpu, env: &Environment, config: &Config, seed: u32, steps: u32) -> Result<Checked> {
    let mut findings = vec![declared(env)];
    findings.extend(comparisons(gpu, env, seed)?);
    let (found, mut seen) = long_run(gpu, env, seed, steps)?;
    findings.extend(found);
    findings.push(Finding {
        name: "no write outside its own state",
        ok: true,
        detail: "its file can name no other memory; that was checked when it was read".to_owned(),
    });
    if seen.observations.iter().any(|one| one.constant) {
        seen.traits.reachable = reachable(gpu, env, seed)?;
    }
    let effects = effects(gpu, env, seed)?;
    let mut warnings = warnings(env, &seen, effects.as_ref(), config);
    // numbers that are not finite say nothing about the rest
    if findings.iter().any(|finding| !finding.ok) {
        warnings.retain(|warning| warning.line.is_some());
    }
    Ok(Checked { findings, seen, warnings })
}

fn declared(env: &Environment) -> Finding {
    let spec = env.spec();
    let limit = match spec.max_episode_steps {
        0 => "no step limit".to_owned(),
        steps => format!("truncated after {steps} steps"),
    };
    let detail = format!(
        "observation of {} numbers, {}, {limit}, {} words of state",
        spec.observation_dim,
        spec.action_space,
        env.state_words()
    );
    Finding { name: "declared sizes and bounds", ok: true, detail }
}

/// Everything that a step leaves of the first worlds of a pool, as bits `[world][word]`.
fn left(gpu: &Gpu, pool: &WorldPool, worlds: u32) -> Result<Vec<Vec<u32>>> {
    let all: Vec<u32> = gpu.read(&pool.worlds)?;
    let mut rows: Vec<u32> = bytemuck::cast_slice(&gpu.read(&pool.observations)?).to_vec();
    rows.extend(bytemuck::cast_slice(&gpu.read(&pool.rewards)?));
    rows.extend(gpu.read(&pool.endings)?);
    let n = pool.num_envs() as usize;
    let words = all.len() / n;
    let of = |world| {
        let kept = (0..words).map(|word| all[world_word(word, world, n)]);
        kept.chain(rows.chunks_exact(n).map(|row| row[world])).collect()
    };
    Ok((0..worlds as usize).map(of).collect())
}

fn place(pool: &WorldPool, before: &[Vec<f64>], seed: u32, world: usize, step: u32) -> String {
    let fields = pool.env().state_fields();
    let state: Vec<String> = fields.iter().zip(&before[world]).map(|(f, x)| format!("{} = {x}", f.name)).collect();
    format!("world {world}, step {step}, seed {seed}, state before it: {}", state.join(", "))
}

/// Runs that must agree bit for bit.
fn comparisons(gpu: &Gpu, env: &Environment, seed: u32) -> Result<Vec<Finding>> {
    let space = &env.spec().action_space;
    let pool = |worlds| WorldPool::with_auto_reset(gpu, env, worlds, seed, AutoReset::SameStep);
    let (one, again, more, other) = (pool(WORLDS)?, pool(WORLDS)?, pool(WORLDS * 16 + 3)?, pool(WORLDS)?);
    let stays = WorldPool::with_auto_reset(gpu, env, WORLDS, seed, AutoReset::Disabled)?;
    let mut wrong: [Option<String>; 4] = [const { None }; 4];
    let (mut endings, mut step) = (0, 0);
    // until some episode ended, where that takes no more than a thousand steps
    let limit = env.spec().max_episode_steps;
    while step < COMPARED || endings == 0 && step < limit.min(1024) {
        let before = one.states()?;
        let base = actions(space, WORLDS, 0, step, seed);
        // the worlds at odd places act otherwise in `other`
        let another = actions(space, WORLDS, 0, step, seed.wrapping_add(1));
        let mixed: Vec<u32> =
            (0..base.len()).map(|i| if i % WORLDS as usize % 2 == 1 { another[i] } else { base[i] }).collect();
        // the same actions for the first worlds
        let n = more.num_envs() as usize;
        let wide = |c: usize, world: usize| base[c * WORLDS as usize + world % WORLDS as usize];
        let components = space.words() as usize;
        let many: Vec<u32> =
            (0..components).flat_map(|c| (0..n).map(move |world| (c, world))).map(|(c, w)| wide(c, w)).collect();
        for (pool, words) in [(&one, &base), (&again, &base), (&more, &many), (&other, &mixed), (&stays, &base)] {
            let mut words = words.clone();
            pool.make_legal(&mut words)?;
            gpu.write(&pool.actions, &words);
            pool.step_on_device()?;
        }
        let expected = left(gpu, &one, WORLDS)?;
        let differ = |pool: &WorldPool, every: usize| -> Result<Option<usize>> {
            let got = left(gpu, pool, WORLDS)?;
            Ok((0..WORLDS as usize).step_by(every).find(|&world| got[world] != expected[world]))
        };
        let found = [differ(&again, 1)?, differ(&more, 1)?, differ(&other, 2)?];
        for (wrong, world) in wrong.iter_mut().zip(found) {
            if let Some(world) = world {
                wrong.get_or_insert(place(&one, &before, seed, world, step));
            }
        }
        // the final observation is what a world shows that was not reset
        let bits = |x: Vec<f32>| x.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let (kept, shown) = (bits(one.final_observations()?), bits(stays.observations()?));
        let n = WORLDS as usize;
        if let Some(at) = (0..kept.len()).find(|&at| kept[at] != shown[at]) {
            wrong[3].get_or_insert(place(&one, &before, seed, at % n, step));
        }
        endings += gpu.read(&one.endings)?.iter().filter(|ending| **ending != 0).count();
        stays.reset_ended()?;
        let (next, first) = (bits(one.observations()?), bits(stays.observations()?));
        if let Some(at) = (0..next.len()).find(|&at| next[at] != first[at]) {
            wrong[3].get_or_insert(place(&one, &before, seed, at % n, step));
        }
        step += 1;
    }
    let names = [
        "reset and step repeat",
        "worlds do not depend on their number",
        "worlds do not depend on their neighbours",
        "the final observation is kept before the reset",
    ];
    let run = format!("{WORLDS} worlds, {step} steps, {endings} endings");
    let finding = |(name, wrong): (&'static str, Option<String>)| Finding {
        name,
        ok: wrong.is_none(),
        detail: wrong.map_or_else(|| run.clone(), |place| format!("differs in {place}")),
    };
    Ok(names.into_iter().zip(wrong).map(finding).collect())
}

/// A world in which a choice has no action that is allowed, and that choice.
fn stuck(pool: &WorldPool) -> Result<Option<(usize, usize)>> {
    let space = &pool.env().spec().action_space;
    if !space.masked() {
        return Ok(None);
    }
    let mut first = 0;
    for (choice, count) in space.counts().into_iter().enumerate() {
        let mut some = vec![false; pool.num_envs() as usize];
        for action in first..first + count {
            some.iter_mut().zip(pool.allowed(action)?).for_each(|(some, allowed)| *some |= allowed);
        }
        if let Some(world) = some.iter().position(|some| !some) {
            return Ok(Some((world, choice)));
        }
        first += count;
    }
    Ok(None)
}

/// A million random and extreme actions; those of the first half of the worlds are uniform.
fn long_run(gpu: &Gpu, env: &Environment, seed: u32, wanted: u32) -> Result<(Vec<Finding>, Seen)> {
    let spec = env.spec();
    let limit = spec.max_episode_steps;
    let steps = limit.clamp(248, 4088) + 8;
    let worlds = wanted.div_ceil(steps);
    let pool = WorldPool::with_auto_reset(gpu, env, worlds, seed, AutoReset::SameStep)?;
    let n = worlds as usize;
    let mut lengths = vec![0_u32; n];
    let (mut terminated, mut truncated) = (0_u64, 0_u64);
    let [mut observation, mut reward, mut truncation, mut masks, mut spun]: [Option<String>; 5] = [const { None }; 5];
    let even = worlds.div_ceil(2);
    let mut before = gpu.read(&pool.worlds)?;
    let mut watcher = Watcher::new(env, n, even as usize, &before, &pool.observations()?);
    for step in 0..steps {
        let mut words = actions(&spec.action_space, worlds, even, step, seed);
        if spec.action_space.masked() {
            random::make_legal(&spec.action_space, &mut words, &gpu.read(&pool.masks)?, step, seed);
        }
        gpu.write(&pool.actions, &words);
        let stuck = stuck(&pool)?;
        pool.step_on_device()?;
        let (seen, last, rewards) = (pool.observations()?, pool.final_observations()?, pool.rewards()?);
        let endings = gpu.read(&pool.endings)?;
        let after = gpu.read(&pool.worlds)?;
        watcher.step(env, [&before, &after], &seen, &rewards, &endings);
        let tell = |world: usize, what: String| {
            let fields = env.state_fields().iter().enumerate();
            let state: Vec<f64> =
                fields.map(|(word, field)| field.number(before[world_word(word, world, n)])).collect();
            let mut states = vec![Vec::new(); n];
            states[world] = state;
            format!("{what}: {}", place(&pool, &states, seed, world, step))
        };
        // NaN and infinities by their bits, which no driver takes away
        let bad = |x: &f32| x.to_bits() & 0x7fff_ffff >= 0x7f80_0000;
        if let (None, Some(at)) = (&observation, (0..seen.len()).find(|&at| bad(&seen[at]) || bad(&last[at]))) {
            let value = if bad(&seen[at]) { seen[at] } else { last[at] };
            observation = Some(tell(at % n, format!("number {} is {value}", at / n)));
        }
        if let (None, Some(world)) = (&reward, (0..n).find(|&world| bad(&rewards[world]))) {
            reward = Some(tell(world, format!("it is {}", rewards[world])));
        }
        if let (None, Some((world, choice))) = (&masks, stuck) {
            masks = Some(tell(world, format!("no action of choice {choice} is allowed")));
        }
        if let (None, Some(world)) = (&spun, (0..n).find(|&world| endings[world] & SPUN_OUT != 0)) {
            let place = pool.check_loops().err().map_or_else(String::new, |error| error.to_string());
            spun = Some(tell(world, place));
        }
        for world in 0..n {
            lengths[world] += 1;
            let at_limit = limit > 0 && lengths[world] == limit;
            if (endings[world] & TRUNCATED != 0) != at_limit && truncation.is_none() {
                truncation = Some(tell(world, format!("step {} of an episode", lengths[world])));
            }
            terminated += u64::from(endings[world] & TERMINATED != 0);
            truncated += u64::from(endings[world] & TRUNCATED != 0);
            if endings[world] & (TERMINATED | TRUNCATED) != 0 {
                lengths[world] = 0;
            }
        }
        before = after;
    }
    let total = u64::from(steps) * u64::from(worlds);
    let run = format!("{total} random and extreme actions");
    let truncations = match (limit, truncated) {
        (0, _) => "there is no limit".to_owned(),
        (_, 0) => format!("no episode lasted {limit} steps; {terminated} terminated before"),
        _ => format!("{truncated} episodes truncated at step {limit}, {terminated} terminated"),
    };
    let finding = |name, wrong: Option<String>, fine: String| Finding {
        name,
        ok: wrong.is_none(),
        detail: wrong.unwrap_or(fine),
    };
    let findings = vec![
        finding("observations are finite", observation, run.clone()),
        finding("rewards are finite", reward, run.clone()),
        finding("truncation at exactly MAX_EPISODE_STEPS", truncation, truncations),
        finding(
            "some action is allowed always",
            masks,
            if spec.action_space.masked() { run.clone() } else { "it has no masks".to_owned() },
        ),
        finding("loops end", spun, if env.has_loops() { run } else { "it has none".to_owned() }),
    ];
    Ok((findings, watcher.seen(env)))
}
