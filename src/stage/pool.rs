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

/// Many worlds of one environment, and the passes that step all of them at a time.
#[derive(Clone, Debug)]
pub struct Pool {
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
}

impl Pool {
    /// `num_envs` worlds with this seed, and what becomes of ended ones.
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
        };
        let buffers = Buffers::default()
            .with("mw_progress", &progress)
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
        let mut pass = |steps: u32, auto_reset: AutoReset| {
            let same_step = u32::from(auto_reset == AutoReset::SameStep);
            let next_step = u32::from(auto_reset == AutoReset::NextStep);
            let uniform = plan.uniform("pool", &layout::Pool { count: num_envs, steps, same_step, next_step });
            let mut recording = Recording::default();
            let iterations = 2 * env.iterations() + 2 * features;
            recording.push(&plan.pass(kernel, 1, n, iterations, &buffers.with("mw_pool", &uniform)));
            recording
        };
        Ok(Self {
            first: reset,
            look: pass(0, AutoReset::Disabled),
            step: pass(1, auto_reset),
            reset_ended: pass(0, AutoReset::SameStep),
            ..pool
        })
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
