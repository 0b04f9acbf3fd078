//! Gradient steps of critics and actors on a minibatch of transitions.

use super::{Differentiated, Gradients, Layered, Minibatch, Slicing, forward};
use crate::batch::Agents;
use crate::error::Result;
use crate::gpu::{Buffer, Buffers, Exchange, Exchanged, Joined, Recording};
use crate::kernels::{Kernels, OffPolicyKernels, Optimizer, ROW_LOG_PROB};
use crate::layout::{Columns, ReplaySettings, SampleRange, Scalar, TargetUpdate};
use crate::plan::Plan;
use crate::shader::Program;

/// Parameters that follow those that learn, each in the same places.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Of the actor, `[agent][word]`; none where next actions are the actor's own.
    pub actor: Option<Buffer<f32>>,
    /// Of the critics, `[agent][critic][word]`.
    pub critic: Buffer<f32>,
}

/// What learns by gradient steps on minibatches, and from what: what all stages here are made from.
#[derive(Clone, Copy, Debug)]
pub struct GradientSteps<'a> {
    /// The kernels.
    pub kernels: &'a OffPolicyKernels<'a>,
    /// The actors.
    pub actor: &'a Agents,
    /// The critics, which are agents to their kernels: `[agent][critic]`.
    pub critic: &'a Agents,
    /// What follows them.
    pub targets: &'a Targets,
    /// The minibatch.
    pub minibatch: &'a Minibatch,
    /// Temperature α of the actors, `[agent]`; 0 where there is no bonus for entropy.
    pub temperature: &'a Buffer<Scalar>,
    /// Settings.
    pub settings: ReplaySettings,
    /// Share τ of the way that targets go.
    pub tau: f32,
    /// What makes a step of a gradient.
    pub optimizer: Optimizer,
}

impl GradientSteps<'_> {
    /// Actions in some of the columns: before the step in the first half of them, after it in the second.
    fn choose(&self, plan: &mut Plan, parameters: &Buffer<f32>, columns: std::ops::Range<u32>) -> Result<Recording> {
        let columns = Columns { first: columns.start, count: columns.end, ..Columns::default() };
        let buffers = self
            .actor
            .buffers()
            .and(&self.minibatch.buffers())
            .with("mw_temperature", self.temperature)
            .with("mw_replay", &plan.uniform("replay", &self.settings))
            .instead("mw_parameters", parameters);
        let passed = self.kernels.choose()?;
        forward(plan, &self.kernels.actor, &passed, 0, self.actor.count, columns, &buffers)
    }
}

/// How the minibatch of a network is divided into slices.
pub fn slicing(kernels: &Kernels, batch_size: u32) -> Slicing {
    Slicing::new(batch_size, kernels.agents, kernels.parameters, kernels)
}

/// Parameters that learn, their optimiser and their last gradient.
#[derive(Clone, Debug)]
pub struct Learned {
    recording: Recording,
    following: Recording,
    /// Sums that the objective has left, `[agent][term][invocation of the minibatch]`.
    pub terms: Buffer<f32>,
    /// The last gradient, `[agent][word]`.
    pub gradient: Buffer<f32>,
    /// What the optimiser keeps of earlier gradients, `[agent][m, v][word]`.
    pub state: Buffer<f32>,
}

