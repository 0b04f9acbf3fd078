//! Worlds that step into a ring of transitions.

use super::{Elements, Reduced, forward};
use crate::batch::Agents;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Gpu, Recording};
use crate::kernels::{OffPolicyKernels, Reduction};
use crate::layout::{Columns, FeatureRange, Interaction, ReplaySettings, STREAM_TRAINING, Worlds};
use crate::plan::{Plan, Split};

/// Transitions of every agent, in the order in which its worlds made them, the newest over the oldest.
///
/// Observations that one binding does not hold lie in parts of some features each.
#[derive(Clone, Debug)]
pub struct ReplayBuffer {
    /// Words of the action, reward (bits of an `f32`) and ending of each transition, `[agent][row][place]`.
    pub steps: Buffer<u32>,
    /// Observations.
    pub parts: Vec<ReplayBufferPart>,
    capacity: u32,
}

/// Some features of the observations of a ring.
#[derive(Clone, Debug)]
pub struct ReplayBufferPart {
    /// Which features.
    pub rows: FeatureRange,
    /// Before the step, `[agent][feature][place]`.
    pub before: Buffer<f32>,
    /// After it, and before a reset, `[agent][feature][place]`.
    pub after: Buffer<f32>,
}

/// Most transitions of an agent: places are counted in 31 bits.
const LARGEST_RING: u32 = 1 << 30;

impl ReplayBuffer {
    /// A ring with room for `capacity` transitions of each agent, of so many worlds.
    ///
    /// # Errors
    /// [`Error::Setting`] where places cannot be counted, and those of [`Plan::buffer`].
    pub fn new(plan: &mut Plan, kernels: &OffPolicyKernels, agents: u32, [capacity, worlds]: [u32; 2]) -> Result<Self> {
        let most = plan.target().largest_binding;
        Self::within(plan, kernels, agents, [capacity, worlds], most)
    }

    /// The same where a binding holds so many bytes.
    pub fn within(
        plan: &mut Plan,
        kernels: &OffPolicyKernels,
        agents: u32,
        [capacity, worlds]: [u32; 2],
        bytes: u64,
    ) -> Result<Self> {
        let split = Split { worlds, inner: 1, places: 0 };
        let axes =
            |name, rows: u32| [("agents", u64::from(agents)), (name, rows.into()), ("buffer_size", capacity.into())];
        let steps = plan.buffer("ring", &axes("rows", kernels.ring_rows()), "buffer_size")?;
        plan.keep_transitions("ring", &steps, split);
        if capacity > LARGEST_RING {
            let reason = format!("{capacity} is not allowed; at most {LARGEST_RING} transitions are possible");
            return Err(Error::setting("buffer_size", reason));
        }
        let features = kernels.features();
        let places = u64::from(agents) * u64::from(capacity);
        let most = u32::try_from(bytes / (4 * places)).unwrap_or(u32::MAX).clamp(1, features);
        // parts of the same size, as near as may be
        let share = features.div_ceil(features.div_ceil(most));
        let mut parts = Vec::new();
        let mut first = 0;
        while first < features {
            let rows = FeatureRange { first, count: share.min(features - first) };
            let axes = axes("features", rows.count);
            let before = plan.buffer("ring of observations", &axes, "buffer_size")?;
            let after = plan.buffer("ring of next observations", &axes, "buffer_size")?;
            plan.keep_transitions(&format!("ring of observations {}", parts.len()), &before, split);
            plan.keep_transitions(&format!("ring of next observations {}", parts.len()), &after, split);
            parts.push(ReplayBufferPart { rows, before, after });
            first += rows.count;
        }
        Ok(Self { steps, parts, capacity })
    }

