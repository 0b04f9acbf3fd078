//! What follows from a configuration before there is a device: networks, sizes, what each learner works on.

use crate::algo::networks::{ACTOR, CRITIC};
use crate::config::{Algo, Config, Penalty, SyncEvery};
use crate::env::Environment;
use crate::kernels::{Block, Estimator, Kernels, Objective, Optimizer};
use crate::layout::{Run, TrustRegion};
use crate::nn::Parameters;
use crate::plan::Target;
use crate::stage::{Portion, Slicing};

/// The kernels of a run.
pub(super) fn kernels<'a>(
    config: &Config,
    env: &'a Environment,
    layout: &'a Parameters,
    target: &Target,
    [agents, runs]: [u32; 2],
    block: Block,
) -> Kernels<'a> {
    let form = target.forms.of_work(config.work());
    let kernels = Kernels::new(form, layout, &env.spec().action_space, config.exploration(env));
    let runs = if runs > 1 { Run::MOST as u32 } else { 1 };
    let in_step = config.sync == SyncEvery::Minibatch;
    Kernels { keeps: config.keeps(), agents, trace: target.trace_bytes(), block, in_step, runs, ..kernels }
}

/// What one learner works on: which networks, for which objectives, in which minibatches.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub objectives: Vec<(usize, Objective)>,
    pub run: Run,
    pub slicing: Slicing,
}

impl Task {
    fn new(kernels: &Kernels, objectives: Vec<(usize, Objective)>, mut run: Run) -> Self {
        let slicing = Slicing::new(run.minibatch_size, kernels.agents, kernels.parameters, kernels);
        run.set_slicing(slicing, kernels, kernels.parameters.span(objectives.iter().map(|&(network, _)| network)));
        Self { objectives, run, slicing }
    }

    /// The policy's, and with it that of the values where both learn side by side.
    pub fn of_policy(config: &Config, env: &Environment, kernels: &Kernels) -> Self {
        let mut objectives = vec![(ACTOR, super::objective(config))];
        if !config.algo.fits_apart() {
            objectives.push((CRITIC, Objective::Value));
        }
        Self::new(kernels, objectives, run(config, env, kernels.block))
    }

    /// That of the values, where they are fitted apart from the policy.
    pub fn of_values(config: &Config, env: &Environment, kernels: &Kernels) -> Option<Self> {
        if !config.algo.fits_apart() || !config.estimator.has_critic() {
            return None;
        }
        let run = run(config, env, kernels.block);
        let minibatch_size = (run.batch_size / config.value_minibatches).max(1);
        let num_minibatches = run.batch_size.div_ceil(minibatch_size);
        let run = Run {
            minibatch_size,
            num_minibatches,
            tile: tile(run.batch_size / kernels.block.shards, num_minibatches),
            stride: 0,
            norm_adv: 0,
            clip_vloss: 0,
            vf_coef: 1.0,
            target_kl: 0.0,
            learning_rate: config.value_learning_rate as f32,
            ..run.decaying(config, Optimizer::Adam)
        };
        Some(Self::new(kernels, vec![(CRITIC, Objective::Value)], run))
    }

    /// Every learner of a run.
    pub fn all(config: &Config, env: &Environment, kernels: &Kernels) -> Vec<Self> {
        let mut tasks = vec![Self::of_policy(config, env, kernels)];
        tasks.extend(Self::of_values(config, env, kernels));
        tasks
    }
}

/// Portion with the Fisher matrix of the policy, and the step that they are for.
pub(super) fn natural(config: &Config, env: &Environment, kernels: &Kernels) -> Option<(Portion, TrustRegion)> {
    if !config.algo.is_natural() {
        return None;
    }
    let run = run(config, env, kernels.block);
    let stride = (1.0 / config.fisher_subsample).round().min(f64::from(run.batch_size)) as u32;
    let trust = TrustRegion {
        delta: config.delta as f32,
        limit: config.delta as f32,
        damping: config.damping as f32,
        tolerance: config.cg_tolerance as f32,
        backtrack: config.backtrack_coeff as f32,
        candidates: if config.algo == Algo::Trpo { config.backtrack_iters } else { 0 },
        iterations: config.cg_iters,
        samples: run.batch_size,
    };
    Some((Portion::new(kernels, ACTOR, run, stride), trust))
}

/// What holds for the whole run, from its configuration.
fn run(config: &Config, env: &Environment, block: Block) -> Run {
    let truncations = match env.spec().max_episode_steps {
        0 => 0,
        limit => config.num_steps.div_ceil(limit),
    };
    // older rollouts are further worlds to all but the kernel that makes them
    let batch_size = config.rollout_size() * (config.reuse + 1);
    let minibatch_size = (batch_size / config.num_minibatches).max(1);
    let num_minibatches = batch_size.div_ceil(minibatch_size);
    Run {
        num_envs: config.num_envs * (config.reuse + 1),
        num_steps: config.num_steps,
        batch_size,
        minibatch_size,
        num_minibatches,
        epochs: config.update_epochs,
        bootstrap_slots: truncations + 1,
        tile: tile(batch_size / block.shards, num_minibatches),
        reuse: config.reuse,
        importance_clip: config.importance_clip as f32,
        stride: u32::from(config.algo.takes_one_step()),
        num_updates: config.num_updates(),
        anneal: Run::annealing(config),
        norm_adv: match config.estimator {
            _ if config.norm_adv => 1,
            Estimator::MeanBaseline => 2,
            _ => 0,
        },
        clip_vloss: u32::from(config.clip_vloss),
        bootstrap: u32::from(config.bootstrap_truncated),
        gamma: config.gamma as f32,
        gae_lambda: config.gae_lambda as f32,
        clip_coef: config.clip_coef as f32,
        ent_coef: config.ent_coef as f32,
        vf_coef: config.vf_coef as f32,
        max_grad_norm: config.max_grad_norm as f32,
        target_kl: config.target_kl as f32,
        kl_target: if config.penalty == Penalty::Kl { config.kl_target as f32 } else { 0.0 },
        learning_rate: config.learning_rate as f32,
        ..Run::default().decaying(config, config.optimizer)
    }
}

/// Columns that are shuffled together: a power of two up to 64 that divides the batch and leaves at least 32 tiles
/// for each minibatch; else single columns.
fn tile(batch: u32, minibatches: u32) -> u32 {
    let fits = |tile: &u32| batch.is_multiple_of(*tile) && batch / tile >= 32u32.saturating_mul(minibatches);
    [64, 32, 16, 8].into_iter().find(fits).unwrap_or(1)
}
