//! Stages with worlds in them: rollout and evaluation.

use super::{turns, with_workspace};
use crate::batch::{Agents, Batch};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Buffers, Recording};
use crate::kernels::{Block, Kernels};
use crate::layout::{Progress, STREAM_EVALUATION, STREAM_TRAINING, StepRange, Worlds};
use crate::plan::{Kernel, Plan, Split};

/// Steps of an evaluation in an environment without a step limit; episodes that go on are cut off there, and counted.
const STEPS_WITHOUT_LIMIT: u32 = 10_000;

/// Most steps that [`RandomSteps`] records at a time.
const MOST_RANDOM_STEPS: u32 = 1_000_000;

/// T steps of every world.
#[derive(Clone, Debug)]
pub struct Rollout {
    reset: Recording,
    steps: Recording,
    /// Words of every world, `[agent][word / 4][world][word % 4]`.
    pub worlds: Buffer<u32>,
}

/// Steps that one dispatch can make within the loop budget of the target, and the loop iterations of one step.
fn steps_in_a_dispatch(plan: &Plan, kernels: &Kernels, network: usize, env: &Environment) -> (u32, u64) {
    // the network, the copies of the observation at an ending, and a few short loops
    let worlds = u64::from(kernels.worlds(network));
    let step =
        kernels.forward_iterations(network) + worlds * (u64::from(env.spec().observation_dim) + 8 + env.iterations());
    ((plan.target().loop_budget() / (step + 1)).max(1) as u32, step + 1)
}

impl Rollout {
    /// Steps under the policy `network`. `fresh`: every rollout begins with new episodes in all worlds; else they go on.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        network: usize,
        agents: &Agents,
        batch: &Batch,
        fresh: bool,
    ) -> Result<Self> {
        let run = &agents.run;
        let n = run.num_envs;
        let axes = [("agents", agents.count.into()), ("words", env.world_words().into()), ("worlds", n.into())];
        let worlds = plan.buffer("worlds", &axes, "num_envs")?;
        plan.keep_worlds("worlds", &worlds, Split { worlds: n, inner: 4, places: 0 });
        let buffers = batch.buffers(&agents.buffers()).with("mw_world", &worlds);
        let threads = n.div_ceil(kernels.worlds(network));
        let buffers = with_workspace(plan, kernels, network, agents.count, threads, &buffers)?;

        let first = Worlds { count: n, stream: STREAM_TRAINING, ..Worlds::default() };
        let kernel = plan.kernel(kernels.reset(env)?);
        let mut reset = Recording::default();
        let with_worlds = buffers.with("mw_worlds", &plan.uniform("worlds of the reset", &first));
        reset.push(&plan.pass(kernel, agents.count, n.into(), 0, &with_worlds));

        let kernel = plan.kernel(kernels.rollout(env, network)?);
        let (most, iterations) = steps_in_a_dispatch(plan, kernels, network, env);
        let total = n.div_ceil(kernels.worlds(network));
        let turns = turns(kernels, network, agents.count, total).min((most / run.num_steps).max(1));
        let threads = total.div_ceil(turns);
        let mut steps = Recording::default();
        if fresh {
            let kernel = plan.kernel(kernels.restart(env)?);
            steps.push(&plan.pass(kernel, agents.count, n.into(), 0, &with_worlds));
        }
        let mut first = 0;
        while first < run.num_steps {
            let span = StepRange { first, count: most.min(run.num_steps - first), threads, turns };
            let buffers = buffers.with("mw_step_range", &plan.uniform("span", &span));
            let iterations = iterations * u64::from(span.count) * u64::from(turns);
            steps.push(&plan.pass(kernel, agents.count, threads.into(), iterations, &buffers));
            first += span.count;
        }
        Ok(Self { reset, steps, worlds })
    }

    /// First states of every world; once, before the first update.
    pub fn reset(&self) -> &Recording {
        &self.reset
    }

    /// Adds the stage to an update.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.steps);
    }
}

