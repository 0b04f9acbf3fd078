//! Worlds for callers with a learner of their own: one step of all of them at a time.

use crate::env::{ActionSpace, Environment, world_word};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Mapped, Recording};
use crate::kernels::Kernels;
use crate::layout::{Progress, SPUN_OUT, TERMINATED, TRUNCATED, WorldWord};
use crate::plan::{Plan, Target};
use crate::stage::{Pool, PoolSteps};
use std::ops::Deref;

pub use crate::stage::{AutoReset, Order};

/// Actions of every world, `[component][world]`: component c of world n lies at `c * num_envs + n`. Where the pool's order is
/// [`Order::ByWorld`] they are `[world][component]`.
#[derive(Clone, Copy, Debug)]
pub enum Actions<'a> {
    /// Numbers of discrete actions.
    Discrete(&'a [u32]),
    /// Real numbers. They are not clipped: what a number past the bounds means is the environment's.
    Box(&'a [f32]),
    /// Numbers of discrete actions of many steps, as [`PoolSteps::packing`] packs them; only where that is.
    Packed(&'a [u32]),
}

impl<'a> From<&'a [u32]> for Actions<'a> {
    fn from(actions: &'a [u32]) -> Self {
        Self::Discrete(actions)
    }
}

impl<'a> From<&'a [f32]> for Actions<'a> {
    fn from(actions: &'a [f32]) -> Self {
        Self::Box(actions)
    }
}

impl<'a> From<&'a Vec<u32>> for Actions<'a> {
    fn from(actions: &'a Vec<u32>) -> Self {
        Self::Discrete(actions)
    }
}

impl<'a> From<&'a Vec<f32>> for Actions<'a> {
    fn from(actions: &'a Vec<f32>) -> Self {
        Self::Box(actions)
    }
}

/// What worlds have left, where it has arrived from the device: in the order of the pool, and only while it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Observations, of each step where many were made and each is kept.
    pub observations: &'a [f32],
    /// Rewards `[world]` or `[step][world]`.
    pub rewards: &'a [f32],
    /// Endings, as the rewards lie.
    pub endings: &'a [u32],
    /// Observations before a reset, of worlds whose episode has ended; empty where they were not wanted.
    pub final_observations: &'a [f32],
    /// Which actions are allowed next `[word][world]` ([`Pool::masks`]); empty where all are always.
    pub masks: &'a [u32],
}

/// The elements of a buffer that was read as the i-th.
fn of<'a, T: bytemuck::Pod>(mapped: &Mapped<'a>, i: usize, buffer: &Buffer<T>) -> &'a [T] {
    &mapped.source(i)[..buffer.len()]
}

/// Many worlds of one environment on the device, stepped together.
///
/// Every result is a buffer on the device, reachable as `wgpu::Buffer` without a copy ([`Buffer::raw`](crate::Buffer::raw)), and a method that
/// reads it. World n of a pool with seed s makes the same draws whatever runs beside it.
///
/// ```no_run
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::{AdapterChoice, Environment, Gpu, WorldPool};
///
/// let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
/// let pool = WorldPool::new(&gpu, &Environment::load("CartPole-v1")?, 1024, 1)?;
/// pool.step(&vec![1; 1024])?; // an action for each world
/// let (seen, rewards) = (pool.observations()?, pool.rewards()?); // [feature][world] and [world]
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WorldPool {
    gpu: Gpu,
    env: Environment,
    num_envs: u32,
    pool: Pool,
}

/// The buffers of a pool are those of its stage.
impl Deref for WorldPool {
    type Target = Pool;

    fn deref(&self) -> &Pool {
        &self.pool
    }
}

impl WorldPool {
    /// `num_envs` worlds with this seed, at the start of their first episodes. Ended worlds begin the next at once.
    ///
    /// # Errors
    /// [`Error::Setting`] where `num_envs` is 0, [`Error::TooLarge`] before anything is allocated, and those of [`Plan::build`].
    pub fn new(gpu: &Gpu, env: &Environment, num_envs: u32, seed: u32) -> Result<Self> {
        Self::with_auto_reset(gpu, env, num_envs, seed, AutoReset::SameStep)
    }

