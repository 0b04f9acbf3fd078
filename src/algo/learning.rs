//! A run of any algorithm, as its trainer sees it.

use super::{OffPolicy, OnPolicy, Population};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Memory, Recording};
use crate::layout::{Metrics, Row};
use crate::nn::Parameters;
use crate::plan::{Description, Kept, Plan, Target};
use crate::stage::Evaluation;
use std::ops::Range;

/// One or more independent agents and an update of their algorithm.
#[derive(Debug)]
pub struct Learning {
    /// Where an agent's parameters lie, those of all buffers one after the other.
    pub layout: Parameters,
    /// Buffers that hold neighbouring networks of every agent, `[agent][word]` each.
    pub parameters: Vec<Buffer<f32>>,
    /// `[update % RING][agent]`
    pub metrics: Buffer<Metrics>,
    /// Whole episodes under the current parameters.
    pub evaluation: Evaluation,
    /// Whole episodes under the best member that a search ever had.
    pub evaluation_of_best: Option<Evaluation>,
    /// The passes of an update; the same for every update.
    pub update: Recording,
    kept: Vec<Kept>,
    family: Family,
}

/// What agents learn from.
#[derive(Debug)]
enum Family {
    /// Rollouts.
    OnPolicy(Box<OnPolicy>),
    /// Rings of transitions.
    OffPolicy(Box<OffPolicy>),
    /// Whole episodes of members, without gradients.
    Search,
}

/// Where actions are that worlds of the first agent took last.
#[derive(Debug)]
pub(crate) struct ActionRows<'a> {
    /// The buffer.
    pub buffer: &'a wgpu::Buffer,
    /// Bytes of it, for each word of an action.
    pub words: Vec<Vec<Range<u64>>>,
}

/// Pieces of a long row that are read for the whole, and words of each.
const PIECES: [u64; 2] = [16, 256];

/// Bytes of some words of `count` from the `first` on, spread over them.
fn spread(first: u64, count: u64) -> Vec<Range<u64>> {
    let [pieces, length] = PIECES;
    let bytes = |first: u64, count: u64| 4 * first..4 * (first + count);
    if count <= pieces * length {
        return vec![bytes(first, count)];
    }
    (0..pieces).map(|piece| bytes(first + piece * count / pieces, length)).collect()
}

/// Puts agents with these seeds into a plan.
pub fn plan(plan: &mut Plan, config: &Config, env: &Environment, seeds: &[u32]) -> Result<()> {
    if config.algo.is_search() {
        Population::plan(plan, env, config, seeds).map(drop)
    } else if config.algo.is_off_policy() {
        OffPolicy::plan(plan, env, config, seeds).map(drop)
    } else {
        OnPolicy::plan(plan, env, config, seeds).map(drop)
    }
}

/// A plan for so many agents, from which nothing is wanted but the sizes of its buffers, before there is a device.
///
/// # Errors
/// [`crate::Error::Setting`] where something cannot be.
pub fn sizes(config: &Config, env: &Environment, agents: u32) -> Result<Plan> {
    let mut sizes = Plan::new(Target::ANY);
    plan(&mut sizes, config, env, &vec![0; agents as usize])?;
    Ok(sizes)
}

