//! Many repetitions of gradient ascent at once: each takes a few rollouts, limits the gradient's norm, and steps θ.

use super::{Estimator, Textbook};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::{Buffers, Gpu, Recording};
use crate::kernels::{Combine, Kernels, Sums};
use crate::layout;
use crate::plan::{Plan, Target};
use crate::stage::Estimates;

/// How θ climbs.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientAscent {
    /// `total-return`, `reward-to-go` or `optimal-baseline`. The last takes the baseline of a rollout from the other
    /// rollouts of its step, so that none is needed beside them.
    pub estimator: Estimator,
    /// θ at the start.
    pub theta: Vec<f64>,
    /// Rollouts of a gradient.
    pub rollouts: u32,
    /// Steps of a rollout.
    pub depth: u32,
    /// Steps uphill.
    pub steps: u32,
    /// Step size α.
    pub rate: f64,
    /// Limit of the gradient's norm.
    pub limit: f64,
    /// Least θ₂ of the linear Gaussian policy, whose scores grow like its inverse.
    pub least: f64,
    /// Repetitions, side by side.
    pub repetitions: u32,
    /// Seed of all random numbers; step k uses stream k.
    pub seed: u32,
}

/// θ before every step and after the last, `[step][repetition][parameter]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Number of repetitions.
    pub repetitions: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// The numbers.
    pub theta: Vec<f32>,
}

impl Path {
    /// Every repetition's value of a parameter before a step, as f64.
    pub fn at(&self, step: usize, parameter: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        let all = &self.theta[step * self.repetitions * self.parameters..][..self.repetitions * self.parameters];
        all.iter().skip(parameter).step_by(self.parameters).map(|x| f64::from(*x))
    }

    /// Number of points of a path: one more than steps.
    pub fn points(&self) -> usize {
        self.theta.len() / (self.repetitions * self.parameters)
    }
}

/// Climbs from one θ, all repetitions in one launch.
///
/// # Errors
/// As [`super::estimate`]; [`Error::Setting`] for another estimator or no repetitions.
pub fn ascend(gpu: &Gpu, env: &Environment, ascent: &GradientAscent) -> Result<Path> {
    let textbook = Textbook::of(env)?;
    textbook.check(&ascent.theta)?;
    let (sums, combine, least) = match ascent.estimator {
        Estimator::TotalReturn => (Sums::TotalReturn, Combine::Mean, 1),
        Estimator::RewardToGo => (Sums::RewardToGo, Combine::Mean, 1),
        Estimator::OptimalBaseline => (Sums::BaselineTerms, Combine::LeaveOneOut, 2),
        other => {
            let reason = format!("{} does not climb; use total-return, reward-to-go or optimal-baseline", other.name());
            return Err(Error::setting("estimator", reason));
        }
    };
    for (name, value, least) in
        [("rollouts", ascent.rollouts, least), ("depth", ascent.depth, 1), ("repetitions", ascent.repetitions, 1)]
    {
        if value < least {
            return Err(Error::setting(name, format!("{value} is not allowed; it must be at least {least}")));
        }
    }
    let (space, policy, n) = (&env.spec().action_space, textbook.kind(), ascent.theta.len());
    let agents = ascent.repetitions;
    let kernels = Kernels { agents, ..Kernels::of_worlds(gpu.form_for(0), space) };
    let first: Vec<f32> = (0..agents as usize).flat_map(|_| ascent.theta.iter().map(|x| *x as f32)).collect();
    let mut plan = Plan::new(Target::of(gpu));
    let (repetitions, parameters) = (("repetitions", u64::from(agents)), ("parameters", n as u64));
    let path = plan.buffer::<f32>("path", &[("steps", ascent.steps.into()), repetitions, parameters], "repetitions")?;
    let (words, one) = (ascent.steps as usize * first.len(), first.len());
    let theta = plan.filled("theta", &[repetitions, parameters], "repetitions", move || first.clone())?;
    let kernel = plan.kernel(kernels.ascend(env, policy, combine)?);
    let buffers = Buffers::default().with("mw_theta", &theta);
    let mut recording = Recording::default();
    for step in 0..ascent.steps {
        let shape = layout::Estimate {
            seed: ascent.seed,
            stream: step,
            rollouts: ascent.rollouts,
            depth: ascent.depth,
            apart: ascent.rollouts,
            gamma: 1.0,
            weight_gamma: 1.0,
            ..layout::Estimate::default()
        };
        let estimates = Estimates::new(&mut plan, &kernels, env, policy, sums, shape, &buffers)?;
        estimates.record(&mut recording);
        let uphill = layout::Ascent {
            agents,
            rollouts: ascent.rollouts,
            rows: estimates.shape().rows,
            step,
            rate: ascent.rate as f32,
            limit: ascent.limit as f32,
            least: ascent.least as f32,
        };
        let buffers = buffers
            .with("mw_ascent", &plan.uniform("ascent", &uphill))
            .with("mw_rollout_rows", &estimates.rows)
            .with("mw_path", &path);
        recording.push(&plan.pass(kernel, 1, u64::from(agents), 2 * u64::from(ascent.rollouts), &buffers));
    }
    plan.build(gpu)?;
    let arrived = gpu.submit_and_read(&recording, &[path.raw(), theta.raw()])?.wait(gpu)?;
    let mut all: Vec<f32> = arrived.take(0);
    all.truncate(words);
    all.extend(&arrived.take::<f32>(1)[..one]);
    Ok(Path { repetitions: agents as usize, parameters: n, theta: all })
}
