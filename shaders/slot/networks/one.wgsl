//! Slot `networks`: which networks a dispatch of `gradient_tile.wgsl` runs. One.

/// The network of a slice's workgroup, and its slice.
fn mw_network_of(slice: u32) -> vec2<u32> { return vec2<u32>(0u, slice); }

/// The objective of that network.
fn mw_objective_of(network: u32, thread: MwThread, samples: MwSamples, mine: bool) { mw_objective(thread, samples, mine); }