/// T steps of every world with random actions; nothing is kept but the worlds and what they count of their episodes.
#[derive(Clone, Debug)]
pub struct RandomSteps {
    reset: Recording,
    steps: Recording,
    /// Words of every world, `[word / 4][world][word % 4]`; the last eight are low words (of the running return, of the
    /// returns after it, and two of 0), then count, returns, lengths and terminations of the episodes that have ended.
    pub worlds: Buffer<u32>,
}

impl RandomSteps {
    /// `num_steps` of `num_envs` worlds of an agent with this seed.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] where `num_steps` is 0 or above 1,000,000, and those of [`Plan::buffer`].
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        seed: u32,
        num_envs: u32,
        num_steps: u32,
    ) -> Result<Self> {
        Self::check(num_steps)?;
        let axes = [("words", env.world_words().into()), ("worlds", num_envs.into())];
        let worlds = plan.buffer("worlds", &axes, "num_envs")?;
        let progress = vec![Progress { seed, ..Progress::default() }];
        let progress = plan.filled("progress", &[("agents", 1)], "nothing", move || progress.clone())?;
        let buffers = Buffers::default().with("mw_world", &worlds).with("mw_progress", &progress);
        let pass = |plan: &mut Plan, kernel: Kernel, steps: u32, iterations: u64| {
            let part = Worlds { count: num_envs, stream: STREAM_TRAINING, steps, ..Worlds::default() };
            let buffers = buffers.with("mw_worlds", &plan.uniform("worlds", &part));
            let worlds = if steps == 0 { 1 } else { kernels.form.lanes };
            plan.pass(kernel, 1, num_envs.div_ceil(worlds).into(), iterations, &buffers)
        };
        let mut reset = Recording::default();
        let kernel = plan.kernel(kernels.reset(env)?);
        reset.push(&pass(plan, kernel, 0, 0));

        let kernel = plan.kernel(kernels.step(env)?);
        let step = u64::from(kernels.form.lanes) * env.iterations() + 4;
        let most = ((plan.target().loop_budget() / step) as u32 / 8 * 8).max(8);
        let mut steps = Recording::default();
        let mut done = 0;
        while done < num_steps {
            let count = most.min(num_steps - done);
            steps.push(&pass(plan, kernel, count, step * u64::from(count)));
            done += count;
        }
        Ok(Self { reset, steps, worlds })
    }

    /// Refuses numbers of steps that are 0 or above 1,000,000.
    ///
    /// # Errors
    /// [`crate::Error::Setting`].
    pub fn check(num_steps: u32) -> Result<()> {
        if num_steps == 0 || num_steps > MOST_RANDOM_STEPS {
            let reason = format!("{num_steps} is not allowed; it must be from 1 to {MOST_RANDOM_STEPS}");
            return Err(Error::setting("num_steps", reason));
        }
        Ok(())
    }

    /// First states of every world.
    pub fn reset(&self) -> &Recording {
        &self.reset
    }

    /// The steps.
    pub fn steps(&self) -> &Recording {
        &self.steps
    }
}

/// What a policy does in every world of somebody who steps them.
#[derive(Clone, Debug)]
pub struct Acting {
    recording: Recording,
}

impl Acting {
    /// Actions `[word][world]` of the policy `network` in `count` worlds of one agent: its most likely ones, or samples.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        network: usize,
        agents: &Agents,
        worlds: &Buffer<u32>,
        actions: &Buffer<u32>,
        count: u32,
        sampled: bool,
    ) -> Result<Self> {
        let buffers = agents.buffers().with("mw_world", worlds).with("mw_actions", actions);
        let threads = count.div_ceil(kernels.worlds(network));
        let buffers = with_workspace(plan, kernels, network, agents.count, threads, &buffers)?;
        let (stream, sampled) = (STREAM_TRAINING, u32::from(sampled));
        let uniform = plan.uniform("worlds that act", &Worlds { count, stream, sampled, ..Worlds::default() });
        let kernel = plan.kernel(kernels.act(env, network)?);
        let (_, iterations) = steps_in_a_dispatch(plan, kernels, network, env);
        let mut recording = Recording::default();
        recording.push(&plan.pass(
            kernel,
            agents.count,
            threads.into(),
            iterations,
            &buffers.with("mw_worlds", &uniform),
        ));
        Ok(Self { recording })
    }

    /// Adds the stage to a recording.
    pub fn record(&self, recording: &mut Recording) {
        recording.extend(&self.recording);
    }
}