impl Learned {
    fn new(
        plan: &mut Plan,
        of: &GradientSteps,
        kernels: &Kernels,
        agents: &Agents,
        (gradient, sight): (Program, Option<Program>),
        target: Option<&Buffer<f32>>,
        buffers: &Buffers,
    ) -> Result<Self> {
        let count = agents.count;
        let weights = (!kernels.summed()).then(|| kernels.weight_gradient(0, crate::kernels::Objective::Value));
        let layers = sight.map(|observe| Layered { observe, tangents: false, slopes: None });
        let network = Differentiated { network: 0, gradient, weights: weights.transpose()?, networks: 1, layers };
        let slicing = slicing(kernels, of.settings.batch_size);
        let gradients = Gradients::new(plan, kernels, &agents.run, [count, 1], buffers, slicing, &[network])?;

        let agent = ("agents", u64::from(count));
        let words = ("parameters", u64::from(kernels.parameters.learned()));
        let gradient: Buffer<f32> = plan.buffer("gradient", &[agent, words], "hidden")?;
        let state: Buffer<f32> = plan.buffer("optimizer", &[agent, ("moments", 2), words], "hidden")?;
        let sums: Buffer<f32> = plan.buffer("sums", &[agent, ("words", agents.run.sums().into())], "hidden")?;
        let none = plan.buffer("no target", &[], "nothing")?;
        let span = kernels.parameters.span([0]);
        let sum = plan.kernel(kernels.sum_earlier_slices(span)?);
        let learn = plan.kernel(OffPolicyKernels::descend_following(kernels, of.optimizer, agents.faults_first)?);
        let mut step = |tau: f32| {
            let following = TargetUpdate { tau, actor: 0 };
            let buffers = agents
                .buffers()
                .with("mw_gradient", &gradient)
                .with("mw_past", &state)
                .with("mw_sums", &sums)
                .with("mw_target", target.unwrap_or(&none))
                .with("mw_target_update", &plan.uniform("following", &following));
            if plan.target().rank.is_alone() || !kernels.in_step {
                return gradients.summed(plan, count, [sum, learn].map(|kernel| (kernel, span.count)), &buffers);
            }
            // the step follows the mean over ranks, behind which there are no slices
            let mut recording = gradients.summed(plan, count, [(sum, span.count); 2], &buffers);
            recording.exchange(Exchange::new(vec![Exchanged::whole(&gradient, Joined::Mean)]));
            let nothing = SampleRange { first: agents.run.minibatch_size, count: 0, rows: 1, slices: 1 };
            let buffers = buffers
                .with("mw_partial", &gradients.partial)
                .with("mw_sample_range", &plan.uniform("behind the last window", &nothing));
            recording.push(&plan.pass(learn, count, span.count.into(), 1, &buffers));
            recording
        };
        let recording = step(0.0);
        let following = step(if target.is_some() { of.tau } else { 0.0 });
        Ok(Self { recording, following, terms: gradients.terms, gradient, state })
    }

    fn record(&self, update: &mut Recording, following: bool) {
        update.extend(if following { &self.following } else { &self.recording });
    }
}

/// The critics' step: what the next observation is worth, the gradient of the squared temporal difference, new parameters.
#[derive(Clone, Debug)]
pub struct Critics {
    /// The action where transitions end.
    next: Recording,
    /// Where they begin as well: where next actions are the actor's own, both are chosen at once.
    both: Option<Recording>,
    judge: Recording,
    /// The critics.
    pub learned: Learned,
    /// Q' of the next action, `[agent][critic][sample]`.
    pub next_values: Buffer<f32>,
}

impl Critics {
    /// The stage of these agents.
    pub fn new(plan: &mut Plan, of: &GradientSteps) -> Result<Self> {
        let GradientSteps { kernels, actor, critic, targets, minibatch, settings, .. } = *of;
        let size = settings.batch_size;
        let axes = [("critics", critic.count.into()), ("batch_size", size.into())];
        let next_values = plan.buffer("next values", &axes, "batch_size")?;
        let next = of.choose(plan, targets.actor.as_ref().unwrap_or(&actor.parameters), size..2 * size)?;
        let both = if targets.actor.is_none() { Some(of.choose(plan, &actor.parameters, 0..2 * size)?) } else { None };
        let columns = Columns { count: size, stride: size, ..Columns::default() };
        let mut judge = Recording::default();
        let buffers = critic.buffers().and(&minibatch.buffers()).with("mw_values", &next_values);
        let buffers = buffers.instead("mw_parameters", &targets.critic);
        let passed = kernels.next_value()?;
        judge.extend(&forward(plan, &kernels.critic, &passed, 0, critic.count, columns, &buffers)?);

        let buffers = critic.buffers().and(&minibatch.buffers()).with("mw_next_values", &next_values);
        let gradient = (kernels.critic_gradient()?, kernels.critic_sight()?);
        let learned = Learned::new(plan, of, &kernels.critic, critic, gradient, Some(&targets.critic), &buffers)?;
        Ok(Self { next, both, judge, learned, next_values })
    }

