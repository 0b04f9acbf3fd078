//! Slot `bounded`: what worlds get of what the policy drew. Real numbers u, squashed into the bounds:
//!
//!   a = (low + high)/2 + (high − low)/2 · tanh u        clipped, for rounding can leave the bounds by a bit

fn mw_bounded(action: LaneAction) -> LaneAction {
    var bounded: LaneAction;
    @unroll for i in 0..MW_ACTION_WORDS {
        let squashed = fma(Lane(MW_HALVES[i]), mw_lane_tanh(bitcast<Lane>(action[i])), Lane(MW_CENTRES[i]));
        bounded[i] = bitcast<LaneWord>(clamp(squashed, Lane(MW_LOW[i]), Lane(MW_HIGH[i])));
    }
    return bounded;
}

/// Of a slope by number i of a bounded action, that by u; rounding has no part in it.
fn mw_d_bounded(d_action: Lane, u: Lane, i: u32) -> Lane {
    let t = mw_lane_tanh(u);
    return d_action * MW_HALVES[i] * (Lane(1.0) - t * t);
}
