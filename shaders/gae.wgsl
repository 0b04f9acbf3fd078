//! Generalised advantage estimation (Schulman et al. 2016). One thread = one world, newest step first.
//!
//!   δ_t = r_t + γ v'_t − v_t          v' is 0 after termination, V(final observation) after truncation (0 without `bootstrap`)
//!   A_t = δ_t + γλ (1 − ended_t) A_{t+1}
//!   target_t = A_t + v_t
//!
//! Reference: src/reference/gae.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_final_values: array<u32>;       // [agent][slot][world], V of the kept observations
@bind var<storage, read_write> mw_samples: array<u32>;      // [agent][row][step][world]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_run.num_envs;
    let world = thread.index;
    if world >= n { return; }
    let batch = mw_run.batch_size;
    let slots = thread.agent * mw_run.bootstrap_slots * n + world;
    let rows = thread.agent * MW_ROWS * batch + world;

    // the slots were filled oldest first
    var slot = 0u;
    for (var t = 0u; t < mw_run.num_steps; t++) {
        slot += select(0u, 1u, mw_samples[rows + MW_ROW_ENDING * batch + t * n] == MW_TRUNCATED);
    }
    var next_value = bitcast<f32>(mw_final_values[slots + (mw_run.bootstrap_slots - 1u) * n]);
    var advantage = 0.0;
    for (var t = mw_run.num_steps; t > 0u; t--) {
        let at = rows + (t - 1u) * n;
        let ending = mw_samples[at + MW_ROW_ENDING * batch];
        let reward = mw_reward(thread.agent, bitcast<f32>(mw_samples[at + MW_ROW_REWARD * batch]));
        let value = bitcast<f32>(mw_samples[at + MW_ROW_VALUE * batch]);
        if ending != 0u {
            advantage = 0.0;
            next_value = 0.0;
        }
        if ending == MW_TRUNCATED {
            slot -= 1u;
            next_value = select(0.0, bitcast<f32>(mw_final_values[slots + slot * n]), mw_run.bootstrap != 0u);
        }
        advantage = (reward + mw_run.gamma * next_value - value) + mw_run.gamma * mw_run.gae_lambda * advantage;
        next_value = value;
        mw_samples[at + MW_ROW_ADVANTAGE * batch] = bitcast<u32>(advantage);
        mw_samples[at + MW_ROW_TARGET * batch] = bitcast<u32>(advantage + value);
    }
}
