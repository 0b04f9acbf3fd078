//! Slot `adders`: who adds the slices of four parameters. One thread.

const MW_SHARES = 1u;

/// The place of a thread among those of its workgroup, and the share of the slices that it adds.
fn mw_share_of(local: u32) -> vec2<u32> { return vec2<u32>(local, 0u); }

/// What the share has of earlier windows; `at` is its place in the gradient.
fn mw_begin_share(at: u32, size: u32, share: u32) -> vec4<f32> { return mw_gradient[at]; }

/// What the threads of a place have together.
fn mw_join_shares(at: u32, size: u32, mine: bool, local: u32, sum: vec4<f32>) -> vec4<f32> { return sum; }
