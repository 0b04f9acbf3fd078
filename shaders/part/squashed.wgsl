//! What squashing by tanh does to a density, and bounds of the logarithms of deviations.
//!
//!   log(1 − tanh² u) = 2 (log 2 − |u| − log(1 + exp(−2|u|)))
//!
//! Reference: src/reference/squashed.rs.

/// log(1 − tanh² u), as exact where tanh is nearly 1 as elsewhere.
fn mw_log_tanh_slope(u: Lane) -> Lane {
    let size = abs(u);
    return 2.0 * (Lane(0.69314718) - size - mw_lane_log(Lane(1.0) + mw_lane_exp(-2.0 * size)));
}
