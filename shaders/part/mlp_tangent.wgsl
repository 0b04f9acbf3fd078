//! A multi-layer perceptron, forward together with its derivative in a direction of the parameters, the tangent.
//!
//!   u_{l+1} = φ(W_l u_l + b_l)     u̇_{l+1} = φ'(u_{l+1}) ⊙ (V_l u_l + c_l + W_l u̇_l)     u̇₀ = 0
//!
//! (V, c) is the direction, which lies like the parameters. Pairs of layers, tops and padding as in `mlp.wgsl` before a
//! backward pass, which may follow. Reference: src/reference/fisher.rs.

@bind var<storage, read> mw_direction: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]

var<private> mw_tangent: array<Lane, MW_OUTPUTS * MW_VECTORS>;         // of the outputs, [output][vector]
var<private> mw_tangent_top: array<Lane, MW_TOPS * MW_VECTORS>;        // as mw_top

fn mw_forward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    let along = thread.agent * MW_LEARNED / 4u;
    @unroll for pair in 0..MW_PAIRS {
        const lower = pair * 2u;
        const upper = lower + 1u;
        const bottom = MW_WIDTHS[lower];
        const top = MW_WIDTHS[upper + 1u];
        var x: array<Lane, bottom * MW_VECTORS>;
        var dx: array<Lane, bottom * MW_VECTORS>;
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if lower == 0u { x[k * MW_VECTORS + v] = mw_input_or_zero(k, v); }
                if lower > 0u {
                    x[k * MW_VECTORS + v] = mw_below(MW_TOP_START[lower], k, v);
                    dx[k * MW_VECTORS + v] = mw_tangent_top[min(MW_TOP_START[lower] + k, MW_TOPS - 1u) * MW_VECTORS + v];
                }
            }
        }
        var bias: array<vec4<f32>, MW_VECTOR_CHUNKS[upper + 1u]>;
        var d_bias: array<vec4<f32>, MW_VECTOR_CHUNKS[upper + 1u]>;
        @unroll for c in 0..MW_VECTOR_CHUNKS[upper + 1u] {
            let f = MW_BIAS_START[upper] + min(c * MW_SHARE + thread.lane, top / 4u - 1u);
            bias[c] = mw_parameters[base + f];
            d_bias[c] = mw_direction[along + f];
        }
        var sum: array<Lane, top * MW_VECTORS>;
        var d_sum: array<Lane, top * MW_VECTORS>;
        @unroll for o in 0..top {
            @unroll for v in 0..MW_VECTORS {
                sum[o * MW_VECTORS + v] = Lane(mw_shared(bias[o / 4u / MW_SHARE], o / 4u % MW_SHARE, o % 4u));
                d_sum[o * MW_VECTORS + v] = Lane(mw_shared(d_bias[o / 4u / MW_SHARE], o / 4u % MW_SHARE, o % 4u));
            }
        }
        for (var group = 0u; group < MW_WIDTHS[upper] / 4u; group++) {
            // shared lists as in mlp.wgsl, of the parameters and of the direction
            var rows: array<vec4<f32>, MW_ROW_CHUNKS[lower]>;
            var d_rows: array<vec4<f32>, MW_ROW_CHUNKS[lower]>;
            @unroll for c in 0..MW_ROW_CHUNKS[lower] {
                let f = c * MW_SHARE + thread.lane;
                let place = select(MW_BIAS_START[lower] + group, MW_WEIGHT_START[lower] + group * bottom + f, f < bottom);
                rows[c] = mw_parameters[base + place];
                d_rows[c] = mw_direction[along + place];
            }
            var columns: array<vec4<f32>, MW_UNIT_CHUNKS[upper + 1u]>;
            var d_columns: array<vec4<f32>, MW_UNIT_CHUNKS[upper + 1u]>;
            @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] {
                let row = min(c * MW_SHARE + thread.lane, top - 1u);
                let place = MW_WEIGHT_START[upper] + row * (MW_WIDTHS[upper] / 4u) + group;
                columns[c] = mw_parameters[base + place];
                d_columns[c] = mw_direction[along + place];
            }
            @unroll for v in 0..MW_VECTORS {
                var unit: array<Lane, 4>;
                var d_unit: array<Lane, 4>;
                @unroll for q in 0..4 {
                    unit[q] = Lane(mw_shared(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                    d_unit[q] = Lane(mw_shared(d_rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                    @unroll for k in 0..bottom {
                        const f = q * (bottom / 4u) + k / 4u;
                        let weight = Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u));
                        unit[q] = fma(weight, x[k * MW_VECTORS + v], unit[q]);
                        d_unit[q] = fma(Lane(mw_shared(d_rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k * MW_VECTORS + v], d_unit[q]);
                        if lower > 0u { d_unit[q] = fma(weight, dx[k * MW_VECTORS + v], d_unit[q]); }
                    }
                    unit[q] = mw_activation(unit[q]);
                    d_unit[q] *= mw_d_activation(unit[q]);
                }
                @unroll for o in 0..top {
                    var next = sum[o * MW_VECTORS + v];
                    var d_next = d_sum[o * MW_VECTORS + v];
                    @unroll for q in 0..4 {
                        let weight = Lane(mw_shared(columns[o / MW_SHARE], o % MW_SHARE, q));
                        next = fma(weight, unit[q], next);
                        d_next = fma(weight, d_unit[q], d_next);
                        d_next = fma(Lane(mw_shared(d_columns[o / MW_SHARE], o % MW_SHARE, q)), unit[q], d_next);
                    }
                    sum[o * MW_VECTORS + v] = next;
                    d_sum[o * MW_VECTORS + v] = d_next;
                }
            }
        }
        @unroll for o in 0..top {
            @unroll for v in 0..MW_VECTORS {
                if upper + 1u < MW_LAYERS {
                    let unit = mw_activation(sum[o * MW_VECTORS + v]);
                    const at = min(MW_TOP_START[upper + 1u] + o, MW_TOPS - 1u) * MW_VECTORS + v;
                    mw_top[at] = unit;
                    mw_tangent_top[at] = d_sum[o * MW_VECTORS + v] * mw_d_activation(unit);
                }
                if upper + 1u == MW_LAYERS && o < MW_OUTPUTS {
                    const at = min(o, MW_OUTPUTS - 1u) * MW_VECTORS + v;
                    mw_output[at] = sum[o * MW_VECTORS + v];
                    mw_tangent[at] = d_sum[o * MW_VECTORS + v];
                }
            }
        }
    }
    @unroll for tail in 0..MW_TAIL {
        const last = MW_LAYERS - 1u;
        const bottom = MW_WIDTHS[last];
        var x: array<Lane, bottom * MW_VECTORS>;
        var dx: array<Lane, bottom * MW_VECTORS>;
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if last == 0u { x[k * MW_VECTORS + v] = mw_input_or_zero(k, v); }
                if last > 0u {
                    x[k * MW_VECTORS + v] = mw_below(MW_TOP_START[last], k, v);
                    dx[k * MW_VECTORS + v] = mw_tangent_top[min(MW_TOP_START[last] + k, MW_TOPS - 1u) * MW_VECTORS + v];
                }
            }
        }
        for (var group = 0u; group < MW_WIDTHS[MW_LAYERS] / 4u; group++) {
            var rows: array<vec4<f32>, MW_ROW_CHUNKS[last]>;
            var d_rows: array<vec4<f32>, MW_ROW_CHUNKS[last]>;
            @unroll for c in 0..MW_ROW_CHUNKS[last] {
                let f = c * MW_SHARE + thread.lane;
                let place = select(MW_BIAS_START[last] + group, MW_WEIGHT_START[last] + group * bottom + f, f < bottom);
                rows[c] = mw_parameters[base + place];
                d_rows[c] = mw_direction[along + place];
            }
            @unroll for q in 0..4 {
                if q < MW_OUTPUTS {
                    @unroll for v in 0..MW_VECTORS {
                        var sum = Lane(mw_shared(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                        var d_sum = Lane(mw_shared(d_rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                        @unroll for k in 0..bottom {
                            const f = q * (bottom / 4u) + k / 4u;
                            let weight = Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u));
                            sum = fma(weight, x[k * MW_VECTORS + v], sum);
                            d_sum = fma(weight, dx[k * MW_VECTORS + v], d_sum);
                            d_sum = fma(Lane(mw_shared(d_rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k * MW_VECTORS + v], d_sum);
                        }
                        @unroll for o in 0..MW_OUTPUTS {
                            if o % 4u == q && group == o / 4u {
                                mw_output[o * MW_VECTORS + v] = sum;
                                mw_tangent[o * MW_VECTORS + v] = d_sum;
                            }
                        }
                    }
                }
            }
        }
    }
}
