//! What a network in registers is given and leaves: inputs, outputs, and the units of the layers that are kept (`mlp.wgsl`,
//! `mlp_tangent.wgsl`).

var<private> mw_input: array<Lane, MW_INPUTS * MW_VECTORS>;    // [input][vector]
var<private> mw_output: array<Lane, MW_OUTPUTS * MW_VECTORS>;  // [output][vector]
var<private> mw_top: array<Lane, MW_TOPS * MW_VECTORS>;        // [unit, layer l from MW_TOP_START[l] on][vector]

/// Unit k of a layer whose units were kept, from `start` on.
fn mw_below(start: u32, k: u32, v: u32) -> Lane { return mw_top[min(start + k, MW_TOPS - 1u) * MW_VECTORS + v]; }

/// Input k, 0 for padding.
fn mw_input_or_zero(k: u32, v: u32) -> Lane {
    if k >= MW_INPUTS { return Lane(0.0); }
    return mw_input[min(k, MW_INPUTS - 1u) * MW_VECTORS + v];
}

/// Four inputs; `vector` is a constant.
fn mw_put_input(vector: u32, v: u32, units: array<Lane, 4>) {
    @unroll for q in 0..4 {
        if vector * 4u + q < MW_INPUTS { mw_input[min(vector * 4u + q, MW_INPUTS - 1u) * MW_VECTORS + v] = units[q]; }
    }
}
