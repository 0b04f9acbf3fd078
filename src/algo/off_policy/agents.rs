//! What algorithms that learn from a ring of transitions are made of: agents, networks, stages, made once.

use super::steps;
use crate::algo::RING;
use crate::algo::networks::{ACTOR, HEAD_GAINS, networks, replay_widths};
use crate::batch::Agents;
use crate::config::{ActionNoise, Algo, Config, SyncEvery};
use crate::env::Environment;
use crate::error::Result;
use crate::gpu::{Buffer, Exchange, Exchanged, Form, Gpu, Joined, Recording, Share};
use crate::kernels::{Block, Kernels, OffPolicyKernels};
use crate::layout::{Metrics, Progress, ReplaySettings, Run, Scalar};
use crate::nn::Parameters;
use crate::plan::{Kept, Plan, Target};
use crate::stage::{
    Actors, Critics, Evaluation, GradientSteps, Interact, Minibatch, ReplayBuffer, Step, Targets, slicing,
};

/// The actor alone, a critic alone: as they lie in buffers of their own.
#[derive(Debug)]
struct Shapes {
    actor: Parameters,
    critic: Parameters,
}

impl Shapes {
    fn new(config: &Config, env: &Environment) -> Self {
        let mut shapes = Self { actor: Parameters::default(), critic: Parameters::default() };
        let [actor, critic] = replay_widths(config, env);
        shapes.actor.add("actor", &actor, config.activation);
        shapes.critic.add("critic", &critic, config.activation);
        shapes
    }
}

fn kernels<'a>(
    config: &Config,
    env: &'a Environment,
    shapes: &'a Shapes,
    form: Form,
    agents: u32,
    block: Block,
) -> OffPolicyKernels<'a> {
    let [critics, guides] = config.algo.critics();
    let one = |parameters, agents| {
        let kernels = Kernels::new(form, parameters, &env.spec().action_space, config.exploration(env));
        Kernels { agents, block, in_step: config.sync == SyncEvery::Minibatch, ..kernels }
    };
    OffPolicyKernels {
        actor: one(&shapes.actor, agents),
        critic: one(&shapes.critic, agents * critics),
        smoothed: config.algo == Algo::Td3 && config.policy_noise > 0.0,
        critics,
        guides,
        process: config.action_noise == ActionNoise::OrnsteinUhlenbeck,
    }
}

/// The form for small minibatches: on a processor a workgroup is what one core does at a time, so it is a subgroup.
fn form(target: &Target, config: &Config) -> Form {
    let form = target.forms.of_work(config.work());
    match form.share {
        Share::Subgroup(size) => Form { workgroup: size, ..form },
        Share::Plain => form,
    }
}

/// What holds for every learner of a run: the whole minibatch at once.
fn run(config: &Config, kernels: &Kernels, learning_rate: f64) -> Run {
    let mut run = Run {
        num_envs: config.num_envs,
        num_steps: config.num_steps,
        batch_size: config.batch_size,
        minibatch_size: config.batch_size,
        num_minibatches: 1,
        tile: 1,
        stride: 1,
        num_updates: config.num_updates(),
        anneal: Run::annealing(config),
        gamma: config.gamma as f32,
        learning_rate: learning_rate as f32,
        ..Run::default()
    }
    .decaying(config, config.optimizer);
    run.set_slicing(slicing(kernels, config.batch_size), kernels, kernels.parameters.span([0]));
    run
}

fn replay(config: &Config, env: &Environment, critic: &Run) -> ReplaySettings {
    let space = &env.spec().action_space;
    let entropy = if space.is_box() { -f64::from(space.words()) } else { f64::from(space.choices()).ln() };
    ReplaySettings {
        capacity: config.buffer_size,
        worlds: config.num_envs,
        batch_size: config.batch_size,
        n_steps: config.n_steps,
        bootstrap: config.bootstrap_truncated.into(),
        autotune: u32::from(config.algo == Algo::Sac && config.autotune),
        critic_threads: critic.minibatch_threads,
        staged: 0,
        gamma: config.gamma as f32,
        policy_noise: config.policy_noise as f32,
        noise_clip: config.noise_clip as f32,
        exploration_noise: config.exploration_noise as f32,
        ou_theta: config.ou_theta as f32,
        ou_dt: config.ou_dt as f32,
        target_entropy: (config.target_entropy_scale * entropy) as f32,
        alpha_rate: config.value_learning_rate as f32,
        critic_rate: config.value_learning_rate as f32,
        first_temperature: config.gumbel_temperature as f32,
        last_temperature: config.gumbel_temperature_final as f32,
    }
}

