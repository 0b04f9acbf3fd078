//! Slot `estimator`: Σ_k ℓ_k (R_k − V_k(s_k)), the value of the state as its baseline.
//!
//!   z_j = γ z_{j−1} + ℓ_j      g = Σ_j r_j z_j − ℓ_j V_j(s_j)

struct MwSums { z: Theta, g: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    let value = mw_value_before(made);
    @unroll for i in 0..MW_THETA {
        (*sums).z[i] = fma(mw_estimate.gamma, (*sums).z[i], made.ell[i]);
        (*sums).g[i] += fma(made.reward, (*sums).z[i], -value * made.ell[i]);
    }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    mw_leave_theta(agent, rollout, MW_OWN_ROWS, sums.g);
}
