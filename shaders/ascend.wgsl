//! One step uphill of every repetition. One thread = one repetition, which was an agent of `estimate.wgsl`.
//!
//!   g = the estimates of its rollouts (slot `combine`)      θ ← hold(θ + α g · min(1, limit/‖g‖))
//!
//! hold (slot `policy`) takes the nearest parameters that are a policy. θ before the step stays in the path.

@bind var<uniform> mw_ascent: MwAscent;
@bind var<storage, read> mw_rollout_rows: array<f32>;              // [agent][row][rollout], rows of `estimate.wgsl`
@bind var<storage, read_write> mw_theta: array<f32>;       // [agent][parameter]
@bind var<storage, read_write> mw_path: array<f32>;        // [step][agent][parameter]

/// Row `row` of the estimator's own for rollout j.
fn mw_left(agent: u32, row: u32, j: u32) -> f32 {
    return mw_rollout_rows[(agent * mw_ascent.rows + MW_OWN_ROWS + row) * mw_ascent.rollouts + j];
}

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = mw_thread(group, groups, local).index;
    if agent >= mw_ascent.agents { return; }
    var g = mw_combined(agent);
    var square = 0.0;
    @unroll for i in 0..MW_THETA { square = fma(g[i], g[i], square); }
    let scale = mw_ascent.rate * min(1.0, mw_ascent.limit / max(sqrt(square), 1e-30));
    var theta: Theta;
    @unroll for i in 0..MW_THETA {
        let at = agent * MW_THETA + i;
        mw_path[mw_ascent.step * mw_ascent.agents * MW_THETA + at] = mw_theta[at];
        theta[i] = fma(scale, g[i], mw_theta[at]);
    }
    theta = mw_policy_held(theta, mw_ascent.least);
    @unroll for i in 0..MW_THETA { mw_theta[agent * MW_THETA + i] = theta[i]; }
}
