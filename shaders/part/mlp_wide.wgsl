//! A multi-layer perceptron of any widths, forward, for one Lane of worlds in each invocation (`mlp.wgsl`: narrow ones;
//! `layer.wgsl`: for many samples at once). MW_VECTORS is 1 here.
//!
//!   u₀ = input     u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!
//! A layer is walked in blocks of MW_WIDE_ROWS results, whose sums stay in registers while a loop takes four inputs a turn; code
//! does not grow with widths. Units of all layers, the outputs too, go through memory (slot `memory`) and are counted through,
//! MW_UNIT_START; a private array with a run-time index would cost more than that on every adapter we know.
//! Widths are padded with zero weights to multiples of 4 (of 64 above 64), and φ(0) = 0, so padding stays exactly zero.
//! W_l is [output][input] row-major from vec4 MW_WEIGHT_START[l] on, b_l from MW_BIAS_START[l] on.
//! Reference: src/reference/mlp.rs.

var<private> mw_output: array<Lane, MW_OUTPUTS>;

fn mw_put_input(vector: u32, v: u32, units: array<Lane, 4>) { mw_put_units(vector, v, units); }

/// Input k, 0 for padding.
fn mw_input_or_zero(k: u32, v: u32) -> Lane {
    let units = mw_get_units(k / 4u, v);
    return units[k % 4u];
}

fn mw_forward(thread: MwThread) {
    let base = mw_parameters_of(thread);
    for (var layer = 0u; layer < MW_LAYERS; layer++) {
        var depth = 0u; var results = 0u; var weights = 0u; var biases = 0u; var below = 0u; var above = 0u;
        @unroll for l in 0..MW_LAYERS {
            if layer == l {
                depth = MW_WIDTHS[l] / 4u;
                results = MW_WIDTHS[l + 1u] / 4u;
                weights = MW_WEIGHT_START[l];
                biases = MW_BIAS_START[l];
                below = MW_UNIT_START[l] / 4u;
                above = MW_UNIT_START[l + 1u] / 4u;
            }
        }
        for (var block = 0u; block < results; block += MW_WIDE_ROWS / 4u) {
            var sum: array<Lane, MW_WIDE_ROWS>;
            @unroll for i in 0..MW_WIDE_ROWS / 4 {
                let bias = mw_parameter(base, biases + min(block + i, results - 1u));
                @unroll for q in 0..4 { sum[i * 4u + q] = Lane(bias[q]); }
            }
            for (var k = 0u; k < depth; k++) {
                let x = mw_get_units(below + k, 0u);
                var rows: array<MwChunk, MW_WIDE_CHUNKS>;
                @unroll for c in 0..MW_WIDE_CHUNKS {
                    let row = min(block * 4u + min(c * MW_SHARE + thread.lane, MW_WIDE_ROWS - 1u), results * 4u - 1u);
                    rows[c] = mw_chunk(base, weights + row * depth + k);
                }
                @unroll for r in 0..MW_WIDE_ROWS {
                    @unroll for q in 0..4 {
                        sum[r] = fma(Lane(mw_of_chunk(rows[r / MW_SHARE], r % MW_SHARE, q)), x[q], sum[r]);
                    }
                }
            }
            @unroll for i in 0..MW_WIDE_ROWS / 4 {
                var units: array<Lane, 4>;
                @unroll for q in 0..4 { units[q] = sum[i * 4u + q]; }
                if layer + 1u < MW_LAYERS {
                    @unroll for q in 0..4 { units[q] = mw_activation(units[q]); }
                }
                if block + i < results { mw_put_units(above + block + i, 0u, units); }
            }
        }
    }
    @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
        let units = mw_get_units(MW_UNIT_START[MW_LAYERS] / 4u + vector, 0u);
        @unroll for q in 0..4 {
            const o = vector * 4u + q;
            if o < MW_OUTPUTS { mw_output[min(o, MW_OUTPUTS - 1u)] = units[q]; }
        }
    }
}
