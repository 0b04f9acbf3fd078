//! What algorithms with a policy and a value network on fresh batches are made of: their agents, networks, stages and
//! kernels, made once.

use crate::batch::{Agents, Batch, Sizes};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Form, Gpu, Link, Recording};
use crate::kernels::{Kernels, Objective, Optimizer, OverTime, Reduction};
use crate::layout::{Metrics, Run};
use crate::nn::{Normalise, Parameters};
use crate::stage::{
    Advantage, Elements, Evaluation, Learner, Normaliser, Optimiser, Reduced, Rollout, Slicing, Values,
};
use crate::train::{Config, Penalty};

/// Updates whose metrics the device keeps until they are read.
pub const RING: u32 = 16;

/// One or more independent agents, each with its own seed, worlds and parameters, and an update of their algorithm.
#[derive(Debug)]
pub struct ActorCritic {
    /// Where parameters lie.
    pub layout: Parameters,
    /// The agents.
    pub agents: Agents,
    /// Their rollout.
    pub batch: Batch,
    /// The stage that fills it.
    pub rollout: Rollout,
    /// Loss gradients.
    pub learner: Learner,
    /// The step.
    pub optimiser: Optimiser,
    /// Whole episodes under the current parameters.
    pub evaluation: Evaluation,
    /// `[update % RING][agent]`
    pub metrics: Buffer<Metrics>,
    values: Values,
    normaliser: Normaliser,
    advantage: Advantage,
    statistics: Recording,
    finish: Recording,
    update: Recording,
    epochs: u32,
}

/// The networks of an actor-critic, actor first.
pub fn networks(config: &Config, env: &Environment) -> Parameters {
    let widths = |outputs| [&[env.spec().observation_dim], config.hidden.as_slice(), &[outputs]].concat();
    let mut layout = Parameters::default();
    let (space, exploration) = (&env.spec().action_space, config.exploration(env));
    layout.add_policy(
        "actor",
        &widths(space.outputs(exploration)),
        config.activation,
        space.free_outputs(exploration),
        exploration.first(config.log_std_init) as f32,
    );
    layout.add("critic", &widths(1), config.activation);
    let features = env.spec().observation_dim;
    layout.normalise(Normalise { features, observations: config.norm_obs, rewards: config.norm_reward });
    layout
}

/// Places of the networks.
pub(crate) const ACTOR: usize = 0;
pub(crate) const CRITIC: usize = 1;
/// Gains of the output layers of actor and critic.
pub(crate) const HEAD_GAINS: [f64; 2] = [0.01, 1.0];

/// What holds for the whole run, from its configuration.
fn run(config: &Config, env: &Environment, agents: u32, kernels: &Kernels) -> (Run, Slicing) {
    let slicing = Slicing::new(config.minibatch_size(), agents, kernels.parameters, kernels);
    let truncations = match env.spec().max_episode_steps {
        0 => 0,
        limit => config.num_steps.div_ceil(limit),
    };
    let mut run = Run {
        num_envs: config.num_envs,
        num_steps: config.num_steps,
        batch_size: config.batch_size(),
        minibatch_size: config.minibatch_size(),
        num_minibatches: config.batch_size().div_ceil(config.minibatch_size()),
        bootstrap_slots: truncations + 1,
        tile: tile(config.batch_size(), config.num_minibatches),
        ring: RING,
        num_updates: config.num_updates(),
        anneal_lr: u32::from(config.anneal_lr),
        anneal_clip: u32::from(config.anneal_clip),
        norm_adv: u32::from(config.norm_adv),
        clip_vloss: u32::from(config.clip_vloss),
        bootstrap: u32::from(config.bootstrap_truncated),
        gamma: config.gamma as f32,
        gae_lambda: config.gae_lambda as f32,
        clip_coef: config.clip_coef as f32,
        ent_coef: config.ent_coef as f32,
        vf_coef: config.vf_coef as f32,
        max_grad_norm: config.max_grad_norm as f32,
        target_kl: config.target_kl as f32,
        kl_target: if config.penalty == Penalty::Kl { config.kl_target as f32 } else { 0.0 },
        learning_rate: config.learning_rate as f32,
        decay1: (1.0 - 0.9) as f32,
        decay2: match config.optimizer {
            Optimizer::RmsProp => (1.0 - config.rmsprop_alpha) as f32,
            _ => (1.0 - 0.999) as f32,
        },
        optimizer_eps: config.adam_eps as f32,
        ..Run::default()
    };
    run.set_slicing(slicing, kernels);
    (run, slicing)
}

/// Columns that are shuffled together: a power of two up to 64 that divides the batch and leaves at least 32 tiles
/// for each minibatch; else single columns.
fn tile(batch: u32, minibatches: u32) -> u32 {
    let fits = |tile: &u32| batch.is_multiple_of(*tile) && batch / tile >= 32u32.saturating_mul(minibatches);
    [64, 32, 16, 8].into_iter().find(fits).unwrap_or(1)
}

