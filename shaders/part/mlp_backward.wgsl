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
            @unroll for c in 0..MW_UNIT_CHUNKS[last] {
                var product: array<f32, MW_SHARE>;
                @unroll for i in 0..MW_SHARE {
                    @unroll for v in 0..MW_VECTORS {
                        let part = mw_lane_dot(d[v], x[min(c * MW_SHARE + i, bottom - 1u) * MW_VECTORS + v]);
                        if v == 0u { product[i] = part; } else { product[i] += part; }
                    }
                }
                let k = c * MW_SHARE + thread.lane;
                mw_add_weights(MW_WEIGHT_START[last] * 4u + o * bottom + k, k < bottom, product);
            }
            var product: array<f32, MW_SHARE>;
            @unroll for v in 0..MW_VECTORS { product[0] += mw_lane_sum(d[v]); }
            mw_add_weights(MW_BIAS_START[last] * 4u + o, thread.lane == 0u, product);
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
        @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] {
            var product: array<f32, MW_SHARE>;
            @unroll for i in 0..MW_SHARE {
                @unroll for v in 0..MW_VECTORS {
                    let part = mw_lane_sum(d[min(c * MW_SHARE + i, top - 1u) * MW_VECTORS + v]);
                    if v == 0u { product[i] = part; } else { product[i] += part; }
                }
            }
            let o = c * MW_SHARE + thread.lane;
            mw_add_weights(MW_BIAS_START[upper] * 4u + o, o < top, product);
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
                    let o = c * MW_SHARE + thread.lane;
                    let at = MW_WEIGHT_START[upper] * 4u + o * MW_WIDTHS[upper] + group * 4u + turn;
                    mw_add_weights(at, o < top, product);
                }
                @unroll for v in 0..MW_VECTORS {
                    sum[v] *= mw_d_activation(u[v]);
                    @unroll for q in 0..4 { delta[v][q] = select(delta[v][q], sum[v], turn == q); }
                }
            }
            @unroll for v in 0..MW_VECTORS {
                mw_put_units(MW_UNIT_START[upper] / 4u + group, v, unit[v]);
                mw_put_deltas(MW_UNIT_START[upper] / 4u + group, v, delta[v]);
            }
            // the group's four rows lie one after the other, and so do their biases
            @unroll for c in 0..MW_ROW_SUMS[lower] {
                var product: array<f32, MW_SHARE>;
                @unroll for i in 0..MW_SHARE {
                    const f = min(c * MW_SHARE + i, 4u * bottom + 3u);
                    @unroll for v in 0..MW_VECTORS {
                        var part = 0.0;
                        if f < 4u * bottom { part = mw_lane_dot(delta[v][min(f / bottom, 3u)], x[f % bottom * MW_VECTORS + v]); }
                        if f >= 4u * bottom { part = mw_lane_sum(delta[v][f % 4u]); }
                        if v == 0u { product[i] = part; } else { product[i] += part; }
                    }
                }
                let f = c * MW_SHARE + thread.lane;
                let weight = MW_WEIGHT_START[lower] * 4u + group * 4u * bottom + f;
                let bias = MW_BIAS_START[lower] * 4u + group * 4u + (f - 4u * bottom);
                mw_add_weights(select(bias, weight, f < 4u * bottom), f < 4u * bottom + 4u, product);
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