    /// Adds the stage; targets follow if `following`, and then the actor's step comes next.
    pub fn record(&self, update: &mut Recording, following: bool) {
        update.extend(self.both.as_ref().filter(|_| following).unwrap_or(&self.next));
        update.extend(&self.judge);
        self.learned.record(update, following);
    }
}

/// The actor's step: its action, what critics say of that, the gradient, new parameters.
#[derive(Clone, Debug)]
pub struct Actors {
    judge: Recording,
    /// The actors.
    pub learned: Learned,
    /// Q of the actor's action and its slopes by it, `[agent][critic][1 + number][sample]`.
    pub slopes: Buffer<f32>,
}

impl Actors {
    /// The stage of these agents.
    pub fn new(plan: &mut Plan, of: &GradientSteps) -> Result<Self> {
        let GradientSteps { kernels, actor, critic, targets, minibatch, settings, .. } = *of;
        let size = settings.batch_size;
        let rows = ("rows", kernels.slope_rows().into());
        let axes = [("critics", critic.count.into()), rows, ("batch_size", size.into())];
        let slopes = plan.buffer("slopes", &axes, "batch_size")?;
        let buffers = actor.buffers().and(&minibatch.buffers());
        let mut judge = Recording::default();
        if targets.actor.is_some() {
            judge.extend(&of.choose(plan, &actor.parameters, 0..size)?);
        }
        let layers =
            kernels.slopes_sight()?.map(|(observe, slopes)| Layered { observe, tangents: false, slopes: Some(slopes) });
        let network = Differentiated { network: 0, gradient: kernels.slopes()?, weights: None, networks: 1, layers };
        let seen = critic.buffers().and(&minibatch.buffers()).with("mw_slopes", &slopes);
        let (step, slicing) = (kernels.critics / kernels.guides, slicing(&kernels.critic, size));
        Gradients::new(plan, &kernels.critic, &critic.run, [critic.count, step], &seen, slicing, &[network])?
            .record(&mut judge);

        let buffers = buffers.with("mw_slopes", &slopes).with("mw_temperature", of.temperature);
        let gradient = (kernels.actor_gradient()?, kernels.actor_sight()?);
        let learned = Learned::new(plan, of, &kernels.actor, actor, gradient, targets.actor.as_ref(), &buffers)?;
        Ok(Self { judge, learned, slopes })
    }

    /// Adds the stage; a target follows.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.judge);
        self.learned.record(update, true);
    }
}

/// The end of a gradient step.
#[derive(Clone, Debug)]
pub struct Step {
    critic: Recording,
    both: Recording,
}

impl Step {
    /// The stage of these agents.
    pub fn new(plan: &mut Plan, of: &GradientSteps) -> Result<Self> {
        let GradientSteps { kernels, actor, critic, minibatch, settings, .. } = *of;
        let alone = plan.target().rank.is_alone() || !kernels.actor.in_step;
        let kernel = plan.kernel(kernels.finish_step()?);
        let replay = plan.uniform("replay", &settings);
        let mut pass = |acted: u32| {
            let buffers = actor
                .buffers()
                .and(&minibatch.buffers())
                .with("mw_critic_progress", &critic.progress)
                .with("mw_temperature", of.temperature)
                .with("mw_replay", &replay)
                .with("mw_target_update", &plan.uniform("following", &TargetUpdate { tau: of.tau, actor: acted }));
            let turns = u64::from(settings.batch_size / kernels.actor.form.workgroup) + 1;
            let mut recording = Recording::default();
            if acted == 1 && !alone && settings.autotune != 0 {
                // α follows the mean of these numbers, and nobody else reads them any more
                let size = u64::from(settings.batch_size);
                let row = size * u64::from(ROW_LOG_PROB)..size * u64::from(ROW_LOG_PROB + 1);
                let means = Exchanged::of_agents(&minibatch.drawn, Joined::Mean, row, actor.count);
                recording.exchange(Exchange::new(vec![means]));
            }
            recording.extend(&super::one_workgroup(plan, kernel, actor.count, turns, &buffers));
            recording
        };
        Ok(Self { critic: pass(0), both: pass(1) })
    }

    /// Adds the stage; `acted`: the actor took a step too.
    pub fn record(&self, update: &mut Recording, acted: bool) {
        update.extend(if acted { &self.both } else { &self.critic });
    }
}
