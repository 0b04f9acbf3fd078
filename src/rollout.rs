//! Rollouts under a policy, for callers with a learner of their own: whole batches stay on the device.

use crate::algo::{ACTOR, CRITIC};
use crate::batch::{Agents, Batch};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, Recording};
use crate::kernels::{Kernels, Recursion};
use crate::layout::{Progress, Row, Run};
use crate::nn::{Parameters, Tensor, check_numbers};
use crate::plan::{Plan, Target};
use crate::stage;
use crate::train::Policy;

/// Many worlds under a policy, which steps them by itself: T steps of all worlds in few dispatches.
///
/// A [`Batch`] is what a rollout leaves: buffers on the device, reachable as `wgpu::Buffer` without a copy
/// ([`crate::gpu::Buffer::raw`]). Real numbers stand in it as they were drawn, before they are clipped or squashed.
/// Worlds go on where the last rollout stopped.
///
/// ```no_run
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::{AdapterChoice, Config, Environment, Gpu, Policy, Rollout};
///
/// let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
/// let policy = Policy::untrained(&Environment::load("CartPole-v1")?, Config::default())?;
/// let rollout = Rollout::new(&gpu, &policy, 1024, 64, 1)?; // worlds, steps, seed
/// rollout.collect()?;
/// let (rewards, values) = (rollout.rewards()?, rollout.values()?); // [step][world]
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rollout {
    gpu: Gpu,
    layout: Parameters,
    agents: Agents,
    batch: Batch,
    recording: Recording,
    advantage: Recording,
}

impl Rollout {
    /// `num_steps` steps of `num_envs` worlds with this seed, with V of every observation under the policy's critic; where it
    /// has none, as by some estimators of reinforce, npg and trpo, values are 0.
    ///
    /// # Errors
    /// [`Error::Setting`] where a number is 0, or the policy is one of ddpg, td3 or sac, whose batches are rings of transitions and
    /// whose critics judge actions, or of a search, which has neither batches nor critics. [`Error::TooLarge`] before anything is allocated, and those of [`Plan::build`].
    pub fn new(gpu: &Gpu, policy: &Policy, num_envs: u32, num_steps: u32, seed: u32) -> Result<Self> {
        for (name, value) in [("num_envs", num_envs), ("num_steps", num_steps)] {
            if value == 0 {
                return Err(Error::setting(name, "0 is not allowed; it must be at least 1"));
            }
        }
        let algo = policy.config.algo;
        if algo.is_off_policy() {
            let reason = format!(
                "{} learns from replay: its policy has no densities and its critics no V(s), which a rollout records; step a \
                 WorldPool with the actions of Policy::actor",
                algo.name()
            );
            return Err(Error::setting("algo", reason));
        }
        if algo.is_search() {
            let reason = format!(
                "{} searches for deterministic policies, which have neither densities nor values; step a WorldPool with the \
                 actions of Policy::actor",
                algo.name()
            );
            return Err(Error::setting("algo", reason));
        }
        let env: &Environment = &policy.env;
        let spec = env.spec();
        let samples = u64::from(num_envs) * u64::from(num_steps);
        let batch_size = u32::try_from(samples).map_err(|_| {
            Error::setting("num_envs", format!("{num_envs} worlds × {num_steps} steps are too many samples"))
        })?;
        let truncations = if spec.max_episode_steps == 0 { 0 } else { num_steps.div_ceil(spec.max_episode_steps) };
        let run =
            Run { num_envs, num_steps, batch_size, bootstrap_slots: truncations + 1, bootstrap: 1, ..Run::default() };
        let layout = policy.layout()?;
        let kernels = Kernels::new(gpu.form(), &layout, &spec.action_space, policy.config.exploration(env));
        let mut plan = Plan::new(Target::of(gpu));
        let (words, first) = (layout.expand(policy.parameters()), Progress::default());
        let agents = Agents::new(&mut plan, run, &[seed], layout.words(), move || words.clone(), first)?;
        let batch = Batch::new(&mut plan, 1, &run, spec.observation_dim, kernels.rows())?;
        let rollout = stage::Rollout::new(&mut plan, &kernels, env, ACTOR, &agents, &batch, false)?;
        let has_critic = policy.config.estimator.has_critic();
        let values =
            has_critic.then(|| stage::Values::new(&mut plan, &kernels, CRITIC, &agents, &batch)).transpose()?;
        let way = stage::Advantage::way(plan.target().software, &run);
        let advantages = stage::Advantage::new(&mut plan, &kernels, &agents, &batch, &[Recursion::Gae], way)?;
        plan.build(gpu)?;
        gpu.submit(rollout.reset())?;
        let mut recording = Recording::default();
        rollout.record(&mut recording);
        if let Some(values) = values {
            values.record(&mut recording);
        }
        let mut advantage = Recording::default();
        advantages.record(&mut advantage);
        Ok(Self { gpu: gpu.clone(), layout, agents, batch, recording, advantage })
    }

