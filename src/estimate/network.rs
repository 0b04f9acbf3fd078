//! The same estimates for a policy that is a network, as `reinforce` makes them: no closed form, thousands of parameters.

use super::{Estimate, Estimator, Values};
use crate::algo::{ACTOR, OnPolicy, networks};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels;
use crate::layout::Row;
use crate::train::{Policy, check_worlds};

/// Agents with the same parameters and seeds of their own: the deviation is that of their gradients.
const AGENTS: u32 = 32;

/// What is estimated, and how.
#[derive(Clone, Debug)]
pub struct NetworkSettings {
    /// The estimator; [`NETWORK_ESTIMATORS`] can be had.
    pub estimator: Estimator,
    /// The policy, and the values with it; an untrained one for `seed` where there is none.
    pub policy: Option<Policy>,
    /// Rollouts M, rounded down to a multiple of 32.
    pub rollouts: u32,
    /// Steps D of a rollout; it ends with its first episode.
    pub depth: u32,
    /// Discount γ.
    pub gamma: f64,
    /// Trace decay λ of `gae`.
    pub lambda: f64,
    /// Whether step k is weighed with γ^k.
    pub discount_gradient: bool,
    /// Seed of all random numbers.
    pub seed: u32,
}

/// Estimators that there are for networks: those that need no batch of their own.
pub const NETWORK_ESTIMATORS: [Estimator; 6] = [
    Estimator::TotalReturn,
    Estimator::RewardToGo,
    Estimator::ValueBaseline,
    Estimator::Q,
    Estimator::TdResidual,
    Estimator::Gae,
];

impl NetworkSettings {
    fn estimator(&self) -> Result<kernels::Estimator> {
        Ok(match self.estimator {
            Estimator::TotalReturn => kernels::Estimator::TotalReturn,
            Estimator::RewardToGo => kernels::Estimator::RewardToGo,
            Estimator::ValueBaseline => kernels::Estimator::ValueBaseline,
            Estimator::Q => kernels::Estimator::Q,
            Estimator::TdResidual => kernels::Estimator::TdResidual,
            Estimator::Gae => kernels::Estimator::Gae,
            other => {
                let names = NETWORK_ESTIMATORS.map(Estimator::name).join(", ");
                let reason = format!("{} is for textbook policies; for networks there are {names}", other.name());
                return Err(Error::setting("estimator", reason));
            }
        })
    }

    /// The run that makes the estimates.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn config(&self, env: &Environment) -> Result<Config> {
        if self.rollouts < 2 * AGENTS {
            let reason =
                format!("{} is not allowed; it must be at least {} for a deviation", self.rollouts, 2 * AGENTS);
            return Err(Error::setting("rollouts", reason));
        }
        if self.depth == 0 {
            return Err(Error::setting("depth", "0 is not allowed; it must be at least 1"));
        }
        if let Some(policy) =
            self.policy.as_ref().filter(|policy| policy.config.algo.is_off_policy() || policy.config.algo.is_search())
            && env.spec().action_space.is_box()
        {
            let reason = format!(
                "its policy was learned by {}, not by the likelihood of its actions; give a run of ppo, a2c, reinforce, \
                 npg or trpo",
                policy.config.algo.name()
            );
            return Err(Error::setting("checkpoint", reason));
        }
        let preset = Config::preset("none", "reinforce")?;
        let own = self.policy.as_ref().map_or_else(|| preset.clone(), |policy| policy.config.clone());
        let config = Config {
            num_envs: self.rollouts / AGENTS,
            num_steps: self.depth,
            total_timesteps: 1,
            estimator: self.estimator()?,
            gamma: self.gamma,
            gae_lambda: self.lambda,
            discount_gradient: self.discount_gradient && self.estimator != Estimator::TotalReturn,
            one_episode: true,
            eval_episodes: 1,
            value_minibatches: 1,
            seed: self.seed,
            // what shapes the networks and what they see is the policy's own
            hidden: own.hidden,
            activation: own.activation,
            norm_obs: own.norm_obs,
            squash: own.squash,
            use_sde: own.use_sde,
            sde_sample_freq: own.sde_sample_freq,
            log_std_init: own.log_std_init,
            ..preset
        };
        config.check_for(env)?;
        let bootstraps = matches!(self.estimator, Estimator::Q | Estimator::TdResidual | Estimator::Gae);
        if own.norm_reward && bootstraps {
            let reason = format!(
                "{} takes values for rewards, and those of the checkpoint are of normalised ones (norm_reward); choose \
                 total-return, reward-to-go or value-baseline",
                self.estimator.name()
            );
            return Err(Error::setting("estimator", reason));
        }
        Ok(config)
    }
}

