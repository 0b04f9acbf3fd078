//! Slot `estimator`: (Σ_k ∇ log π_k) · Σ_k γ^k r_k, the likelihood ratio times the whole return. The return is discounted
//! already: `weight_gamma` is 1 here.

struct MwSums { scores: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    @unroll for i in 0..MW_THETA { (*sums).scores[i] += made.ell[i]; }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    @unroll for i in 0..MW_THETA { mw_leave(agent, rollout, MW_OWN_ROWS + i, sums.scores[i] * total); }
}
