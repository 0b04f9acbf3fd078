//! What searches without gradients are made of: agents, their members, stages, made once.

use super::record;
use crate::algo::RING;
use crate::algo::networks::{ACTOR, BEST, first_words, networks};
use crate::batch::Agents;
use crate::config::{Algo, Config};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Form, Gpu, Recording, Share};
use crate::kernels::{Kernels, Method, Owner, SearchKernels};
use crate::layout::{Metrics, Progress, Run, Search, Standing};
use crate::nn::Parameters;
use crate::plan::{Kept, Plan, Target};
use crate::stage::{Beginning, Evaluation, Generation};

/// Most words of parameters that an invocation holds on a processor that emulates a GPU: its code has as many multiplications.
const HELD: u32 = 1024;

/// One or more independent searches, each with its own seed and population.
#[derive(Debug)]
pub struct Population {
    /// Where an agent's parameters lie: the actor's, then those of the best member that there ever was.
    pub layout: Parameters,
    /// The agents.
    pub agents: Agents,
    /// Their generations.
    pub generation: Generation,
    /// Whole episodes under the actor.
    pub evaluation: Evaluation,
    /// Whole episodes under the best member.
    pub evaluation_of_best: Evaluation,
    /// `[update % RING][agent]`
    pub metrics: Buffer<Metrics>,
    update: Recording,
    kept: Vec<Kept>,
}

/// How generations come from each other.
fn method(config: &Config) -> Method {
    match config.algo {
        Algo::Es => Method::Es(config.optimizer),
        Algo::Ars => Method::Ars,
        Algo::Ga => Method::Ga,
        Algo::Pattern => Method::Pattern,
        Algo::Random => Method::Random,
        _ => Method::Cem,
    }
}

/// The settings of every generation, for an actor with so many parameters.
fn search(config: &Config, parameters: u32) -> Search {
    let pattern = config.algo == Algo::Pattern;
    let elites = config.elites();
    Search {
        population: if pattern { 2 * parameters + 2 } else { config.population },
        episodes: config.episodes_per_member,
        elites,
        unchanged: config.unchanged,
        crossed: config.crossover.into(),
        rows: match config.algo {
            Algo::Es => 2 + method(config).sums(),
            Algo::Cem => 1 + method(config).sums(),
            Algo::Ars => method(config).sums(),
            Algo::Ga => 2 * elites,
            _ => 1,
        },
        sigma: config.sigma as f32,
        rate: config.learning_rate as f32,
        extra: config.extra_noise as f32,
        until: (config.extra_noise_until * f64::from(config.generations)) as f32,
        shrink: if pattern { config.step_shrink as f32 } else { 0.0 },
    }
}

