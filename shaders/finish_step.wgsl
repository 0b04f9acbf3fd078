//! The end of a gradient step: counts it, moves the bias corrections of Adam on, and the temperature α where it adapts. One
//! workgroup = one agent.
//!
//!   c_i ← c_i + (1 − c_i)(1 − β_i), so that c_i = 1 − β_i^t for the step that comes next
//!   loss(α) = −log α · mean(log π(a|s) + H_target), log π constant
//!
//! Reference: src/reference/off_policy.rs.

@bind var<uniform> mw_run: MwRun;                              // of the actor
@bind var<uniform> mw_replay: MwReplaySettings;
@bind var<uniform> mw_target_update: MwTargetUpdate;
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // [agent]
@bind var<storage, read_write> mw_critic_progress: array<MwProgress>;  // [agent][critic]
@bind var<storage, read_write> mw_temperature: array<MwScalar>;        // [agent] α

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    let count = mw_replay.batch_size;
    var sum = 0.0;
    if mw_target_update.actor != 0u {
        for (var i = local; i < count; i += MW_WORKGROUP) { sum += mw_drawn[mw_drawn_at(agent, MW_ROW_LOG_PROB, i, count)]; }
    }
    let log_probs = mw_joined(local, sum);
    if local < MW_CRITICS {
        var critic = mw_critic_progress[agent * MW_CRITICS + local];
        critic.adam_steps += 1u;
        critic.correction1 += (1.0 - critic.correction1) * mw_run.decay1;
        critic.correction2 += (1.0 - critic.correction2) * mw_run.decay2;
        mw_critic_progress[agent * MW_CRITICS + local] = critic;
    }
    if local > 0u { return; }
    var progress = mw_progress[agent];
    progress.gradient_steps += 1u;
    if mw_target_update.actor != 0u {
        if mw_replay.autotune != 0u {
            let gradient = -(log_probs / f32(count) + mw_replay.target_entropy);
            mw_temperature[agent] = mw_scalar_after(mw_temperature[agent], gradient, mw_replay.alpha_rate);
        }
        progress.adam_steps += 1u;
        progress.correction1 += (1.0 - progress.correction1) * mw_run.decay1;
        progress.correction2 += (1.0 - progress.correction2) * mw_run.decay2;
    }
    mw_progress[agent] = progress;
}
