//! A multi-layer perceptron of any widths, backward through the data, after `mw_forward` in the same invocation.
//!
//!   δ_L = ∂loss/∂output     δ_l = φ'(u_l) ⊙ W_lᵀ δ_{l+1}
//!
//! The caller fills `mw_d_output`; the deltas of hidden layers go through memory, counted like the units.
//! Reference: src/reference/mlp.rs.

var<private> mw_d_output: array<Lane, MW_OUTPUTS>;

/// ∂loss/∂input k, after a backward pass down to the inputs (MW_LAST_DELTAS = 0).
fn mw_input_slope(k: u32, v: u32) -> Lane {
    let slopes = mw_get_units(k / 4u, v);
    return slopes[k % 4u];
}

fn mw_backward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    @unroll for layer in rev(MW_LAST_DELTAS..MW_LAYERS) {
        @unroll for block in 0..MW_WIDTHS[layer + 1u] / MW_BLOCKS[layer + 1u] {
            const first = block * MW_BLOCKS[layer + 1u];
            var d: array<Lane, MW_BLOCKS[layer + 1u]>;
            @unroll for vector in 0..MW_BLOCKS[layer + 1u] / 4 {
                var deltas: array<Lane, 4>;
                if layer + 1u == MW_LAYERS {
                    @unroll for q in 0..4 {
                        const o = first + vector * 4u + q;
                        if o < MW_OUTPUTS { deltas[q] = mw_d_output[min(o, MW_OUTPUTS - 1u)]; }
                    }
                } else {
                    deltas = mw_get_deltas((MW_UNIT_START[layer + 1u] + first) / 4u + vector, 0u);
                }
                @unroll for q in 0..4 { d[vector * 4u + q] = deltas[q]; }
            }
            for (var group = 0u; group < MW_WIDTHS[layer] / 4u; group++) {
                // entry f of the shared list: row first + f, the four columns of the group
                var chunk: array<vec4<f32>, MW_CHUNKS[layer + 1u]>;
                @unroll for c in 0..MW_CHUNKS[layer + 1u] {
                    let row = first + c * MW_SHARE + thread.lane;
                    chunk[c] = mw_parameters[base + MW_WEIGHT_START[layer] + row * MW_WIDTHS[layer] / 4u + group];
                }
                var sum = array<Lane, 4>(Lane(0.0), Lane(0.0), Lane(0.0), Lane(0.0));
                if block > 0u {
                    if layer > 0u { sum = mw_get_deltas(MW_UNIT_START[layer] / 4u + group, 0u); }
                    if layer == 0u { sum = mw_get_units(group, 0u); }
                }
                @unroll for o in 0..MW_BLOCKS[layer + 1u] {
                    @unroll for q in 0..4 {
                        sum[q] = fma(Lane(mw_shared(chunk[o / MW_SHARE], o % MW_SHARE, q)), d[o], sum[q]);
                    }
                }
                if layer > 0u && first + MW_BLOCKS[layer + 1u] == MW_WIDTHS[layer + 1u] {
                    let units = mw_get_units(MW_UNIT_START[layer] / 4u + group, 0u);
                    @unroll for q in 0..4 { sum[q] *= mw_d_activation(units[q]); }
                }
                if layer > 0u { mw_put_deltas(MW_UNIT_START[layer] / 4u + group, 0u, sum); }
                if layer == 0u { mw_put_units(group, 0u, sum); }   // the inputs have served
            }
        }
    }
}
