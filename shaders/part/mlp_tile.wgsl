//! A multi-layer perceptron, forward and backward, run by a workgroup on a tile of samples in workgroup memory.
//!
//!   u₀ = input     u_{l+1} = φ(W_l u_l + b_l)     no φ after the last layer
//!   dW_l += Σ_samples δ_{l+1} u_lᵀ      db_l += Σ_samples δ_{l+1}      δ_l = φ'(u_l) ⊙ W_lᵀ δ_{l+1}
//!
//! Units lie as vec4s, [sample][unit]; deltas take the place of the units they belong to as soon as nobody needs those.
//! Every product is a matrix product of register blocks. Forward, and backward through the data, a thread makes four
//! units of every MW_TILE_GROUPS-th sample, so that a weight it loads serves MW_TILE_TURNS samples. For the weights it
//! keeps blocks of four rows by four columns, all of the same rows, from the first tile of its workgroup to the last:
//! nothing but one partial gradient of a whole slice leaves the workgroup.
//! Reference: src/reference/mlp.rs.

var<private> mw_output: array<Lane, MW_OUTPUTS>;
var<private> mw_d_output: array<Lane, MW_OUTPUTS>;

var<private> mw_tile_parameters: u32;   // vec4s from the first network's parameters to those of the one that is run

var<workgroup> mw_tile: array<vec4<f32>, MW_TILE_SAMPLES * MW_UNITS / 4>;

var<private> mw_tile_weights: array<vec4<f32>, MW_TILE_SUMS>;  // layer l from MW_TILE_SUM_START[l] on, [block][row]
var<private> mw_tile_biases: array<vec4<f32>, MW_LAYERS>;

/// Where four units of a sample of the tile lie; samples past the end are the last one.
fn mw_tile_at(sample: u32, vector: u32) -> u32 {
    return min(sample, MW_TILE_SAMPLES - 1u) * (MW_UNITS / 4u) + vector;
}

var<private> mw_tile_sample: u32;   // whose objective this thread makes

/// Input k of that sample, 0 for padding; before the backward pass.
fn mw_input_or_zero(k: u32, v: u32) -> Lane { return mw_tile[mw_tile_at(mw_tile_sample, k / 4u)][k % 4u]; }

/// ∂loss/∂input k of that sample, after a backward pass down to the inputs (MW_LAST_DELTAS = 0).
fn mw_input_slope(k: u32, v: u32) -> Lane { return mw_tile[mw_tile_at(mw_tile_sample, k / 4u)][k % 4u]; }

/// From the inputs in the tile to the outputs there.
fn mw_tile_forward(agent: u32, local: u32) {
    @unroll for layer in 0..MW_LAYERS {
        const columns = MW_WIDTHS[layer] / 4u;
        const rows = MW_WIDTHS[layer + 1u] / 4u;
        const groups = MW_TILE_GROUPS[layer + 1u];
        let row = local % rows;
        let first = local / rows;
        let base = agent * MW_PARAMETERS / 4u + mw_tile_parameters;
        if first < groups {
            let bias = mw_parameters[base + MW_BIAS_START[layer] + row];
            var sum: array<vec4<f32>, MW_TILE_TURNS[layer + 1u]>;
            @unroll for turn in 0..MW_TILE_TURNS[layer + 1] { sum[turn] = bias; }
            for (var k = 0u; k < columns; k++) {
                let at = base + MW_WEIGHT_START[layer] + row * 4u * columns + k;
                let w0 = mw_parameters[at];
                let w1 = mw_parameters[at + columns];
                let w2 = mw_parameters[at + 2u * columns];
                let w3 = mw_parameters[at + 3u * columns];
                @unroll for turn in 0..MW_TILE_TURNS[layer + 1] {
                    let u = mw_tile[mw_tile_at(first + turn * groups, MW_UNIT_START[layer] / 4u + k)];
                    sum[turn] += vec4<f32>(dot(w0, u), dot(w1, u), dot(w2, u), dot(w3, u));
                }
            }
            @unroll for turn in 0..MW_TILE_TURNS[layer + 1] {
                var unit = sum[turn];
                if layer + 1u < MW_LAYERS {
                    unit = vec4<f32>(mw_activation(unit.x), mw_activation(unit.y), mw_activation(unit.z), mw_activation(unit.w));
                }
                if first + turn * groups < MW_TILE_SAMPLES {
                    mw_tile[mw_tile_at(first + turn * groups, MW_UNIT_START[layer + 1u] / 4u + row)] = unit;
                }
            }
        }
        workgroupBarrier();
    }
}

