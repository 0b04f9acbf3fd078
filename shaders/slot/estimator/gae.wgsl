//! Slot `estimator`: Σ_k ℓ_k A_k with A_k = Σ_{j≥k} (γλ)^{j−k} δ_j and δ_j = r_j + γ V_{j+1}(s_{j+1}) − V_j(s_j).
//!
//!   z_j = γλ z_{j−1} + ℓ_j      g = Σ_j δ_j z_j

struct MwSums { z: Theta, g: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    let delta = fma(mw_estimate.gamma, mw_value_after(made), made.reward) - mw_value_before(made);
    let decay = mw_estimate.gamma * mw_estimate.lambda;
    @unroll for i in 0..MW_THETA {
        (*sums).z[i] = fma(decay, (*sums).z[i], made.ell[i]);
        (*sums).g[i] = fma(delta, (*sums).z[i], (*sums).g[i]);
    }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    mw_leave_theta(agent, rollout, MW_OWN_ROWS, sums.g);
}
