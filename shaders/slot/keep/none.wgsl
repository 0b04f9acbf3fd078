//! Slot `keep`: activations are not needed after the forward pass.

fn mw_keep_units(index: u32, unit: array<Lane, 4>) {}
