//! Slot `bounded`: how the environment gets what the policy drew. Real numbers, clipped to the bounds.

fn mw_bounded_action(words: array<u32, MW_ACTION_WORDS>) -> Action {
    let low = mw_action_low();
    let high = mw_action_high();
    var action: Action;
    @unroll for i in 0..MW_ACTION_WORDS { action[i] = clamp(bitcast<f32>(words[i]), low[i], high[i]); }
    return action;
}
