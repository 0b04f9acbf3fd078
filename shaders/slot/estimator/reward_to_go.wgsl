//! Slot `estimator`: Σ_k ℓ_k R_k with R_k = Σ_{j≥k} γ^{j−k} r_j, the rewards that an action can still change.
//!
//!   z_j = γ z_{j−1} + ℓ_j      g = Σ_j r_j z_j

struct MwSums { z: Theta, g: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    @unroll for i in 0..MW_THETA {
        (*sums).z[i] = fma(mw_estimate.gamma, (*sums).z[i], made.ell[i]);
        (*sums).g[i] = fma(made.reward, (*sums).z[i], (*sums).g[i]);
    }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    mw_leave_theta(agent, rollout, MW_OWN_ROWS, sums.g);
}
