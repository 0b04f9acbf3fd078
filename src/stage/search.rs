//! Generations of a search without gradients.

use super::rollout::whole_episodes;
use super::{Reduced, with_workspace};
use crate::batch::Agents;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Exchange, Exchanged, Joined, Recording};
use crate::kernels::search::{BLOCK, RANKED, TALLIES, TOGETHER};
use crate::kernels::{Reduction, SearchKernels};
use crate::layout::{Blocks, Members, Metrics, STREAM_SEARCH, Search, Standing, Worlds};
use crate::plan::Plan;
use crate::shader::Program;

/// Words of parameters, and of worlds, that a window of members may take: 64 MiB each.
const WINDOW_WORDS: u64 = 1 << 24;

/// What a generation leaves on the device.
#[derive(Clone, Debug)]
pub struct Generation {
    /// `[agent][member]`
    pub fitness: Buffer<f32>,
    /// Numbers of members, or pairs, in their order, and twice the mean rank of each and its equals: `[agent][order, twice the
    /// mean rank][number]`.
    pub order: Buffer<u32>,
    /// `[agent]`
    pub standing: Buffer<Standing>,
    /// What a method keeps, and behind it sums over the generation: `[agent][row][word of the actor]`.
    pub memory: Buffer<f32>,
    play: Recording,
    rank: Recording,
    recombine: Recording,
    finish: Recording,
    normalise: Recording,
}

/// What a search begins with.
pub struct Beginning {
    /// The settings.
    pub search: Search,
    /// Whether all members of a generation see the same random numbers.
    pub common: bool,
    /// Features of observations that are normalised; 0 where none are.
    pub features: u32,
    /// 1 in the words of the actor that are parameters.
    pub mask: Vec<f32>,
    /// Where an agent stands.
    pub standing: Standing,
    /// What a method keeps at first, `[row][word of the actor]`.
    pub memory: Vec<f32>,
}

impl Generation {
    /// The stage of these agents, whose parameters are the actor and behind it the best member.
    pub fn new(
        plan: &mut Plan,
        kernels: &SearchKernels,
        env: &Environment,
        agents: &Agents,
        beginning: Beginning,
        metrics: &Buffer<Metrics>,
    ) -> Result<Self> {
        let Beginning { search, common, features, mask, standing, memory } = beginning;
        let (count, words) = (agents.count as usize, kernels.actor_words());
        let (agent, member) = (("agents", agents.count.into()), ("population", u64::from(search.population)));
        let fitness = plan.buffer("fitness", &[agent, member], "population")?;
        let order = plan.buffer("order", &[agent, ("order, ranks", 2), member], "population")?;
        let tally: Buffer<u32> = plan.buffer("tally", &[agent, ("counts", TALLIES.into())], "the number of agents")?;
        let standing = plan.filled("standing", &[agent], "the number of agents", move || vec![standing; count])?;
        let places: Vec<u32> = (0..).zip(&mask).filter(|(_, mask)| **mask > 0.0).map(|(word, _)| word).collect();
        let places = plan.filled("places", &[("parameters", places.len() as u64)], "hidden", move || places.clone())?;
        let mask = plan.filled("mask", &[("words", mask.len() as u64)], "hidden", move || mask.clone())?;
        let rows = ("rows", u64::from(search.rows));
        let kept = move || memory.repeat(count);
        let memory =
            plan.filled("memory", &[agent, rows, ("words", words.into())], "elite_fraction or hidden", kept)?;
        let buffers = agents
            .buffers()
            .with("mw_search", &plan.uniform("search", &search))
            .with("mw_fitness", &fitness)
            .with("mw_order", &order)
            .with("mw_tally", &tally)
            .with("mw_standing", &standing)
            .with("mw_mask", &mask)
            .with("mw_places", &places)
            .with("mw_memory", &memory)
            .with("mw_metrics", metrics);

        let worlds = search.population * search.episodes;
        let watched: Buffer<[f32; 4]> = plan.buffer(
            "moments of observations",
            &[agent, ("features", features.into()), ("worlds", worlds.into())],
            "population, or set norm_obs=false",
        )?;
        let buffers = buffers.with("mw_watched", &watched);
        let mut play = play(plan, kernels, env, agents, &search, common, &buffers)?;
        let alone = plan.target().rank.is_alone();
        if !alone {
            // a few bytes a member: what it was worth; perturbations are made again from their numbers wherever they are wanted
            let scores = Exchanged::whole_of_agents(&fitness, Joined::Shares, agents.count);
            let pairs = kernels.method.orders_pairs();
            play.exchange(Exchange::of_scores(
                scores,
                &order,
                pairs,
                vec![
                    Exchanged::of_agents(&tally, Joined::Sum, 0..2, agents.count),
                    Exchanged::of_agents(&tally, Joined::Largest, 2..TALLIES.into(), agents.count),
                ],
            ));
        }
        let normalise = normalise(plan, kernels, agents, features, worlds, &watched)?;
        let mut one = |kernel: Program, threads: u64, iterations: u64| {
            let mut recording = Recording::default();
            let kernel = plan.kernel(kernel);
            recording.push(&plan.pass(kernel, agents.count, threads, iterations, &buffers));
            recording
        };
        let population = u64::from(search.population);
        let (rank, recombine, finish) = (kernels.rank()?, kernels.recombine()?, kernels.finish_generation()?);
        let mut rank = one(rank, population.div_ceil(RANKED.into()), population);
        if !alone {
            rank = Recording::default(); // it came with the exchange
        }
        let mut sums = Recording::default();
        if kernels.method.sums() > 0 {
            let workgroup = u64::from(kernels.agents.form.workgroup);
            let threads = workgroup * u64::from((words / 4).div_ceil(BLOCK));
            sums = one(kernels.weigh()?, threads, population.div_ceil(workgroup) + 16);
        }
        let made = one(recombine, u64::from(words / 4), u64::from(search.elites));
        let mut recombine = sums;
        recombine.extend(&made);
        let turns = population / u64::from(kernels.agents.form.workgroup) + 16;
        let finish = one(finish, 1, turns);
        Ok(Self { fitness, order, standing, memory, play, rank, recombine, finish, normalise })
    }

