//! Worlds that step into a ring of transitions.

use super::{Elements, Reduced, forward};
use crate::batch::{Agents, Sizes};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Gpu, LOOP_BUDGET, Recording};
use crate::kernels::{OffPolicyKernels, Reduction};
use crate::layout::{Columns, Interaction, Replay, Rows, STREAM_TRAINING, Worlds};

/// Transitions of every agent, in the order in which its worlds made them, the newest over the oldest.
///
/// Observations that one binding does not hold lie in parts of some features each.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Words of the action, reward (bits of an `f32`) and ending of each transition, `[agent][row][place]`.
    pub steps: Buffer<u32>,
    /// Observations.
    pub parts: Vec<RingPart>,
    capacity: u32,
}

/// Some features of the observations of a ring.
#[derive(Clone, Debug)]
pub struct RingPart {
    /// Which features.
    pub rows: Rows,
    /// Before the step, `[agent][feature][place]`.
    pub before: Buffer<f32>,
    /// After it, and before a reset, `[agent][feature][place]`.
    pub after: Buffer<f32>,
}

/// Most transitions of an agent: places are counted in 31 bits.
const LARGEST_RING: u32 = 1 << 30;

impl Ring {
    /// Adds the buffers that cannot be smaller to a list of sizes.
    pub fn sizes(sizes: &mut Sizes, agents: u32, capacity: u32, kernels: &OffPolicyKernels) {
        let (agents, capacity) = (("agents", u64::from(agents)), ("buffer_size", u64::from(capacity)));
        sizes.add_for(
            "buffer_size",
            "ring",
            &[agents, ("rows", u64::from(kernels.ring_rows())), capacity, ("bytes", 4)],
        );
        sizes.add_for("buffer_size", "ring of one feature", &[agents, capacity, ("bytes", 4)]);
        sizes.wish(agents.1.saturating_mul(capacity.1).saturating_mul(4 * u64::from(kernels.features())));
    }

    /// With room for `capacity` transitions of each agent.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, kernels: &OffPolicyKernels, agents: u32, capacity: u32) -> Result<Self> {
        Self::within(gpu, kernels, agents, capacity, gpu.largest_binding())
    }

    /// The same where a binding holds so many bytes.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn within(gpu: &Gpu, kernels: &OffPolicyKernels, agents: u32, capacity: u32, bytes: u64) -> Result<Self> {
        if capacity > LARGEST_RING {
            let reason = format!("{capacity} is not allowed; at most {LARGEST_RING} transitions are possible");
            return Err(Error::setting("buffer_size", reason));
        }
        let places = u64::from(agents) * u64::from(capacity);
        let make = |label, rows: u32| {
            let arithmetic = format!("agents {agents} × rows {rows} × buffer_size {capacity}");
            gpu.buffer(label, places * u64::from(rows), &arithmetic, "buffer_size")
        };
        let features = kernels.features();
        let most = u32::try_from(bytes / (4 * places)).unwrap_or(u32::MAX).clamp(1, features);
        // parts of the same size, as near as may be
        let share = features.div_ceil(features.div_ceil(most));
        let mut parts = Vec::new();
        let mut first = 0;
        while first < features {
            let rows = Rows { first, count: share.min(features - first) };
            parts.push(RingPart {
                rows,
                before: make("ring of observations", rows.count)?,
                after: make("ring of next observations", rows.count)?,
            });
            first += rows.count;
        }
        let rows = kernels.ring_rows();
        let arithmetic = format!("agents {agents} × rows {rows} × buffer_size {capacity}");
        let steps = gpu.buffer("ring", places * u64::from(rows), &arithmetic, "buffer_size")?;
        Ok(Self { steps, parts, capacity })
    }

    /// Transitions of an agent that it has room for.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    fn buffers(&self, gpu: &Gpu, part: &RingPart) -> Result<Buffers> {
        Ok(Buffers::default()
            .with("mw_ring_before", &part.before)
            .with("mw_ring_after", &part.after)
            .with("mw_ring_steps", &self.steps)
            .with("mw_rows", &gpu.uniform("features", &part.rows)?))
    }
}

/// Steps of every world of every agent.
#[derive(Clone, Debug)]
pub struct Interact {
    reset: Recording,
    random: Recording,
    act: Recording,
    first: Recording,
    further: Recording,
    episodes: Reduced,
    agents: u32,
    count: u32,
    /// Words of every world, `[agent][word / 4][world][word % 4]`.
    pub worlds: Buffer<u32>,
    /// What worlds keep for ring and noise, `[agent][word][world]` (`shaders/part/explorer.wgsl`).
    pub explorers: Buffer<u32>,
    /// What the actor sees next, `[agent][feature][world]`.
    pub current: Buffer<f32>,
}