/// One or more independent agents that learn from rings of transitions, each with its own seed, worlds and parameters.
#[derive(Debug)]
pub struct OffPolicy {
    /// Where parameters lie: the actor's, then each critic's.
    pub layout: Parameters,
    /// The actors.
    pub actor: Agents,
    /// The critics, `[agent][critic]`.
    pub critic: Agents,
    /// What follows them.
    pub targets: Targets,
    /// The transitions.
    pub ring: ReplayBuffer,
    /// The stage that fills it.
    pub worlds: Interact,
    /// The minibatch that was drawn last.
    pub minibatch: Minibatch,
    /// The stage of the critics' step.
    pub critics: Critics,
    /// The stage of the actor's step.
    pub actors: Actors,
    /// Whole episodes under the current parameters.
    pub evaluation: Evaluation,
    /// `[update % RING][agent]`
    pub metrics: Buffer<Metrics>,
    draw: Recording,
    step: Step,
    finish: Recording,
    update: Recording,
    kept: Vec<Kept>,
}

impl OffPolicy {
    /// Agents with these seeds, on a device. The seed in `config` is not used.
    pub fn new(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        let mut plan = Plan::new(Target::of(gpu));
        let mut agents = Self::plan(&mut plan, env, config, seeds)?;
        agents.kept = plan.build(gpu)?;
        Ok(agents)
    }

