//! Worlds that are stepped with actions of the caller, planned.

use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Pass, Recording};
use crate::kernels::Kernels;
use crate::layout::{self, Progress, STREAM_TRAINING, Worlds};
use crate::plan::{Kernel, Plan};

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
    reset_chosen: Recording,
    /// What the next step does, `[component][world]`: numbers of actions, or the bits of `f32`.
    pub actions: Buffer<u32>,
    /// `[feature][world]`
    pub observations: Buffer<f32>,
    /// The observation after the last step, before any reset, `[feature][world]`; with [`Order::ByWorld`] of worlds that have just
    /// been reset only.
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
        let features = u64::from(spec.observation_dim);
        let (worlds, remedy) = (("worlds", u64::from(num_envs)), "num_envs");
        let (features_axis, space) = (("features", features), &spec.action_space);
        let mask_words = u64::from(space.mask_words()).max(1);
        let first = Progress { seed, ..Progress::default() };
        let progress = plan.filled("progress", &[("agents", 1)], "nothing", move || vec![first])?;
        let mut pool = Self {
            shape: layout::Pool {
                count: num_envs,
                steps: 1,
                first: 0,
                action_row: 0,
                row: 0,
                same_step: u32::from(auto_reset == AutoReset::SameStep),
                next_step: u32::from(auto_reset == AutoReset::NextStep),
                chosen: 0,
                by_world: u32::from(order == Order::ByWorld),
                adds: 0,
            },
            first: Recording::default(),
            look: Recording::default(),
            step: Recording::default(),
            reset_ended: Recording::default(),
            reset_chosen: Recording::default(),
            worlds: plan.buffer("worlds", &[("words", env.world_words().into()), worlds], remedy)?,
            observations: plan.buffer("observations", &[features_axis, worlds], remedy)?,
            final_observations: plan.buffer("final observations", &[features_axis, worlds], remedy)?,
            actions: plan.buffer("actions", &[("components", space.words().into()), worlds], remedy)?,
            rewards: plan.buffer("rewards", &[worlds], remedy)?,
            endings: plan.buffer("endings", &[worlds], remedy)?,
            masks: plan.buffer("masks", &[("words", mask_words), worlds], remedy)?,
            progress,
        };
        let first = Worlds { count: num_envs, stream: STREAM_TRAINING, ..Worlds::default() };
        let kernel = plan.kernel(kernels.reset(env)?);
        let buffers = pool.buffers().with("mw_worlds", &plan.uniform("worlds of the reset", &first));
        pool.first.push(&plan.pass(kernel, 1, num_envs.into(), env.iterations(), &buffers));
        let kernel = plan.kernel(kernels.pool(env)?);
        let mut pass = |shape: layout::Pool| {
            let mut recording = Recording::default();
            recording.push(&shape.pass(plan, kernel, env, &pool.buffers()));
            recording
        };
        let without_step = layout::Pool { steps: 0, same_step: 0, next_step: 0, ..pool.shape };
        let look = pass(without_step);
        let step = pass(pool.shape);
        let reset_ended = pass(layout::Pool { same_step: 1, ..without_step });
        let reset_chosen = pass(layout::Pool { chosen: 1, ..without_step });
        Ok(Self { look, step, reset_ended, reset_chosen, ..pool })
    }

    /// The buffers by the names that shaders know them by.
    fn buffers(&self) -> Buffers {
        Buffers::default()
            .with("mw_progress", &self.progress)
            .with("mw_world", &self.worlds)
            .with("mw_actions", &self.actions)
            .with("mw_observations", &self.observations)
            .with("mw_final_observations", &self.final_observations)
            .with("mw_rewards", &self.rewards)
            .with("mw_masks", &self.masks)
            .with("mw_endings", &self.endings)
    }

    /// Whether worlds that end begin their next episode in the same step.
    pub(crate) fn same_step(&self) -> bool {
        self.shape.same_step != 0
    }

    /// How observations and actions lie.
    pub fn order(&self) -> Order {
        if self.shape.by_world == 0 { Order::ByKind } else { Order::ByWorld }
    }

    /// First states of all worlds, and a look at them.
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

    /// The same of those whose first word of an action is an ending, and of no others.
    pub fn reset_chosen(&self) -> &Recording {
        &self.reset_chosen
    }
}

