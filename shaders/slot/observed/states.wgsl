//! Slot `observed`: what an actor sees is an observation of drawn transitions: MW_STATE = 0, before the step; 1, after it.

@bind var<storage, read> mw_states: array<f32>;                // [agent][before, after][feature][sample]

/// Number f of what is seen of a sample of `count`.
fn mw_seen_in(agent: u32, f: u32, column: u32, count: u32) -> f32 {
    return mw_states[((agent * 2u + MW_STATE) * MW_FEATURES + f) * count + column];
}
