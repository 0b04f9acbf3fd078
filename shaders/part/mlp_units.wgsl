//! A multi-layer perceptron, forward, run by a subgroup together: each lane holds the weights of its own units, for as
//! long as the kernel runs, and its own sample. One sample in each invocation.
//!
//!   for each lane e:  u₀ = input of e     u_{l+1} = φ(W_l u_l + b_l)     output = W_L u_L + b_L, summed over lanes
//!
//! Units come in blocks of four; lane i has blocks i, i + MW_SHARE, …. A unit's value is handed round by a shuffle with
//! a constant lane; weights never move. Right for processors that emulate a GPU, where a load costs tens of
//! instructions and 16 KiB of private memory nothing; wrong for GPUs, whose registers would spill.
//! Padding and layout as in `mlp.wgsl`. Reference: src/reference/mlp.rs.

var<private> mw_input: array<Lane, MW_INPUTS>;
var<private> mw_output: array<Lane, MW_OUTPUTS>;
var<private> mw_held: array<vec4<f32>, MW_HELD>;               // hidden layers: [layer][block][input]; then [output][block]
var<private> mw_held_bias: array<vec4<f32>, MW_HELD_BIASES>;   // [layer][block]
var<private> mw_held_lane: u32;

/// Loads the weights of this lane's units.
fn mw_use_workspace(thread: MwThread, threads: u32) {
    let base = thread.agent * MW_PARAMETERS / 4u;
    mw_held_lane = thread.lane;
    @unroll for layer in 0..MW_LAYERS - 1 {
        @unroll for block in 0..MW_UNIT_BLOCKS[layer + 1] {
            let mine = min(block * MW_SHARE + thread.lane, MW_WIDTHS[layer + 1u] / 4u - 1u);
            mw_held_bias[MW_HELD_BIAS_START[layer] + block] = mw_parameters[base + MW_BIAS_START[layer] + mine];
            @unroll for vector in 0..MW_WIDTHS[layer] / 4 {
                var rows: array<vec4<f32>, 4>;
                @unroll for q in 0..4 {
                    rows[q] = mw_parameters[base + MW_WEIGHT_START[layer] + (mine * 4u + q) * (MW_WIDTHS[layer] / 4u) + vector];
                }
                @unroll for j in 0..4 {
                    mw_held[MW_HELD_START[layer] + block * MW_WIDTHS[layer] + vector * 4u + j] =
                        vec4<f32>(rows[0][j], rows[1][j], rows[2][j], rows[3][j]);
                }
            }
        }
    }
    @unroll for o in 0..MW_OUTPUTS {
        @unroll for block in 0..MW_UNIT_BLOCKS[MW_LAYERS - 1] {
            const blocks = MW_WIDTHS[MW_LAYERS - 1u] / 4u;
            let mine = block * MW_SHARE + thread.lane;
            let row = mw_parameters[base + MW_WEIGHT_START[MW_LAYERS - 1u] + o * blocks + min(mine, blocks - 1u)];
            mw_held[MW_HELD_START[MW_LAYERS - 1u] + o * MW_UNIT_BLOCKS[MW_LAYERS - 1u] + block] =
                select(vec4<f32>(0.0), row, mine < blocks);
        }
    }
    @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
        mw_held_bias[MW_HELD_BIASES - MW_WIDTHS[MW_LAYERS] / 4u + vector] =
            mw_parameters[base + MW_BIAS_START[MW_LAYERS - 1u] + vector];
    }
}

/// Sum over the lanes of the subgroup, the same in each of them.
fn mw_sum_of_lanes(x: f32) -> f32 {
    var sum = x;
    @unroll for level in 0..MW_SHARE_LEVELS { sum += subgroupShuffleXor(sum, 1u << level); }
    return sum;
}

/// The value of a lane that is not known before. llvmpipe makes a shuffle from such a lane a loop over all of them.
fn mw_from_lane(x: f32, lane: u32) -> f32 { return mw_sum_of_lanes(select(0.0, x, mw_held_lane == lane)); }

/// Four inputs; `vector` is a constant.
fn mw_put_input(vector: u32, v: u32, units: array<Lane, 4>) {
    @unroll for q in 0..4 {
        if vector * 4u + q < MW_INPUTS { mw_input[min(vector * 4u + q, MW_INPUTS - 1u) * MW_VECTORS + v] = units[q]; }
    }
}

/// Input k, 0 for padding.
fn mw_input_or_zero(k: u32, v: u32) -> Lane {
    if k >= MW_INPUTS { return Lane(0.0); }
    return mw_input[min(k, MW_INPUTS - 1u) * MW_VECTORS + v];
}

fn mw_forward(thread: MwThread) {
    for (var e = 0u; e < MW_SHARE; e++) {
        var unit: array<vec4<f32>, MW_MOST_BLOCKS>;
        @unroll for layer in 0..MW_LAYERS - 1 {
            var sum: array<vec4<f32>, MW_MOST_BLOCKS>;
            @unroll for block in 0..MW_UNIT_BLOCKS[layer + 1] {
                sum[block] = mw_held_bias[MW_HELD_BIAS_START[layer] + block];
            }
            @unroll for k in 0..MW_WIDTHS[layer] {
                if layer > 0u || k < MW_INPUTS {
                    var below = 0.0;
                    if layer == 0u { below = mw_from_lane(mw_input[min(k, MW_INPUTS - 1u)], e); }
                    if layer > 0u {
                        below = subgroupShuffle(unit[k / 4u / MW_SHARE % MW_MOST_BLOCKS][k % 4u], k / 4u % MW_SHARE);
                    }
                    @unroll for block in 0..MW_UNIT_BLOCKS[layer + 1] {
                        let weights = mw_held[MW_HELD_START[layer] + block * MW_WIDTHS[layer] + k];
                        sum[block] = fma(weights, vec4<f32>(below), sum[block]);
                    }
                }
            }
            @unroll for block in 0..MW_UNIT_BLOCKS[layer + 1] {
                let x = sum[block];
                unit[block] = vec4<f32>(mw_activation(x.x), mw_activation(x.y), mw_activation(x.z), mw_activation(x.w));
            }
        }
        @unroll for o in 0..MW_OUTPUTS {
            var sum = 0.0;
            @unroll for block in 0..MW_UNIT_BLOCKS[MW_LAYERS - 1] {
                sum += dot(mw_held[MW_HELD_START[MW_LAYERS - 1u] + o * MW_UNIT_BLOCKS[MW_LAYERS - 1u] + block], unit[block]);
            }
            sum = mw_sum_of_lanes(sum) + mw_held_bias[MW_HELD_BIASES - MW_WIDTHS[MW_LAYERS] / 4u + o / 4u][o % 4u];
            mw_output[o] = select(mw_output[o], sum, mw_held_lane == e);
        }
    }
}