    /// Agents with these seeds, as parts of a plan.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] where something cannot be, [`crate::Error::TooLarge`] where a buffer is more than the target can
    /// bind.
    pub fn plan(plan: &mut Plan, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Self> {
        Config::check_each(std::slice::from_ref(config), seeds.len(), env)?;
        let (config, block) = &config.share(plan.target().rank)?;
        let count = seeds.len() as u32;
        let form = form(plan.target(), config);
        let layout = networks(config, env);
        let shapes = Shapes::new(config, env);
        let kernels = kernels(config, env, &shapes, form, count, *block);

        let (actor, critic) = first_agents(plan, config, &kernels, &layout, seeds)?;
        let follows = config.algo != Algo::Sac;
        let temperature = first_temperature(plan, config, &actor)?;
        let critics = 1..1 + kernels.critics as usize;
        let targets = Targets {
            actor: follows.then(|| target(plan, "target actor", &layout, seeds, 0..1)).transpose()?,
            critic: target(plan, "target critics", &layout, seeds, critics)?,
        };
        let settings = replay(config, env, &critic.run);
        let ring = ReplayBuffer::new(plan, &kernels, count, [config.buffer_size, config.num_envs])?;
        let worlds = Interact::new(plan, &kernels, env, &actor, &ring, settings, config.warm_up_steps())?;
        let minibatch = Minibatch::new(plan, &kernels, count, config.batch_size)?;
        let draw = minibatch.draw(plan, &kernels, &actor, &ring, &worlds.explorers, settings)?;
        let replayed = GradientSteps {
            kernels: &kernels,
            actor: &actor,
            critic: &critic,
            targets: &targets,
            minibatch: &minibatch,
            temperature: &temperature,
            settings,
            tau: config.tau as f32,
            optimizer: config.optimizer,
        };
        let critics = Critics::new(plan, &replayed)?;
        let actors = Actors::new(plan, &replayed)?;
        let step = Step::new(plan, &replayed)?;
        for (name, buffer) in [
            ("actor", &actor.parameters),
            ("critics", &critic.parameters),
            ("target critics", &targets.critic),
            ("optimizer of the actor", &actors.learned.state),
            ("optimizer of the critics", &critics.learned.state),
        ] {
            plan.keep(name, buffer);
        }
        if let Some(actor) = &targets.actor {
            plan.keep("target actor", actor);
        }
        plan.keep("progress of the actor", &actor.progress);
        plan.keep("progress of the critics", &critic.progress);
        plan.keep("temperature", &temperature);
        let evaluation = Evaluation::new(plan, &kernels.actor, env, ACTOR, &actor, config.eval_episodes, false)?;
        let axes = [("updates", RING.into()), ("agents", count.into())];
        let metrics = plan.buffer("metrics", &axes, "the number of agents")?;
        let mut finish = Recording::default();
        worlds.record_episodes(&mut finish);
        let buffers = actor
            .buffers()
            .with("mw_temperature", &temperature)
            .with("mw_replay", &plan.uniform("replay", &settings))
            .with("mw_terms", &actors.learned.terms)
            .with("mw_critic_terms", &critics.learned.terms)
            .with("mw_episode_sums", worlds.episode_sums())
            .with("mw_world", &worlds.worlds)
            .with("mw_metrics", &metrics);
        let threads = actor.run.minibatch_threads.max(settings.critic_threads);
        let turns = u64::from(2 * threads.max(config.num_envs) / form.workgroup) + 2;
        let kernel = plan.kernel(kernels.finish_block()?);
        finish.push(&plan.pass(kernel, count, 1, turns, &buffers));
        finish.extend(&schedule(plan, &kernels, &actor, &critic, settings)?);
        if !plan.target().rank.is_alone() && config.sync == SyncEvery::Update {
            let mut parts: Vec<Exchanged> =
                [&actor, &critic].map(|of| Exchanged::whole(&of.parameters, Joined::Mean)).into();
            parts.extend(targets.actor.iter().chain([&targets.critic]).map(|of| Exchanged::whole(of, Joined::Mean)));
            parts.extend([&actors.learned.state, &critics.learned.state].map(|of| Exchanged::whole(of, Joined::Mean)));
            parts.push(Exchanged::whole(&temperature, Joined::Mean));
            finish.exchange(Exchange::new(parts));
        }

        let mut agents = Self {
            layout: layout.clone(),
            actor,
            critic,
            targets,
            ring,
            worlds,
            minibatch,
            critics,
            actors,
            evaluation,
            metrics,
            draw,
            step,
            finish,
            update: Recording::default(),
            kept: Vec::new(),
        };
        if plan.target().records {
            agents.update = steps::record(&agents, config);
        }
        Ok(agents)
    }

    /// First states of all worlds, and their steps with random actions; once, before the first update.
    pub fn begin(&self, gpu: &Gpu) -> Result<()> {
        gpu.submit(self.worlds.reset())?;
        gpu.submit(self.worlds.random())
    }

    /// Every buffer that a run needs to go on.
    pub(in crate::algo) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Fills an empty ring with as many transitions as the first gradient step wants, made by the actor.
    pub(in crate::algo) fn refill(&self, gpu: &Gpu, config: &Config) -> Result<u64> {
        self.worlds.empty_ring(gpu);
        let mut step = Recording::default();
        self.worlds.record(&mut step, true);
        let steps = config.warm_up_steps().max(config.batch_size.div_ceil(config.num_envs));
        (0..steps).try_for_each(|_| gpu.submit(&step))?;
        Ok(u64::from(steps) * u64::from(config.num_envs))
    }

    /// Schedules of the update that comes next: for a run that goes on with another number of them.
    pub(in crate::algo) fn reschedule(&self, gpu: &Gpu, env: &Environment, config: &Config) -> Result<()> {
        let mut plan = Plan::new(Target::of(gpu));
        let shapes = Shapes::new(config, env);
        let form = form(plan.target(), config);
        let kernels = kernels(config, env, &shapes, form, self.actor.count, Block::ALL);
        let settings = replay(config, env, &self.critic.run);
        let passes = schedule(&mut plan, &kernels, &self.actor, &self.critic, settings)?;
        plan.build(gpu)?;
        gpu.submit(&passes)
    }

    /// The passes of an update; the same for every update.
    pub fn update(&self) -> &Recording {
        &self.update
    }

    /// One agent, which can do nothing but fill its ring and update: for measurements.
    pub fn update_only(gpu: &Gpu, env: &Environment, config: &Config, seed: u32) -> Result<Self> {
        let mut plan = Plan::new(Target::of(gpu));
        let agents = Self::plan(&mut plan, env, config, &[seed])?;
        plan.only(&[agents.worlds.reset(), agents.worlds.random(), agents.update()]);
        plan.build(gpu)?;
        agents.begin(gpu)?;
        Ok(agents)
    }

    /// The passes of an update with as many steps as `config` has: for measurements.
    pub fn update_of(&self, config: &Config) -> Recording {
        steps::record(self, config)
    }

    /// The gradient steps of an update alone: for measurements.
    pub fn gradient_steps_only(&self, config: &Config) -> Recording {
        let mut recording = Recording::default();
        for n in 1..=config.update_gradient_steps() {
            steps::gradient_step(self, &mut recording, n.is_multiple_of(config.policy_frequency.into()));
        }
        recording
    }

    /// The steps of worlds of an update alone, without the actor's forward pass: for measurements.
    pub fn worlds_only(&self, config: &Config) -> Recording {
        let mut recording = Recording::default();
        for n in 0..config.num_steps {
            self.worlds.record_step(&mut recording, n == 0);
        }
        recording
    }

    /// One step of every world.
    pub(in crate::algo) fn interact(&self, update: &mut Recording, first: bool) {
        self.worlds.record(update, first);
    }

    /// A minibatch of transitions.
    pub(in crate::algo) fn draw(&self, update: &mut Recording) {
        update.extend(&self.draw);
    }

    /// A step of the critics; their targets follow if `following`.
    pub(in crate::algo) fn learn_critics(&self, update: &mut Recording, following: bool) {
        self.critics.record(update, following);
    }

    /// A step of the actor; its target follows.
    pub(in crate::algo) fn learn_actor(&self, update: &mut Recording) {
        self.actors.record(update);
    }

    /// The end of a gradient step.
    pub(in crate::algo) fn end_step(&self, update: &mut Recording, acted: bool) {
        self.step.record(update, acted);
    }

    /// The end of an update.
    pub(in crate::algo) fn finish(&self, update: &mut Recording) {
        update.extend(&self.finish);
    }
}

/// Schedules of the update that comes next.
fn schedule(
    plan: &mut Plan,
    kernels: &OffPolicyKernels,
    actor: &Agents,
    critic: &Agents,
    settings: ReplaySettings,
) -> Result<Recording> {
    let buffers = actor
        .buffers()
        .with("mw_critic_progress", &critic.progress)
        .with("mw_replay", &plan.uniform("replay", &settings));
    let kernel = plan.kernel(kernels.schedule_block()?);
    let mut passes = Recording::default();
    passes.push(&plan.pass(kernel, actor.count, 1, 0, &buffers));
    Ok(passes)
}

/// Temperatures α at the start. Deterministic actions have no entropy.
fn first_temperature(plan: &mut Plan, config: &Config, actor: &Agents) -> Result<Buffer<Scalar>> {
    let alpha = if config.algo == Algo::Sac { config.alpha } else { config.ent_coef };
    let first = Scalar {
        value: alpha as f32,
        log: config.alpha.ln() as f32,
        // the first step is Adam's t = 1
        correction1: actor.run.decay1,
        correction2: actor.run.decay2,
        ..Scalar::default()
    };
    let count = actor.count as usize;
    plan.filled("temperature", &[("agents", actor.count.into())], "the number of agents", move || vec![first; count])
}

/// Actors and critics at the start.
fn first_agents(
    plan: &mut Plan,
    config: &Config,
    kernels: &OffPolicyKernels,
    layout: &Parameters,
    seeds: &[u32],
) -> Result<(Agents, Agents)> {
    let critics = kernels.critics as usize;
    let mut agents = |kernels: &Kernels, rate: f64, seeds_of: &[u32], networks: std::ops::Range<usize>| {
        let run = run(config, kernels, rate);
        let first = Progress {
            // the first step is Adam's t = 1
            correction1: run.decay1,
            correction2: run.decay2,
            gumbel_temperature: config.gumbel_temperature as f32,
            ..Progress::default()
        };
        let parameters = first_words(layout, seeds, networks);
        Agents::new(plan, run, seeds_of, kernels.parameters.words(), parameters, first)
    };
    let mut actor = agents(&kernels.actor, config.learning_rate, seeds, 0..1)?;
    let critic_seeds: Vec<u32> = seeds.iter().flat_map(|&seed| std::iter::repeat_n(seed, critics)).collect();
    let mut critic = agents(&kernels.critic, config.value_learning_rate, &critic_seeds, 1..1 + critics)?;
    actor.share_faults(plan, &mut critic)?;
    Ok((actor, critic))
}

/// What makes the first parameters of some neighbouring networks, agent by agent.
fn first_words(
    layout: &Parameters,
    seeds: &[u32],
    networks: std::ops::Range<usize>,
) -> impl Fn() -> Vec<f32> + Send + Sync + 'static {
    let span = layout.span(networks);
    let words = 4 * span.first as usize..4 * (span.first + span.count) as usize;
    let (layout, seeds) = (layout.clone(), seeds.to_vec());
    move || seeds.iter().flat_map(|&seed| layout.initial(seed, &HEAD_GAINS)[words.clone()].to_vec()).collect()
}

/// Targets begin where those that they follow do.
fn target(
    plan: &mut Plan,
    label: &'static str,
    layout: &Parameters,
    seeds: &[u32],
    networks: std::ops::Range<usize>,
) -> Result<Buffer<f32>> {
    let words = 4 * u64::from(layout.span(networks.clone()).count);
    let axes = [("agents", seeds.len() as u64), ("parameters", words)];
    plan.parameters(label, &axes, first_words(layout, seeds, networks))
}
