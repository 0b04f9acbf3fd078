//! A multi-layer perceptron of any widths, forward, for one Lane of samples in each invocation (`mlp.wgsl`: narrow ones).
//! MW_VECTORS is 1 here.
//!
//!   u₀ = input     u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!
//! A layer is walked in groups of four outputs; its inputs, in blocks of at most 64, sit in registers. Outputs of the
//! network are a private array that only constants index; inputs and hidden units go through memory (slot `memory`),
//! because a private array with a run-time index costs more than that on every adapter we know.
//! Units of all layers are counted through, MW_UNIT_START; widths are padded with zero weights to multiples of 4 (of
//! 64 above 64), and φ(0) = 0, so padding stays exactly zero in units and gradients.
//! W_l is [output][input] row-major from vec4 MW_WEIGHT_START[l] on, b_l from MW_BIAS_START[l] on.
//! Reference: src/reference/mlp.rs.

fn mw_forward(thread: MwThread) {
    let base = mw_parameters_of(thread);
    @unroll for layer in 0..MW_LAYERS {
        @unroll for block in 0..MW_WIDTHS[layer] / MW_BLOCKS[layer] {
            const first = block * MW_BLOCKS[layer];
            var x: array<Lane, MW_BLOCKS[layer]>;
            @unroll for vector in 0..MW_BLOCKS[layer] / 4 {
                let units = mw_get_units((MW_UNIT_START[layer] + first) / 4u + vector, 0u);
                @unroll for q in 0..4 { x[vector * 4u + q] = units[q]; }
            }
            for (var group = 0u; group < MW_WIDTHS[layer + 1u] / 4u; group++) {
                // entry f of the shared list: row f / (block / 4) of the group, vec4 f % (block / 4) of the block
                var chunk: array<vec4<f32>, MW_CHUNKS[layer]>;
                @unroll for c in 0..MW_CHUNKS[layer] {
                    let f = c * MW_SHARE + thread.lane;
                    let row = group * 4u + f / (MW_BLOCKS[layer] / 4u);
                    chunk[c] = mw_parameter(base, MW_WEIGHT_START[layer]
                        + (row * MW_WIDTHS[layer] + first) / 4u + f % (MW_BLOCKS[layer] / 4u));
                }
                let bias = mw_parameter(base, MW_BIAS_START[layer] + group);
                var sum = array<Lane, 4>(Lane(bias.x), Lane(bias.y), Lane(bias.z), Lane(bias.w));
                if block > 0u && layer + 1u < MW_LAYERS { sum = mw_get_units(MW_UNIT_START[layer + 1u] / 4u + group, 0u); }
                if block > 0u && layer + 1u == MW_LAYERS {
                    @unroll for o in 0..MW_OUTPUTS {
                        if group == o / 4u { sum[o % 4u] = mw_output[o]; }
                    }
                }
                @unroll for k in 0..MW_BLOCKS[layer] {
                    @unroll for q in 0..4 {
                        const f = q * (MW_BLOCKS[layer] / 4u) + k / 4u;
                        sum[q] = fma(Lane(mw_shared(chunk[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k], sum[q]);
                    }
                }
                if layer + 1u < MW_LAYERS {
                    if first + MW_BLOCKS[layer] == MW_WIDTHS[layer] {
                        @unroll for q in 0..4 { sum[q] = mw_activation(sum[q]); }
                    }
                    mw_put_units(MW_UNIT_START[layer + 1u] / 4u + group, 0u, sum);
                } else {
                    @unroll for o in 0..MW_OUTPUTS {
                        if group == o / 4u { mw_output[o] = sum[o % 4u]; }
                    }
                }
            }
        }
    }
}
