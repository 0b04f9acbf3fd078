//! A multi-layer perceptron, backward, after `mw_forward` of `mlp.wgsl` in the same invocation.
//!
//!   δ_L = ∂loss/∂output     δ_l = φ'(u_l) ⊙ W_lᵀ δ_{l+1}     ∂loss/∂W_l = Σ_samples δ_{l+1} u_lᵀ     ∂loss/∂b_l = Σ δ_{l+1}
//!
//! Pairs as in `mlp.wgsl`, from the last to the first: a loop over four middle units at a time makes them again from
//! the bottom, their deltas from those of the top, and adds their share to the deltas of the bottom. Slot `weights`
//! either sums the products δ u over the samples of a subgroup at once, or keeps u and δ for another kernel.
//! The caller fills `mw_d_output`. Reference: src/reference/mlp.rs.

var<private> mw_d_output: array<Lane, MW_OUTPUTS * MW_VECTORS>;   // [output][vector]
var<private> mw_d_top: array<Lane, MW_TOPS * MW_VECTORS>;         // as mw_top
var<private> mw_d_input: array<Lane, MW_INPUTS * MW_VECTORS>;     // [input][vector], from MW_SLOPES_FROM on

/// ∂loss/∂input k, of an input from MW_SLOPES_FROM on, after the backward pass.
fn mw_input_slope(k: u32, v: u32) -> Lane { return mw_d_input[k * MW_VECTORS + v]; }

fn mw_pick(values: array<Lane, 4>, q: u32) -> Lane {
    return select(select(values[0], values[1], q == 1u), select(values[2], values[3], q == 3u), q >= 2u);
}

fn mw_pick_component(values: vec4<f32>, q: u32) -> f32 {
    return select(select(values.x, values.y, q == 1u), select(values.z, values.w, q == 3u), q >= 2u);
}