impl Population {
    /// Agents with these seeds, on a device. The seed in `config` is not used.
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        let mut plan = Plan::new(Target::of(gpu));
        let mut population = Self::plan(&mut plan, env, config, seeds)?;
        population.kept = plan.build(gpu)?;
        Ok(population)
    }

    /// Agents with these seeds, as parts of a plan.
    ///
    /// # Errors
    /// [`Error::Setting`] where something cannot be, [`Error::TooLarge`] where a buffer is more than the target can bind.
    pub fn plan(plan: &mut Plan, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        let config = Config::check_each(std::slice::from_ref(config), seeds.len(), env)?;
        let layout = networks(config, env);
        let mut actor = Parameters::default();
        actor.add("actor", layout.networks()[ACTOR].widths(), config.activation);
        let form = plan.target().forms.of_work(config.work());
        let (space, exploration) = (&env.spec().action_space, config.exploration(env));
        let held = plan.target().software && actor.words() <= HELD;
        // members share neither parameters nor steps, so neighbours share nothing
        let alone = Form { lanes: 1, vectors: 1, share: Share::Plain, units: false, tile: 0, ..form };
        let agents = Kernels { agents: seeds.len() as u32, ..Kernels::new(form, &layout, space, exploration) };
        let members = Kernels {
            owner: Owner::Member { held, normalised: config.norm_obs },
            agents: agents.agents,
            ..Kernels::new(alone, &actor, space, exploration)
        };
        let kernels = SearchKernels { agents, members, method: method(config) };

        let real = actor.tensors().iter().map(crate::nn::Tensor::len).sum::<usize>();
        let mask = actor.expand(&vec![1.0; real]);
        let search = search(config, real as u32);
        let agents = first_agents(plan, config, &layout, seeds)?;
        let axes = [("updates", RING.into()), ("agents", seeds.len() as u64)];
        let metrics = plan.buffer("metrics", &axes, "the number of agents")?;
        let standing = Standing {
            best: f32::NEG_INFINITY,
            step: config.step_size as f32,
            // the first step is Adam's t = 1
            correction1: agents.run.decay1,
            correction2: agents.run.decay2,
            ..Standing::default()
        };
        let memory = first_memory(config, &search, &mask);
        let features = if config.norm_obs { env.spec().observation_dim } else { 0 };
        if u64::from(features) * seeds.len() as u64 > 65_535 {
            let reason =
                format!("{} agents × {features} features are more than 65,535; train fewer at once", seeds.len());
            return Err(Error::setting("norm_obs", reason));
        }
        let beginning = Beginning { search, common: config.common_noise, features, mask, standing, memory };
        let generation = Generation::new(plan, &kernels, env, &agents, beginning, &metrics)?;
        plan.keep("parameters", &agents.parameters);
        plan.keep("progress", &agents.progress);
        plan.keep("standing", &generation.standing);
        plan.keep("memory", &generation.memory);
        let mut evaluation =
            |network| Evaluation::new(plan, &kernels.agents, env, network, &agents, config.eval_episodes, false);
        let (evaluation, evaluation_of_best) = (evaluation(ACTOR)?, evaluation(BEST)?);
        let (update, kept) = (Recording::default(), Vec::new());
        let mut population =
            Self { layout: layout.clone(), agents, generation, evaluation, evaluation_of_best, metrics, update, kept };
        if plan.target().records {
            population.update = record(&population);
        }
        Ok(population)
    }

    /// The passes of a generation; the same for every generation.
    pub fn update(&self) -> &Recording {
        &self.update
    }

    /// Every buffer that a run needs to go on.
    pub(in crate::algo) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Episodes of all members.
    pub(super) fn play(&self, update: &mut Recording) {
        self.generation.play(update);
    }

    /// Their order.
    pub(super) fn rank(&self, update: &mut Recording) {
        self.generation.rank(update);
    }

    /// What they leave.
    pub(super) fn recombine(&self, update: &mut Recording) {
        self.generation.recombine(update);
    }

    /// The end of the generation.
    pub(super) fn finish(&self, update: &mut Recording) {
        self.generation.finish(update);
    }
}

/// Agents at the start.
fn first_agents(plan: &mut Plan, config: &Config, layout: &Parameters, seeds: &[u32]) -> Result<Agents> {
    let run = Run { num_updates: config.generations, ..Run::default() }.decaying(config, config.optimizer);
    let (own, layout, all) = (config.clone(), layout.clone(), seeds.to_vec());
    let words = layout.words();
    let first = move || all.iter().flat_map(|&seed| first_words(&own, &layout, seed)).collect();
    Agents::new(plan, run, seeds, words, first, Progress::default())
}

/// What a method keeps at first, and room for its sums.
fn first_memory(config: &Config, search: &Search, mask: &[f32]) -> Vec<f32> {
    let mut memory = match config.algo {
        // deviations
        Algo::Cem => mask.iter().map(|mask| mask * config.sigma as f32).collect(),
        _ => Vec::new(),
    };
    memory.resize(search.rows as usize * mask.len(), 0.0);
    memory
}
