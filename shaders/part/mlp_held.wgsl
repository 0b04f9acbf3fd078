//! A multi-layer perceptron, forward, whose parameters every invocation loads once and holds: for members of a population on
//! processors that emulate a GPU, where private memory is a register away and a load from a buffer tens of instructions. One
//! sample in each invocation. Sums run over their inputs in ascending order, as in `mlp.wgsl`, so both give the same bits.
//! Padding and layout as there. Reference: src/reference/mlp.rs.

var<private> mw_input: array<Lane, MW_INPUTS>;
var<private> mw_output: array<Lane, MW_OUTPUTS>;
var<private> mw_held: array<vec4<f32>, MW_PARAMETERS / 4>;

fn mw_use_workspace(thread: MwThread, threads: u32) {
    let base = mw_parameters_of(thread);
    @unroll for i in 0..MW_PARAMETERS / 4 { mw_held[i] = mw_parameter(base, i); }
}

/// Four inputs; `vector` is a constant.
fn mw_put_input(vector: u32, v: u32, units: array<Lane, 4>) {
    @unroll for q in 0..4 {
        if vector * 4u + q < MW_INPUTS { mw_input[min(vector * 4u + q, MW_INPUTS - 1u)] = units[q]; }
    }
}

fn mw_forward(thread: MwThread) {
    var unit: array<Lane, MW_UNITS>;
    @unroll for k in 0..MW_INPUTS { unit[k] = mw_input[k]; }
    @unroll for layer in 0..MW_LAYERS {
        @unroll for o in 0..MW_WIDTHS[layer + 1] {
            if layer + 1u < MW_LAYERS || o < MW_OUTPUTS {
                var sum = Lane(mw_held[MW_BIAS_START[layer] + o / 4u][o % 4u]);
                @unroll for k in 0..MW_WIDTHS[layer] {
                    if layer > 0u || k < MW_INPUTS {
                        const at = MW_WEIGHT_START[layer] + o * (MW_WIDTHS[layer] / 4u) + k / 4u;
                        sum = fma(Lane(mw_held[at][k % 4u]), unit[MW_UNIT_START[layer] + k], sum);
                    }
                }
                if layer + 1u < MW_LAYERS { unit[MW_UNIT_START[layer + 1u] + o] = mw_activation(sum); }
                if layer + 1u == MW_LAYERS { mw_output[min(o, MW_OUTPUTS - 1u)] = sum; }
            }
        }
    }
}