    /// `num_envs` worlds with this seed, and a choice of what becomes of ended ones.
    ///
    /// # Errors
    /// Those of [`WorldPool::new`].
    pub fn with_auto_reset(
        gpu: &Gpu,
        env: &Environment,
        num_envs: u32,
        seed: u32,
        auto_reset: AutoReset,
    ) -> Result<Self> {
        Self::with_order(gpu, env, num_envs, seed, auto_reset, Order::ByKind)
    }

    /// The same, and a choice of how observations and actions lie.
    ///
    /// # Errors
    /// Those of [`WorldPool::new`].
    pub fn with_order(
        gpu: &Gpu,
        env: &Environment,
        num_envs: u32,
        seed: u32,
        auto_reset: AutoReset,
        order: Order,
    ) -> Result<Self> {
        let kernels = Kernels::of_worlds(gpu.form_for(0), &env.spec().action_space);
        let mut plan = Plan::new(Target::of(gpu));
        let pool = Pool::new(&mut plan, &kernels, env, num_envs, seed, auto_reset, order)?;
        plan.build(gpu)?;
        Self::of_stage(gpu, env, num_envs, pool)
    }

    /// Worlds of a plan that was built on this device, at the start of their first episodes.
    pub(crate) fn of_stage(gpu: &Gpu, env: &Environment, num_envs: u32, pool: Pool) -> Result<Self> {
        let pool = Self { gpu: gpu.clone(), env: env.clone(), num_envs, pool };
        pool.reset()?;
        Ok(pool)
    }

    /// Number of worlds.
    pub fn num_envs(&self) -> u32 {
        self.num_envs
    }

    /// The environment.
    pub fn env(&self) -> &Environment {
        &self.env
    }

