//! Slot `combine`: the mean of the estimates.

fn mw_combined(agent: u32) -> Theta {
    var g: Theta;
    for (var j = 0u; j < mw_ascent.rollouts; j++) {
        @unroll for i in 0..MW_THETA { g[i] += mw_left(agent, i, j); }
    }
    @unroll for i in 0..MW_THETA { g[i] /= f32(mw_ascent.rollouts); }
    return g;
}