/// Many steps of the worlds of a pool in one submission, with actions that are all there before, and what they leave.
#[derive(Clone, Debug)]
pub struct PoolSteps {
    /// The worlds that they are steps of.
    worlds: Buffer<u32>,
    recording: Recording,
    /// Steps.
    pub steps: u32,
    /// What they do, `[step][component][world]`, or `[step][world][component]` by the pool's order; or packed, see
    /// [`PoolSteps::packing`].
    pub actions: Buffer<u32>,
    packing: Option<Packing>,
    /// Observations after each `[step][feature][world]`, or `[step][world][feature]` by the pool's order; where sums are kept those
    /// after the last.
    pub observations: Buffer<f32>,
    /// The same before a reset, where a step ended an episode.
    pub final_observations: Buffer<f32>,
    /// Rewards of each `[step][world]`, or their sums `[world]`.
    pub rewards: Buffer<f32>,
    /// How each ended `[step][world]`, or all endings that there were `[world]`.
    pub endings: Buffer<u32>,
    /// Whether what each leaves is kept, and not sums.
    pub each: bool,
}

impl layout::Pool {
    /// A pass of the kernel of a step.
    fn pass(&self, plan: &mut Plan, kernel: Kernel, env: &Environment, buffers: &Buffers) -> Pass {
        let iterations = 2 * env.iterations() + 2 * u64::from(env.spec().observation_dim);
        let uniform = plan.uniform("pool", self);
        plan.pass(kernel, 1, self.count.into(), iterations, &buffers.with("mw_pool", &uniform))
    }
}

/// Choices of many steps in few words: those of `32 / bits` steps of a world are one, the first in its lowest bits,
/// `[step / (32 / bits)][world]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Bits of a choice: 1, 2, 4, 8, 16 or 32.
    pub bits: u32,
}

impl Packing {
    /// The packing of choices among so many.
    pub fn of(count: u32) -> Self {
        Self { bits: (u32::BITS - count.saturating_sub(1).leading_zeros()).max(1).next_power_of_two() }
    }

    /// Steps of a world that are a word.
    fn in_word(self) -> u32 {
        u32::BITS / self.bits
    }

    /// Words that hold so many steps of a world.
    pub fn words(self, steps: u32) -> u32 {
        steps.div_ceil(self.in_word())
    }

    /// Packs choices `[step][world]`; the place of one that is not below `count` if there is such.
    ///
    /// # Errors
    /// The place among all choices.
    pub fn pack<T: Copy + Into<i64>>(
        self,
        given: &[T],
        worlds: usize,
        count: u32,
    ) -> std::result::Result<Vec<u32>, usize> {
        /// Worlds whose words stay in the nearest cache.
        const NEAR: usize = 2048;
        let steps = given.len() / worlds.max(1);
        let in_word = self.in_word() as usize;
        let mut words = vec![0; self.words(steps as u32) as usize * worlds];
        let mut most = 0;
        for first in (0..worlds).step_by(NEAR) {
            let near = first..worlds.min(first + NEAR);
            for (row, of_world) in given.chunks_exact(worlds).enumerate() {
                let shift = (row % in_word) as u32 * self.bits;
                let packed = &mut words[row / in_word * worlds..][near.clone()];
                for (word, &choice) in packed.iter_mut().zip(&of_world[near.clone()]) {
                    let choice = choice.into() as u64;
                    *word |= (choice as u32) << shift;
                    most |= u64::from(choice >= u64::from(count));
                }
            }
        }
        if most == 0 {
            return Ok(words);
        }
        Err(given.iter().position(|&choice| choice.into() as u64 >= u64::from(count)).unwrap_or_default())
    }
}

/// Steps of a submission at most: each is a pass with a uniform of its own.
const MOST_STEPS: u32 = 4096;
/// The same where choices are packed, and a pass makes many: as many as random steps have at most.
const MOST_PACKED_STEPS: u32 = 1_000_000;