    /// Puts every world at the start of its first episode; draws are those of a new pool.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn reset(&self) -> Result<()> {
        self.gpu.submit(&self.pool.begin())
    }

    /// Puts every world at the start of its first episode under another seed, as a new pool with that.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn reseed(&self, seed: u32) -> Result<()> {
        self.gpu.write(&self.pool.progress, &[Progress { seed, ..Progress::default() }]);
        self.reset()
    }

    /// Puts these worlds `[world]` at the start of their next episodes, whatever they are at; others stay as they are.
    ///
    /// # Errors
    /// [`Error::Actions`] where there are not as many as worlds, [`Error::DeviceLost`] where the device is gone.
    pub fn reset_worlds(&self, which: &[bool]) -> Result<()> {
        let n = self.num_envs as usize;
        if which.len() != n {
            let got = format!("a choice of {} worlds", which.len());
            return Err(Error::Actions { got, expected: n, space: "worlds to reset".to_owned() });
        }
        // the first word of an action says so
        let stride = match self.pool.order() {
            Order::ByKind => 1,
            Order::ByWorld => self.env.spec().action_space.words() as usize,
        };
        let mut chosen = vec![0; n * stride];
        for (word, &reset) in chosen.iter_mut().step_by(stride).zip(which) {
            *word = if reset { TRUNCATED } else { 0 };
        }
        self.gpu.write(&self.actions, &chosen);
        self.gpu.submit(self.pool.reset_chosen())
    }

    /// Puts every world whose last step ended its episode at the start of its next one, for [`AutoReset::Disabled`]; with
    /// [`AutoReset::NextStep`] it saves these worlds the step that they would spend on it.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn reset_ended(&self) -> Result<()> {
        self.gpu.submit(self.pool.reset_ended())
    }

    /// One step of every world. Where an action is ignored ([`AutoReset::NextStep`]), it must be one of the space all the same.
    ///
    /// # Errors
    /// [`Error::Actions`] where they are of another kind or number, [`Error::DeviceLost`] where the device is gone.
    pub fn step<'a>(&self, actions: impl Into<Actions<'a>>) -> Result<()> {
        let words = self.checked(actions.into(), 1)?;
        self.gpu.write(&self.actions, words);
        self.step_on_device()
    }

    /// The words of actions that are of the space, for so many steps.
    fn checked<'a>(&self, actions: Actions<'a>, steps: u32) -> Result<&'a [u32]> {
        let space = &self.env.spec().action_space;
        let n = self.num_envs as usize;
        let expected = space.words() as usize * n * steps as usize;
        let complain = |got: String| Err(Error::Actions { got, expected, space: space.to_string() });
        match (actions, space) {
            (Actions::Discrete(words), ActionSpace::Box { .. }) => complain(format!("{} u32", words.len())),
            (Actions::Discrete(words), _) if words.len() != expected => complain(words.len().to_string()),
            (Actions::Discrete(words), _) => {
                let counts = space.counts();
                let unknown = match (self.pool.order(), &counts[..]) {
                    (_, &[count]) => words.iter().find(|&&action| action >= count),
                    (Order::ByWorld, counts) => {
                        let pair = |world: &'a [u32]| world.iter().zip(counts).find(|(action, count)| action >= count);
                        words.chunks_exact(counts.len()).find_map(pair).map(|(action, _)| action)
                    }
                    (Order::ByKind, counts) => {
                        let rows = words.chunks_exact(n).zip(counts.iter().cycle());
                        rows.map(|(row, count)| row.iter().find(|&action| action >= count)).find_map(|found| found)
                    }
                };
                match unknown {
                    Some(action) => complain(format!("action {action}")),
                    None => Ok(words),
                }
            }
            (Actions::Box(numbers), ActionSpace::Box { .. }) if numbers.len() == expected => {
                Ok(bytemuck::cast_slice(numbers))
            }
            (Actions::Box(numbers), _) => complain(format!("{} f32", numbers.len())),
            (Actions::Packed(words), _) => complain(format!("{} packed words", words.len())),
        }
    }

    /// One step of every world and what it leaves, in a single submission: `take` gets that where it has arrived, before any copy
    /// is made on the host. `finals` says whether final observations are wanted.
    ///
    /// # Errors
    /// Those of [`WorldPool::step`].
    pub fn exchange<'a, T>(
        &self,
        actions: impl Into<Actions<'a>>,
        finals: bool,
        take: impl FnOnce(&Seen<'_>) -> T,
    ) -> Result<T> {
        let words = self.checked(actions.into(), 1)?;
        self.gpu.write(&self.actions, words);
        self.with_results(self.pool.step(), finals, take)
    }

    /// What the worlds look like, as [`WorldPool::exchange`] gives it, without a step: rewards are 0, endings those of the last step.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn look<T>(&self, take: impl FnOnce(&Seen<'_>) -> T) -> Result<T> {
        self.with_results(self.pool.look(), false, take)
    }

    fn with_results<T>(&self, recording: &Recording, finals: bool, take: impl FnOnce(&Seen<'_>) -> T) -> Result<T> {
        let finals = finals.then_some(&self.final_observations);
        self.read_behind(recording, &self.observations, &self.rewards, &self.endings, finals, take)
    }

    /// Submits a recording and shows what it leaves in these buffers, and the masks.
    fn read_behind<T>(
        &self,
        recording: &Recording,
        observations: &Buffer<f32>,
        rewards: &Buffer<f32>,
        endings: &Buffer<u32>,
        finals: Option<&Buffer<f32>>,
        take: impl FnOnce(&Seen<'_>) -> T,
    ) -> Result<T> {
        let masks = self.env.spec().action_space.masked().then_some(&self.masks);
        let mut sources = vec![observations.raw(), rewards.raw(), endings.raw()];
        sources.extend(finals.map(Buffer::raw));
        sources.extend(masks.map(Buffer::raw));
        self.gpu.submit_and_read(recording, &sources)?.wait_with(&self.gpu, |mapped| {
            take(&Seen {
                observations: of(mapped, 0, observations),
                rewards: of(mapped, 1, rewards),
                endings: of(mapped, 2, endings),
                final_observations: finals.map_or(&[], |finals| of(mapped, 3, finals)),
                masks: masks.map_or(&[], |masks| of(mapped, sources.len() - 1, masks)),
            })
        })
    }

    /// Many steps in one submission; made once, it is used again and again.
    ///
    /// # Errors
    /// Those of [`PoolSteps::new`] and [`Plan::build`].
    pub fn steps(&self, steps: u32, each: bool) -> Result<PoolSteps> {
        let form = if each { self.gpu.form_for(0) } else { self.gpu.form() };
        let kernels = Kernels::of_worlds(form, &self.env.spec().action_space);
        let mut plan = Plan::new(Target::of(&self.gpu));
        let many = PoolSteps::new(&mut plan, &kernels, &self.env, &self.pool, steps, each)?;
        plan.build(&self.gpu)?;
        Ok(many)
    }

    /// Many steps of every world and what they leave, as [`WorldPool::exchange`] does one. Where sums are kept, observations are
    /// those after the last step, and there are no final ones. The pool's own buffers ([`WorldPool::observations`] and the like) stay as
    /// they are until the next step or [`WorldPool::look`].
    ///
    /// # Errors
    /// Those of [`WorldPool::step`], and [`Error::Setting`] where they are steps of another pool.
    pub fn exchange_many<'a, T>(
        &self,
        many: &PoolSteps,
        actions: impl Into<Actions<'a>>,
        take: impl FnOnce(&Seen<'_>) -> T,
    ) -> Result<T> {
        if !many.are_of(&self.pool) {
            return Err(Error::setting(
                "steps",
                "they are of another pool; make them with WorldPool::steps of this one",
            ));
        }
        let actions = actions.into();
        match (actions, many.packing()) {
            (Actions::Packed(words), Some(packing)) => {
                let expected = packing.words(many.steps) as usize * self.num_envs as usize;
                if words.len() != expected {
                    let got = format!("{} packed words", words.len());
                    return Err(Error::Actions { got, expected, space: self.env.spec().action_space.to_string() });
                }
                self.gpu.write(&many.actions, words);
            }
            (_, Some(packing)) => {
                let words = self.checked(actions, many.steps)?;
                // all of them were looked at
                let packed = packing.pack(words, self.num_envs as usize, u32::MAX).unwrap_or_default();
                self.gpu.write(&many.actions, &packed);
            }
            (_, None) => self.gpu.write(&many.actions, self.checked(actions, many.steps)?),
        }
        let mut recording = Recording::default();
        many.record(&mut recording);
        let finals = (many.each && self.pool.same_step()).then_some(&many.final_observations);
        self.read_behind(&recording, &many.observations, &many.rewards, &many.endings, finals, take)
    }

    /// One step of every world with the actions that are in [`actions`](Pool::actions) already.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn step_on_device(&self) -> Result<()> {
        self.gpu.submit(self.pool.step())
    }

    /// The passes of a step, for recordings of the caller.
    pub fn record_step(&self, recording: &mut Recording) {
        recording.extend(self.pool.step());
    }

    /// Observations `[feature][world]`.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn observations(&self) -> Result<Vec<f32>> {
        self.gpu.read(&self.observations)
    }

    /// Observations after the last step and before any reset, `[feature][world]`; undefined before the first step, and with
    /// [`Order::ByWorld`] of all worlds but those that have just been reset.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn final_observations(&self) -> Result<Vec<f32>> {
        self.gpu.read(&self.final_observations)
    }

    /// Rewards of the last step `[world]`.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn rewards(&self) -> Result<Vec<f32>> {
        self.gpu.read(&self.rewards)
    }

    /// Which worlds the environment ended at the last step `[world]`.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn terminated(&self) -> Result<Vec<bool>> {
        self.ended(TERMINATED)
    }

    /// Which worlds the step limit ended at the last step `[world]`; both can be.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn truncated(&self) -> Result<Vec<bool>> {
        self.ended(TRUNCATED)
    }

    /// Whether an action of a choice is allowed next in each world `[world]`; all are where the environment has no masks.
    /// `action` counts through the choices.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn allowed(&self, action: u32) -> Result<Vec<bool>> {
        let n = self.num_envs as usize;
        if !self.env.spec().action_space.masked() {
            return Ok(vec![true; n]);
        }
        let words = self.gpu.read(&self.masks)?;
        let row = words.chunks_exact(n).nth(action as usize / 32).unwrap_or_default();
        Ok(row.iter().map(|word| word >> (action % 32) & 1 == 1).collect())
    }

    /// Moves actions `[component][world]`, whatever the order, that are not allowed next on to the next one that is, if any is.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn make_legal(&self, actions: &mut [u32]) -> Result<()> {
        let space = &self.env.spec().action_space;
        if !space.masked() {
            return Ok(());
        }
        let (n, masks) = (self.num_envs as usize, self.gpu.read(&self.masks)?);
        let allowed = |choice: usize, world: usize| masks[choice / 32 * n + world] >> (choice % 32) & 1 == 1;
        let mut first = 0;
        for (row, count) in actions.chunks_exact_mut(n).zip(space.counts()) {
            for (world, action) in row.iter_mut().enumerate() {
                let legal = (0..count).map(|k| (*action + k) % count).find(|&a| allowed(first + a as usize, world));
                *action = legal.unwrap_or(*action);
            }
            first += count as usize;
        }
        Ok(())
    }

    /// Which worlds' loops were left by the loop budget at the last step, or in a reset before it `[world]`: their states
    /// mean nothing.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn spun_out(&self) -> Result<Vec<bool>> {
        self.ended(SPUN_OUT)
    }

    /// Fails where loops of the environment were left by the loop budget since the worlds were made.
    ///
    /// # Errors
    /// [`Error::LoopCut`] with the function and the line of the loop, [`Error::DeviceLost`] where the device is gone.
    pub fn check_loops(&self) -> Result<()> {
        if !self.env.has_loops() {
            return Ok(());
        }
        let words = self.gpu.read(&self.worlds)?;
        let n = self.num_envs as usize;
        // of the first reset, and of all steps and resets since, in the place of the return (`shaders/part/pool.wgsl`)
        let of = |word, world: usize| words[world_word(self.env.word(word), world, n)] >> 16;
        let cut = |world: usize| match of(WorldWord::Fault, world) {
            0 => of(WorldWord::Return, world),
            first => first,
        };
        match (0..n).map(cut).filter(|&number| number > 0).min() {
            Some(number) => Err(self.env.loop_cut(number)),
            None => Ok(()),
        }
    }

    fn ended(&self, bit: u32) -> Result<Vec<bool>> {
        Ok(self.gpu.read(&self.endings)?.iter().map(|word| word & bit != 0).collect())
    }

    /// States of all worlds, `[world][word]`, words in the order of the fields of `State`; integers and flags as numbers.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn states(&self) -> Result<Vec<Vec<f64>>> {
        let words = self.gpu.read(&self.worlds)?;
        let n = self.num_envs as usize;
        let state = |world: usize| {
            let fields = self.env.state_fields().iter().enumerate();
            fields.map(|(word, field)| field.number(words[world_word(word, world, n)])).collect()
        };
        Ok((0..n).map(state).collect())
    }

    /// Puts worlds into these states, at the start of an episode; their next step is their first of all.
    ///
    /// # Errors
    /// [`Error::Environment`] where there are not as many states as worlds, or a state has not as many numbers as
    /// `State` has.
    pub fn set_states(&self, states: &[Vec<f64>]) -> Result<()> {
        let (n, fields) = (self.num_envs as usize, self.env.state_fields());
        let complain = |reason| Err(Error::Environment { name: self.env.name().to_owned(), reason });
        if states.len() != n {
            return complain(format!("{} states were given for {n} worlds", states.len()));
        }
        let mut words = vec![0; self.env.world_words() as usize * n];
        for (world, state) in states.iter().enumerate() {
            if state.len() != fields.len() {
                let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
                return complain(format!(
                    "a state has {} numbers ({}), not {}",
                    fields.len(),
                    names.join(", "),
                    state.len()
                ));
            }
            for (word, (field, value)) in fields.iter().zip(state).enumerate() {
                words[world_word(word, world, n)] = field.word(*value);
            }
        }
        self.gpu.write(&self.worlds, &words);
        self.gpu.submit(self.pool.look())
    }
}
