//! A multi-layer perceptron, backward through the data, after `mw_forward` in the same invocation.
//!
//!   δ_L = ∂loss/∂output     δ_l = φ'(u_l) ⊙ W_lᵀ δ_{l+1}
//!
//! `mw_delta` is laid out like `mw_unit`; the caller fills the part of the output layer.
//! Reference: src/reference/mlp.rs.

var<private> mw_delta: array<Lane, MW_UNITS>;

fn mw_backward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    @unroll for layer in rev(1..MW_LAYERS) {
        for (var first = 0u; first < MW_WIDTHS[layer + 1u]; first += MW_BLOCKS[layer + 1u]) {
            var d: array<Lane, MW_BLOCKS[layer + 1u]>;
            @unroll for o in 0..MW_BLOCKS[layer + 1u] {
                d[o] = mw_delta[MW_UNIT_START[layer + 1u] + first + o];
            }
            for (var group = 0u; group < MW_WIDTHS[layer] / 4u; group++) {
                // entry f of the shared list: row first + f, the four columns of the group
                var chunk: array<vec4<f32>, MW_ROW_CHUNKS[layer + 1u]>;
                @unroll for c in 0..MW_ROW_CHUNKS[layer + 1u] {
                    let row = first + c * MW_SHARE + thread.lane;
                    chunk[c] = mw_parameters[base + MW_WEIGHT_START[layer] + row * MW_WIDTHS[layer] / 4u + group];
                }
                var sum = array<Lane, 4>(Lane(0.0), Lane(0.0), Lane(0.0), Lane(0.0));
                if first > 0u {
                    @unroll for q in 0..4 { sum[q] = mw_delta[MW_UNIT_START[layer] + group * 4u + q]; }
                }
                @unroll for o in 0..MW_BLOCKS[layer + 1u] {
                    @unroll for q in 0..4 {
                        sum[q] = fma(Lane(mw_shared(chunk[o / MW_SHARE], o % MW_SHARE, q)), d[o], sum[q]);
                    }
                }
                if first + MW_BLOCKS[layer + 1u] == MW_WIDTHS[layer + 1u] {
                    @unroll for q in 0..4 { sum[q] *= mw_d_activation(mw_unit[MW_UNIT_START[layer] + group * 4u + q]); }
                    mw_keep_deltas(MW_UNIT_START[layer] / 4u + group, sum);
                }
                @unroll for q in 0..4 { mw_delta[MW_UNIT_START[layer] + group * 4u + q] = sum[q]; }
            }
        }
    }
}