/// Estimates the gradient of U(θ) = E Σ γ^k r_k over the first episode of each rollout, by the policy's parameters.
///
/// # Errors
/// [`Error::Setting`] where something cannot be, and as [`OnPolicy::new`].
pub fn estimate_network(gpu: &Gpu, env: &Environment, settings: &NetworkSettings) -> Result<Estimate> {
    let config = settings.config(env)?;
    let seeds: Vec<u32> = (0..AGENTS).map(|agent| settings.seed.wrapping_mul(AGENTS).wrapping_add(agent)).collect();
    let agents = OnPolicy::new(gpu, env, &config, &seeds).map_err(named_here)?;
    let policy = match &settings.policy {
        Some(policy) => policy.clone(),
        None => Policy::untrained(env, config.clone())?,
    };
    let parameters = agents.layout.expand(&with_layout(&policy, env, &config)?);
    gpu.write(&agents.agents.parameters, &parameters.repeat(AGENTS as usize));
    let (gradient, samples) = (agents.learner.gradient.raw(), agents.batch.samples.raw());
    let readback = gpu.submit_and_read(&agents.estimate(), &[gradient, samples, agents.rollout.worlds.raw()])?;
    let arrived = readback.wait(gpu)?;
    let (gradients, samples): (Vec<f32>, Vec<u32>) = (arrived.take(0), arrived.take(1));

    check_worlds(&arrived.take::<u32>(2), env, &config, &seeds)?;

    // a learner's gradient is that of −(1/samples) Σ log π Φ, a rollout's that of Σ_k log π Φ
    let count = parameter_count(&agents, ACTOR);
    let per_rollout = -f64::from(settings.depth);
    let each: Vec<Vec<f64>> = gradients
        .chunks_exact(agents.layout.learned() as usize)
        .map(|agent| {
            let padded = [agent, &vec![0.0; (agents.layout.words() - agents.layout.learned()) as usize]].concat();
            agents.layout.compact(&padded)[..count].iter().map(|g| per_rollout * f64::from(*g)).collect()
        })
        .collect();
    let mean = |i: usize| each.iter().map(|g| g[i]).sum::<f64>() / f64::from(AGENTS);
    let gradient: Vec<f64> = (0..count).map(mean).collect();
    let rollouts = AGENTS * config.num_envs;
    let deviation = |i: usize| {
        let squares: f64 = each.iter().map(|g| (g[i] - gradient[i]).powi(2)).sum();
        (squares / f64::from(AGENTS - 1) * f64::from(config.num_envs)).sqrt()
    };
    let std: Vec<f64> = (0..count).map(deviation).collect();
    Ok(Estimate {
        env: env.name().to_owned(),
        policy: "network",
        estimator: settings.estimator,
        theta: policy.parameters()[..count].iter().map(|p| f64::from(*p)).collect(),
        rollouts,
        simulated: u64::from(rollouts),
        depth: settings.depth,
        gamma: settings.gamma,
        lambda: (settings.estimator == Estimator::Gae).then_some(settings.lambda),
        discount_gradient: settings.discount_gradient,
        values: settings.estimator.needs_values().then_some(Values::Learned),
        seed: settings.seed,
        stderr: std.iter().map(|std| std / f64::from(rollouts).sqrt()).collect(),
        gradient,
        std,
        exact: None,
        bias: None,
        baseline: None,
        utility: utility(&samples, &agents, settings.gamma),
        utility_exact: None,
    })
}

/// What is too large by the names of [`NetworkSettings`].
fn named_here(error: Error) -> Error {
    match error {
        Error::TooLarge { buffer, arithmetic, bytes, limit, .. } => {
            Error::TooLarge { buffer, arithmetic, bytes, limit, remedy: "rollouts or depth".to_owned() }
        }
        other => other,
    }
}

/// Parameters of one network of an agent, padding left out.
fn parameter_count(agents: &OnPolicy, network: usize) -> usize {
    let name = agents.layout.networks()[network].name();
    let its = |tensor: &&crate::nn::Tensor| tensor.name.starts_with(&format!("{name}."));
    agents.layout.tensors().iter().filter(its).map(crate::nn::Tensor::len).sum()
}

/// A policy's tensors in the order of a configuration that may want fewer of them.
fn with_layout(policy: &Policy, env: &Environment, config: &Config) -> Result<Vec<f32>> {
    let mut rest = policy.parameters();
    let mut known = Vec::new();
    for tensor in networks(&policy.config, &policy.env).tensors() {
        let (now, later) = rest.split_at(tensor.len());
        known.push((tensor.name, now));
        rest = later;
    }
    let mut words = Vec::new();
    for tensor in networks(config, env).tensors() {
        let Some((_, values)) =
            known.iter().find(|(name, values)| *name == tensor.name && values.len() == tensor.len())
        else {
            let reason = format!(
                "{} needs '{}', which the checkpoint does not have; choose total-return or reward-to-go",
                config.estimator.name(),
                tensor.name
            );
            return Err(Error::setting("estimator", reason));
        };
        words.extend_from_slice(values);
    }
    Ok(words)
}

/// Mean of Σ γ^k r_k over the first episodes.
fn utility(samples: &[u32], agents: &OnPolicy, gamma: f64) -> f64 {
    let run = &agents.agents.run;
    let (batch, worlds) = (run.batch_size as usize, run.num_envs as usize);
    let rows = samples.len() / batch / agents.agents.count as usize;
    let mut sum = 0.0;
    for agent in samples.chunks_exact(rows * batch) {
        let row = |row: Row| &agent[row as usize * batch..][..batch];
        for world in 0..worlds {
            let mut factor = 1.0;
            for at in (world..batch).step_by(worlds) {
                sum += factor * f64::from(f32::from_bits(row(Row::Reward)[at]));
                factor *= gamma;
                if row(Row::Ending)[at] != 0 {
                    break;
                }
            }
        }
    }
    sum / f64::from(run.num_envs * agents.agents.count)
}
