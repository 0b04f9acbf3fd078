//! Importance weights of a batch that holds older rollouts too: their logarithms, and what weights do to a sample.
//!
//!   w ← min(e^x, importance_clip)      times (rollouts) / (rollouts so far) while the batch is not full, 0 for what is empty
//!
//! The factor keeps the mean over the batch a mean over the samples that there are.

@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_importance: array<f32>;      // [agent][step][world]: log ρ, its sums, then weights

fn mw_importance_at(agent: u32, t: u32, world: u32) -> u32 {
    return agent * mw_run.batch_size + t * mw_run.num_envs + world;
}

/// Whether the rollout that a world of the batch belongs to was made yet.
fn mw_is_filled(agent: u32, world: u32) -> bool {
    return world / (mw_run.num_envs / (mw_run.reuse + 1u)) <= mw_progress[agent].update;
}

fn mw_weight(agent: u32, world: u32, log_weight: f32) -> f32 {
    var weight = exp_(min(log_weight, 30.0));   // so that sums of squares stay finite
    if mw_each[mw_own(agent)].importance_clip > 0.0 { weight = min(weight, mw_each[mw_own(agent)].importance_clip); }
    let rollouts = mw_run.reuse + 1u;
    let share = f32(rollouts) / f32(min(mw_progress[agent].update + 1u, rollouts));
    return select(0.0, weight * share, mw_is_filled(agent, world));
}

/// Weighs Φ of a sample, and remembers the weight for the effective sample size.
fn mw_weigh(agent: u32, t: u32, world: u32, phi: f32, log_weight: f32) {
    let weight = mw_weight(agent, world, log_weight);
    mw_importance[mw_importance_at(agent, t, world)] = weight;
    mw_put_row(agent, MW_ROW_ADVANTAGE, t, world, weight * phi);
    // where nothing is, the value is right as it is
    if !mw_is_filled(agent, world) {
        mw_samples[mw_step_at(agent, MW_ROW_TARGET, t, world)] = mw_samples[mw_step_at(agent, MW_ROW_VALUE, t, world)];
    }
}
