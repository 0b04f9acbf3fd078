//! Estimates of ∇U(θ), one for each rollout of a textbook policy. One thread = one rollout; an agent is one θ.
//!
//!   U(θ) = E Σ_{k<D} γ^k r_k      a_k ~ π_θ(· | s_k)      (s_{k+1}, r_k) = step(s_k, a_k)
//!   ℓ_k = c^k ∇ log π_θ(a_k | s_k)      c = γ as in the textbook, or 1
//!
//! Slot `policy` draws actions and knows their scores. Slot `estimator` is handed one step after the other and sums
//! forwards what the textbook sums backwards: Σ_k ℓ_k Σ_{j≥k} (γλ)^{j−k} x_j = Σ_j x_j z_j with z_j = γλ z_{j−1} + ℓ_j.
//! The horizon is D; the environment's own step limit is not applied. A rollout ends early where it terminates.
//!
//! Rollout i of agent m is world `m · apart + i`: with apart = 0 all agents see the same random numbers.
//! Reference: src/reference/estimate.rs.

@bind var<uniform> mw_estimate: MwEstimate;
@bind var<storage, read> mw_theta: array<f32>;         // [agent][parameter]
@bind var<storage, read_write> mw_rollout_rows: array<f32>;    // [agent][row][rollout]: Σ γ^k r_k, steps made, those of the estimator

/// Leaves a number of a rollout.
fn mw_leave(agent: u32, rollout: u32, row: u32, value: f32) {
    mw_rollout_rows[(agent * mw_estimate.rows + row) * mw_estimate.rollouts + rollout] = value;
}

/// Leaves a number for each parameter, from a row on.
fn mw_leave_theta(agent: u32, rollout: u32, row: u32, values: Theta) {
    @unroll for i in 0..MW_THETA { mw_leave(agent, rollout, row + i, values[i]); }
}

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let rollout = thread.index;
    if rollout >= mw_estimate.rollouts { return; }
    let key = vec2<u32>(mw_estimate.seed, mw_estimate.stream);
    let index = thread.agent / max(mw_estimate.together, 1u) * mw_estimate.apart + rollout;
    var theta: Theta;
    @unroll for i in 0..MW_THETA { theta[i] = mw_theta[thread.agent * MW_THETA + i]; }
    var world = mw_world_first(key, index);
    var seen = mw_seen(mw_look(world.state), 0u);
    var sums: MwSums;
    var total: MwSum;
    var discount = 1.0;    // γ^k
    var weight = 1.0;      // c^k
    for (var k = 0u; k < mw_estimate.depth; k++) {
        let drawn = mw_policy_draw(theta, seen, key, index, k);
        let step = mw_world_step(&world, drawn.action, key, index);
        let next = mw_seen(mw_look(world.state), 0u);
        let goes_on = (step.ending & MW_TERMINATED) == 0u && k + 1u < mw_estimate.depth;
        var ell: Theta;
        @unroll for i in 0..MW_THETA { ell[i] = weight * drawn.score[i]; }
        mw_sums_add(&sums, MwMade(thread.agent, rollout, k, ell, step.reward, seen, next, goes_on));
        total = mw_sum_add(total, discount * step.reward);
        discount *= mw_estimate.gamma;
        weight *= mw_estimate.weight_gamma;
        seen = next;
        if !goes_on { break; }
    }
    mw_leave(thread.agent, rollout, 0u, mw_sum_of(total));
    mw_leave(thread.agent, rollout, 1u, f32(world.steps));
    mw_sums_leave(sums, mw_sum_of(total), thread.agent, rollout);
}
