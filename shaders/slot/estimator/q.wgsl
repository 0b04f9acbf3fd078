//! Slot `estimator`: Σ_k ℓ_k Q̂_k with Q̂_k = r_k + γ V_{k+1}(s_{k+1}): one reward, and the value of what it led to in
//! place of the rest of the rollout. At the horizon, and where the rollout terminates, V is 0.

struct MwSums { g: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    let q = fma(mw_estimate.gamma, mw_value_after(made), made.reward);
    @unroll for i in 0..MW_THETA { (*sums).g[i] = fma(q, made.ell[i], (*sums).g[i]); }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    mw_leave_theta(agent, rollout, MW_OWN_ROWS, sums.g);
}
