//! Joins the moments of a batch to the running ones. One thread = one entry: a feature of the observation, or the reward.
//!
//!   n = n₁ + n₂     mean = mean₁ + (mean₂ − mean₁) n₂/n     M2 = M2₁ + M2₂ + (mean₂ − mean₁)² n₁ n₂/n
//!   scale = 1/√(M2/n + 1e-8)
//!
//! An entry is (mean, scale, M2, n) and stands behind the networks among an agent's parameters, from vec4 MW_NORMALISER
//! on: one for each feature, then one for the reward. Chan, Golub & LeVeque (1979).
//! Reference: src/reference/normaliser.rs.

@bind var<uniform> mw_blocks: MwBlocks;                                  // count = entries, stride = the first one
@bind var<storage, read> mw_moments: array<vec4<f32>>;                   // [agent][entry] (n, mean, M2, 0)
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;          // [agent][MW_PARAMETERS / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    if thread.index >= mw_blocks.count { return; }
    let at = thread.agent * MW_PARAMETERS / 4u + MW_NORMALISER + mw_blocks.stride + thread.index;
    let old = mw_parameters[at];
    let new_ = mw_moments[thread.agent * mw_blocks.count + thread.index];
    let count = old.w + new_.x;
    let share = new_.x / count;
    let apart = new_.y - old.x;
    let m2 = old.z + new_.z + apart * apart * old.w * share;
    let joined = vec4<f32>(fma(apart, share, old.x), 1.0 / sqrt(m2 / count + 1e-8), m2, count);
    mw_parameters[at] = joined;
    mw_test_place(thread.agent, MW_OF_PARAMETER, (MW_NORMALISER + mw_blocks.stride + thread.index) * 4u, joined, MW_FINITE);
}
