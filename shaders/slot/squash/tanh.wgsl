//! Slot `squash`: the action is a = low + (high − low)(tanh u + 1)/2 of what was drawn, u (slot `bounded`).
//!
//!   log |da/du| = log ((high − low)/2) + log (1 − tanh² u)      (part/squashed.wgsl)
//!   log π(a) = log N(u) − Σ log |da/du|                         of fixed u, so its gradient is that of log N(u)
//!   H(π) = H(N) + E Σ log |da/du|                               estimated at the sample, u = μ + s z, with z held:
//!   ∂/∂μ log (1 − tanh² u) = −2 tanh u                          ∂/∂ log s log (1 − tanh² u) = −2 tanh u (u − μ)
//!
//! Not the gradient of −log π(a) for fixed u: its mean is 0. The KL divergence is that of the Gaussians: a one-to-one map
//! does not change it. Reference: src/reference/squashed.rs.

/// log (1 − tanh² u) of a whole action.
fn mw_log_slopes(u: LaneAction) -> Lane {
    var sum = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS { sum += mw_log_tanh_slope(bitcast<Lane>(u[i])); }
    return sum;
}

/// log |da/du| of a whole action.
fn mw_log_stretch(u: LaneAction) -> Lane { return Lane(MW_LOG_HALF_WIDTHS) + mw_log_slopes(u); }

fn mw_squashed_log_prob(log_prob: Lane, u: LaneAction) -> Lane { return log_prob - mw_log_stretch(u); }
fn mw_squashed_entropy(entropy: Lane, u: LaneAction) -> Lane { return entropy + mw_log_stretch(u); }

/// ∂/∂μ: of log π as it is, and of H.
fn mw_d_squashed_mean(d_mean: Lane, d_entropy: Lane, u: Lane) -> Lane { return fma(-2.0 * d_entropy, mw_lane_tanh(u), d_mean); }

/// d_entropy · ∂H/∂ log s
fn mw_d_squashed_log_std(d_entropy: Lane, u: Lane, mean: Lane) -> Lane {
    return d_entropy * fma(-2.0 * mw_lane_tanh(u), u - mean, Lane(1.0));
}
