//! The buffers of a run: what its worlds, its batch and its agents keep on the device.

#![allow(clippy::missing_errors_doc)] // errors of what is planned, linked and built, which `plan` tells of

use crate::error::Result;
use crate::gpu::{Buffer, Buffers};
use crate::layout::{Progress, Run};
use crate::plan::Plan;

/// The agents of a run: parameters and progress, and what holds for all of them.
#[derive(Clone, Debug)]
pub struct Agents {
    /// Number of agents.
    pub count: u32,
    /// What holds for the whole run, with the numbers of the first agent.
    pub run: Run,
    /// The same with the numbers of each agent, where they differ; else one.
    pub each: Vec<Run>,
    /// `each` on the device.
    pub runs: Buffer<Run>,
    /// `[agent]`
    pub progress: Buffer<Progress>,
    /// What it was before a step, for whoever takes that: `sum_slices.wgsl` copies it, the step writes the other.
    before: Buffer<Progress>,
    /// `[agent][word]`, see [`crate::nn::Parameters`].
    pub parameters: Buffer<f32>,
    /// Where gradients and parameters are unsound first (`shaders/part/fault_places.wgsl`), `[agent][gradient, parameter]`.
    pub faults: Buffer<u32>,
    /// Agents whose places lie before theirs in that buffer.
    pub faults_first: u32,
    seeds: Vec<u32>,
    first: Vec<Progress>,
}

impl Agents {
    /// Agents with these seeds, which begin with `words` parameters each, as `parameters` makes them `[agent][word]`, and with
    /// this progress: seed, learning rate and clip range are filled in.
    pub fn new(
        plan: &mut Plan,
        run: Run,
        seeds: &[u32],
        words: u32,
        parameters: impl Fn() -> Vec<f32> + Send + Sync + 'static,
        first: Progress,
    ) -> Result<Self> {
        let axes = [("agents", seeds.len() as u64), ("parameters", words.into())];
        let parameters = plan.parameters("parameters", &axes, parameters)?;
        let faults = no_faults(plan, seeds.len())?;
        Self::with_parameters(plan, vec![run], seeds.to_vec(), parameters, faults, vec![first])
    }

    /// The same where every agent has numbers and a progress of its own, or there is one of each for all.
    pub fn of_each(
        plan: &mut Plan,
        each: Vec<Run>,
        seeds: &[u32],
        words: u32,
        parameters: impl Fn() -> Vec<f32> + Send + Sync + 'static,
        first: Vec<Progress>,
    ) -> Result<Self> {
        let axes = [("agents", seeds.len() as u64), ("parameters", words.into())];
        let parameters = plan.parameters("parameters", &axes, parameters)?;
        let faults = no_faults(plan, seeds.len())?;
        Self::with_parameters(plan, each, seeds.to_vec(), parameters, faults, first)
    }

    /// These agents with a progress of their own, for what is learned apart in other minibatches.
    pub fn apart(&self, plan: &mut Plan, run: Run) -> Result<Self> {
        self.apart_each(plan, self.each.iter().map(|own| run.with_numbers_of(own)).collect())
    }

    /// The same at other rates, of each agent or of all.
    pub fn apart_each(&self, plan: &mut Plan, each: Vec<Run>) -> Result<Self> {
        let (seeds, parameters, faults) = (self.seeds.clone(), self.parameters.clone(), self.faults.clone());
        Self::with_parameters(plan, each, seeds, parameters, faults, self.first.clone())
    }

    /// Puts the faults of `other` agents behind these ones', for a kernel that looks at both.
    pub fn share_faults(&mut self, plan: &mut Plan, other: &mut Self) -> Result<()> {
        self.faults = no_faults(plan, (self.count + other.count) as usize)?;
        (other.faults, other.faults_first) = (self.faults.clone(), self.count);
        Ok(())
    }

    /// These agents to kernels that see another `run`.
    #[must_use]
    pub fn seen_as(&self, plan: &mut Plan, run: Run) -> Self {
        let each: Vec<Run> = self.each.iter().map(|own| run.with_numbers_of(own)).collect();
        Self { run, runs: plan.uniforms("run", &entries(&each)), each, ..self.clone() }
    }

