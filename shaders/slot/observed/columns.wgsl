//! Slot `observed`: what a network sees are the columns of one matrix.

@bind var<storage, read> mw_observed: array<f32>;              // [agent][feature][column]

/// Number f of what is seen in a column of `count`.
fn mw_seen_in(agent: u32, f: u32, column: u32, count: u32) -> f32 {
    return mw_observed[(agent * MW_INPUTS + f) * count + column];
}
