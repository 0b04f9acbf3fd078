//! Ends an update: writes its metrics to the ring, with what was unsound in it first, and prepares the progress of the next
//! one. One workgroup = one agent.
//!
//!   β ← 2 β where the mean KL of the last epoch was above 1.5 times its target, ½ β where it was below the target / 1.5
//!   explained_variance = 1 − var(target − value) / var(target)

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read_write> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_episode_sums: array<vec4<f32>>;           // [agent] (episodes, returns, lengths, terminated)
@bind var<storage, read> mw_target_moments: array<vec4<f32>>;         // [agent][target, target − value]
@bind var<storage, read> mw_importance_sums: array<vec4<f32>>;        // [agent] (Σw, Σw²), 0 without weights
@bind var<storage, read> mw_faults: array<u32>;                       // [agent][gradient, parameter], see part/fault_places.wgsl
@bind var<storage, read_write> mw_metrics: array<MwMetrics>;          // [slot of the ring][agent]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    var metrics: MwMetrics;
    // a cause before what follows from it: environment, loss, gradient, parameter
    mw_judge_worlds(local, agent, groups.z, mw_run.num_envs / (mw_run.reuse + 1u), &metrics);
    if local > 0u { return; }
    var progress = mw_progress[agent];
    let sums = mw_episode_sums[agent];
    let share = 1.0 / f32(max(progress.minibatches, 1u));
    let variance = mw_target_moments[2u * agent].z;
    mw_judge_learning(&metrics, progress);
    mw_judge_place(&metrics, MW_FAULT_PARAMETER, 0u, mw_faults[agent * 2u + 1u]);
    metrics.update = progress.update;
    metrics.adam_steps = progress.adam_steps;
    metrics.epochs = progress.epoch;
    metrics.episodes = sums.x;
    metrics.return_sum = sums.y;
    metrics.length_sum = sums.z;
    metrics.terminated = sums.w;
    metrics.learning_rate = progress.learning_rate;
    metrics.policy_loss = progress.policy_loss * share;
    metrics.value_loss = progress.value_loss * share;
    metrics.entropy = progress.entropy * share;
    metrics.approx_kl = progress.approx_kl;
    metrics.old_approx_kl = progress.old_approx_kl;
    metrics.clip_fraction = progress.clip_fraction * share;
    metrics.grad_norm = progress.grad_norm * share;
    metrics.explained_variance = 0.0;
    if variance > 0.0 { metrics.explained_variance = 1.0 - mw_target_moments[2u * agent + 1u].z / variance; }
    metrics.first_ratio_deviation = progress.first_ratio_deviation;
    metrics.first_clip_fraction = progress.first_clip_fraction;
    metrics.kl = progress.kl;
    metrics.kl_coef = progress.beta;
    metrics.expected_improvement = progress.expected_improvement;
    metrics.improvement = progress.improvement;
    metrics.cg_residual = progress.cg_residual;
    metrics.line_search_steps = progress.line_search_steps;
    let weights = mw_importance_sums[agent].xy;
    if weights.y > 0.0 { metrics.effective_samples = weights.x * weights.x / weights.y; }
    mw_metrics[(progress.update % MW_RING) * groups.z + agent] = metrics;
    if mw_each[mw_own(agent)].kl_target > 0.0 {
        if progress.kl > 1.5 * mw_each[mw_own(agent)].kl_target { progress.beta = min(2.0 * progress.beta, 1e6); }
        if progress.kl < mw_each[mw_own(agent)].kl_target / 1.5 { progress.beta = max(0.5 * progress.beta, 1e-6); }
    }

    mw_progress[agent] = mw_next_update(agent, progress);
}