/// The plan of a run with these seeds, written down. It needs no device. Roles of its buffers are `parameters` (networks of
/// every agent, one buffer after the other), `metrics` `[update % RING][agent]` and `outcomes` of evaluations.
///
/// # Errors
/// [`crate::Error::Setting`] where something cannot be, [`crate::Error::TooLarge`] where the target cannot bind a buffer, and
/// those of [`Plan::describe`].
pub fn describe(target: Target, config: &Config, env: &Environment, seeds: &[u32]) -> Result<Description> {
    let mut plan = Plan::new(target);
    let mut evaluation = Recording::default();
    if config.algo.is_search() {
        let population = Population::plan(&mut plan, env, config, seeds)?;
        population.evaluation.record(&mut evaluation);
        population.evaluation_of_best.record(&mut evaluation);
        let roles: [(&str, &[&Memory]); 3] = [
            ("parameters", &[population.agents.parameters.memory()]),
            ("metrics", &[population.metrics.memory()]),
            ("outcomes", &[population.evaluation.outcomes.memory(), population.evaluation_of_best.outcomes.memory()]),
        ];
        return plan.describe(&[("update", population.update()), ("evaluation", &evaluation)], &roles);
    }
    if config.algo.is_off_policy() {
        let agents = OffPolicy::plan(&mut plan, env, config, seeds)?;
        agents.evaluation.record(&mut evaluation);
        let mut begin = agents.worlds.reset().clone();
        begin.extend(agents.worlds.random());
        let roles: [(&str, &[&Memory]); 3] = [
            ("parameters", &[agents.actor.parameters.memory(), agents.critic.parameters.memory()]),
            ("metrics", &[agents.metrics.memory()]),
            ("outcomes", &[agents.evaluation.outcomes.memory()]),
        ];
        let recordings = [("begin", &begin), ("update", agents.update()), ("evaluation", &evaluation)];
        return plan.describe(&recordings, &roles);
    }
    let agents = OnPolicy::plan(&mut plan, env, config, seeds)?;
    agents.evaluation.record(&mut evaluation);
    let roles: [(&str, &[&Memory]); 3] = [
        ("parameters", &[agents.agents.parameters.memory()]),
        ("metrics", &[agents.metrics.memory()]),
        ("outcomes", &[agents.evaluation.outcomes.memory()]),
    ];
    let recordings = [("begin", agents.rollout.reset()), ("update", agents.update()), ("evaluation", &evaluation)];
    plan.describe(&recordings, &roles)
}