/// From the deltas of the outputs, which stand in the outputs' place, to the sums for weights and biases.
fn mw_tile_backward(agent: u32, local: u32) {
    @unroll for layer in rev(0..MW_LAYERS) {
        const columns = MW_WIDTHS[layer] / 4u;
        const rows = MW_WIDTHS[layer + 1u] / 4u;
        const above = MW_UNIT_START[layer + 1u] / 4u;
        const below = MW_UNIT_START[layer] / 4u;
        const row_groups = MW_TILE_GROUPS[layer + 1u];
        let row = local % rows;
        let group = local / rows;
        if MW_SLOPES_FROM >= MW_WIDTHS[0] && group < row_groups {
            for (var s = 0u; s < MW_TILE_SAMPLES; s++) {
                let delta = mw_tile[mw_tile_at(s, above + row)];
                mw_tile_biases[layer] += delta;
                @unroll for block in 0..MW_TILE_BLOCKS[layer] {
                    const from_ = MW_TILE_SUM_START[layer] + block * 4u;
                    let u = mw_tile[mw_tile_at(s, below + min(group + block * row_groups, columns - 1u))];
                    @unroll for r in 0..4 {
                        mw_tile_weights[from_ + r] = fma(vec4<f32>(delta[r]), u, mw_tile_weights[from_ + r]);
                    }
                }
            }
        }
        if layer >= MW_LAST_DELTAS {
            const groups = MW_TILE_GROUPS[layer];
            let column = local % columns;
            let first = local / columns;
            let at = agent * MW_PARAMETERS / 4u + mw_tile_parameters + MW_WEIGHT_START[layer] + column;
            var sum: array<vec4<f32>, MW_TILE_TURNS[layer]>;
            if first < groups {
                for (var o = 0u; o < rows; o++) {
                    let w0 = mw_parameters[at + o * 4u * columns];
                    let w1 = mw_parameters[at + (o * 4u + 1u) * columns];
                    let w2 = mw_parameters[at + (o * 4u + 2u) * columns];
                    let w3 = mw_parameters[at + (o * 4u + 3u) * columns];
                    @unroll for turn in 0..MW_TILE_TURNS[layer] {
                        let delta = mw_tile[mw_tile_at(first + turn * groups, above + o)];
                        sum[turn] += w0 * delta.x + w1 * delta.y + w2 * delta.z + w3 * delta.w;
                    }
                }
            }
            workgroupBarrier();   // the products above have read the units that the deltas replace
            if first < groups {
                @unroll for turn in 0..MW_TILE_TURNS[layer] {
                    let place = mw_tile_at(first + turn * groups, below + column);
                    let u = mw_tile[place];
                    var slope = vec4<f32>(1.0);
                    if layer > 0u {
                        slope = vec4<f32>(mw_d_activation(u.x), mw_d_activation(u.y), mw_d_activation(u.z), mw_d_activation(u.w));
                    }
                    if first + turn * groups < MW_TILE_SAMPLES { mw_tile[place] = sum[turn] * slope; }
                }
            }
            workgroupBarrier();
        }
    }
}

/// Writes the sums as the partial gradient of a slice.
fn mw_tile_store(agent: u32, slice: u32, local: u32) {
    @unroll for layer in 0..MW_LAYERS {
        const columns = MW_WIDTHS[layer] / 4u;
        const rows = MW_WIDTHS[layer + 1u] / 4u;
        const groups = MW_TILE_GROUPS[layer + 1u];
        let row = local % rows;
        let group = local / rows;
        if group < groups {
            @unroll for block in 0..MW_TILE_BLOCKS[layer] {
                let column = group + block * groups;
                @unroll for r in 0..4 {
                    let word = (mw_tile_parameters + MW_WEIGHT_START[layer] + (row * 4u + r) * columns + column) * 4u;
                    if column < columns {
                        mw_partial[mw_partial_at(agent, slice, word) / 4u] = mw_tile_weights[MW_TILE_SUM_START[layer] + block * 4u + r];
                    }
                }
            }
            let word = (mw_tile_parameters + MW_BIAS_START[layer] + row) * 4u;
            if group == 0u { mw_partial[mw_partial_at(agent, slice, word) / 4u] = mw_tile_biases[layer]; }
        }
    }
}
