//! What algorithms with a policy, and values where they want them, are made of: their agents, networks, stages and
//! kernels, made once.

use super::networks::{ACTOR, CRITIC, HEAD_GAINS, networks};
pub use super::setup::RING;
use super::setup::{Task, kernels, links, natural, sizes};
use crate::batch::{Agents, Batch};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Recording};
use crate::kernels::{Estimator, Kernels, Optimizer, Reduction};
use crate::layout::{Metrics, Run};
use crate::nn::Parameters;
use crate::stage::{
    Advantage, Baseline, Elements, Evaluation, Learner, Natural, Normaliser, Optimiser, Reduced, Rollout, Values,
    Weights,
};

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
    /// Loss gradients, of the policy or of both networks.
    pub learner: Learner,
    /// The step.
    pub optimiser: Optimiser,
    /// Whole episodes under the current parameters.
    pub evaluation: Evaluation,
    /// `[update % RING][agent]`
    pub metrics: Buffer<Metrics>,
    values: Option<Values>,
    baseline: Option<Baseline>,
    natural: Option<Natural>,
    fit: Option<Fit>,
    normaliser: Normaliser,
    advantage: Advantage,
    weights: Option<Weights>,
    statistics: Recording,
    finish: Recording,
    update: Recording,
    config: Config,
}

/// Values that are fitted apart from the policy, in minibatches of their own.
#[derive(Debug)]
struct Fit {
    agents: Agents,
    learner: Learner,
    optimiser: Optimiser,
    finish: Recording,
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
        let kernels = kernels(config, env, &layout, form, count);
        let tasks = Task::all(config, env, &kernels);
        gpu.compile(&links(gpu, &kernels, env, config, &tasks))?;
        let Task { objectives, run, slicing } = &tasks[0];
        let parameters: Vec<f32> = seeds.iter().flat_map(|&seed| layout.initial(seed, &HEAD_GAINS)).collect();

