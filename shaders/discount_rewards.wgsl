//! Discounted sums of the rewards so far, whose deviation rewards are divided by. One thread = one world.
//!
//!   R_t = γ (1 − ended_{t−1}) R_{t−1} + r_t
//!
//! They stand in the row of the advantages until these are known.
//! Reference: src/reference/normaliser.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read_write> mw_samples: array<u32>;      // [agent][row][step][world]
@bind var<storage, read_write> mw_discounted: array<f32>;   // [agent][world] γ (1 − ended) R of the step before

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_run.num_envs;
    let world = thread.index;
    if world >= n { return; }
    let rows = thread.agent * MW_ROWS * mw_run.batch_size + world;
    var sum = mw_discounted[thread.agent * n + world];
    for (var t = 0u; t < mw_run.num_steps; t++) {
        let at = rows + t * n;
        sum += bitcast<f32>(mw_samples[at + MW_ROW_REWARD * mw_run.batch_size]);
        mw_samples[at + MW_ROW_ADVANTAGE * mw_run.batch_size] = bitcast<u32>(sum);
        sum = select(mw_each[mw_own(thread.agent)].gamma * sum, 0.0, mw_samples[at + MW_ROW_ENDING * mw_run.batch_size] != 0u);
    }
    mw_discounted[thread.agent * n + world] = sum;
}