impl Interact {
    /// Adds the buffers to a list of sizes.
    pub fn sizes(sizes: &mut Sizes, agents: u32, worlds: u32, env: &Environment) {
        let (agents, worlds) = (("agents", u64::from(agents)), ("worlds", u64::from(worlds)));
        sizes.add("worlds", &[agents, ("words", u64::from(env.world_words())), worlds, ("bytes", 4)]);
        sizes.add("observations", &[agents, ("features", u64::from(env.spec().observation_dim)), worlds, ("bytes", 4)]);
    }

    /// Under the actors of `agents`, after a warm-up of so many steps of each world.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::buffer`].
    pub fn new(
        gpu: &Gpu,
        kernels: &OffPolicyKernels,
        env: &Environment,
        agents: &Agents,
        ring: &Ring,
        settings: Replay,
        warm_up: u32,
    ) -> Result<Self> {
        let (count, n) = (agents.count, settings.worlds);
        let total = u64::from(count) * u64::from(n);
        let make = |label, words: u64| {
            gpu.buffer(label, total * words, &format!("agents {count} × words {words} × worlds {n}"), "num_envs")
        };
        let worlds: Buffer<u32> = make("worlds", u64::from(env.world_words()))?;
        let explorers: Buffer<u32> = make("explorers", u64::from(kernels.explorer_words()))?;
        gpu.write(&explorers, &vec![0; explorers.len()]);
        put_first_places(gpu, &explorers, count, n);
        let features = u64::from(kernels.features());
        let arithmetic = format!("agents {count} × features {features} × worlds {n}");
        let observations = |label| gpu.buffer(label, total * features, &arithmetic, "num_envs");
        let current: Buffer<f32> = observations("observations")?;
        let decisions = u64::from(kernels.decisions());
        let arithmetic = format!("agents {count} × outputs {decisions} × worlds {n}");
        let outputs: Buffer<f32> = gpu.buffer("outputs", total * decisions, &arithmetic, "num_envs")?;

        let staged = ring.parts.len() > 1;
        let replay = gpu.uniform("replay", &Replay { staged: staged.into(), ..settings })?;
        let buffers = agents
            .buffers()
            .with("mw_replay", &replay)
            .with("mw_world", &worlds)
            .with("mw_explorers", &explorers)
            .with("mw_current", &current)
            .with("mw_outputs", &outputs);

        let first = Worlds { count: n, stream: STREAM_TRAINING, ..Worlds::default() };
        let with_worlds = buffers.with("mw_worlds", &gpu.uniform("worlds of the reset", &first)?);
        let mut reset = Recording::default();
        reset.push(&gpu.kernel(&kernels.actor.reset(env)?)?.pass(gpu, count, u64::from(n), 0, &with_worlds)?);

        let columns = Columns { count: n, ..Columns::default() };
        let kernel = gpu.kernel(&kernels.outputs()?)?;
        let observed = buffers.with("mw_observed", &current);
        let act = forward(gpu, &kernels.actor, &kernel, 0, count, columns, &observed)?;

        // where observations lie in parts, a step leaves them for those to take
        let (before, after) = match (staged, ring.parts.first()) {
            (false, Some(part)) => (part.before.clone(), part.after.clone()),
            _ => (observations("observations before")?, observations("observations after")?),
        };
        let kernel = gpu.kernel(&kernels.interact(env)?)?;
        let step = env.iterations() + 3 * features + 8;
        let steps = |interaction: Interaction| -> Result<Recording> {
            let buffers = buffers
                .with("mw_interaction", &gpu.uniform("interaction", &interaction)?)
                .with("mw_ring_before", &before)
                .with("mw_ring_after", &after)
                .with("mw_ring_steps", &ring.steps);
            let mut recording = Recording::default();
            recording.push(&kernel.pass(gpu, count, u64::from(n), u64::from(interaction.steps) * step, &buffers)?);
            if staged && interaction.steps > 0 {
                let kernel = gpu.kernel(&kernels.remember()?)?;
                for part in &ring.parts {
                    let buffers = buffers
                        .and(&ring.buffers(gpu, part)?)
                        .with("mw_staged_before", &before)
                        .with("mw_staged_after", &after);
                    recording.push(&kernel.pass(gpu, count, u64::from(n), part.rows.count.into(), &buffers)?);
                }
            }
            Ok(recording)
        };
        // no step shows the actor where worlds begin
        reset.extend(&steps(Interaction { steps: 0, uniform_: 1, first: 1 })?);
        // within a dispatch no two worlds may write the same place
        let most =
            if staged { 1 } else { ((LOOP_BUDGET / step) as u32).clamp(1, RANDOM_STEPS.min(settings.capacity / n)) };
        let some = steps(Interaction { steps: most, uniform_: 1, first: 1 })?;
        let mut random = Recording::default();
        for _ in 0..warm_up / most {
            random.extend(&some);
        }
        if !warm_up.is_multiple_of(most) {
            random.extend(&steps(Interaction { steps: warm_up % most, uniform_: 1, first: 1 })?);
        }
        let elements = Elements { count: n, stride: env.world_words() * n };
        let episodes =
            Reduced::new(gpu, &kernels.actor, Reduction::Episodes, Reduction::Sums, count, elements, &buffers)?;
        Ok(Self {
            reset,
            random,
            act,
            first: steps(Interaction { steps: 1, uniform_: 0, first: 1 })?,
            further: steps(Interaction { steps: 1, uniform_: 0, first: 0 })?,
            episodes,
            agents: count,
            count: n,
            worlds,
            explorers,
            current,
        })
    }