impl PoolSteps {
    /// `steps` steps of the worlds of `pool`, what each leaves or sums.
    ///
    /// # Errors
    /// [`Error::Setting`] where there are none, or more than 4,096 (1,000,000 where choices are packed), [`Error::TooLarge`] where the target
    /// cannot bind a buffer.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        pool: &Pool,
        steps: u32,
        each: bool,
    ) -> Result<Self> {
        let space = &env.spec().action_space;
        // of a step of a thread's worlds: their own loops, and those of a reset
        let turns = u64::from(kernels.form.lanes) * (2 * env.iterations() + 4);
        let packing = match space.counts()[..] {
            [count] if !each && pool.shape.same_step != 0 => Some(Packing::of(count)),
            _ => None,
        };
        let packing = packing.filter(|packing| u64::from(packing.in_word()) * turns <= plan.target().loop_budget());
        let most = if packing.is_some() { MOST_PACKED_STEPS } else { MOST_STEPS };
        if !(1..=most).contains(&steps) {
            let reason = format!("{steps} is not allowed; it must be from 1 to {most} in one submission");
            return Err(Error::setting("steps", reason));
        }
        let remedy = "num_envs, or the steps of a call";
        let (all, worlds) = (("steps", u64::from(steps)), ("worlds", u64::from(pool.shape.count)));
        let kept = if each { all } else { ("sums", 1) };
        let features = ("features", env.spec().observation_dim.into());
        let actions = match packing {
            Some(packing) => vec![("words", packing.words(steps).into()), worlds],
            None => vec![all, ("components", space.words().into()), worlds],
        };
        let mut many = Self {
            worlds: pool.worlds.clone(),
            recording: Recording::default(),
            steps,
            packing,
            actions: plan.buffer("actions", &actions, remedy)?,
            observations: plan.buffer("observations", &[kept, features, worlds], remedy)?,
            final_observations: plan.buffer("final observations", &[kept, features, worlds], remedy)?,
            rewards: plan.buffer("rewards", &[kept, worlds], remedy)?,
            endings: plan.buffer("endings", &[kept, worlds], remedy)?,
            each,
        };
        let buffers = pool
            .buffers()
            .instead("mw_actions", &many.actions)
            .with("mw_given", &many.actions)
            .instead("mw_observations", &many.observations)
            .instead("mw_final_observations", &many.final_observations)
            .instead("mw_rewards", &many.rewards)
            .instead("mw_endings", &many.endings);
        let step = plan.kernel(kernels.pool(env)?);
        let Some(packing) = packing else {
            for t in 0..steps {
                let (row, adds) = if each { (t, 0) } else { (0, u32::from(t > 0)) };
                let shape = layout::Pool { action_row: t, row, adds, ..pool.shape };
                many.recording.push(&shape.pass(plan, step, env, &buffers));
            }
            return Ok(many);
        };
        let lanes = kernels.form.lanes;
        let kernel = plan.kernel(kernels.pool_sums(env, packing.bits)?);
        // whole words of choices
        let words = plan.target().loop_budget() / turns / u64::from(packing.in_word());
        let most = (words as u32).saturating_mul(packing.in_word()).min(MOST_PACKED_STEPS);
        for first in (0..steps).step_by(most as usize) {
            let shape = layout::Pool { first, steps: most.min(steps - first), ..pool.shape };
            let buffers = buffers.with("mw_pool", &plan.uniform("pool", &shape));
            let threads = pool.shape.count.div_ceil(lanes).into();
            many.recording.push(&plan.pass(kernel, 1, threads, u64::from(shape.steps) * turns, &buffers));
        }
        // what the worlds look like behind them, which leaves the sums alone
        let look = layout::Pool { steps: 0, same_step: 0, next_step: 0, adds: 1, ..pool.shape };
        many.recording.push(&look.pass(plan, step, env, &buffers));
        Ok(many)
    }

    /// Whether they are steps of the worlds of this pool.
    pub(crate) fn are_of(&self, pool: &Pool) -> bool {
        self.worlds.memory().identity() == pool.worlds.memory().identity()
    }

    /// How choices come, where they are packed: with the sums of worlds that have one choice each and begin anew at once.
    pub fn packing(&self) -> Option<Packing> {
        self.packing
    }

    /// The steps, and a look at the worlds behind them.
    pub fn record(&self, recording: &mut Recording) {
        recording.extend(&self.recording);
    }
}

#[cfg(test)]
mod tests {
    use super::Packing;

    #[test]
    fn packed_choices_lie_where_the_kernel_looks() {
        for (count, bits) in
            [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8), (257, 16), (65_537, 32)]
        {
            let packing = Packing::of(count);
            assert_eq!(packing.bits, bits, "{count}");
            let (worlds, steps) = (5_usize, 71_usize);
            let choice = |place: usize| (place as u32).wrapping_mul(2_654_435_761) % count;
            let given: Vec<u32> = (0..steps * worlds).map(choice).collect();
            let words = packing.pack(&given, worlds, count).expect("all are below it");
            assert_eq!(words.len(), packing.words(steps as u32) as usize * worlds);
            let in_word = (32 / bits) as usize;
            for (place, choice) in given.iter().enumerate() {
                let (step, world) = (place / worlds, place % worlds);
                let word = words[step / in_word * worlds + world] >> (step % in_word * bits as usize);
                assert_eq!(word & (u32::MAX >> (32 - bits)), *choice, "{count}: step {step}, world {world}");
            }
        }
        assert_eq!(Packing::of(2).pack(&[0_i64, 1, -1, 2], 2, 2), Err(2));
        assert_eq!(Packing::of(2).pack(&[0_i64, 1 << 32, 1, 0], 2, 2), Err(1));
    }
}
