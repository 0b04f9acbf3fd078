//! Slot `combine`: the mean of g_j − b_j S_j, the baseline of rollout j being made of the others (rows of estimator
//! `baseline_terms`), which leaves the mean what it is without a baseline.
//!
//!   b_j = Σ_{i≠j} ρ_i / (m − 1)      ρ = A/B

fn mw_combined(agent: u32) -> Theta {
    let m = mw_ascent.rollouts;
    var all: Theta;
    for (var j = 0u; j < m; j++) {
        @unroll for i in 0..MW_THETA { all[i] += mw_left(agent, 2u * MW_THETA + i, j); }
    }
    var g: Theta;
    for (var j = 0u; j < m; j++) {
        @unroll for i in 0..MW_THETA {
            let baseline = (all[i] - mw_left(agent, 2u * MW_THETA + i, j)) / f32(max(m, 2u) - 1u);
            g[i] += mw_left(agent, i, j) - baseline * mw_left(agent, MW_THETA + i, j);
        }
    }
    @unroll for i in 0..MW_THETA { g[i] /= f32(m); }
    return g;
}