        let agents = Agents::new(gpu, *run, seeds, &parameters, config.kl_coef as f32)?;
        let batch = Batch::new(gpu, count, run, env.spec().observation_dim, kernels.rows())?;
        let acting = agents.seen_as(gpu, Run { num_envs: config.num_envs, ..*run })?;
        let rollout = Rollout::new(gpu, &kernels, env, ACTOR, &acting, &batch, config.fresh_episodes)?;
        let has_critic = config.estimator.has_critic();
        let values = has_critic.then(|| Values::new(gpu, &kernels, CRITIC, &agents, &batch)).transpose()?;
        let (features, normalised) = (env.spec().observation_dim, [config.norm_obs, config.norm_reward]);
        let normaliser = Normaliser::new(gpu, &kernels, &agents, &batch, features, normalised)?;
        let recursions = config.recursions();
        let way = Advantage::way(gpu, run);
        let advantage = Advantage::new(gpu, &kernels, &agents, &batch, &recursions, way)?;
        let weights = (config.reuse > 0)
            .then(|| Weights::new(gpu, &kernels, ACTOR, &agents, &batch, config.importance, way))
            .transpose()?;
        let buffers = batch.buffers(&agents.buffers());
        let learner = Learner::new(gpu, &kernels, &agents, &buffers, *slicing, objectives)?;
        let optimiser = Optimiser::new(gpu, &kernels, &agents, &learner, config.optimizer)?;
        let baseline = (config.estimator == Estimator::OptimalBaseline)
            .then(|| Baseline::new(gpu, &kernels, ACTOR, &agents, &batch, &learner, *slicing))
            .transpose()?;
        let untiled = kernels.untiled();
        let natural = natural(config, env, &untiled)
            .map(|(products, trust)| Natural::new(gpu, &untiled, ACTOR, &agents, &batch, &learner, products, trust))
            .transpose()?;
        let fit = tasks.get(1).map(|task| Fit::new(gpu, &kernels, &agents, &batch, task)).transpose()?;
        let evaluation = Evaluation::new(gpu, &kernels, env, ACTOR, &agents, config.eval_episodes, false)?;
        let metrics = gpu.buffer("metrics", u64::from(RING) * u64::from(count), "updates × agents", "agents")?;
        let sums = weights.as_ref().map(|weights| &weights.sums);
        let (statistics, finish) = statistics(gpu, &kernels, &agents, &batch, &rollout, sums, &metrics)?;
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
            baseline,
            natural,
            fit,
            normaliser,
            advantage,
            weights,
            statistics,
            finish,
            update: Recording::default(),
            config: config.clone(),
        };
        agents.update = config.algo.record(&agents, config);
        Ok(agents)
    }

    /// Every buffer that a run needs to go on, by name.
    pub(super) fn state(&self) -> Vec<(String, &wgpu::Buffer)> {
        let mut buffers = vec![
            ("parameters", self.agents.parameters.raw()),
            ("progress", self.agents.progress.raw()),
            ("optimizer", self.optimiser.state.raw()),
            ("worlds", self.rollout.worlds.raw()),
            ("discounted rewards", self.normaliser.discounted.raw()),
        ];
        if let Some(fit) = &self.fit {
            buffers.push(("progress of the values", fit.agents.progress.raw()));
            buffers.push(("optimizer of the values", fit.optimiser.state.raw()));
        }
        if self.config.reuse > 0 {
            buffers.push(("rollouts", self.batch.samples.raw()));
            buffers.push(("observations of rollouts", self.batch.observations.raw()));
            buffers.push(("final observations of rollouts", self.batch.final_observations.raw()));
            buffers.push(("final values of rollouts", self.batch.final_values.raw()));
        }
        buffers.into_iter().map(|(name, buffer)| (name.to_owned(), buffer)).collect()
    }

    /// Schedules of the update that comes next: for a run that goes on with another number of them.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::submit`].
    pub(super) fn reschedule(&self, gpu: &Gpu, env: &Environment) -> Result<()> {
        let form = gpu.form_for(self.config.work());
        let kernel = gpu.kernel(&kernels(&self.config, env, &self.layout, form, self.agents.count).reschedule()?)?;
        let mut passes = Recording::default();
        for agents in std::iter::once(&self.agents).chain(self.fit.as_ref().map(|fit| &fit.agents)) {
            passes.push(&kernel.pass(gpu, agents.count, 1, 0, &agents.buffers())?);
        }
        gpu.submit(&passes)
    }

    /// T steps of N worlds, V of every observation where there is a critic, Φ and targets.
    pub(super) fn collect(&self, update: &mut Recording) {
        self.rollout.record(update);
        if let Some(values) = &self.values {
            values.record(update);
        }
        self.normaliser.record_rewards(update);
        self.advantage.record(update);
        update.extend(&self.statistics);
    }

    /// Φ of older rollouts weighted by their importance, where there are any.
    pub(super) fn weigh(&self, update: &mut Recording) {
        if let Some(weights) = &self.weights {
            weights.record(update);
        }
    }

    /// Minibatches of an epoch.
    pub(super) fn minibatches(&self) -> u32 {
        self.agents.run.num_minibatches
    }

    /// One minibatch: gradients, and a step.
    pub(super) fn learn(&self, update: &mut Recording) {
        self.record_gradient(update);
        self.optimiser.record(update);
    }

    fn record_gradient(&self, update: &mut Recording) {
        self.learner.record(update);
        if let Some(baseline) = &self.baseline {
            baseline.record(update);
        }
    }

    /// Gradients of the whole batch, and what they say of the policy, without a step.
    pub(super) fn gradient(&self, update: &mut Recording) {
        self.record_gradient(update);
        self.optimiser.record_progress(update);
    }

    /// A rollout, and the policy's gradient from it, without a step: [`Learner::gradient`] is of the mean over samples.
    pub fn estimate(&self) -> Recording {
        let mut recording = Recording::default();
        self.collect(&mut recording);
        self.gradient(&mut recording);
        recording
    }

    /// The natural gradient's step.
    pub(super) fn natural_step(&self, update: &mut Recording) {
        if let Some(natural) = &self.natural {
            natural.record(update);
        }
    }

    /// The epochs of the values, where they are fitted apart.
    pub(super) fn fit(&self, update: &mut Recording) {
        let Some(fit) = &self.fit else { return };
        for _ in 0..self.config.value_epochs * fit.agents.run.num_minibatches {
            fit.learner.record(update);
            fit.optimiser.record(update);
        }
        update.extend(&fit.finish);
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
        let kernels = kernels(config, env, &layout, form, 1);
        let run = Task::of_policy(config, env, &kernels).run;
        let agents = Agents::new(gpu, run, &[seed], &layout.initial(seed, &HEAD_GAINS), 0.0)?;
        let batch = Batch::new(gpu, 1, &run, env.spec().observation_dim, kernels.rows())?;
        let acting = agents.seen_as(gpu, Run { num_envs: config.num_envs, ..run })?;
        let rollout = Rollout::new(gpu, &kernels, env, ACTOR, &acting, &batch, config.fresh_episodes)?;
        gpu.submit(rollout.reset())?;
        let mut recording = Recording::default();
        rollout.record(&mut recording);
        if config.estimator.has_critic() {
            Values::new(gpu, &kernels, CRITIC, &agents, &batch)?.record(&mut recording);
        }
        Ok(recording)
    }

    /// Epochs of an update.
    pub fn epochs(&self) -> u32 {
        self.config.update_epochs
    }

    /// The passes of an update; the same for every update.
    pub fn update(&self) -> &Recording {
        &self.update
    }
}

