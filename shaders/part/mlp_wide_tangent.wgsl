//! A multi-layer perceptron of any widths, forward together with its derivative in a direction of the parameters
//! (`mlp_tangent.wgsl`: narrow ones). Layers, blocks and padding as in `mlp_wide.wgsl`.
//!
//!   u_{l+1} = φ(W_l u_l + b_l)     u̇_{l+1} = φ'(u_{l+1}) ⊙ (V_l u_l + c_l + W_l u̇_l)     u̇₀ = 0
//!
//! Tangents of hidden units wait where the deltas of a backward pass go, which are made when they are of no more use.
//! Reference: src/reference/fisher.rs.

@bind var<storage, read> mw_direction: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]

var<private> mw_output: array<Lane, MW_OUTPUTS>;
var<private> mw_tangent: array<Lane, MW_OUTPUTS>;                      // of the outputs

fn mw_put_input(vector: u32, v: u32, units: array<Lane, 4>) { mw_put_units(vector, v, units); }

fn mw_forward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    let along = thread.agent * MW_LEARNED / 4u;
    @unroll for layer in 0..MW_LAYERS {
        @unroll for block in 0..MW_WIDTHS[layer] / MW_BLOCKS[layer] {
            const first = block * MW_BLOCKS[layer];
            var x: array<Lane, MW_BLOCKS[layer]>;
            var dx: array<Lane, MW_BLOCKS[layer]>;
            @unroll for vector in 0..MW_BLOCKS[layer] / 4 {
                let units = mw_get_units((MW_UNIT_START[layer] + first) / 4u + vector, 0u);
                @unroll for q in 0..4 { x[vector * 4u + q] = units[q]; }
                if layer > 0u {
                    let tangents = mw_get_deltas((MW_UNIT_START[max(layer, 1u)] + first) / 4u + vector, 0u);
                    @unroll for q in 0..4 { dx[vector * 4u + q] = tangents[q]; }
                }
            }
            for (var group = 0u; group < MW_WIDTHS[layer + 1u] / 4u; group++) {
                // entry f of the shared lists: row f / (block / 4) of the group, vec4 f % (block / 4) of the block
                var chunk: array<vec4<f32>, MW_CHUNKS[layer]>;
                var d_chunk: array<vec4<f32>, MW_CHUNKS[layer]>;
                @unroll for c in 0..MW_CHUNKS[layer] {
                    let f = c * MW_SHARE + thread.lane;
                    let row = group * 4u + f / (MW_BLOCKS[layer] / 4u);
                    let place = MW_WEIGHT_START[layer] + (row * MW_WIDTHS[layer] + first) / 4u + f % (MW_BLOCKS[layer] / 4u);
                    chunk[c] = mw_parameters[base + place];
                    d_chunk[c] = mw_direction[along + place];
                }
                let bias = mw_parameters[base + MW_BIAS_START[layer] + group];
                let d_bias = mw_direction[along + MW_BIAS_START[layer] + group];
                var sum = array<Lane, 4>(Lane(bias.x), Lane(bias.y), Lane(bias.z), Lane(bias.w));
                var d_sum = array<Lane, 4>(Lane(d_bias.x), Lane(d_bias.y), Lane(d_bias.z), Lane(d_bias.w));
                if block > 0u && layer + 1u < MW_LAYERS {
                    sum = mw_get_units(MW_UNIT_START[layer + 1u] / 4u + group, 0u);
                    d_sum = mw_get_deltas(MW_UNIT_START[layer + 1u] / 4u + group, 0u);
                }
                if block > 0u && layer + 1u == MW_LAYERS {
                    @unroll for o in 0..MW_OUTPUTS {
                        if group == o / 4u {
                            sum[o % 4u] = mw_output[o];
                            d_sum[o % 4u] = mw_tangent[o];
                        }
                    }
                }
                @unroll for k in 0..MW_BLOCKS[layer] {
                    @unroll for q in 0..4 {
                        const f = q * (MW_BLOCKS[layer] / 4u) + k / 4u;
                        let weight = Lane(mw_shared(chunk[f / MW_SHARE], f % MW_SHARE, k % 4u));
                        sum[q] = fma(weight, x[k], sum[q]);
                        d_sum[q] = fma(Lane(mw_shared(d_chunk[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k], d_sum[q]);
                        if layer > 0u { d_sum[q] = fma(weight, dx[k], d_sum[q]); }
                    }
                }
                if layer + 1u < MW_LAYERS {
                    if first + MW_BLOCKS[layer] == MW_WIDTHS[layer] {
                        @unroll for q in 0..4 {
                            sum[q] = mw_activation(sum[q]);
                            d_sum[q] *= mw_d_activation(sum[q]);
                        }
                    }
                    mw_put_units(MW_UNIT_START[layer + 1u] / 4u + group, 0u, sum);
                    mw_put_deltas(MW_UNIT_START[layer + 1u] / 4u + group, 0u, d_sum);
                } else {
                    @unroll for o in 0..MW_OUTPUTS {
                        if group == o / 4u {
                            mw_output[o] = sum[o % 4u];
                            mw_tangent[o] = d_sum[o % 4u];
                        }
                    }
                }
            }
        }
    }
}
