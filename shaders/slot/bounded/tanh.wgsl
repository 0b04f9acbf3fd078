//! Slot `bounded`: how the environment gets what the policy drew. Real numbers, squashed into the bounds:
//!
//!   a = low + (high − low) (tanh u + 1)/2      clipped, for rounding can leave the bounds by a bit

fn mw_bounded_action(words: array<u32, MW_ACTION_WORDS>) -> Action {
    let low = mw_action_low();
    let high = mw_action_high();
    var action: Action;
    @unroll for i in 0..MW_ACTION_WORDS {
        let squashed = fma(0.5 * (high[i] - low[i]), tanh_(bitcast<f32>(words[i])) + 1.0, low[i]);
        action[i] = clamp(squashed, low[i], high[i]);
    }
    return action;
}
