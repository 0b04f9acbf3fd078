//! Worlds that are stepped with actions of the caller, planned.

use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Recording};
use crate::kernels::Kernels;
use crate::layout::{self, Progress, STREAM_TRAINING, Worlds};
use crate::plan::Plan;

/// What happens to a world whose episode has ended: the three modes of Gymnasium's vector environments.
///
/// They differ in when a world takes up its next episode, never in the episodes: a world's draws are the same in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoReset {
    /// It begins its next episode at once: the observation is the first of that, the last of the old one is among
    /// [`WorldPool::final_observations`](crate::WorldPool::final_observations).
    #[default]
    SameStep,
    /// It begins its next episode in the step after, which is spent on that: the world's action is ignored, its reward is 0,
    /// it is neither terminated nor truncated, and its observation is the first of the new episode. Other worlds move on.
    /// The last observation of the old episode is that of the step that ended it; [`WorldPool::final_observations`](crate::WorldPool::final_observations) keeps it
    /// for one step more. In a buffer of experience the step of a reset is no transition.
    NextStep,
    /// It stays as it is, and steps on if it is stepped; [`WorldPool::reset_ended`](crate::WorldPool::reset_ended) resets it.
    Disabled,
}

/// How the numbers of worlds lie that a caller gives and gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What is of one kind lies together: observations `[feature][world]`, actions `[component][world]`.
    #[default]
    ByKind,
    /// What is a world's does: observations `[world][feature]`, actions `[world][component]`.
    ByWorld,
}

/// Many worlds of one environment, and the passes that step all of them at a time.
///
/// Observations and actions lie as its [`Order`] says; below that is [`Order::ByKind`].
#[derive(Clone, Debug)]
pub struct Pool {
    /// What holds for every dispatch.
    shape: layout::Pool,
    first: Recording,
    look: Recording,
    step: Recording,
    reset_ended: Recording,
    /// What the next step does, `[component][world]`: numbers of actions, or the bits of `f32`.
    pub actions: Buffer<u32>,
    /// `[feature][world]`
    pub observations: Buffer<f32>,
    /// The observation after the last step, before any reset, `[feature][world]`.
    pub final_observations: Buffer<f32>,
    /// `[world]`
    pub rewards: Buffer<f32>,
    /// How the last step ended, `[world]`: [`TERMINATED`](crate::TERMINATED), [`TRUNCATED`](crate::TRUNCATED), both or
    /// neither, and [`SPUN_OUT`](crate::SPUN_OUT).
    pub endings: Buffer<u32>,
    /// Which actions are allowed next, a bit for each, `[word][world]`: bit b of word w is action 32 w + b, choices one after
    /// the other. A single word where all are allowed always.
    pub masks: Buffer<u32>,
    /// State and accumulators, `[word / 4][world][word % 4]` (`shaders/part/world.wgsl`).
    pub worlds: Buffer<u32>,
    /// The seed of all draws.
    pub(crate) progress: Buffer<Progress>,
}

impl Pool {
    /// `num_envs` worlds with this seed, what becomes of ended ones, and how their numbers lie.
    ///
    /// # Errors
    /// [`Error::Setting`] where `num_envs` is 0, [`Error::TooLarge`] where the target cannot bind a buffer.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        num_envs: u32,
        seed: u32,
        auto_reset: AutoReset,
        order: Order,
    ) -> Result<Self> {
        if num_envs == 0 {
            return Err(Error::setting("num_envs", "0 is not allowed; it must be at least 1"));
        }
        let spec = env.spec();
        let n = u64::from(num_envs);
        let features = u64::from(spec.observation_dim);
        let (worlds, remedy) = (("worlds", n), "num_envs");
        let (features_axis, space) = (("features", features), &spec.action_space);
        let mask_words = u64::from(space.mask_words()).max(1);
        let first = Progress { seed, ..Progress::default() };
        let progress = plan.filled("progress", &[("agents", 1)], "nothing", move || vec![first])?;
        let pool = Self {
            shape: layout::Pool {
                count: num_envs,
                steps: 1,
                first: 0,
                same_step: u32::from(auto_reset == AutoReset::SameStep),
                next_step: u32::from(auto_reset == AutoReset::NextStep),
                by_world: u32::from(order == Order::ByWorld),
            },
            first: Recording::default(),
            look: Recording::default(),
            step: Recording::default(),
            reset_ended: Recording::default(),
            worlds: plan.buffer("worlds", &[("words", env.world_words().into()), worlds], remedy)?,
            observations: plan.buffer("observations", &[features_axis, worlds], remedy)?,
            final_observations: plan.buffer("final observations", &[features_axis, worlds], remedy)?,
            actions: plan.buffer("actions", &[("components", space.words().into()), worlds], remedy)?,
            rewards: plan.buffer("rewards", &[worlds], remedy)?,
            endings: plan.buffer("endings", &[worlds], remedy)?,
            masks: plan.buffer("masks", &[("words", mask_words), worlds], remedy)?,
            progress,
        };
        let buffers = Buffers::default()
            .with("mw_progress", &pool.progress)
            .with("mw_world", &pool.worlds)
            .with("mw_actions", &pool.actions)
            .with("mw_observations", &pool.observations)
            .with("mw_final_observations", &pool.final_observations)
            .with("mw_rewards", &pool.rewards)
            .with("mw_masks", &pool.masks)
            .with("mw_endings", &pool.endings);
        let first = Worlds { count: num_envs, stream: STREAM_TRAINING, ..Worlds::default() };
        let kernel = plan.kernel(kernels.reset(env)?);
        let mut reset = Recording::default();
        let with_worlds = buffers.with("mw_worlds", &plan.uniform("worlds of the reset", &first));
        reset.push(&plan.pass(kernel, 1, n, env.iterations(), &with_worlds));
        let kernel = plan.kernel(kernels.pool(env)?);
        let mut pass = |steps: u32, same_step: u32, next_step: u32| {
            let uniform = plan.uniform("pool", &layout::Pool { steps, same_step, next_step, ..pool.shape });
            let mut recording = Recording::default();
            let iterations = 2 * env.iterations() + 2 * features;
            recording.push(&plan.pass(kernel, 1, n, iterations, &buffers.with("mw_pool", &uniform)));
            recording
        };
        Ok(Self {
            first: reset,
            look: pass(0, 0, 0),
            step: pass(1, pool.shape.same_step, pool.shape.next_step),
            reset_ended: pass(0, 1, 0),
            ..pool
        })
    }

    /// How observations and actions lie.
    pub fn order(&self) -> Order {
        if self.shape.by_world == 0 { Order::ByKind } else { Order::ByWorld }
    }

    /// First states of all worlds, and a look at them; rewards and endings have to be 0 before.
    pub fn begin(&self) -> Recording {
        let mut begin = self.first.clone();
        begin.extend(&self.look);
        begin
    }

    /// A look at the worlds as they are.
    pub fn look(&self) -> &Recording {
        &self.look
    }

    /// A step of every world with the actions that are there.
    pub fn step(&self) -> &Recording {
        &self.step
    }

    /// First states of the next episodes of those worlds whose last step ended one.
    pub fn reset_ended(&self) -> &Recording {
        &self.reset_ended
    }
}

