//! What algorithms that learn from a ring of transitions are made of: agents, networks, stages, made once.

use super::networks::{ACTOR, HEAD_GAINS, networks, replay_widths};
use super::off_policy;
use super::setup::RING;
use crate::batch::{Agents, Sizes};
use crate::config::{ActionNoise, Algo, Config};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Form, Gpu, Link, Recording, Share};
use crate::kernels::{Kernels, Noise, Objective, OffPolicyKernels, Reduction};
use crate::layout::{Metrics, Progress, Replay, Run};
use crate::nn::Parameters;
use crate::stage::{
    Actors, Critics, Evaluation, Interact, Learned, Minibatch, Replayed, Ring, Rollout, Step, Targets, slicing,
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
) -> OffPolicyKernels<'a> {
    let [twins, judges] = config.algo.critics();
    let one = |parameters, agents| Kernels {
        form,
        parameters,
        space: &env.spec().action_space,
        exploration: config.exploration(env),
        keeps: false,
        agents,
    };
    OffPolicyKernels {
        actor: one(&shapes.actor, agents),
        critic: one(&shapes.critic, agents * twins),
        decision: off_policy::decision(config, env),
        noise: Noise::Relative,
        twins,
        judges,
        process: config.action_noise == ActionNoise::OrnsteinUhlenbeck,
    }
}

/// The form for small minibatches: on a processor a workgroup is what one core does at a time, so it is a subgroup.
fn form(gpu: &Gpu, config: &Config) -> Form {
    let form = gpu.form_for(config.work());
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
        ring: RING,
        num_updates: config.num_updates(),
        anneal_lr: config.anneal_lr.into(),
        gamma: config.gamma as f32,
        learning_rate: learning_rate as f32,
        ..Run::default()
    }
    .decaying(config, config.optimizer);
    run.set_slicing(slicing(kernels, config.batch_size), kernels, kernels.parameters.span([0]));
    run
}

