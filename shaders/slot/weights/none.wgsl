//! Slot `weights`: nothing is learned; only slopes by the inputs are wanted.

fn mw_use_weights(thread: MwThread) {}
fn mw_sum_products(products: array<f32, MW_SHARE>) -> f32 { return 0.0; }
fn mw_put_weights(at: u32, mine: bool, sums: vec4<f32>) {}
fn mw_put_units(vector: u32, v: u32, units: array<Lane, 4>) {}
fn mw_put_deltas(vector: u32, v: u32, deltas: array<Lane, 4>) {}
