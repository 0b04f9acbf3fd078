//! Slot `estimator`: what baselines are made of, and what they are subtracted from.
//!
//!   g = Σ_k ℓ_k R_k      S = Σ_k ℓ_k      A = Σ_k ℓ_k² R_k      B = Σ_k ℓ_k²      T = Σ_k R_k
//!   z_j = γ z_{j−1} + ℓ_j      y_j = γ y_{j−1} + ℓ_j²      n_j = γ n_{j−1} + 1
//!   g = Σ_j r_j z_j            A = Σ_j r_j y_j             T = Σ_j r_j n_j
//!
//! Rows: g, S, A/B (0 where B is), A, B of each parameter, then T.

struct MwSums { z: Theta, g: Theta, scores: Theta, y: Theta, a: Theta, b: Theta, n: f32, t: f32 }

fn mw_sums_add(sums: ptr<function, MwSums>, made: MwMade) {
    let gamma = mw_estimate.gamma;
    @unroll for i in 0..MW_THETA {
        let ell = made.ell[i];
        (*sums).z[i] = fma(gamma, (*sums).z[i], ell);
        (*sums).g[i] = fma(made.reward, (*sums).z[i], (*sums).g[i]);
        (*sums).scores[i] += ell;
        (*sums).y[i] = fma(gamma, (*sums).y[i], ell * ell);
        (*sums).a[i] = fma(made.reward, (*sums).y[i], (*sums).a[i]);
        (*sums).b[i] = fma(ell, ell, (*sums).b[i]);
    }
    (*sums).n = fma(gamma, (*sums).n, 1.0);
    (*sums).t = fma(made.reward, (*sums).n, (*sums).t);
}

fn mw_sums_leave(sums: MwSums, total: f32, agent: u32, rollout: u32) {
    mw_leave_theta(agent, rollout, MW_OWN_ROWS, sums.g);
    mw_leave_theta(agent, rollout, MW_OWN_ROWS + MW_THETA, sums.scores);
    @unroll for i in 0..MW_THETA {
        let ratio = select(0.0, sums.a[i] / sums.b[i], sums.b[i] > 0.0);
        mw_leave(agent, rollout, MW_OWN_ROWS + 2u * MW_THETA + i, ratio);
    }
    mw_leave_theta(agent, rollout, MW_OWN_ROWS + 3u * MW_THETA, sums.a);
    mw_leave_theta(agent, rollout, MW_OWN_ROWS + 4u * MW_THETA, sums.b);
    mw_leave(agent, rollout, MW_OWN_ROWS + 5u * MW_THETA, sums.t);
}