    /// Makes the next rollout; its batch takes the place of the last one's.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn collect(&self) -> Result<&Batch> {
        self.gpu.submit(&self.recording)?;
        Ok(&self.batch)
    }

    /// Advantages of the last rollout by generalised advantage estimation, and targets of the values, into its rows
    /// [`Row::Advantage`] and [`Row::Target`], on the device. A truncated step bootstraps with V(final observation), a terminated one with 0,
    /// the last one with V of the observation behind it; where the policy has no critic, V is 0.
    ///
    /// # Errors
    /// [`Error::Setting`] where the discount γ or the trace decay λ is not from 0 to 1, [`Error::DeviceLost`] where the device is gone.
    pub fn estimate(&self, gamma: f32, gae_lambda: f32) -> Result<&Batch> {
        Self::check(gamma, gae_lambda)?;
        self.gpu.write(&self.agents.runs, &[Run { gamma, gae_lambda, ..self.agents.run }]);
        self.gpu.submit(&self.advantage)?;
        Ok(&self.batch)
    }

    /// Refuses a discount γ or a trace decay λ that is not from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(gamma: f32, gae_lambda: f32) -> Result<()> {
        for (name, value) in [("gamma", gamma), ("gae_lambda", gae_lambda)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, format!("{value} is not allowed; it must be a number from 0 to 1")));
            }
        }
        Ok(())
    }

    /// Goes on under other parameters, as [`Policy::parameters`] has them.
    ///
    /// # Errors
    /// [`Error::Setting`] where their number is another, or one of them is not finite.
    pub fn set_parameters(&self, parameters: &[f32]) -> Result<()> {
        check_numbers(parameters, self.layout.tensors().iter().map(Tensor::len).sum())?;
        self.gpu.write(&self.agents.parameters, &self.layout.expand(parameters));
        Ok(())
    }

    /// The batch of the last rollout.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Rewards of the last rollout, `[step][world]`.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn rewards(&self) -> Result<Vec<f32>> {
        self.numbers(Row::Reward)
    }

    /// V of every observation of the last rollout, `[step][world]`; 0 where the policy has no critic.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn values(&self) -> Result<Vec<f32>> {
        self.numbers(Row::Value)
    }

    /// Log-probabilities of the actions of the last rollout, in nats, `[step][world]`.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn log_probs(&self) -> Result<Vec<f32>> {
        self.numbers(Row::LogProb)
    }

    /// How steps of the last rollout ended, `[step][world]`: [`TERMINATED`](crate::TERMINATED),
    /// [`TRUNCATED`](crate::TRUNCATED), both or neither.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn endings(&self) -> Result<Vec<u32>> {
        self.row(Row::Ending)
    }

    fn numbers(&self, row: Row) -> Result<Vec<f32>> {
        Ok(self.row(row)?.into_iter().map(f32::from_bits).collect())
    }

    /// One row of the samples of the last rollout, `[step][world]`, as bits.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] where the device is gone.
    pub fn row(&self, row: Row) -> Result<Vec<u32>> {
        let size = self.agents.run.batch_size as usize;
        Ok(self.gpu.read(&self.batch.samples)?[row as usize * size..][..size].to_vec())
    }
}