    fn with_parameters(
        plan: &mut Plan,
        each: Vec<Run>,
        seeds: Vec<u32>,
        parameters: Buffer<f32>,
        faults: Buffer<u32>,
        first: Vec<Progress>,
    ) -> Result<Self> {
        // of each agent, or of all
        let progress = |(agent, &seed): (usize, &u32)| {
            let (run, first) = (each[agent.min(each.len() - 1)], first[agent.min(first.len() - 1)]);
            Progress { seed, learning_rate: run.learning_rate, clip_coef: run.clip_coef, ..first }
        };
        let progress: Vec<Progress> = seeds.iter().enumerate().map(progress).collect();
        let axes = [("agents", seeds.len() as u64)];
        Ok(Self {
            count: seeds.len() as u32,
            run: each[0],
            runs: plan.uniforms("run", &entries(&each)),
            each,
            progress: plan.filled("progress", &axes, "the number of agents", move || progress.clone())?,
            before: plan.buffer("progress before the step", &axes, "the number of agents")?,
            parameters,
            faults,
            faults_first: 0,
            seeds,
            first,
        })
    }

    /// The buffers by the names that shaders know them by.
    pub fn buffers(&self) -> Buffers {
        Buffers::default()
            .with("mw_run", &self.runs)
            .with("mw_each", &self.runs)
            .with("mw_progress", &self.progress)
            .with("mw_progress_before", &self.before)
            .with("mw_parameters", &self.parameters)
            .with("mw_faults", &self.faults)
    }
}

/// Places of faults of so many agents, none of which has one.
fn no_faults(plan: &mut Plan, agents: usize) -> Result<Buffer<u32>> {
    let axes = [("agents", agents as u64), ("places", 2)];
    plan.filled("faults", &axes, "the number of agents", move || vec![u32::MAX; 2 * agents])
}

/// One rollout of every agent.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[agent][feature][step][world]`
    pub observations: Buffer<f32>,
    /// `[agent][row][step][world]`, rows as in [`crate::layout::Row`].
    pub samples: Buffer<u32>,
    /// Observations to bootstrap from, `[agent][feature][slot][world]`: those of truncated steps, oldest first, then
    /// the one after the last step.
    pub final_observations: Buffer<f32>,
    /// Their values as bits of `f32`, `[agent][slot][world]`.
    pub final_values: Buffer<u32>,
}

impl Batch {
    /// An empty batch.
    pub fn new(plan: &mut Plan, agents: u32, run: &Run, features: u32, rows: u32) -> Result<Self> {
        let remedy = "num_envs or num_steps";
        let (agents, features) = (("agents", u64::from(agents)), ("features", u64::from(features)));
        let worlds = ("worlds", u64::from(run.num_envs));
        let (steps, slots) = (("steps", u64::from(run.num_steps)), ("slots", u64::from(run.bootstrap_slots)));
        Ok(Self {
            samples: plan.buffer("samples", &[agents, ("rows", rows.into()), steps, worlds], remedy)?,
            observations: plan.buffer("observations", &[agents, features, steps, worlds], remedy)?,
            final_observations: plan.buffer("final observations", &[agents, features, slots, worlds], remedy)?,
            final_values: plan.buffer("final values", &[agents, slots, worlds], remedy)?,
        })
    }

    /// The buffers by the names that shaders know them by.
    pub fn buffers(&self, more: &Buffers) -> Buffers {
        more.with("mw_observations", &self.observations)
            .with("mw_observed", &self.observations)
            .with("mw_samples", &self.samples)
            .with("mw_final_observations", &self.final_observations)
            .with("mw_final_values", &self.final_values)
    }
}

/// What kernels read of all agents or of each: one entry, or [`Run::MOST`].
fn entries(each: &[Run]) -> Vec<Run> {
    let mut entries = each.to_vec();
    if entries.len() > 1 {
        entries.resize(Run::MOST.max(entries.len()), each[0]);
    }
    entries
}

impl Run {
    /// Agents of a launch at most where they have numbers of their own: 32 KiB of a uniform, whose length is the same for any
    /// number of them, so that kernels are too.
    pub const MOST: usize = 256;

    /// These shapes with the numbers of another: those that may be an agent's own.
    #[must_use]
    pub fn with_numbers_of(self, own: &Self) -> Self {
        Self {
            importance_clip: own.importance_clip,
            gamma: own.gamma,
            gae_lambda: own.gae_lambda,
            clip_coef: own.clip_coef,
            ent_coef: own.ent_coef,
            vf_coef: own.vf_coef,
            kl_target: own.kl_target,
            max_grad_norm: own.max_grad_norm,
            target_kl: own.target_kl,
            learning_rate: own.learning_rate,
            ..self
        }
    }
}
