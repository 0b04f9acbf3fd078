//! What algorithms with a policy, and values where they want them, are made of: their agents, networks, stages and
//! kernels, made once.

use super::learners::{Task, kernels, natural};
use crate::algo::RING;
use crate::algo::networks::{ACTOR, CRITIC, HEAD_GAINS, networks};
use crate::batch::{Agents, Batch};
use crate::config::{Config, SyncEvery};
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::{Buffer, Exchange, Exchanged, Gpu, Joined, Recording};
use crate::kernels::{Block, Estimator, Kernels, Optimizer, Reduction};
use crate::layout::{Metrics, Progress, Run};
use crate::nn::Parameters;
use crate::plan::{Kept, Plan, Split, Target};
use crate::stage::{
    Advantage, AdvantageMoments, Baseline, Elements, Evaluation, Learner, Natural, Normaliser, Optimiser, Reduced,
    Rollout, Values, Weights,
};

/// One or more independent agents, each with its own seed, worlds and parameters, and an update of their algorithm.
#[derive(Debug)]
pub struct OnPolicy {
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
    moments: AdvantageMoments,
    statistics: Recording,
    finish: Recording,
    update: Recording,
    /// What makes ranks equal again that have learned apart.
    averaged: Recording,
    kept: Vec<Kept>,
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

impl OnPolicy {
    /// Agents with these seeds, on a device. The seed in `config` is not used.
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        Self::of_each(gpu, env, std::slice::from_ref(config), seeds)
    }

    /// Agents with these seeds and one configuration for all, or one for each, which differ in numbers only
    /// ([`Config::NUMBERS`]). The seeds in them are not used.
    pub fn of_each(gpu: &Gpu, env: &Environment, configs: &[Config], seeds: &[u32]) -> Result<Self> {
        let mut plan = Plan::new(Target::of(gpu));
        let mut agents = Self::plan_each(&mut plan, env, configs, seeds)?;
        agents.kept = plan.build(gpu)?;
        gpu.submit(agents.rollout.reset())?;
        Ok(agents)
    }

    /// Agents with these seeds, as parts of a plan.
    ///
    /// # Errors
    /// [`Error::Setting`] where something cannot be, [`Error::TooLarge`] where a buffer is more than the target can bind.
    pub fn plan(plan: &mut Plan, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        Self::plan_each(plan, env, std::slice::from_ref(config), seeds)
    }