fn replay(config: &Config, env: &Environment, critic: &Run) -> Replay {
    let space = &env.spec().action_space;
    let entropy = if space.is_box() { -f64::from(space.words()) } else { f64::from(space.choices()).ln() };
    Replay {
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

/// Sizes of the large buffers of a run.
pub(super) fn sizes(config: &Config, env: &Environment, agents: u32, form: Form) -> Sizes {
    let shapes = Shapes::new(config, env);
    let kernels = kernels(config, env, &shapes, form, agents);
    let mut sizes = Sizes::default();
    Interact::sizes(&mut sizes, agents, config.num_envs, env);
    Rollout::sizes(&mut sizes, agents, config.eval_episodes, env, &kernels.actor, ACTOR);
    Ring::sizes(&mut sizes, agents, config.buffer_size, &kernels);
    Learned::sizes(&mut sizes, &kernels.actor, config.batch_size);
    Learned::sizes(&mut sizes, &kernels.critic, config.batch_size);
    sizes
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
    pub ring: Ring,
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
}

impl OffPolicy {
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
        let form = form(gpu, config);
        sizes(config, env, count, form).check(gpu)?;
        let layout = networks(config, env);
        let shapes = Shapes::new(config, env);
        let kernels = kernels(config, env, &shapes, form, count);
        gpu.compile(&links(&kernels, env, config))?;

        let (actor, critic) = first_agents(gpu, config, &kernels, &layout, seeds)?;
        let targets = Targets {
            actor: (config.algo != Algo::Sac).then(|| target(gpu, "target actor", &layout, seeds, 0..1)).transpose()?,
            critic: target(gpu, "target critics", &layout, seeds, 1..1 + kernels.twins as usize)?,
        };
        let settings = replay(config, env, &critic.run);
        let ring = Ring::new(gpu, &kernels, count, config.buffer_size)?;
        let worlds = Interact::new(gpu, &kernels, env, &actor, &ring, settings, config.warm_up_steps())?;
        let minibatch = Minibatch::new(gpu, &kernels, count, config.batch_size)?;
        let draw = minibatch.draw(gpu, &kernels, &actor, &ring, &worlds.explorers, settings)?;
        let replayed = Replayed {
            gpu,
            kernels: &kernels,
            actor: &actor,
            critic: &critic,
            targets: &targets,
            minibatch: &minibatch,
            settings,
            tau: config.tau as f32,
            optimizer: config.optimizer,
        };
        let (critics, actors, step) = (Critics::new(&replayed)?, Actors::new(&replayed)?, Step::new(&replayed)?);
        let evaluation = Evaluation::new(gpu, &kernels.actor, env, ACTOR, &actor, config.eval_episodes, false)?;
        let metrics = gpu.buffer("metrics", u64::from(RING) * u64::from(count), "updates × agents", "agents")?;
        let mut finish = Recording::default();
        worlds.record_episodes(&mut finish);
        let buffers = actor
            .buffers()
            .with("mw_critic_progress", &critic.progress)
            .with("mw_replay", &gpu.uniform("replay", &settings)?)
            .with("mw_terms", &actors.learned.terms)
            .with("mw_critic_terms", &critics.learned.terms)
            .with("mw_episode_sums", worlds.episode_sums())
            .with("mw_world", &worlds.worlds)
            .with("mw_metrics", &metrics);
        let threads = actor.run.minibatch_threads.max(settings.critic_threads);
        let turns = u64::from(2 * threads.max(config.num_envs) / form.workgroup) + 2;
        finish.push(&gpu.kernel(&kernels.finish_block()?)?.pass(gpu, count, 1, turns, &buffers)?);

        let update = Recording::default();
        let layout = layout.clone();
        let mut agents = Self {
            layout,
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
            update,
        };
        agents.update = off_policy::record(&agents, config);
        Ok(agents)
    }

    /// First states of all worlds, and their steps with random actions; once, before the first update.
    ///
    /// # Errors
    /// As [`Gpu::submit`].
    pub fn begin(&self, gpu: &Gpu) -> Result<()> {
        gpu.submit(self.worlds.reset())?;
        gpu.submit(self.worlds.random())
    }

    /// Every buffer that a run needs to go on, by name; those of the transitions where `ring` is set.
    pub(super) fn state(&self, ring: bool) -> Vec<(String, &wgpu::Buffer)> {
        let mut buffers = vec![
            ("actor", self.actor.parameters.raw()),
            ("critics", self.critic.parameters.raw()),
            ("target critics", self.targets.critic.raw()),
            ("optimizer of the actor", self.actors.learned.state.raw()),
            ("optimizer of the critics", self.critics.learned.state.raw()),
            ("progress of the actor", self.actor.progress.raw()),
            ("progress of the critics", self.critic.progress.raw()),
            ("worlds", self.worlds.worlds.raw()),
            ("explorers", self.worlds.explorers.raw()),
            ("observations", self.worlds.current.raw()),
        ];
        buffers.extend(self.targets.actor.as_ref().map(|actor| ("target actor", actor.raw())));
        let mut named: Vec<_> = buffers.into_iter().map(|(name, buffer)| (name.to_owned(), buffer)).collect();
        if ring {
            named.push(("ring".to_owned(), self.ring.steps.raw()));
            for (n, part) in self.ring.parts.iter().enumerate() {
                named.push((format!("ring of observations {n}"), part.before.raw()));
                named.push((format!("ring of next observations {n}"), part.after.raw()));
            }
        }
        named
    }

    /// Fills an empty ring with as many transitions as the first gradient step wants, made by the actor.
    ///
    /// # Errors
    /// As [`Gpu::submit`].
    pub(super) fn refill(&self, gpu: &Gpu, config: &Config) -> Result<()> {
        self.worlds.empty_ring(gpu);
        let mut step = Recording::default();
        self.worlds.record(&mut step, true);
        let steps = config.warm_up_steps().max(config.batch_size.div_ceil(config.num_envs));
        (0..steps).try_for_each(|_| gpu.submit(&step))
    }

    /// Schedules of the update that comes next: for a run that goes on with another number of them.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::submit`].
    pub(super) fn reschedule(&self, gpu: &Gpu, env: &Environment, config: &Config) -> Result<()> {
        let shapes = Shapes::new(config, env);
        let kernels = kernels(config, env, &shapes, form(gpu, config), self.actor.count);
        let settings = replay(config, env, &self.critic.run);
        let buffers = self
            .actor
            .buffers()
            .with("mw_critic_progress", &self.critic.progress)
            .with("mw_replay", &gpu.uniform("replay", &settings)?);
        let kernel = gpu.kernel(&kernels.reschedule_block()?)?;
        let mut passes = Recording::default();
        passes.push(&kernel.pass(gpu, self.actor.count, 1, 0, &buffers)?);
        gpu.submit(&passes)
    }

    /// The passes of an update; the same for every update.
    pub fn update(&self) -> &Recording {
        &self.update
    }

    /// The gradient steps of an update alone: for measurements.
    pub fn gradient_steps_only(&self, config: &Config) -> Recording {
        let mut recording = Recording::default();
        for n in 1..=config.update_gradient_steps() {
            off_policy::gradient_step(self, &mut recording, n.is_multiple_of(config.policy_frequency.into()));
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
    pub(super) fn interact(&self, update: &mut Recording, first: bool) {
        self.worlds.record(update, first);
    }

    /// A minibatch of transitions.
    pub(super) fn draw(&self, update: &mut Recording) {
        update.extend(&self.draw);
    }

    /// A step of the critics; their targets follow if `following`.
    pub(super) fn learn_critics(&self, update: &mut Recording, following: bool) {
        self.critics.record(update, following);
    }

    /// A step of the actor; its target follows.
    pub(super) fn learn_actor(&self, update: &mut Recording) {
        self.actors.record(update);
    }

    /// The end of a gradient step.
    pub(super) fn end_step(&self, update: &mut Recording, acted: bool) {
        self.step.record(update, acted);
    }

    /// The end of an update.
    pub(super) fn finish(&self, update: &mut Recording) {
        update.extend(&self.finish);
    }
}

/// Actors and critics at the start.
fn first_agents(
    gpu: &Gpu,
    config: &Config,
    kernels: &OffPolicyKernels,
    layout: &Parameters,
    seeds: &[u32],
) -> Result<(Agents, Agents)> {
    let twins = kernels.twins as usize;
    let actor_run = run(config, &kernels.actor, config.learning_rate);
    let critic_run = run(config, &kernels.critic, config.value_learning_rate);
    let mut actor = Agents::new(gpu, actor_run, seeds, &first_words(layout, seeds, 0..1), 0.0)?;
    let critic_seeds: Vec<u32> = seeds.iter().flat_map(|&seed| std::iter::repeat_n(seed, twins)).collect();
    let mut critic = Agents::new(gpu, critic_run, &critic_seeds, &first_words(layout, seeds, 1..1 + twins), 0.0)?;
    // deterministic actions have no entropy
    let alpha = if config.algo == Algo::Sac { config.alpha } else { config.ent_coef };
    actor.share_faults(gpu, &mut critic)?;
    for agents in [&actor, &critic] {
        let run = &agents.run;
        // the first step is Adam's t = 1
        let first = |seed: u32| Progress {
            seed,
            learning_rate: run.learning_rate,
            correction1: run.decay1,
            correction2: run.decay2,
            alpha: alpha as f32,
            log_alpha: config.alpha.ln() as f32,
            gumbel_temperature: config.gumbel_temperature as f32,
            ..Progress::default()
        };
        let seeds = if agents.count == actor.count { seeds } else { critic_seeds.as_slice() };
        gpu.write(&agents.progress, &seeds.iter().map(|&seed| first(seed)).collect::<Vec<_>>());
    }
    Ok((actor, critic))
}

/// First parameters of some neighbouring networks, agent by agent.
fn first_words(layout: &Parameters, seeds: &[u32], networks: std::ops::Range<usize>) -> Vec<f32> {
    let span = layout.span(networks);
    let words = 4 * span.first as usize..4 * (span.first + span.count) as usize;
    seeds.iter().flat_map(|&seed| layout.initial(seed, &HEAD_GAINS)[words.clone()].to_vec()).collect()
}

/// Targets begin where those that they follow do.
fn target(
    gpu: &Gpu,
    label: &'static str,
    layout: &Parameters,
    seeds: &[u32],
    networks: std::ops::Range<usize>,
) -> Result<Buffer<f32>> {
    gpu.uniform_or_storage(label, &first_words(layout, seeds, networks))
}

/// Every kernel of a run, the slowest to compile first.
fn links<'a>(kernels: &'a OffPolicyKernels, env: &'a Environment, config: &'a Config) -> Vec<Link<'a>> {
    let (actor, critic) = (&kernels.actor, &kernels.critic);
    let mut links: Vec<Link> = vec![
        Box::new(|| kernels.critic_gradient()),
        Box::new(|| kernels.actor_gradient()),
        Box::new(|| kernels.slopes()),
        Box::new(|| actor.evaluate(env, ACTOR)),
        Box::new(|| kernels.outputs()),
        Box::new(|| kernels.choose()),
        Box::new(|| kernels.next_value()),
        Box::new(|| kernels.interact(env)),
        Box::new(|| kernels.draw()),
        Box::new(|| actor.reset(env)),
        Box::new(|| kernels.finish_step()),
        Box::new(|| kernels.finish_block()),
    ];
    for (kernels, first) in [(actor, 0), (critic, actor.agents)] {
        if !kernels.summed() {
            links.push(Box::new(|| kernels.weight_gradient(0, Objective::Value)));
        }
        links.push(Box::new(|| kernels.sum_slices(kernels.parameters.span([0]))));
        links.push(Box::new(move || OffPolicyKernels::learn(kernels, config.optimizer, first)));
    }
    for reduction in [Reduction::Episodes, Reduction::Sums] {
        links.push(Box::new(move || actor.reduce(reduction)));
    }
    links
}