/// Sizes of the large buffers of a run.
///
/// The form of the kernels is not known before there is a device; it moves these sizes by a few samples only.
pub fn sizes(config: &Config, env: &Environment, agents: u32, form: Form) -> Sizes {
    let layout = networks(config, env);
    let kernels = Kernels {
        form,
        parameters: &layout,
        space: &env.spec().action_space,
        exploration: config.exploration(env),
        keeps: config.keeps(),
        agents,
    };
    let (run, slicing) = run(config, env, agents, &kernels);
    let mut sizes = Sizes::default();
    Batch::sizes(&mut sizes, agents, &run, env.spec().observation_dim, kernels.rows());
    Rollout::sizes(&mut sizes, agents, config.num_envs, env, &kernels, ACTOR);
    Rollout::sizes(&mut sizes, agents, config.eval_episodes, env, &kernels, ACTOR);
    Learner::sizes(&mut sizes, agents, slicing, &kernels);
    sizes
}

impl ActorCritic {
    /// Agents with these seeds. The seed in `config` is not used.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::TooLarge`] before anything is allocated, and as [`Gpu::kernel`], [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        config.check_for(env)?;
        if seeds.is_empty() {
            return Err(Error::setting("seed", "at least one agent needs a seed"));
        }
        let count = seeds.len() as u32;
        let form = gpu.form_for(config.work());
        sizes(config, env, count, form).check(gpu)?;
        let layout = networks(config, env);
        let kernels = Kernels {
            form,
            parameters: &layout,
            space: &env.spec().action_space,
            exploration: config.exploration(env),
            keeps: config.keeps(),
            agents: count,
        };
        let (run, slicing) = run(config, env, count, &kernels);
        let objectives = [(ACTOR, config.algo.objective(config)), (CRITIC, Objective::Value)];
        gpu.compile(&links(&kernels, env, &objectives, config.optimizer, Advantage::way(gpu, &run)))?;
        let parameters: Vec<f32> = seeds.iter().flat_map(|&seed| layout.initial(seed, &HEAD_GAINS)).collect();

        let agents = Agents::new(gpu, run, seeds, &parameters, config.kl_coef as f32)?;
        let batch = Batch::new(gpu, count, &run, env.spec().observation_dim, kernels.rows())?;
        let rollout = Rollout::new(gpu, &kernels, env, ACTOR, &agents, &batch)?;
        let values = Values::new(gpu, &kernels, CRITIC, &agents, &batch)?;
        let (features, normalised) = (env.spec().observation_dim, [config.norm_obs, config.norm_reward]);
        let normaliser = Normaliser::new(gpu, &kernels, &agents, &batch, features, normalised)?;
        let advantage = Advantage::new(gpu, &kernels, &agents, &batch, Advantage::way(gpu, &run))?;
        let learner = Learner::new(gpu, &kernels, &agents, &batch, slicing, &objectives)?;
        let optimiser = Optimiser::new(gpu, &kernels, &agents, &learner, config.optimizer)?;
        let evaluation = Evaluation::new(gpu, &kernels, env, ACTOR, &agents, config.eval_episodes, false)?;
        let metrics = gpu.buffer("metrics", u64::from(RING) * u64::from(count), "updates × agents", "agents")?;
        let (statistics, finish) = statistics(gpu, &kernels, &agents, &batch, &rollout, &metrics)?;
        gpu.submit(rollout.reset())?;