    /// The same, as parts of a plan.
    ///
    /// # Errors
    /// Those of [`OnPolicy::plan`].
    pub fn plan_each(plan: &mut Plan, env: &Environment, configs: &[Config], seeds: &[u32]) -> Result<Self> {
        Config::check_each(configs, seeds.len(), env)?;
        let rank = plan.target().rank;
        let shares = configs.iter().map(|config| config.share(rank)).collect::<Result<Vec<_>>>()?;
        let block = shares[0].1;
        let configs = &shares.into_iter().map(|(share, _)| share).collect::<Vec<_>>()[..];
        let config = &configs[0];
        let count = seeds.len() as u32;
        let layout = networks(config, env);
        let kernels = kernels(config, env, &layout, plan.target(), [count, configs.len() as u32], block);
        let tasks = Task::all(config, env, &kernels);
        // those of each agent differ in numbers only
        let each = |n: usize| -> Vec<Run> { configs.iter().map(|own| Task::all(own, env, &kernels)[n].run).collect() };
        let Task { objectives, run, slicing } = &tasks[0];

        let agents = first_agents(plan, &layout, each(0), configs, seeds)?;
        plan.keep("parameters", &agents.parameters);
        plan.keep("progress", &agents.progress);
        let batch = Batch::new(plan, count, run, env.spec().observation_dim, kernels.rows())?;
        let acting = agents.seen_as(plan, Run { num_envs: config.num_envs, ..*run });
        let rollout = Rollout::new(plan, &kernels, env, ACTOR, &acting, &batch, config.fresh_episodes)?;
        let has_critic = config.estimator.has_critic();
        let values = has_critic.then(|| Values::new(plan, &kernels, CRITIC, &agents, &batch)).transpose()?;
        let (features, normalised) = (env.spec().observation_dim, [config.norm_obs, config.norm_reward]);
        let normaliser = Normaliser::new(plan, &kernels, &agents, &batch, features, normalised)?;
        let recursions = config.recursions();
        let way = Advantage::way(plan.target().software, run);
        let advantage = Advantage::new(plan, &kernels, &agents, &batch, &recursions, way)?;
        let mut weights = None;
        if config.reuse > 0 {
            weights = Some(Weights::new(plan, &kernels, ACTOR, &agents, &batch, config.importance, way)?);
            let beside = Split { worlds: config.num_envs, inner: 1, places: 0 };
            plan.keep_worlds("rollouts", &batch.samples, beside);
            plan.keep_worlds("observations of rollouts", &batch.observations, beside);
            plan.keep_worlds("final observations of rollouts", &batch.final_observations, beside);
            plan.keep_worlds("final values of rollouts", &batch.final_values, beside);
        }
        let buffers = batch.buffers(&agents.buffers());
        let moments = AdvantageMoments::new(plan, &kernels, &agents, &buffers)?;
        let buffers = buffers.with("mw_moments", &moments.moments);
        let learner = Learner::new(plan, &kernels, &agents, &buffers, *slicing, objectives)?;
        let optimiser = Optimiser::new(plan, &kernels, &agents, &learner, config.optimizer)?;
        plan.keep("optimizer", &optimiser.state);
        let baseline = (config.estimator == Estimator::OptimalBaseline)
            .then(|| Baseline::new(plan, &kernels, ACTOR, &agents, &batch, &learner, *slicing))
            .transpose()?;
        let natural = natural(config, env, &kernels.untiled())
            .map(|(products, trust)| {
                Natural::new(plan, &kernels, ACTOR, &agents, &batch, &learner, &moments, products, trust)
            })
            .transpose()?;
        let fit = tasks.get(1).map(|task| Fit::new(plan, &kernels, &agents, &batch, task, each(1))).transpose()?;
        let evaluation = Evaluation::new(plan, &kernels, env, ACTOR, &agents, config.eval_episodes, false)?;
        let axes = [("updates", RING.into()), ("agents", count.into())];
        let metrics = plan.buffer("metrics", &axes, "the number of agents")?;
        let sums = weights.as_ref().map(|weights| &weights.sums);
        let (statistics, finish) = statistics(plan, &kernels, &agents, &batch, &rollout, sums, &metrics)?;

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
            moments,
            statistics,
            finish,
            update: Recording::default(),
            averaged: Recording::default(),
            kept: Vec::new(),
            config: config.clone(),
        };
        if !plan.target().rank.is_alone() && config.sync == SyncEvery::Update {
            agents.averaged.exchange(agents.average());
        }
        if plan.target().records {
            agents.update = super::record(&agents, config);
        }
        Ok(agents)
    }

    /// Every buffer that a run needs to go on.
    pub(in crate::algo) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Schedules of the update that comes next: for a run that goes on with another number of them.
    pub(in crate::algo) fn reschedule(&self, gpu: &Gpu, env: &Environment) -> Result<()> {
        let mut plan = Plan::new(Target::of(gpu));
        let counts = [self.agents.count, self.agents.each.len() as u32];
        let kernel = kernels(&self.config, env, &self.layout, plan.target(), counts, Block::ALL).reschedule()?;
        let kernel = plan.kernel(kernel);
        let mut passes = Recording::default();
        for agents in std::iter::once(&self.agents).chain(self.fit.as_ref().map(|fit| &fit.agents)) {
            passes.push(&plan.pass(kernel, agents.count, 1, 0, &agents.buffers()));
        }
        plan.build(gpu)?;
        gpu.submit(&passes)
    }

    /// T steps of N worlds, V of every observation where there is a critic, Φ and targets.
    pub(in crate::algo) fn collect(&self, update: &mut Recording) {
        self.rollout.record(update);
        if let Some(values) = &self.values {
            values.record(update);
        }
        self.normaliser.record_rewards(update);
        self.advantage.record(update);
        update.extend(&self.statistics);
    }

    /// Φ of older rollouts weighted by their importance, where there are any.
    pub(in crate::algo) fn weigh(&self, update: &mut Recording) {
        if let Some(weights) = &self.weights {
            weights.record(update);
        }
    }

    /// Moments of the advantages of every minibatch of the update, by which they are normalised.
    pub(in crate::algo) fn measure(&self, update: &mut Recording) {
        self.moments.record(update);
    }

    /// Minibatches of an epoch.
    pub(in crate::algo) fn minibatches(&self) -> u32 {
        self.agents.run.num_minibatches
    }

    /// One minibatch: gradients, and a step.
    pub(in crate::algo) fn learn(&self, update: &mut Recording) {
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
    pub(in crate::algo) fn gradient(&self, update: &mut Recording) {
        self.record_gradient(update);
        self.optimiser.record_progress(update);
    }

    /// A rollout, and the policy's gradient from it, without a step: [`Learner::gradient`] is of the mean over samples.
    pub fn estimate(&self) -> Recording {
        let mut recording = Recording::default();
        self.collect(&mut recording);
        self.measure(&mut recording);
        self.gradient(&mut recording);
        recording
    }

    /// The natural gradient's step.
    pub(in crate::algo) fn natural_step(&self, update: &mut Recording) {
        if let Some(natural) = &self.natural {
            natural.record(update);
        }
    }

    /// The epochs of the values, where they are fitted apart.
    pub(in crate::algo) fn fit(&self, update: &mut Recording) {
        let Some(fit) = &self.fit else { return };
        for _ in 0..self.config.value_epochs * fit.agents.run.num_minibatches {
            fit.learner.record(update);
            fit.optimiser.record(update);
        }
        update.extend(&fit.finish);
    }

    /// Parameters and what optimisers keep become means over ranks; where they stand is the first one's.
    fn average(&self) -> Exchange {
        let (learned, all, count) =
            (u64::from(self.layout.learned()), u64::from(self.layout.words()), self.agents.count);
        let mut parts = vec![
            Exchanged::of_agents(&self.agents.parameters, Joined::Mean, 0..learned, count),
            Exchanged::whole(&self.optimiser.state, Joined::Mean),
            Exchanged::whole(&self.agents.progress, Joined::First),
        ];
        if all > learned {
            // running moments, which all have from the same batches
            parts.push(Exchanged::of_agents(&self.agents.parameters, Joined::First, learned..all, count));
        }
        if let Some(fit) = &self.fit {
            parts.push(Exchanged::whole(&fit.optimiser.state, Joined::Mean));
            parts.push(Exchanged::whole(&fit.agents.progress, Joined::First));
        }
        Exchange::new(parts)
    }

    /// The end of an update: running moments, metrics, the next update's learning rate.
    pub(in crate::algo) fn finish(&self, update: &mut Recording) {
        self.normaliser.record_observations(update);
        update.extend(&self.finish);
        update.extend(&self.averaged);
    }

    /// Plans one agent of PPO, and beside its update the step of one minibatch, of which that is made; whole episodes cannot be
    /// played: for measurements.
    pub fn plan_update(plan: &mut Plan, env: &Environment, config: &Config, seed: u32) -> Result<(Self, Recording)> {
        let agents = Self::plan(plan, env, config, &[seed])?;
        plan.only(&[agents.rollout.reset(), agents.update()]);
        let mut minibatch = Recording::default();
        agents.learn(&mut minibatch);
        Ok((agents, minibatch))
    }

    /// Plans the rollout of one agent alone, with values and all that an update needs, behind the worlds' first states: for
    /// measurements.
    pub fn plan_rollout(plan: &mut Plan, env: &Environment, config: &Config, seed: u32) -> Result<[Recording; 2]> {
        config.check_for(env)?;
        let layout = networks(config, env);
        let kernels = kernels(config, env, &layout, plan.target(), [1, 1], Block::ALL);
        let run = Task::of_policy(config, env, &kernels).run;
        let agents = first_agents(plan, &layout, vec![run], std::slice::from_ref(config), &[seed])?;
        let batch = Batch::new(plan, 1, &run, env.spec().observation_dim, kernels.rows())?;
        let acting = agents.seen_as(plan, Run { num_envs: config.num_envs, ..run });
        let rollout = Rollout::new(plan, &kernels, env, ACTOR, &acting, &batch, config.fresh_episodes)?;
        let mut recording = Recording::default();
        rollout.record(&mut recording);
        if config.estimator.has_critic() {
            Values::new(plan, &kernels, CRITIC, &agents, &batch)?.record(&mut recording);
        }
        Ok([rollout.reset().clone(), recording])
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

/// Agents with the first parameters of their seeds, and numbers of each or of all.
fn first_agents(
    plan: &mut Plan,
    layout: &Parameters,
    each: Vec<Run>,
    configs: &[Config],
    seeds: &[u32],
) -> Result<Agents> {
    let (own, all) = (layout.clone(), seeds.to_vec());
    let parameters = move || all.iter().flat_map(|&seed| own.initial(seed, &HEAD_GAINS)).collect();
    let first = |config: &Config| Progress { beta: config.kl_coef as f32, ..Progress::default() };
    let first = configs.iter().map(first).collect();
    Agents::of_each(plan, each, seeds, layout.words(), parameters, first)
}

impl Fit {
    fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        policy: &Agents,
        batch: &Batch,
        task: &Task,
        each: Vec<Run>,
    ) -> Result<Self> {
        let agents = policy.apart_each(plan, each)?;
        let buffers = batch.buffers(&agents.buffers());
        let learner = Learner::new(plan, kernels, &agents, &buffers, task.slicing, &task.objectives)?;
        let optimiser = Optimiser::new(plan, kernels, &agents, &learner, Optimizer::Adam)?;
        plan.keep("progress of the values", &agents.progress);
        plan.keep("optimizer of the values", &optimiser.state);
        let mut finish = Recording::default();
        let buffers = agents.buffers().with("mw_policy_progress", &policy.progress);
        let kernel = plan.kernel(kernels.finish_fit()?);
        finish.push(&plan.pass(kernel, agents.count, 1, 0, &buffers));
        Ok(Self { agents, learner, optimiser, finish })
    }
}

/// Returns of ended episodes, explained variance, and the end of the update that writes them down.
fn statistics(
    plan: &mut Plan,
    kernels: &Kernels,
    agents: &Agents,
    batch: &Batch,
    rollout: &Rollout,
    importance: Option<&Buffer<[f32; 4]>>,
    metrics: &Buffer<Metrics>,
) -> Result<(Recording, Recording)> {
    let (count, run) = (agents.count, &agents.run);
    let buffers = batch.buffers(&agents.buffers());
    let all = Elements { rows: 2, ..Elements::from(run.batch_size) };
    let targets =
        Reduced::new(plan, kernels, Reduction::Targets, Reduction::Moments, count, all, &buffers)?.of_ranks(plan);
    let worlds = buffers.with("mw_world", &rollout.worlds);
    let elements =
        Elements { stride: rollout.worlds.len() as u32 / count, ..Elements::from(run.num_envs / (run.reuse + 1)) };
    let episodes = Reduced::new(plan, kernels, Reduction::Episodes, Reduction::Sums, count, elements, &worlds)?;
    let mut statistics = Recording::default();
    for stage in [&targets, &episodes] {
        stage.record(&mut statistics);
    }
    let none = plan.buffer("importance sums", &[("agents", count.into())], "the number of agents")?;
    let buffers = worlds
        .with("mw_episode_sums", &episodes.result)
        .with("mw_target_moments", &targets.result)
        .with("mw_metrics", metrics)
        .with("mw_importance_sums", importance.unwrap_or(&none));
    let kernel = plan.kernel(kernels.finish_update()?);
    let mut finish = Recording::default();
    let turns = u64::from(elements.count / kernels.form.workgroup) + 1;
    finish.push(&plan.pass(kernel, count, 1, turns, &buffers));
    Ok((statistics, finish))
}