    /// Forgets the transitions: worlds write the first places next.
    pub fn empty_ring(&self, gpu: &Gpu) {
        put_first_places(gpu, &self.explorers, self.agents, self.count);
    }

    /// First states of every world; once, before everything else.
    pub fn reset(&self) -> &Recording {
        &self.reset
    }

    /// The warm-up: steps with uniformly random actions.
    pub fn random(&self) -> &Recording {
        &self.random
    }

    /// Adds one step of the actor; the `first` of an update begins to count its episodes.
    pub fn record(&self, update: &mut Recording, first: bool) {
        update.extend(&self.act);
        self.record_step(update, first);
    }

    /// Adds that step without the actor's forward pass.
    pub fn record_step(&self, update: &mut Recording, first: bool) {
        update.extend(if first { &self.first } else { &self.further });
    }

    /// Adds the sums over the episodes that ended in the update so far ([`Interact::episode_sums`]).
    pub fn record_episodes(&self, update: &mut Recording) {
        self.episodes.record(update);
    }

    /// What [`Interact::record_episodes`] leaves: `[agent]` (count, returns, lengths, terminations).
    pub fn episode_sums(&self) -> &Buffer<[f32; 4]> {
        &self.episodes.result
    }
}

/// The places that worlds write first.
fn put_first_places(gpu: &Gpu, explorers: &Buffer<u32>, agents: u32, worlds: u32) {
    let places: Vec<u32> = (0..worlds).collect();
    for agent in 0..agents as usize {
        gpu.write_at(explorers, agent * explorers.len() / agents as usize, &places);
    }
}

/// Most random steps in a dispatch.
const RANDOM_STEPS: u32 = 64;

/// A minibatch of transitions.
#[derive(Clone, Debug)]
pub struct Minibatch {
    /// Observations, `[agent][before, after][feature][sample]`.
    pub states: Buffer<f32>,
    /// All else, `[agent][row][sample]` (`shaders/part/drawn.wgsl`).
    pub drawn: Buffer<f32>,
}

impl Minibatch {
    /// Room for `size` transitions of each agent.
    ///
    /// # Errors
    /// As [`Gpu::buffer`].
    pub fn new(gpu: &Gpu, kernels: &OffPolicyKernels, agents: u32, size: u32) -> Result<Self> {
        let make = |label, rows: u32| {
            let arithmetic = format!("agents {agents} × rows {rows} × batch_size {size}");
            let len = u64::from(agents) * u64::from(rows) * u64::from(size);
            gpu.buffer(label, len, &arithmetic, "batch_size")
        };
        Ok(Self { states: make("states", 2 * kernels.features())?, drawn: make("drawn", kernels.drawn_rows())? })
    }

    /// The buffers by the names that shaders know them by.
    pub fn buffers(&self) -> Buffers {
        Buffers::default().with("mw_states", &self.states).with("mw_drawn", &self.drawn)
    }

    /// The passes that draw it from a ring.
    ///
    /// # Errors
    /// As [`Gpu::kernel`] and [`Gpu::buffer`].
    pub fn draw(
        &self,
        gpu: &Gpu,
        kernels: &OffPolicyKernels,
        agents: &Agents,
        ring: &Ring,
        explorers: &Buffer<u32>,
        settings: Replay,
    ) -> Result<Recording> {
        let kernel = gpu.kernel(&kernels.draw()?)?;
        let buffers = agents
            .buffers()
            .and(&self.buffers())
            .with("mw_explorers", explorers)
            .with("mw_replay", &gpu.uniform("replay", &settings)?);
        let mut recording = Recording::default();
        for part in &ring.parts {
            let iterations = u64::from(settings.n_steps + part.rows.count);
            let buffers = buffers.and(&ring.buffers(gpu, part)?);
            recording.push(&kernel.pass(gpu, agents.count, settings.batch_size.into(), iterations, &buffers)?);
        }
        Ok(recording)
    }
}