        let mut agents = Self {
            layout: layout.clone(),
            agents,
            batch,
            rollout,
            learner,
            optimiser,
            evaluation,
            metrics,
            values,
            normaliser,
            advantage,
            statistics,
            finish,
            update: Recording::default(),
            epochs: config.update_epochs,
        };
        agents.update = config.algo.record(&agents, config);
        Ok(agents)
    }

    /// T steps of N worlds, V of every observation, advantages and targets.
    pub(super) fn collect(&self, update: &mut Recording) {
        self.rollout.record(update);
        self.values.record(update);
        self.normaliser.record_rewards(update);
        self.advantage.record(update);
        update.extend(&self.statistics);
    }

    /// Minibatches of an epoch.
    pub(super) fn minibatches(&self) -> u32 {
        self.agents.run.num_minibatches
    }

    /// One minibatch: gradients of both networks, and a step.
    pub(super) fn learn(&self, update: &mut Recording) {
        self.learner.record(update);
        self.optimiser.record(update);
    }

    /// The end of an update: running moments, metrics, the next update's learning rate.
    pub(super) fn finish(&self, update: &mut Recording) {
        self.normaliser.record_observations(update);
        update.extend(&self.finish);
    }

    /// The rollout of one agent alone, with values and all that an update needs: for measurements.
    ///
    /// # Errors
    /// As [`ActorCritic::new`].
    pub fn rollout_only(gpu: &Gpu, env: &Environment, config: &Config, seed: u32) -> Result<Recording> {
        config.check_for(env)?;
        let form = gpu.form_for(config.work());
        sizes(config, env, 1, form).check(gpu)?;
        let layout = networks(config, env);
        let kernels = Kernels {
            form,
            parameters: &layout,
            space: &env.spec().action_space,
            exploration: config.exploration(env),
            keeps: config.keeps(),
            agents: 1,
        };
        let (run, _) = run(config, env, 1, &kernels);
        let agents = Agents::new(gpu, run, &[seed], &layout.initial(seed, &HEAD_GAINS), 0.0)?;
        let batch = Batch::new(gpu, 1, &run, env.spec().observation_dim, kernels.rows())?;
        let rollout = Rollout::new(gpu, &kernels, env, ACTOR, &agents, &batch)?;
        let values = Values::new(gpu, &kernels, CRITIC, &agents, &batch)?;
        gpu.submit(rollout.reset())?;
        let mut recording = Recording::default();
        rollout.record(&mut recording);
        values.record(&mut recording);
        Ok(recording)
    }

    /// Epochs of an update.
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// The passes of an update; the same for every update.
    pub fn update(&self) -> &Recording {
        &self.update
    }
}

/// Every kernel of an update, the slowest to compile first.
fn links<'a>(
    kernels: &'a Kernels,
    env: &'a Environment,
    objectives: &'a [(usize, Objective)],
    optimizer: Optimizer,
    way: OverTime,
) -> Vec<Link<'a>> {
    let mut links: Vec<Link> = Vec::new();
    for &(network, objective) in objectives {
        links.push(Box::new(move || kernels.gradient(network, objective)));
    }
    links.push(Box::new(|| kernels.rollout(env, ACTOR)));
    links.push(Box::new(|| kernels.evaluate(env, ACTOR)));
    links.push(Box::new(|| kernels.value(CRITIC)));
    if !kernels.summed() {
        for &(network, _) in objectives {
            links.push(Box::new(move || kernels.weight_gradient(network)));
        }
    }
    links.push(Box::new(|| kernels.reset(env)));
    links.push(Box::new(move || kernels.gae(way)));
    links.push(Box::new(|| kernels.sum_slices()));
    links.push(Box::new(|| kernels.advance()));
    links.push(Box::new(move || kernels.descend(optimizer)));
    links.push(Box::new(|| kernels.finish_update()));
    let normaliser = kernels.parameters.normaliser();
    if normaliser.observations || normaliser.rewards {
        links.push(Box::new(|| kernels.merge_moments()));
    }
    if normaliser.rewards {
        links.push(Box::new(|| kernels.discount_rewards()));
    }
    let wanted = |reduction: &Reduction| match reduction {
        Reduction::Observations => normaliser.observations,
        Reduction::Discounted => normaliser.rewards,
        _ => true,
    };
    for reduction in Reduction::ALL.into_iter().filter(wanted) {
        links.push(Box::new(move || kernels.reduce(reduction)));
    }
    links
}

/// Returns of ended episodes, explained variance, and the end of the update that writes them down.
fn statistics(
    gpu: &Gpu,
    kernels: &Kernels,
    agents: &Agents,
    batch: &Batch,
    rollout: &Rollout,
    metrics: &Buffer<Metrics>,
) -> Result<(Recording, Recording)> {
    let (count, run) = (agents.count, &agents.run);
    let buffers = batch.buffers(&agents.buffers());
    let moments = |kind| Reduced::new(gpu, kernels, kind, Reduction::Moments, count, run.batch_size.into(), &buffers);
    let (targets, residuals) = (moments(Reduction::Targets)?, moments(Reduction::Residuals)?);
    let worlds = buffers.with("mw_world", &rollout.worlds);
    let elements = Elements { count: run.num_envs, stride: rollout.worlds.len() as u32 / count };
    let episodes = Reduced::new(gpu, kernels, Reduction::Episodes, Reduction::Sums, count, elements, &worlds)?;
    let mut statistics = Recording::default();
    for stage in [&targets, &residuals, &episodes] {
        stage.record(&mut statistics);
    }
    let buffers = buffers
        .with("mw_episode_sums", &episodes.result)
        .with("mw_target_moments", &targets.result)
        .with("mw_residual_moments", &residuals.result)
        .with("mw_metrics", metrics);
    let kernel = gpu.kernel(&kernels.finish_update()?)?;
    let mut finish = Recording::default();
    finish.push(&kernel.pass(gpu, count, 1, 0, &buffers)?);
    Ok((statistics, finish))
}