fn mw_backward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    @unroll for tail in 0..MW_TAIL {
        const last = MW_LAYERS - 1u;
        const bottom = MW_WIDTHS[last];
        var x: array<Lane, bottom * MW_VECTORS>;
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if last == 0u { x[k * MW_VECTORS + v] = mw_input_or_zero(k, v); }
                if last > 0u { x[k * MW_VECTORS + v] = mw_below(MW_TOP_START[last], k, v); }
            }
        }
        var dx: array<Lane, bottom * MW_VECTORS>;
        for (var o = 0u; o < MW_OUTPUTS; o++) {
            var d: array<Lane, MW_VECTORS>;
            @unroll for v in 0..MW_VECTORS {
                d[v] = mw_d_output[v];
                @unroll for other in 1..MW_OUTPUTS { d[v] = select(d[v], mw_d_output[other * MW_VECTORS + v], o == other); }
            }
            var row: array<vec4<f32>, MW_VECTOR_CHUNKS[last]>;
            @unroll for c in 0..MW_VECTOR_CHUNKS[last] {
                let f = min(c * MW_SHARE + thread.lane, bottom / 4u - 1u);
                row[c] = mw_parameters[base + MW_WEIGHT_START[last] + o * (bottom / 4u) + f];
            }
            @unroll for k in 0..bottom {
                @unroll for v in 0..MW_VECTORS {
                    dx[k * MW_VECTORS + v] = fma(Lane(mw_shared(row[k / 4u / MW_SHARE], k / 4u % MW_SHARE, k % 4u)), d[v],
                        dx[k * MW_VECTORS + v]);
                }
            }
            @unroll for c in 0..MW_VECTOR_CHUNKS[last] {
                var sums: vec4<f32>;
                @unroll for q in 0..4 {
                    var product: array<f32, MW_SHARE>;
                    @unroll for i in 0..MW_SHARE {
                        if c * MW_SHARE + i < bottom / 4u {
                            @unroll for v in 0..MW_VECTORS {
                                const k = min((c * MW_SHARE + i) * 4u + q, bottom - 1u);
                                let part = mw_lane_dot(d[v], x[k * MW_VECTORS + v]);
                                if v == 0u { product[i] = part; } else { product[i] += part; }
                            }
                        }
                    }
                    sums[q] = mw_sum_products(product);
                }
                let f = c * MW_SHARE + thread.lane;
                mw_put_weights(MW_WEIGHT_START[last] + o * (bottom / 4u) + f, f < bottom / 4u, sums);
            }
        }
        @unroll for c in 0..MW_VECTOR_CHUNKS[MW_LAYERS] {
            var sums: vec4<f32>;
            @unroll for q in 0..4 {
                var product: array<f32, MW_SHARE>;
                @unroll for i in 0..MW_SHARE {
                    @unroll for v in 0..MW_VECTORS {
                        const o = (c * MW_SHARE + i) * 4u + q;
                        if o < MW_OUTPUTS { product[i] += mw_lane_sum(mw_d_output[min(o, MW_OUTPUTS - 1u) * MW_VECTORS + v]); }
                    }
                }
                sums[q] = mw_sum_products(product);
            }
            let f = c * MW_SHARE + thread.lane;
            mw_put_weights(MW_BIAS_START[last] + f, f < MW_WIDTHS[MW_LAYERS] / 4u, sums);
        }
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if last == 0u && k < MW_INPUTS { mw_d_input[min(k, MW_INPUTS - 1u) * MW_VECTORS + v] = dx[k * MW_VECTORS + v]; }
                if last > 0u {
                    mw_d_top[min(MW_TOP_START[last] + k, MW_TOPS - 1u) * MW_VECTORS + v] =
                        dx[k * MW_VECTORS + v] * mw_d_activation(x[k * MW_VECTORS + v]);
                }
            }
        }
    }
    @unroll for pair in rev(0..MW_PAIRS) {
        const lower = pair * 2u;
        const upper = pair * 2u + 1u;
        const bottom = MW_WIDTHS[lower];
        const top = MW_WIDTHS[upper + 1u];
        var x: array<Lane, bottom * MW_VECTORS>;
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if pair == 0u { x[k * MW_VECTORS + v] = mw_input_or_zero(k, v); }
                if pair > 0u { x[k * MW_VECTORS + v] = mw_below(MW_TOP_START[lower], k, v); }
            }
        }
        var d: array<Lane, top * MW_VECTORS>;
        @unroll for o in 0..top {
            @unroll for v in 0..MW_VECTORS {
                if upper + 1u < MW_LAYERS {
                    d[o * MW_VECTORS + v] = mw_d_top[min(MW_TOP_START[upper + 1u] + o, MW_TOPS - 1u) * MW_VECTORS + v];
                }
                if upper + 1u == MW_LAYERS && o < MW_OUTPUTS {
                    d[o * MW_VECTORS + v] = mw_d_output[min(o, MW_OUTPUTS - 1u) * MW_VECTORS + v];
                }
            }
        }
        @unroll for vector in 0..top / 4 {
            @unroll for v in 0..MW_VECTORS {
                if upper + 1u < MW_LAYERS {
                    var units: array<Lane, 4>;
                    var deltas: array<Lane, 4>;
                    @unroll for q in 0..4 {
                        units[q] = mw_below(MW_TOP_START[upper + 1u], vector * 4u + q, v);
                        deltas[q] = d[(vector * 4u + q) * MW_VECTORS + v];
                    }
                    mw_put_units(MW_UNIT_START[upper + 1u] / 4u + vector, v, units);
                    mw_put_deltas(MW_UNIT_START[upper + 1u] / 4u + vector, v, deltas);
                }
            }
        }
        @unroll for c in 0..MW_VECTOR_CHUNKS[upper + 1u] {
            var sums: vec4<f32>;
            @unroll for q in 0..4 {
                var product: array<f32, MW_SHARE>;
                @unroll for i in 0..MW_SHARE {
                    if c * MW_SHARE + i < top / 4u {
                        @unroll for v in 0..MW_VECTORS {
                            let part = mw_lane_sum(d[min((c * MW_SHARE + i) * 4u + q, top - 1u) * MW_VECTORS + v]);
                            if v == 0u { product[i] = part; } else { product[i] += part; }
                        }
                    }
                }
                sums[q] = mw_sum_products(product);
            }
            let f = c * MW_SHARE + thread.lane;
            mw_put_weights(MW_BIAS_START[upper] + f, f < top / 4u, sums);
        }
        var dx: array<Lane, bottom * MW_VECTORS>;
        for (var group = 0u; group < MW_WIDTHS[upper] / 4u; group++) {
            var rows: array<vec4<f32>, MW_ROW_CHUNKS[lower]>;
            @unroll for c in 0..MW_ROW_CHUNKS[lower] {
                let f = c * MW_SHARE + thread.lane;
                rows[c] = mw_parameters[base
                    + select(MW_BIAS_START[lower] + group, MW_WEIGHT_START[lower] + group * bottom + f, f < bottom)];
            }
            var columns: array<vec4<f32>, MW_UNIT_CHUNKS[upper + 1u]>;
            @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] {
                let row = min(c * MW_SHARE + thread.lane, top - 1u);
                columns[c] = mw_parameters[base + MW_WEIGHT_START[upper] + row * (MW_WIDTHS[upper] / 4u) + group];
            }
            var unit: array<array<Lane, 4>, MW_VECTORS>;
            var delta: array<array<Lane, 4>, MW_VECTORS>;
            @unroll for v in 0..MW_VECTORS {
                @unroll for q in 0..4 {
                    var next = Lane(mw_shared(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                    @unroll for k in 0..bottom {
                        const f = q * (bottom / 4u) + k / 4u;
                        next = fma(Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k * MW_VECTORS + v], next);
                    }
                    unit[v][q] = mw_activation(next);
                }
            }
            var sums: array<vec4<f32>, MW_UNIT_CHUNKS[upper + 1u]>;
            // one unit a turn, because the code of four would not fit the instruction cache of a processor
            for (var turn = 0u; turn < 4u; turn++) {
                var column: array<f32, MW_UNIT_CHUNKS[upper + 1u]>;
                @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] { column[c] = mw_pick_component(columns[c], turn); }
                var u: array<Lane, MW_VECTORS>;
                var sum: array<Lane, MW_VECTORS>;
                @unroll for v in 0..MW_VECTORS { u[v] = mw_pick(unit[v], turn); }
                @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] {
                    var product: array<f32, MW_SHARE>;
                    @unroll for i in 0..MW_SHARE {
                        if c * MW_SHARE + i < top {
                            @unroll for v in 0..MW_VECTORS {
                                let delta_above = d[min(c * MW_SHARE + i, top - 1u) * MW_VECTORS + v];
                                sum[v] = fma(Lane(mw_shared(vec4<f32>(column[c]), i, 0u)), delta_above, sum[v]);
                                let part = mw_lane_dot(delta_above, u[v]);
                                if v == 0u { product[i] = part; } else { product[i] += part; }
                            }
                        }
                    }
                    sums[c] = select(sums[c], vec4<f32>(mw_sum_products(product)), vec4<u32>(turn) == vec4<u32>(0u, 1u, 2u, 3u));
                }
                @unroll for v in 0..MW_VECTORS {
                    sum[v] *= mw_d_activation(u[v]);
                    @unroll for q in 0..4 { delta[v][q] = select(delta[v][q], sum[v], turn == q); }
                }
            }
            @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] {
                let o = c * MW_SHARE + thread.lane;
                mw_put_weights(MW_WEIGHT_START[upper] + o * (MW_WIDTHS[upper] / 4u) + group, o < top, sums[c]);
            }
            @unroll for v in 0..MW_VECTORS {
                mw_put_units(MW_UNIT_START[upper] / 4u + group, v, unit[v]);
                mw_put_deltas(MW_UNIT_START[upper] / 4u + group, v, delta[v]);
            }
            // entry f: vec4 f of the group's rows, which lie one after the other; then their biases
            @unroll for c in 0..MW_ROW_CHUNKS[lower] {
                var row_sums: vec4<f32>;
                @unroll for q in 0..4 {
                    var product: array<f32, MW_SHARE>;
                    @unroll for i in 0..MW_SHARE {
                        const f = c * MW_SHARE + i;
                        @unroll for v in 0..MW_VECTORS {
                            var part = 0.0;
                            if f < bottom {
                                const row = min(f / (bottom / 4u), 3u);
                                part = mw_lane_dot(delta[v][row], x[(f % (bottom / 4u) * 4u + q) * MW_VECTORS + v]);
                            }
                            if f == bottom { part = mw_lane_sum(delta[v][q]); }
                            if v == 0u { product[i] = part; } else { product[i] += part; }
                        }
                    }
                    row_sums[q] = mw_sum_products(product);
                }
                let f = c * MW_SHARE + thread.lane;
                mw_put_weights(select(MW_BIAS_START[lower] + group, MW_WEIGHT_START[lower] + group * bottom + f, f < bottom),
                    f <= bottom, row_sums);
            }
            @unroll for k in 0..bottom {
                @unroll for v in 0..MW_VECTORS {
                    if pair > 0u || (k >= MW_SLOPES_FROM && k < MW_INPUTS) {
                        var next = dx[k * MW_VECTORS + v];
                        @unroll for q in 0..4 {
                            const f = q * (bottom / 4u) + k / 4u;
                            next = fma(Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), delta[v][q], next);
                        }
                        dx[k * MW_VECTORS + v] = next;
                    }
                }
            }
        }
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if pair == 0u && k < MW_INPUTS { mw_d_input[min(k, MW_INPUTS - 1u) * MW_VECTORS + v] = dx[k * MW_VECTORS + v]; }
                if pair > 0u {
                    mw_d_top[min(MW_TOP_START[lower] + k, MW_TOPS - 1u) * MW_VECTORS + v] =
                        dx[k * MW_VECTORS + v] * mw_d_activation(x[k * MW_VECTORS + v]);
                }
            }
        }
    }
}