/// Many steps of the worlds of a pool in one submission, with actions that are all there before, and what they leave.
#[derive(Clone, Debug)]
pub struct PoolSteps {
    recording: Recording,
    /// Steps.
    pub steps: u32,
    /// What they do, `[step][component][world]`, or `[step][world][component]` by the pool's order.
    pub actions: Buffer<u32>,
    /// What each leaves; none where sums are kept.
    pub each: Option<EachStep>,
    /// Rewards of each `[step][world]`, or their sums `[world]`.
    pub rewards: Buffer<f32>,
    /// How each ended `[step][world]`, or all endings that there were `[world]`.
    pub endings: Buffer<u32>,
}

/// Observations of many steps.
#[derive(Clone, Debug)]
pub struct EachStep {
    /// `[step][feature][world]`, or `[step][world][feature]` by the pool's order.
    pub observations: Buffer<f32>,
    /// The same before a reset, where a step ended an episode; undefined elsewhere.
    pub final_observations: Buffer<f32>,
}

impl PoolSteps {
    /// `steps` steps of the worlds of `pool`, what each leaves or sums.
    ///
    /// # Errors
    /// [`Error::Setting`] where there are none, [`Error::TooLarge`] where the target cannot bind a buffer.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        pool: &Pool,
        steps: u32,
        each: bool,
    ) -> Result<Self> {
        if steps == 0 {
            return Err(Error::setting("steps", "0 is not allowed; it must be at least 1"));
        }
        let (n, features) = (u64::from(pool.shape.count), u64::from(env.spec().observation_dim));
        let (all, worlds, remedy) = (("steps", u64::from(steps)), ("worlds", n), "num_envs, or the steps of a call");
        let kept = if each { all } else { ("sums", 1) };
        let components = ("components", env.spec().action_space.words().into());
        let mut seen = |name| plan.buffer(name, &[all, ("features", features), worlds], remedy);
        let observed = |seen: &mut dyn FnMut(&'static str) -> Result<Buffer<f32>>| {
            let (observations, final_observations) = (seen("observations")?, seen("final observations")?);
            Ok::<_, Error>(EachStep { observations, final_observations })
        };
        let each = each.then(|| observed(&mut seen)).transpose()?;
        let mut many = Self {
            recording: Recording::default(),
            steps,
            actions: plan.buffer("actions", &[all, components, worlds], remedy)?,
            rewards: plan.buffer("rewards", &[kept, worlds], remedy)?,
            endings: plan.buffer("endings", &[kept, worlds], remedy)?,
            each,
        };
        let mut buffers = Buffers::default()
            .with("mw_progress", &pool.progress)
            .with("mw_world", &pool.worlds)
            .with("mw_actions", &many.actions)
            .with("mw_endings", &pool.endings)
            .with("mw_rewards", &many.rewards)
            .with("mw_each_ending", &many.endings);
        if let Some(each) = &many.each {
            buffers = buffers
                .with("mw_observations", &each.observations)
                .with("mw_final_observations", &each.final_observations);
        }
        let kernel = plan.kernel(kernels.pool_steps(env, many.each.is_some())?);
        // of a step: its own loops, and those of a reset and of two looks
        let turns = 2 * env.iterations() + 2 * features + 4;
        let most = (plan.target().loop_budget() / turns).max(1) as u32;
        for first in (0..steps).step_by(most as usize) {
            let shape = layout::Pool { first, steps: most.min(steps - first), ..pool.shape };
            let buffers = buffers.with("mw_pool", &plan.uniform("pool", &shape));
            many.recording.push(&plan.pass(kernel, 1, n, u64::from(shape.steps) * turns, &buffers));
        }
        many.recording.extend(&pool.look);
        Ok(many)
    }

    /// The steps, and a look at the worlds behind them.
    pub fn record(&self, recording: &mut Recording) {
        recording.extend(&self.recording);
    }
}