    /// Adds the episodes of all members, and what they are worth.
    pub fn play(&self, update: &mut Recording) {
        update.extend(&self.play);
    }

    /// Adds the order of the members.
    pub fn rank(&self, update: &mut Recording) {
        update.extend(&self.rank);
    }

    /// Adds what they leave to the next generation.
    pub fn recombine(&self, update: &mut Recording) {
        update.extend(&self.recombine);
    }

    /// Adds the end of the generation; from here on observations are seen by what was counted of them until now.
    pub fn finish(&self, update: &mut Recording) {
        update.extend(&self.normalise);
        update.extend(&self.finish);
    }
}

/// Moments of what members saw, joined to the running ones, which stand among the agents' parameters.
fn normalise(
    plan: &mut Plan,
    kernels: &SearchKernels,
    agents: &Agents,
    features: u32,
    worlds: u32,
    watched: &Buffer<[f32; 4]>,
) -> Result<Recording> {
    let mut recording = Recording::default();
    if features == 0 {
        return Ok(recording);
    }
    let buffers = Buffers::default().with("mw_partials", watched);
    let (kind, rows) = (Reduction::Moments, agents.count * features);
    let moments = Reduced::new(plan, &kernels.agents, kind, kind, rows, worlds.into(), &buffers)?.of_ranks(plan);
    moments.record(&mut recording);
    let blocks = Blocks { count: features, ..Blocks::default() };
    let buffers =
        agents.buffers().with("mw_moments", &moments.result).with("mw_blocks", &plan.uniform("entries", &blocks));
    let kernel = plan.kernel(kernels.merge_moments()?);
    recording.push(&plan.pass(kernel, agents.count, features.into(), 0, &buffers));
    Ok(recording)
}

/// Members are made, play and are counted in windows, which bound the memory that a population takes.
fn play(
    plan: &mut Plan,
    kernels: &SearchKernels,
    env: &Environment,
    agents: &Agents,
    search: &Search,
    common: bool,
    buffers: &Buffers,
) -> Result<Recording> {
    let (words, episodes) = (kernels.actor_words(), search.episodes);
    let rank = plan.target().rank;
    if !search.population.is_multiple_of(rank.count) {
        let (members, ranks) = (search.population, rank.count);
        let next = members.next_multiple_of(ranks);
        let reason = format!("{members} members cannot be shared out among {ranks} ranks evenly; {next} can");
        return Err(Error::setting("population", reason));
    }
    let share = search.population / rank.count;
    let of_member = u64::from(agents.count) * u64::from(words.max(env.world_words() * episodes));
    let window = (WINDOW_WORDS / of_member).clamp(1, share.into()) as u32;
    let agent = ("agents", agents.count.into());
    let (member, played) = (("members", u64::from(window)), ("worlds", u64::from(window) * u64::from(episodes)));
    let parameters: Buffer<f32> = plan.buffer("members", &[agent, ("words", words.into()), member], "hidden")?;
    let axes = [agent, ("words", env.world_words().into()), played];
    let worlds: Buffer<u32> = plan.buffer("worlds of members", &axes, "episodes_per_member")?;
    let outcomes: Buffer<[f32; 4]> = plan.buffer("outcomes of members", &[agent, played], "episodes_per_member")?;
    let buffers =
        buffers.with("mw_member_parameters", &parameters).with("mw_world", &worlds).with("mw_outcomes", &outcomes);
    let buffers = with_workspace(plan, &kernels.members, 0, agents.count, window * episodes, &buffers)?;
    let (perturb, episode, fitness) = (kernels.perturb()?, kernels.play(env)?, kernels.fitness()?);
    let (perturb, episode, fitness) = (plan.kernel(perturb), plan.kernel(episode), plan.kernel(fitness));
    let mut recording = Recording::default();
    let mut first = rank.index * share;
    let end = first + share;
    while first < end {
        let count = window.min(end - first);
        let members = Members { first, count, episodes, common_: common.into(), all: search.population * episodes };
        let buffers = buffers.with("mw_members", &plan.uniform("members", &members));
        let threads = u64::from(count.div_ceil(TOGETHER)) * u64::from(words / 4);
        recording.push(&plan.pass(perturb, agents.count, threads, TOGETHER.into(), &buffers));
        let worlds = Worlds { count: count * episodes, stream: STREAM_SEARCH, ..Worlds::default() };
        recording.extend(&whole_episodes(plan, &kernels.members, episode, 0, env, agents.count, worlds, &buffers));
        recording.push(&plan.pass(fitness, agents.count, count.into(), episodes.into(), &buffers));
        first += count;
    }
    Ok(recording)
}
