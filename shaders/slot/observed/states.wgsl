//! Slot `observed`: what an actor sees are observations of drawn transitions, those before the step in the first half of the
//! columns, those after it in the second.

@bind var<storage, read> mw_states: array<f32>;                // [agent][before, after][feature][sample]

/// Number f of what is seen in a column of `count`; kernels that see the first half only may count no further.
fn mw_seen_in(agent: u32, f: u32, column: u32, count: u32) -> f32 {
    let size = mw_drawn_size(count);
    let after = column / size;
    return mw_states[((agent * 2u + after) * MW_FEATURES + f) * size + column - after * size];
}
