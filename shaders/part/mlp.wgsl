//! A multi-layer perceptron, forward: one invocation holds the activations of a Lane of samples.
//!
//!   u₀ = input     u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!
//! `mw_unit` holds u₀ … u_L one after the other (MW_UNIT_START). Widths are padded with zero weights to
//! multiples of 4 (of 64 above 64), and φ(0) = 0, so padding stays exactly zero in units and gradients.
//! A layer is walked in groups of four outputs; its inputs, in blocks of at most 64, sit in registers.
//! W_l is [output][input] row-major from vec4 MW_WEIGHT_START[l] on, b_l from MW_BIAS_START[l] on.
//! Reference: src/reference/mlp.rs.

@bind var<storage, read> mw_parameters: array<vec4<f32>>;      // [agent][MW_PARAMETERS / 4]

var<private> mw_unit: array<Lane, MW_UNITS>;

fn mw_forward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    @unroll for layer in 0..MW_LAYERS {
        for (var first = 0u; first < MW_WIDTHS[layer]; first += MW_BLOCKS[layer]) {
            var x: array<Lane, MW_BLOCKS[layer]>;
            @unroll for k in 0..MW_BLOCKS[layer] {
                x[k] = mw_unit[MW_UNIT_START[layer] + first + k];
            }
            for (var group = 0u; group < MW_WIDTHS[layer + 1u] / 4u; group++) {
                // entry f of the shared list: row f / (block / 4) of the group, vec4 f % (block / 4) of the block
                var chunk: array<vec4<f32>, MW_CHUNKS[layer]>;
                @unroll for c in 0..MW_CHUNKS[layer] {
                    let f = c * MW_SHARE + thread.lane;
                    let row = group * 4u + f / (MW_BLOCKS[layer] / 4u);
                    chunk[c] = mw_parameters[base + MW_WEIGHT_START[layer]
                        + (row * MW_WIDTHS[layer] + first) / 4u + f % (MW_BLOCKS[layer] / 4u)];
                }
                let bias = mw_parameters[base + MW_BIAS_START[layer] + group];
                var sum = array<Lane, 4>(Lane(bias.x), Lane(bias.y), Lane(bias.z), Lane(bias.w));
                if first > 0u {
                    @unroll for q in 0..4 { sum[q] = mw_unit[MW_UNIT_START[layer + 1u] + group * 4u + q]; }
                }
                @unroll for k in 0..MW_BLOCKS[layer] {
                    @unroll for q in 0..4 {
                        const f = q * (MW_BLOCKS[layer] / 4u) + k / 4u;
                        sum[q] = fma(Lane(mw_shared(chunk[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k], sum[q]);
                    }
                }
                if layer + 1u < MW_LAYERS && first + MW_BLOCKS[layer] == MW_WIDTHS[layer] {
                    @unroll for q in 0..4 { sum[q] = mw_activation(sum[q]); }
                    mw_keep_units(MW_UNIT_START[layer + 1u] / 4u + group, sum);
                }
                @unroll for q in 0..4 { mw_unit[MW_UNIT_START[layer + 1u] + group * 4u + q] = sum[q]; }
            }
        }
    }
}

/// Output o of the network (a logit, a value).
fn mw_output(o: u32) -> Lane { return mw_unit[MW_UNIT_START[MW_LAYERS] + o]; }
