//! A multi-layer perceptron, backward, after `mw_forward` of `mlp.wgsl` in the same invocation.
//!
//!   δ_L = ∂loss/∂output     δ_l = φ'(u_l) ⊙ W_lᵀ δ_{l+1}     ∂loss/∂W_l = Σ_samples δ_{l+1} u_lᵀ     ∂loss/∂b_l = Σ δ_{l+1}
//!
//! Pairs as in `mlp.wgsl`, from the last to the first: a loop over four middle units at a time makes them again from
//! the bottom, their deltas from those of the top, and adds their share to the deltas of the bottom. Slot `weights`
//! either sums the products δ u over the samples of a subgroup at once, or keeps u and δ for another kernel.
//! The caller fills `mw_d_output`. Reference: src/reference/mlp.rs.

var<private> mw_d_output: array<Lane, MW_OUTPUTS>;
var<private> mw_d_top: array<Lane, MW_TOPS>;

fn mw_pick(values: array<Lane, 4>, q: u32) -> Lane {
    return select(select(values[0], values[1], q == 1u), select(values[2], values[3], q == 3u), q >= 2u);
}

fn mw_pick_component(values: vec4<f32>, q: u32) -> f32 {
    return select(select(values.x, values.y, q == 1u), select(values.z, values.w, q == 3u), q >= 2u);
}