impl Fit {
    fn new(gpu: &Gpu, kernels: &Kernels, policy: &Agents, batch: &Batch, task: &Task) -> Result<Self> {
        let agents = policy.apart(gpu, task.run)?;
        let buffers = batch.buffers(&agents.buffers());
        let learner = Learner::new(gpu, kernels, &agents, &buffers, task.slicing, &task.objectives)?;
        let optimiser = Optimiser::new(gpu, kernels, &agents, &learner, Optimizer::Adam)?;
        let mut finish = Recording::default();
        let buffers = agents.buffers().with("mw_policy_progress", &policy.progress);
        finish.push(&gpu.kernel(&kernels.finish_fit()?)?.pass(gpu, agents.count, 1, 0, &buffers)?);
        Ok(Self { agents, learner, optimiser, finish })
    }
}

/// Returns of ended episodes, explained variance, and the end of the update that writes them down.
fn statistics(
    gpu: &Gpu,
    kernels: &Kernels,
    agents: &Agents,
    batch: &Batch,
    rollout: &Rollout,
    importance: Option<&Buffer<[f32; 4]>>,
    metrics: &Buffer<Metrics>,
) -> Result<(Recording, Recording)> {
    let (count, run) = (agents.count, &agents.run);
    let buffers = batch.buffers(&agents.buffers());
    let moments = |kind| Reduced::new(gpu, kernels, kind, Reduction::Moments, count, run.batch_size.into(), &buffers);
    let (targets, residuals) = (moments(Reduction::Targets)?, moments(Reduction::Residuals)?);
    let worlds = buffers.with("mw_world", &rollout.worlds);
    let elements = Elements { count: run.num_envs / (run.reuse + 1), stride: rollout.worlds.len() as u32 / count };
    let episodes = Reduced::new(gpu, kernels, Reduction::Episodes, Reduction::Sums, count, elements, &worlds)?;
    let mut statistics = Recording::default();
    for stage in [&targets, &residuals, &episodes] {
        stage.record(&mut statistics);
    }
    let buffers = buffers
        .with("mw_episode_sums", &episodes.result)
        .with("mw_target_moments", &targets.result)
        .with("mw_residual_moments", &residuals.result)
        .with("mw_world", &rollout.worlds)
        .with("mw_metrics", metrics);
    let none = gpu.buffer("importance sums", u64::from(count), "agents", "agents")?;
    let buffers = buffers.with("mw_importance_sums", importance.unwrap_or(&none));
    let kernel = gpu.kernel(&kernels.finish_update()?)?;
    let mut finish = Recording::default();
    let turns = u64::from(elements.count / kernels.form.workgroup) + 1;
    finish.push(&kernel.pass(gpu, count, 1, turns, &buffers)?);
    Ok((statistics, finish))
}