/// The passes that play an episode in each of some worlds, to its end or as long as evaluations go on.
#[allow(clippy::too_many_arguments)]
pub(super) fn whole_episodes(
    plan: &mut Plan,
    kernels: &Kernels,
    kernel: Kernel,
    network: usize,
    env: &Environment,
    agents: u32,
    worlds: Worlds,
    buffers: &Buffers,
) -> Recording {
    let (most, iterations) = steps_in_a_dispatch(plan, kernels, network, env);
    let limit = match env.spec().max_episode_steps {
        0 => STEPS_WITHOUT_LIMIT,
        limit => limit,
    };
    let threads = worlds.count.div_ceil(kernels.worlds(network));
    let mut recording = Recording::default();
    let mut first = 0;
    while first < limit {
        let steps = most.min(limit - first);
        let buffers =
            buffers.with("mw_worlds", &plan.uniform("worlds of the evaluation", &Worlds { first, steps, ..worlds }));
        recording.push(&plan.pass(kernel, agents, threads.into(), iterations * u64::from(steps), &buffers));
        first += steps;
    }
    recording
}

/// Whole episodes under the current parameters, one in each world.
#[derive(Clone, Debug)]
pub struct Evaluation {
    recording: Recording,
    /// (return, length, ending bits, 0) of each episode, `[agent][episode]`; ending 0 = cut off unfinished. Of several ranks each has
    /// its share of them.
    pub outcomes: Buffer<[f32; 4]>,
}

/// Episodes of an evaluation that each of so many ranks plays; behind the last one that was asked for come others that nobody looks at.
fn episodes_of_a_rank(episodes: u32, ranks: u32) -> u32 {
    episodes.div_ceil(ranks)
}

impl Evaluation {
    /// `episodes` of each agent under the policy `network`, which takes its most likely action, or samples.
    pub fn new(
        plan: &mut Plan,
        kernels: &Kernels,
        env: &Environment,
        network: usize,
        agents: &Agents,
        episodes: u32,
        sampled: bool,
    ) -> Result<Self> {
        let rank = plan.target().rank;
        let episodes = episodes_of_a_rank(episodes, rank.count);
        let block = Block { first_world: rank.index * episodes, ..kernels.block };
        let kernels = &Kernels { block, ..*kernels };
        let (agent, episode) = (("agents", agents.count.into()), ("episodes", episodes.into()));
        let words = ("words", env.world_words().into());
        let worlds: Buffer<u32> = plan.buffer("evaluation worlds", &[agent, words, episode], "eval_episodes")?;
        let outcomes = plan.buffer("outcomes", &[agent, episode], "eval_episodes")?;
        let buffers = agents.buffers().with("mw_world", &worlds).with("mw_outcomes", &outcomes);
        let threads = episodes.div_ceil(kernels.worlds(network));
        let buffers = with_workspace(plan, kernels, network, agents.count, threads, &buffers)?;

        let kernel = plan.kernel(kernels.evaluate(env, network)?);
        let worlds =
            Worlds { count: episodes, stream: STREAM_EVALUATION, sampled: u32::from(sampled), ..Worlds::default() };
        let recording = whole_episodes(plan, kernels, kernel, network, env, agents.count, worlds, &buffers);
        Ok(Self { recording, outcomes })
    }

    /// Adds the stage to a recording.
    pub fn record(&self, update: &mut Recording) {
        update.extend(&self.recording);
    }
}
