//! Worlds to be watched: they are stepped and drawn on the device, and no state of theirs is read back.

use crate::algo::ACTOR;
use crate::batch::Agents;
use crate::env::{ActionSpace, Environment};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu, Memory, Readback, Recording};
use crate::kernels::Kernels;
use crate::layout::{Progress, Run};
use crate::plan::{Description, Plan, Target};
use crate::pool::WorldPool;
use crate::reference::philox::{philox4x32_10, uniform};
use crate::stage::{Acting, AutoReset, Grid, Order, Picture, Pool};
use crate::train::Policy;

/// Most worlds: a kernel looks through all of them for the range of a number.
const MOST_WORLDS: u32 = 65_000;
/// Numbers between bounds farther apart than this are drawn from −1 to 1.
const UNBOUNDED: f32 = 1e6;

/// Worlds and their picture, planned.
struct Shown {
    pool: Pool,
    picture: Picture,
}

impl Shown {
    fn new(plan: &mut Plan, env: &Environment, worlds: u32, seed: u32, size: u32) -> Result<Self> {
        if worlds > MOST_WORLDS {
            let reason = format!("{worlds} is not allowed; it must be at most {MOST_WORLDS}");
            return Err(Error::setting("worlds", reason));
        }
        let grid = Grid::new(worlds, size)?;
        let kernels = Kernels::of_worlds(plan.target().forms.of_work(0), &env.spec().action_space);
        let pool = Pool::new(plan, &kernels, env, worlds, seed, AutoReset::NextStep, Order::ByKind)?;
        let picture = Picture::new(plan, &kernels, env, grid, &pool.worlds, &pool.observations, &pool.endings)?;
        Ok(Self { pool, picture })
    }
}

/// The parameters of a policy, for worlds of this seed.
fn agents(plan: &mut Plan, policy: &Policy, seed: u32) -> Result<Agents> {
    let layout = policy.layout()?;
    let words = layout.expand(policy.parameters());
    Agents::new(plan, Run::default(), &[seed], layout.words(), move || words.clone(), Progress::default())
}

/// What a policy does in every world: its most likely action, or a sample.
fn acting(
    plan: &mut Plan,
    policy: &Policy,
    agents: &Agents,
    pool: &Pool,
    worlds: u32,
    sampled: bool,
) -> Result<Recording> {
    let (env, layout, form) = (&policy.env, policy.layout()?, plan.target().forms.of_work(0));
    let kernels = Kernels::new(form, &layout, &env.spec().action_space, policy.config.exploration(env));
    let acting = Acting::new(plan, &kernels, env, ACTOR, agents, &pool.worlds, &pool.actions, worlds, sampled)?;
    let mut recording = Recording::default();
    acting.record(&mut recording);
    Ok(recording)
}

/// Worlds that a policy plays, and their picture of at most `size` × `size` pixels, written down with how they are laid out. It needs
/// no device.
///
/// Recordings are `begin`, `act` (most likely actions), `sample`, `step` and `draw`; roles of buffers are `parameters` (of all
/// networks, with padding), `actions`, `observations`, `final_observations`, `rewards`, `endings`, `masks` and `pixels`.
///
/// # Errors
/// [`Error::Setting`] where `worlds` or `size` is not allowed, and those of [`Plan::describe`].
pub fn describe(target: Target, policy: &Policy, worlds: u32, seed: u32, size: u32) -> Result<(Description, Grid)> {
    let mut plan = Plan::new(target);
    let Shown { pool, picture } = Shown::new(&mut plan, &policy.env, worlds, seed, size)?;
    let agents = agents(&mut plan, policy, seed)?;
    let act = acting(&mut plan, policy, &agents, &pool, worlds, false)?;
    let sample = acting(&mut plan, policy, &agents, &pool, worlds, true)?;
    let mut draw = Recording::default();
    picture.record(&mut draw);
    let begin = pool.begin();
    let recordings = [("begin", &begin), ("act", &act), ("sample", &sample), ("step", pool.step()), ("draw", &draw)];
    let roles: [(&str, &[&Memory]); 8] = [
        ("parameters", &[agents.parameters.memory()]),
        ("actions", &[pool.actions.memory()]),
        ("observations", &[pool.observations.memory()]),
        ("final_observations", &[pool.final_observations.memory()]),
        ("rewards", &[pool.rewards.memory()]),
        ("endings", &[pool.endings.memory()]),
        ("masks", &[pool.masks.memory()]),
        ("pixels", &[picture.pixels.memory()]),
    ];
    Ok((plan.describe(&recordings, &roles)?, picture.grid))
}

/// Many worlds that a policy plays, or that take random actions, and pictures of them: square tiles in a grid, each drawn by its
/// environment (`env_pixel`, `docs/rendering.md`) or as a chart of its observation.
///
/// A world whose episode ends is shown so in one picture, with a coloured frame, and begins its next episode in the step after.
///
/// ```no_run
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::{AdapterChoice, Gpu, Policy, Show};
///
/// let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
/// let policy = Policy::load("runs/cartpole".as_ref())?;
/// let mut show = Show::of_policy(&gpu, &policy, 64, 1, false, 512)?; // worlds, seed, sampled?, pixels
/// for _ in 0..300 {
///     let pixels: Vec<u32> = show.picture()?.wait(&gpu)?.take(0); // [row][column], red in the lowest byte
///     assert_eq!(pixels.len() as u32, show.width() * show.height());
///     show.step()?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Show {
    gpu: Gpu,
    pool: WorldPool,
    /// What the policy does; none where actions are random.
    acting: Option<Recording>,
    picture: Picture,
    draw: Recording,
    seed: u32,
    steps: u32,
}

