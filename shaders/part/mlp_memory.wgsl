//! What a network in memory is given and leaves: inputs are the first units, outputs stay in registers (`mlp_wide.wgsl`,
//! `mlp_wide_tangent.wgsl`).

var<private> mw_output: array<Lane, MW_OUTPUTS>;

fn mw_put_input(vector: u32, v: u32, units: array<Lane, 4>) { mw_put_units(vector, v, units); }

/// Input k, 0 for padding.
fn mw_input_or_zero(k: u32, v: u32) -> Lane {
    let units = mw_get_units(k / 4u, v);
    return units[k % 4u];
}