    /// Transitions of an agent that it has room for.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    fn buffers(&self, plan: &mut Plan, part: &ReplayBufferPart) -> Buffers {
        Buffers::default()
            .with("mw_replay_before", &part.before)
            .with("mw_replay_after", &part.after)
            .with("mw_replay_steps", &self.steps)
            .with("mw_feature_range", &plan.uniform("features", &part.rows))
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
    /// Worlds under the actors of `agents`, after a warm-up of so many steps of each world.
    pub fn new(
        plan: &mut Plan,
        kernels: &OffPolicyKernels,
        env: &Environment,
        agents: &Agents,
        ring: &ReplayBuffer,
        settings: ReplaySettings,
        warm_up: u32,
    ) -> Result<Self> {
        let (count, n) = (agents.count, settings.worlds);
        let (agent, world) = (("agents", u64::from(count)), ("worlds", u64::from(n)));
        let words = ("words", env.world_words().into());
        let worlds: Buffer<u32> = plan.buffer("worlds", &[agent, words, world], "num_envs")?;
        let words = kernels.explorer_words();
        let axes = [agent, ("words", words.into()), world];
        let explorers = plan.filled("explorers", &axes, "num_envs", move || {
            let others = (words - 1) * n;
            (0..count).flat_map(|_| (0..n).chain(std::iter::repeat_n(0, others as usize))).collect()
        })?;
        let features = u64::from(kernels.features());
        let axes = [agent, ("features", features), world];
        let current: Buffer<f32> = plan.buffer("observations", &axes, "num_envs")?;
        let decisions = ("outputs", kernels.outputs_of_actor().into());
        let outputs: Buffer<f32> = plan.buffer("outputs", &[agent, decisions, world], "num_envs")?;
        let one = Split { worlds: n, inner: 1, places: 0 };
        plan.keep_worlds("worlds", &worlds, Split { inner: 4, ..one });
        plan.keep_worlds("explorers", &explorers, Split { places: words, ..one });
        plan.keep_worlds("observations", &current, one);

        let staged = ring.parts.len() > 1;
        let replay = plan.uniform("replay", &ReplaySettings { staged: staged.into(), ..settings });
        let buffers = agents
            .buffers()
            .with("mw_replay", &replay)
            .with("mw_world", &worlds)
            .with("mw_explorers", &explorers)
            .with("mw_current", &current)
            .with("mw_outputs", &outputs);

        let first = Worlds { count: n, stream: STREAM_TRAINING, ..Worlds::default() };
        let with_worlds = buffers.with("mw_worlds", &plan.uniform("worlds of the reset", &first));
        let mut reset = Recording::default();
        let kernel = plan.kernel(kernels.actor.reset(env)?);
        reset.push(&plan.pass(kernel, count, n.into(), 0, &with_worlds));

        let columns = Columns { count: n, ..Columns::default() };
        let observed = buffers.with("mw_observed", &current);
        let act = forward(plan, &kernels.actor, &kernels.outputs()?, 0, count, columns, &observed)?;

        // where observations lie in parts, a step leaves them for those to take
        let (before, after) = match (staged, ring.parts.first()) {
            (false, Some(part)) => (part.before.clone(), part.after.clone()),
            _ => (
                plan.buffer("observations before", &axes, "num_envs")?,
                plan.buffer("observations after", &axes, "num_envs")?,
            ),
        };
        let kernel = plan.kernel(kernels.interact(env)?);
        let step = env.iterations() + 3 * features + 8;
        let steps = |plan: &mut Plan, interaction: Interaction| -> Result<Recording> {
            let with_ring = buffers
                .with("mw_interaction", &plan.uniform("interaction", &interaction))
                .with("mw_replay_before", &before)
                .with("mw_replay_after", &after)
                .with("mw_replay_steps", &ring.steps);
            let mut recording = Recording::default();
            let iterations = u64::from(interaction.steps) * step;
            recording.push(&plan.pass(kernel, count, n.into(), iterations, &with_ring));
            if staged && interaction.steps > 0 {
                let kernel = plan.kernel(kernels.remember()?);
                for part in &ring.parts {
                    let buffers = buffers
                        .and(&ring.buffers(plan, part))
                        .with("mw_interaction", &plan.uniform("interaction", &interaction))
                        .with("mw_staged_before", &before)
                        .with("mw_staged_after", &after);
                    recording.push(&plan.pass(kernel, count, n.into(), part.rows.count.into(), &buffers));
                }
            }
            Ok(recording)
        };
        // no step shows the actor where worlds begin
        reset.extend(&steps(plan, Interaction { steps: 0, uniform_: 1, first: 1 })?);
        // within a dispatch no two worlds may write the same place
        let most = (plan.target().loop_budget() / step) as u32;
        let most = if staged { 1 } else { most.clamp(1, RANDOM_STEPS.min(settings.capacity / n)) };
        let some = steps(plan, Interaction { steps: most, uniform_: 1, first: 1 })?;
        let mut random = Recording::default();
        for _ in 0..warm_up / most {
            random.extend(&some);
        }
        if !warm_up.is_multiple_of(most) {
            random.extend(&steps(plan, Interaction { steps: warm_up % most, uniform_: 1, first: 1 })?);
        }
        let elements = Elements { stride: env.world_words() * n, ..Elements::from(n) };
        let of_worlds = Buffers::default().with("mw_world", &worlds);
        let (kind, kernels) = (Reduction::Episodes, &kernels.actor);
        let episodes = Reduced::new(plan, kernels, kind, Reduction::Sums, count, elements, &of_worlds)?;
        Ok(Self {
            first: steps(plan, Interaction { steps: 1, uniform_: 0, first: 1 })?,
            further: steps(plan, Interaction { steps: 1, uniform_: 0, first: 0 })?,
            reset,
            random,
            act,
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
    pub fn new(plan: &mut Plan, kernels: &OffPolicyKernels, agents: u32, size: u32) -> Result<Self> {
        let (agents, size) = (("agents", agents.into()), ("batch_size", size.into()));
        let (ends, features) = (("before and after", 2), ("features", kernels.features().into()));
        Ok(Self {
            states: plan.buffer("states", &[agents, ends, features, size], "batch_size")?,
            drawn: plan.buffer("drawn", &[agents, ("rows", kernels.drawn_rows().into()), size], "batch_size")?,
        })
    }

    /// The buffers by the names that shaders know them by.
    pub fn buffers(&self) -> Buffers {
        Buffers::default().with("mw_states", &self.states).with("mw_drawn", &self.drawn)
    }

    /// The passes that draw it from a ring.
    pub fn draw(
        &self,
        plan: &mut Plan,
        kernels: &OffPolicyKernels,
        agents: &Agents,
        ring: &ReplayBuffer,
        explorers: &Buffer<u32>,
        settings: ReplaySettings,
    ) -> Result<Recording> {
        let kernel = plan.kernel(kernels.replay_minibatch()?);
        let buffers = agents
            .buffers()
            .and(&self.buffers())
            .with("mw_explorers", explorers)
            .with("mw_replay", &plan.uniform("replay", &settings));
        let mut recording = Recording::default();
        for part in &ring.parts {
            let iterations = u64::from(settings.n_steps + part.rows.count);
            let buffers = buffers.and(&ring.buffers(plan, part));
            recording.push(&plan.pass(kernel, agents.count, settings.batch_size.into(), iterations, &buffers));
        }
        Ok(recording)
    }
}