impl Show {
    /// `worlds` that a policy plays, with its most likely actions or samples, in a picture of at most `size` × `size` pixels.
    ///
    /// # Errors
    /// [`Error::Setting`] where `worlds` or `size` is not allowed, and those of [`WorldPool::new`] and [`Plan::build`].
    pub fn of_policy(gpu: &Gpu, policy: &Policy, worlds: u32, seed: u32, sampled: bool, size: u32) -> Result<Self> {
        Self::new(gpu, &policy.env, worlds, seed, size, Some((policy, sampled)))
    }

    /// `worlds` with uniformly random actions, of those that are allowed.
    ///
    /// # Errors
    /// As [`Show::of_policy`].
    pub fn of_random(gpu: &Gpu, env: &Environment, worlds: u32, seed: u32, size: u32) -> Result<Self> {
        Self::new(gpu, env, worlds, seed, size, None)
    }

    fn new(
        gpu: &Gpu,
        env: &Environment,
        worlds: u32,
        seed: u32,
        size: u32,
        policy: Option<(&Policy, bool)>,
    ) -> Result<Self> {
        let mut plan = Plan::new(Target::of(gpu));
        let Shown { pool, picture } = Shown::new(&mut plan, env, worlds, seed, size)?;
        let acting = policy.map(|(policy, sampled)| {
            let agents = agents(&mut plan, policy, seed)?;
            acting(&mut plan, policy, &agents, &pool, worlds, sampled)
        });
        let acting = acting.transpose()?;
        plan.build(gpu)?;
        let pool = WorldPool::of_stage(gpu, env, worlds, pool)?;
        let mut draw = Recording::default();
        picture.record(&mut draw);
        Ok(Self { gpu: gpu.clone(), pool, acting, picture, draw, seed, steps: 0 })
    }

    /// One step of every world; one that had ended begins its next episode instead.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn step(&mut self) -> Result<()> {
        let mut recording = Recording::default();
        match &self.acting {
            Some(acting) => recording.extend(acting),
            None => self.choose_at_random()?,
        }
        self.pool.record_step(&mut recording);
        self.steps += 1;
        self.gpu.submit(&recording)
    }

    fn choose_at_random(&self) -> Result<()> {
        let (space, n) = (&self.pool.env().spec().action_space, self.pool.num_envs());
        let word =
            |component: u32, world: u32| philox4x32_10([world, self.steps, component, 0], [self.seed, 0x0073_686f])[0];
        let mut words: Vec<u32> = match space {
            ActionSpace::Box { low, high } => {
                let number = |i: u32, world: u32| {
                    let (low, high) = (low[i as usize], high[i as usize]);
                    let (low, high) = if high - low >= UNBOUNDED { (-1.0, 1.0) } else { (low, high) };
                    (low + (high - low) * uniform(word(i, world)) as f32).to_bits()
                };
                (0..low.len() as u32)
                    .flat_map(|i| (0..n).map(move |world| (i, world)))
                    .map(|(i, w)| number(i, w))
                    .collect()
            }
            _ => {
                let counts = space.counts();
                let choices =
                    counts.into_iter().zip(0..).flat_map(|(count, i)| (0..n).map(move |world| (count, i, world)));
                choices.map(|(count, i, world)| word(i, world) % count).collect()
            }
        };
        if !space.is_box() {
            self.pool.make_legal(&mut words)?;
        }
        self.gpu.write(&self.pool.actions, &words);
        Ok(())
    }

    /// Draws the worlds as they are into [`Show::pixels`].
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn draw(&self) -> Result<()> {
        self.gpu.submit(&self.draw)
    }

    /// Draws the worlds as they are; the words of the picture are on their way then.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn picture(&self) -> Result<Readback> {
        self.gpu.submit_and_read(&self.draw, &[self.picture.pixels.raw()])
    }

    /// Puts every world at the start of its first episode.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn reset(&mut self) -> Result<()> {
        self.steps = 0;
        self.pool.reset()
    }

    /// Turns the camera of environments in space about the z axis, by an angle in radians from where it stood at first.
    pub fn turn_camera(&self, angle: f32) {
        self.picture.turn_camera(&self.gpu, angle);
    }

    /// The worlds.
    pub fn pool(&self) -> &WorldPool {
        &self.pool
    }

    /// The picture on the device: `[row][column]`, red, green, blue and 255, a byte each, red the lowest.
    pub fn pixels(&self) -> &Buffer<u32> {
        &self.picture.pixels
    }

    /// Pixels from left to right.
    pub fn width(&self) -> u32 {
        self.picture.grid.width()
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> u32 {
        self.picture.grid.height()
    }

    /// Steps since the worlds began.
    pub fn steps(&self) -> u32 {
        self.steps
    }
}