fn mw_backward(thread: MwThread) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    @unroll for odd in 0..MW_ODD {
        const last = MW_LAYERS - 1u;
        const bottom = MW_WIDTHS[last];
        var x: array<Lane, bottom>;
        @unroll for k in 0..MW_WIDTHS[MW_LAYERS - 1] {
            if MW_PAIRS > 0u { x[k] = mw_top[min(MW_TOP_START[max(MW_PAIRS, 1u) - 1u] + k, MW_TOPS - 1u)]; }
            if MW_PAIRS == 0u && k < MW_INPUTS { x[k] = mw_input[min(k, MW_INPUTS - 1u)]; }
        }
        var dx: array<Lane, bottom>;
        for (var o = 0u; o < MW_OUTPUTS; o++) {
            var d = mw_d_output[0];
            @unroll for other in 1..MW_OUTPUTS { d = select(d, mw_d_output[other], o == other); }
            var row: array<vec4<f32>, MW_VECTOR_CHUNKS[last]>;
            @unroll for c in 0..MW_VECTOR_CHUNKS[MW_LAYERS - 1] {
                let f = min(c * MW_SHARE + thread.lane, bottom / 4u - 1u);
                row[c] = mw_parameters[base + MW_WEIGHT_START[last] + o * (bottom / 4u) + f];
            }
            @unroll for k in 0..MW_WIDTHS[MW_LAYERS - 1] {
                dx[k] = fma(Lane(mw_shared(row[k / 4u / MW_SHARE], k / 4u % MW_SHARE, k % 4u)), d, dx[k]);
            }
            @unroll for c in 0..MW_UNIT_CHUNKS[MW_LAYERS - 1] {
                var product: array<f32, MW_SHARE>;
                @unroll for i in 0..MW_SHARE { product[i] = mw_lane_dot(d, x[min(c * MW_SHARE + i, bottom - 1u)]); }
                let k = c * MW_SHARE + thread.lane;
                mw_add_weights(MW_WEIGHT_START[last] * 4u + o * bottom + k, k < bottom, product);
            }
            var product: array<f32, MW_SHARE>;
            product[0] = mw_lane_sum(d);
            mw_add_weights(MW_BIAS_START[last] * 4u + o, thread.lane == 0u, product);
        }
        @unroll for k in 0..MW_WIDTHS[MW_LAYERS - 1] {
            if MW_PAIRS > 0u {
                mw_d_top[min(MW_TOP_START[max(MW_PAIRS, 1u) - 1u] + k, MW_TOPS - 1u)] = dx[k] * mw_d_activation(x[k]);
            }
        }
    }
    @unroll for pair in rev(0..MW_PAIRS) {
        const lower = pair * 2u;
        const upper = pair * 2u + 1u;
        const bottom = MW_WIDTHS[lower];
        const top = MW_WIDTHS[upper + 1u];
        var x: array<Lane, bottom>;
        @unroll for k in 0..MW_WIDTHS[pair * 2] {
            if pair > 0u { x[k] = mw_top[min(MW_TOP_START[max(pair, 1u) - 1u] + k, MW_TOPS - 1u)]; }
            if pair == 0u && k < MW_INPUTS { x[k] = mw_input[min(k, MW_INPUTS - 1u)]; }
        }
        var d: array<Lane, top>;
        @unroll for o in 0..MW_WIDTHS[pair * 2 + 2] {
            if upper + 1u < MW_LAYERS { d[o] = mw_d_top[min(MW_TOP_START[pair] + o, MW_TOPS - 1u)]; }
            if upper + 1u == MW_LAYERS && o < MW_OUTPUTS { d[o] = mw_d_output[min(o, MW_OUTPUTS - 1u)]; }
        }
        @unroll for vector in 0..MW_WIDTHS[pair * 2 + 2] / 4 {
            if upper + 1u < MW_LAYERS {
                var units: array<Lane, 4>;
                var deltas: array<Lane, 4>;
                @unroll for q in 0..4 {
                    units[q] = mw_top[min(MW_TOP_START[pair] + vector * 4u + q, MW_TOPS - 1u)];
                    deltas[q] = d[vector * 4u + q];
                }
                mw_put_units(MW_UNIT_START[upper + 1u] / 4u + vector, units);
                mw_put_deltas(MW_UNIT_START[upper + 1u] / 4u + vector, deltas);
            }
        }
        @unroll for c in 0..MW_UNIT_CHUNKS[pair * 2 + 2] {
            var product: array<f32, MW_SHARE>;
            @unroll for i in 0..MW_SHARE { product[i] = mw_lane_sum(d[min(c * MW_SHARE + i, top - 1u)]); }
            let o = c * MW_SHARE + thread.lane;
            mw_add_weights(MW_BIAS_START[upper] * 4u + o, o < top, product);
        }
        var dx: array<Lane, bottom>;
        for (var group = 0u; group < MW_WIDTHS[upper] / 4u; group++) {
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
            // one unit a turn, because the code of four would not fit the instruction cache of a processor
            var delta: array<Lane, 4>;
            for (var turn = 0u; turn < 4u; turn++) {
                let u = mw_pick(unit, turn);
                var column: array<f32, MW_UNIT_CHUNKS[upper + 1u]>;
                @unroll for c in 0..MW_UNIT_CHUNKS[pair * 2 + 2] { column[c] = mw_pick_component(columns[c], turn); }
                var sum = Lane(0.0);
                @unroll for o in 0..MW_WIDTHS[pair * 2 + 2] {
                    sum = fma(Lane(mw_shared(vec4<f32>(column[o / MW_SHARE]), o % MW_SHARE, 0u)), d[o], sum);
                }
                @unroll for c in 0..MW_UNIT_CHUNKS[pair * 2 + 2] {
                    var product: array<f32, MW_SHARE>;
                    @unroll for i in 0..MW_SHARE { product[i] = mw_lane_dot(d[min(c * MW_SHARE + i, top - 1u)], u); }
                    let o = c * MW_SHARE + thread.lane;
                    let at = MW_WEIGHT_START[upper] * 4u + o * MW_WIDTHS[upper] + group * 4u + turn;
                    mw_add_weights(at, o < top, product);
                }
                sum *= mw_d_activation(u);
                @unroll for q in 0..4 { delta[q] = select(delta[q], sum, turn == q); }
            }
            mw_put_units(MW_UNIT_START[upper] / 4u + group, unit);
            mw_put_deltas(MW_UNIT_START[upper] / 4u + group, delta);
            // the group's four rows lie one after the other, and so do their biases
            @unroll for c in 0..MW_ROW_SUMS[pair * 2] {
                var product: array<f32, MW_SHARE>;
                @unroll for i in 0..MW_SHARE {
                    const f = min(c * MW_SHARE + i, 4u * bottom + 3u);
                    if f < 4u * bottom { product[i] = mw_lane_dot(delta[min(f / bottom, 3u)], x[f % bottom]); }
                    if f >= 4u * bottom { product[i] = mw_lane_sum(delta[f % 4u]); }
                }
                let f = c * MW_SHARE + thread.lane;
                let weight = MW_WEIGHT_START[lower] * 4u + group * 4u * bottom + f;
                let bias = MW_BIAS_START[lower] * 4u + group * 4u + (f - 4u * bottom);
                mw_add_weights(select(bias, weight, f < 4u * bottom), f < 4u * bottom + 4u, product);
            }
            if pair > 0u {
                @unroll for k in 0..MW_WIDTHS[pair * 2] {
                    var next = dx[k];
                    @unroll for q in 0..4 {
                        const f = q * (bottom / 4u) + k / 4u;
                        next = fma(Lane(mw_shared(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), delta[q], next);
                    }
                    dx[k] = next;
                }
            }
        }
        @unroll for k in 0..MW_WIDTHS[pair * 2] {
            if pair > 0u {
                mw_d_top[min(MW_TOP_START[max(pair, 1u) - 1u] + k, MW_TOPS - 1u)] = dx[k] * mw_d_activation(x[k]);
            }
        }
    }
}
