//! Slot `estimator`: Σ_k ℓ_k (R_k − b), a baseline b for each parameter that knows nothing of this rollout.
//!
//!   z_j = γ z_{j−1} + ℓ_j      g = Σ_j r_j z_j − b Σ_j ℓ_j

@bind var<storage, read> mw_baseline: array<f32>;      // [agent][parameter]

struct MwSums { z: Theta, g: Theta, scores: Theta }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    @unroll for i in 0..MW_THETA {
        (*sums).z[i] = fma(mw_estimate.gamma, (*sums).z[i], made.ell[i]);
        (*sums).g[i] = fma(made.reward, (*sums).z[i], (*sums).g[i]);
        (*sums).scores[i] += made.ell[i];
    }
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    @unroll for i in 0..MW_THETA {
        let b = mw_baseline[agent * MW_THETA + i];
        mw_leave(agent, rollout, MW_OWN_ROWS + i, fma(-b, sums.scores[i], sums.g[i]));
    }
}
