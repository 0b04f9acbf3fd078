//! A multi-layer perceptron, forward, for MW_VECTORS Lanes of samples in each invocation, without a trip through memory.
//!
//!   u₀ = input     u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!
//! Layers are walked in pairs: bottom u_l (in registers) → middle u_{l+1} → top u_{l+2} (in registers). A loop makes
//! four middle units at a time and adds their share to the sums of all top units at once, so that middle layers may
//! have any width and nothing but tops is kept. Of an odd number of layers one stands alone: the first (MW_HEAD) where
//! only the outputs are wanted, for then the tops, which the loop carries, are few; the last (MW_TAIL) before a
//! backward pass, which wants the tops. Every sum runs over its inputs in ascending order, so both give the same bits.
//! Tops and bottoms have at most 128 units; `mlp_wide.wgsl` has no such limit.
//! Widths are padded with zero weights to multiples of 4, and φ(0) = 0, so padding stays exactly zero.
//! W_l is [output][input] row-major from vec4 MW_WEIGHT_START[l] on, b_l from MW_BIAS_START[l] on.
//! Reference: src/reference/mlp.rs.

fn mw_forward(thread: MwThread) {
    let base = mw_parameters_of(thread);
    @unroll for head in 0..MW_HEAD {
        const inputs = MW_WIDTHS[0] / 4u;
        var rows: array<MwChunk, MW_HEAD_CHUNKS>;
        @unroll for c in 0..MW_HEAD_CHUNKS {
            rows[c] = mw_chunk(base, MW_WEIGHT_START[0] + min(c * MW_SHARE + thread.lane, MW_WIDTHS[1] * inputs - 1u));
        }
        var bias: array<MwChunk, MW_VECTOR_CHUNKS[1]>;
        @unroll for c in 0..MW_VECTOR_CHUNKS[1] {
            bias[c] = mw_chunk(base, MW_BIAS_START[0] + min(c * MW_SHARE + thread.lane, MW_WIDTHS[1] / 4u - 1u));
        }
        @unroll for o in 0..MW_WIDTHS[1] {
            @unroll for v in 0..MW_VECTORS {
                var unit = Lane(mw_of_chunk(bias[o / 4u / MW_SHARE], o / 4u % MW_SHARE, o % 4u));
                @unroll for k in 0..MW_WIDTHS[0] {
                    const f = o * inputs + k / 4u;
                    unit = fma(Lane(mw_of_chunk(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), mw_input_or_zero(k, v), unit);
                }
                mw_top[min(o, MW_TOPS - 1u) * MW_VECTORS + v] = mw_activation(unit);
            }
        }
    }
    @unroll for pair in 0..MW_PAIRS {
        const lower = pair * 2u + MW_HEAD;
        const upper = lower + 1u;
        const bottom = MW_WIDTHS[lower];
        const top = MW_WIDTHS[upper + 1u];
        var x: array<Lane, bottom * MW_VECTORS>;
        @unroll for k in 0..bottom {
            @unroll for v in 0..MW_VECTORS {
                if lower == 0u { x[k * MW_VECTORS + v] = mw_input_or_zero(k, v); }
                if lower > 0u { x[k * MW_VECTORS + v] = mw_below(MW_TOP_START[lower], k, v); }
            }
        }
        var bias: array<MwChunk, MW_VECTOR_CHUNKS[upper + 1u]>;
        @unroll for c in 0..MW_VECTOR_CHUNKS[upper + 1u] {
            bias[c] = mw_chunk(base, MW_BIAS_START[upper] + min(c * MW_SHARE + thread.lane, top / 4u - 1u));
        }
        var sum: array<Lane, top * MW_VECTORS>;
        @unroll for o in 0..top {
            @unroll for v in 0..MW_VECTORS {
                sum[o * MW_VECTORS + v] = Lane(mw_of_chunk(bias[o / 4u / MW_SHARE], o / 4u % MW_SHARE, o % 4u));
            }
        }
        for (var group = 0u; group < MW_WIDTHS[upper] / 4u; group++) {
            // entry f of the first shared list: vec4 f of the group's rows, then their biases; of the second: row f
            var rows: array<MwChunk, MW_ROW_CHUNKS[lower]>;
            @unroll for c in 0..MW_ROW_CHUNKS[lower] {
                let f = c * MW_SHARE + thread.lane;
                rows[c] = mw_chunk(base, select(MW_BIAS_START[lower] + group, MW_WEIGHT_START[lower] + group * bottom + f, f < bottom));
            }
            var columns: array<MwChunk, MW_UNIT_CHUNKS[upper + 1u]>;
            @unroll for c in 0..MW_UNIT_CHUNKS[upper + 1u] {
                let row = min(c * MW_SHARE + thread.lane, top - 1u);
                columns[c] = mw_chunk(base, MW_WEIGHT_START[upper] + row * (MW_WIDTHS[upper] / 4u) + group);
            }
            @unroll for v in 0..MW_VECTORS {
                var unit: array<Lane, 4>;
                @unroll for q in 0..4 {
                    unit[q] = Lane(mw_of_chunk(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                    @unroll for k in 0..bottom {
                        const f = q * (bottom / 4u) + k / 4u;
                        unit[q] = fma(Lane(mw_of_chunk(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k * MW_VECTORS + v], unit[q]);
                    }
                    unit[q] = mw_activation(unit[q]);
                }
                @unroll for o in 0..top {
                    var next = sum[o * MW_VECTORS + v];
                    @unroll for q in 0..4 {
                        next = fma(Lane(mw_of_chunk(columns[o / MW_SHARE], o % MW_SHARE, q)), unit[q], next);
                    }
                    sum[o * MW_VECTORS + v] = next;
                }
            }
        }
        @unroll for o in 0..top {
            @unroll for v in 0..MW_VECTORS {
                if upper + 1u < MW_LAYERS {
                    mw_top[min(MW_TOP_START[upper + 1u] + o, MW_TOPS - 1u) * MW_VECTORS + v] = mw_activation(sum[o * MW_VECTORS + v]);
                }
                if upper + 1u == MW_LAYERS && o < MW_OUTPUTS {
                    mw_output[min(o, MW_OUTPUTS - 1u) * MW_VECTORS + v] = sum[o * MW_VECTORS + v];
                }
            }
        }
    }
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
        for (var group = 0u; group < MW_WIDTHS[MW_LAYERS] / 4u; group++) {
            var rows: array<MwChunk, MW_ROW_CHUNKS[last]>;
            @unroll for c in 0..MW_ROW_CHUNKS[last] {
                let f = c * MW_SHARE + thread.lane;
                rows[c] = mw_chunk(base, select(MW_BIAS_START[last] + group, MW_WEIGHT_START[last] + group * bottom + f, f < bottom));
            }
            @unroll for q in 0..4 {
                if q < MW_OUTPUTS {
                    @unroll for v in 0..MW_VECTORS {
                        var sum = Lane(mw_of_chunk(rows[bottom / MW_SHARE], bottom % MW_SHARE, q));
                        @unroll for k in 0..bottom {
                            const f = q * (bottom / 4u) + k / 4u;
                            sum = fma(Lane(mw_of_chunk(rows[f / MW_SHARE], f % MW_SHARE, k % 4u)), x[k * MW_VECTORS + v], sum);
                        }
                        @unroll for o in 0..MW_OUTPUTS {
                            if o % 4u == q && group == o / 4u { mw_output[o * MW_VECTORS + v] = sum; }
                        }
                    }
                }
            }
        }
    }
}
