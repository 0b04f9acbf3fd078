//! Slot `observed`: what a critic sees is an observation of drawn transitions (MW_STATE = 0, before the step; 1, after it)
//! and behind it an action, which begins in row MW_SEEN_ACTION.

@bind var<storage, read> mw_states: array<f32>;                // [agent][before, after][feature][sample]

/// Number f of what is seen of a sample of `count`.
fn mw_seen_in(critic: u32, f: u32, column: u32, count: u32) -> f32 {
    let agent = critic / MW_CRITICS;
    if f < MW_FEATURES { return mw_states[((agent * 2u + MW_STATE) * MW_FEATURES + f) * count + column]; }
    return mw_drawn[mw_drawn_at(agent, MW_SEEN_ACTION + f - MW_FEATURES, column, count)];
}