impl Learning {
    /// Agents with these seeds. The seed in `config` is not used.
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        Self::of_each(gpu, env, std::slice::from_ref(config), seeds)
    }

    /// Agents with these seeds and one configuration for all, or one for each: those of algorithms that learn from rollouts may
    /// differ in numbers ([`Config::NUMBERS`]).
    pub fn of_each(gpu: &Gpu, env: &Environment, configs: &[Config], seeds: &[u32]) -> Result<Self> {
        let config = Config::check_each(configs, seeds.len(), env)?;
        if configs.len() > 1 && !config.algo.is_on_policy() {
            let reason = format!("agents of {} have one configuration for all of them", config.algo.name());
            return Err(Error::setting("algo", reason));
        }
        if config.algo.is_search() {
            let population = Population::new(gpu, env, config, seeds)?;
            return Ok(Self {
                layout: population.layout.clone(),
                parameters: vec![population.agents.parameters.clone()],
                metrics: population.metrics.clone(),
                evaluation: population.evaluation.clone(),
                evaluation_of_best: Some(population.evaluation_of_best.clone()),
                update: population.update().clone(),
                kept: population.kept().to_vec(),
                family: Family::Search,
            });
        }
        if config.algo.is_off_policy() {
            let agents = OffPolicy::new(gpu, env, config, seeds)?;
            agents.begin(gpu)?;
            return Ok(Self {
                layout: agents.layout.clone(),
                parameters: vec![agents.actor.parameters.clone(), agents.critic.parameters.clone()],
                metrics: agents.metrics.clone(),
                evaluation: agents.evaluation.clone(),
                evaluation_of_best: None,
                update: agents.update().clone(),
                kept: agents.kept().to_vec(),
                family: Family::OffPolicy(Box::new(agents)),
            });
        }
        let agents = OnPolicy::of_each(gpu, env, configs, seeds)?;
        Ok(Self {
            layout: agents.layout.clone(),
            parameters: vec![agents.agents.parameters.clone()],
            metrics: agents.metrics.clone(),
            evaluation: agents.evaluation.clone(),
            evaluation_of_best: None,
            update: agents.update().clone(),
            kept: agents.kept().to_vec(),
            family: Family::OnPolicy(Box::new(agents)),
        })
    }

    /// Puts other first parameters in the place of those of the agents' seeds, before the first update: `change` gets those of an agent
    /// in table order, without padding, and gives as many. Targets begin as what they follow.
    pub(crate) fn begin_with(&self, gpu: &Gpu, change: impl Fn(&[f32]) -> Vec<f32>) -> Result<()> {
        let mut parts = self.parameters.iter().map(|buffer| gpu.read(buffer)).collect::<Result<Vec<Vec<f32>>>>()?;
        let all: usize = parts.iter().map(Vec::len).sum();
        let agents = all / self.layout.words() as usize;
        for agent in 0..agents {
            let own = |part: &[f32]| (part.len() / agents * agent)..(part.len() / agents * (agent + 1));
            let words: Vec<f32> = parts.iter().flat_map(|part| part[own(part)].to_vec()).collect();
            let mut rest = &self.layout.expand(&change(&self.layout.compact(&words)))[..];
            for part in &mut parts {
                let range = own(part);
                let (now, later) = rest.split_at(range.len());
                part[range].copy_from_slice(now);
                rest = later;
            }
        }
        self.parameters.iter().zip(&parts).for_each(|(buffer, words)| gpu.write(buffer, words));
        if let (Family::OffPolicy(agents), [actor, critics]) = (&self.family, &parts[..]) {
            agents.targets.actor.iter().for_each(|target| gpu.write(target, actor));
            gpu.write(&agents.targets.critic, critics);
        }
        Ok(())
    }

    /// Every buffer that a run needs to go on, by name; those of the transitions where `ring` is set.
    pub fn state(&self, ring: bool) -> impl Iterator<Item = (&str, &wgpu::Buffer)> {
        self.kept(ring).filter_map(|kept| Some((kept.name.as_str(), kept.memory.raw()?)))
    }

    /// The same, with how each is shared out among ranks.
    pub(crate) fn kept(&self, ring: bool) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(move |kept| ring || !kept.transitions)
    }

    /// Schedules (learning rates, clip range, temperature of the Gumbel-softmax) of the update that comes next, for a run
    /// that goes on with another number of updates than its state was made with.
    pub fn reschedule(&self, gpu: &Gpu, env: &Environment, config: &Config) -> Result<()> {
        match &self.family {
            Family::Search => Ok(()), // nothing of it is scheduled but cem's extra noise, by the total that it began with
            Family::OnPolicy(agents) => agents.reschedule(gpu, env),
            Family::OffPolicy(agents) => agents.reschedule(gpu, env, config),
        }
    }

    /// Where some thousand actions of the first agent are, of its last rollout, or of the newest of `made` transitions that went
    /// into its ring, at most `newest` of them. None in searches, which keep nothing of their episodes.
    pub(crate) fn actions(&self, words: u32, made: u64, newest: u64) -> Option<ActionRows<'_>> {
        let words = u64::from(words);
        match &self.family {
            Family::Search => None,
            Family::OnPolicy(agents) => {
                let count = u64::from(agents.agents.run.batch_size);
                let rows = (0..words).map(|word| spread((Row::Action as u64 + word) * count, count)).collect();
                Some(ActionRows { buffer: agents.batch.samples.raw(), words: rows })
            }
            Family::OffPolicy(agents) => {
                let capacity = u64::from(agents.ring.capacity());
                let count = newest.min(made).min(PIECES[0] * PIECES[1]).min(capacity);
                // up to the head of the ring, and where it began anew since then the rest at its end
                let head = made % capacity;
                let front = count.min(head);
                let rows = (0..words).map(|word| {
                    let pieces = [(head - front, front), (capacity + front - count, count - front)];
                    let bytes = |(first, count): (u64, u64)| {
                        4 * (word * capacity + first)..4 * (word * capacity + first + count)
                    };
                    pieces.into_iter().filter(|(_, count)| *count > 0).map(bytes).collect()
                });
                Some(ActionRows { buffer: agents.ring.steps.raw(), words: rows.collect() })
            }
        }
    }

    /// Makes up for transitions that were not kept; how many of an agent are made.
    pub fn refill(&self, gpu: &Gpu, config: &Config) -> Result<u64> {
        match &self.family {
            Family::OnPolicy(_) | Family::Search => Ok(0),
            Family::OffPolicy(agents) => agents.refill(gpu, config),
        }
    }
}
