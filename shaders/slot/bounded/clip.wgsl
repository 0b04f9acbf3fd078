//! Slot `bounded`: what worlds get of what the policy drew. Real numbers, clipped to the bounds.

fn mw_bounded(action: LaneAction) -> LaneAction {
    var bounded: LaneAction;
    @unroll for i in 0..MW_ACTION_WORDS {
        bounded[i] = bitcast<LaneWord>(clamp(bitcast<Lane>(action[i]), Lane(MW_LOW[i]), Lane(MW_HIGH[i])));
    }
    return bounded;
}
