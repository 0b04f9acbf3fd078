//! Slot `estimator`: Σ_k ℓ_k δ_k with δ_k = r_k + γ V_{k+1}(s_{k+1}) − V_k(s_k).

struct MwSums { g: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    let delta = fma(mw_estimate.gamma, mw_value_after(made), made.reward) - mw_value_before(made);
    @unroll for i in 0..MW_THETA { (*sums).g[i] = fma(delta, made.ell[i], (*sums).g[i]); }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    mw_leave_theta(agent, rollout, MW_OWN_ROWS, sums.g);
}
