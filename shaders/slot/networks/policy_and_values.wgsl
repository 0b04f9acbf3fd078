//! Slot `networks`: which networks a dispatch of `gradient_tile.wgsl` runs. The policy and the values behind it, whose layers are as wide:
//! half of the workgroups take the one, half the other, and neither waits for the other. Outputs that the values do not have are
//! padding, of which weights and deltas are 0.

/// The network of a slice's workgroup, and its slice.
fn mw_network_of(slice: u32) -> vec2<u32> {
    let slices = mw_sample_range.count / mw_run.slice;
    return select(vec2<u32>(0u, slice), vec2<u32>(1u, slice - slices), slice >= slices);
}

/// The objective of that network.
fn mw_objective_of(network: u32, thread: MwThread, samples: MwSamples, mine: bool) {
    if network == 0u { mw_objective(thread, samples, mine); } else { mw_value_loss(thread, samples, mine); }
}
