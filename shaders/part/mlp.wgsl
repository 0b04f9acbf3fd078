//! A multi-layer perceptron, forward, for a Lane of samples in each invocation, without a trip through memory.
//!
//!   u₀ = input     u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!
//! Layers are walked in pairs: bottom u_l (in registers) → middle u_{l+1} → top u_{l+2} (in registers). A loop makes
//! four middle units at a time and adds their share to the sums of all top units at once, so that middle layers may
//! have any width and nothing but tops is kept. An odd last layer stands alone. Tops and bottoms have at most 128
//! units; `mlp_wide.wgsl` has no such limit.
//! Widths are padded with zero weights to multiples of 4, and φ(0) = 0, so padding stays exactly zero.
//! W_l is [output][input] row-major from vec4 MW_WEIGHT_START[l] on, b_l from MW_BIAS_START[l] on.
//! Reference: src/reference/mlp.rs.

var<private> mw_input: array<Lane, MW_INPUTS>;
var<private> mw_output: array<Lane, MW_OUTPUTS>;
var<private> mw_top: array<Lane, MW_TOPS>;                     // pair after pair, from MW_TOP_START[pair] on

fn mw_forward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    @unroll for pair in 0..MW_PAIRS {
        const lower = pair * 2u;
        const upper = pair * 2u + 1u;
        const bottom = MW_WIDTHS[lower];
        const top = MW_WIDTHS[upper + 1u];
        var x: array<Lane, bottom>;
        @unroll for k in 0..MW_WIDTHS[pair * 2] {
            if pair > 0u { x[k] = mw_top[min(MW_TOP_START[max(pair, 1u) - 1u] + k, MW_TOPS - 1u)]; }
            if pair == 0u && k < MW_INPUTS { x[k] = mw_input[min(k, MW_INPUTS - 1u)]; }
        }
        var bias: array<vec4<f32>, MW_VECTOR_CHUNKS[upper + 1u]>;
        @unroll for c in 0..MW_VECTOR_CHUNKS[pair * 2 + 2] {
            bias[c] = mw_parameters[base + MW_BIAS_START[upper] + min(c * MW_SHARE + thread.lane, top / 4u - 1u)];
        }
        var sum: array<Lane, top>;
        @unroll for o in 0..MW_WIDTHS[pair * 2 + 2] {
            sum[o] = Lane(mw_shared(bias[o / 4u / MW_SHARE], o / 4u % MW_SHARE, o % 4u));
        }
        for (var group = 0u; group < MW_WIDTHS[upper] / 4u; group++) {
            // entry f of the first shared list: vec4 f of the group's rows, then their biases; of the second: row f
            var rows: array<vec4<f32>, MW_ROW_CHUNKS[lower]>;
            @unroll for c in 0..MW_ROW_CHUNKS[pair * 2] {
                let f = c * MW_SHARE + thread.lane;
                rows[c] = mw_parameters[base
                    + select(MW_BIAS_START[lower] + group, MW_WEIGHT_START[lower] + group * bottom + f, f < bottom)];
            }
            var columns: array<vec4<f32>, MW_UNIT_CHUNKS[upper + 1u]>;
            @unroll for c in 0..MW_UNIT_CHUNKS[pair * 2 + 2] {
                let row = min(c * MW_SHARE + thread.lane, top - 1u);
                columns[c] = mw_parameters[base + MW_WEIGHT_START[upper] + row * (MW_WIDTHS[upper] / 4u) + group];
            }
            var unit: array<Lane, 4>;
            @unroll for q in 0..4 {
                unit[q] = Lane(mw_shared(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                @unroll for k in 0..MW_WIDTHS[pair * 2] {
                    const f = q * (bottom / 4u) + k / 4u;
                    unit[q] = fma(Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k], unit[q]);
                }
                unit[q] = mw_activation(unit[q]);
            }
            @unroll for o in 0..MW_WIDTHS[pair * 2 + 2] {
                var next = sum[o];
                @unroll for q in 0..4 {
                    next = fma(Lane(mw_shared(columns[o / MW_SHARE], o % MW_SHARE, q)), unit[q], next);
                }
                sum[o] = next;
            }
        }
        @unroll for o in 0..MW_WIDTHS[pair * 2 + 2] {
            if upper + 1u < MW_LAYERS { mw_top[min(MW_TOP_START[pair] + o, MW_TOPS - 1u)] = mw_activation(sum[o]); }
            if upper + 1u == MW_LAYERS && o < MW_OUTPUTS { mw_output[min(o, MW_OUTPUTS - 1u)] = sum[o]; }
        }
    }
    @unroll for odd in 0..MW_ODD {
        const last = MW_LAYERS - 1u;
        const bottom = MW_WIDTHS[last];
        var x: array<Lane, bottom>;
        @unroll for k in 0..MW_WIDTHS[MW_LAYERS - 1] {
            if MW_PAIRS > 0u { x[k] = mw_top[min(MW_TOP_START[max(MW_PAIRS, 1u) - 1u] + k, MW_TOPS - 1u)]; }
            if MW_PAIRS == 0u && k < MW_INPUTS { x[k] = mw_input[min(k, MW_INPUTS - 1u)]; }
        }
        for (var group = 0u; group < MW_WIDTHS[MW_LAYERS] / 4u; group++) {
            var rows: array<vec4<f32>, MW_ROW_CHUNKS[last]>;
            @unroll for c in 0..MW_ROW_CHUNKS[MW_LAYERS - 1] {
                let f = c * MW_SHARE + thread.lane;
                rows[c] = mw_parameters[base
                    + select(MW_BIAS_START[last] + group, MW_WEIGHT_START[last] + group * bottom + f, f < bottom)];
            }
            @unroll for q in 0..4 {
                if q < MW_OUTPUTS {
                    var sum = Lane(mw_shared(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                    @unroll for k in 0..MW_WIDTHS[MW_LAYERS - 1] {
                        const f = q * (bottom / 4u) + k / 4u;
                        sum = fma(Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k], sum);
                    }
                    @unroll for o in 0..MW_OUTPUTS {
                        if o % 4u == q && group == o / 4u { mw_output[o] = sum; }
                    }
                }
            }
        }
    }
}
