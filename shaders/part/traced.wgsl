//! Outputs of a network whose layers were made one after the other (`layer.wgsl`), and where the deltas of outputs go.

var<private> mw_output: array<Lane, MW_OUTPUTS>;
var<private> mw_tangent: array<Lane, MW_OUTPUTS>;
var<private> mw_d_output: array<Lane, MW_OUTPUTS>;
var<private> mw_traced_row: u32;

/// Takes up the outputs of row s of the window; `tangents`: and how they change in a direction of the parameters.
fn mw_take_outputs(agent: u32, s: u32) {
    mw_traced_row = (agent * mw_sample_range.rows + min(s, mw_sample_range.rows - 1u)) * MW_TRACE_WIDTH;
    @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
        let outputs = mw_trace[mw_traced_row + MW_OUTPUT_START + vector];
        let tangents = mw_trace[mw_traced_row + MW_DELTA_START + (MW_UNIT_START[MW_LAYERS] - MW_WIDTHS[0]) / 4u + vector];
        @unroll for q in 0..4 {
            const o = vector * 4u + q;
            if o < MW_OUTPUTS {
                mw_output[min(o, MW_OUTPUTS - 1u)] = outputs[q];
                mw_tangent[min(o, MW_OUTPUTS - 1u)] = tangents[q];
            }
        }
    }
}

/// Input k, 0 for padding.
fn mw_input_or_zero(k: u32, v: u32) -> Lane { return mw_trace[mw_traced_row + k / 4u][k % 4u]; }

/// Leaves the deltas of the outputs.
fn mw_leave_deltas() {
    @unroll for vector in 0..MW_WIDTHS[MW_LAYERS] / 4 {
        var delta = vec4<f32>(0.0);
        @unroll for q in 0..4 {
            const o = vector * 4u + q;
            if o < MW_OUTPUTS { delta[q] = mw_d_output[min(o, MW_OUTPUTS - 1u)]; }
        }
        mw_trace[mw_traced_row + MW_DELTA_START + (MW_UNIT_START[MW_LAYERS] - MW_WIDTHS[0]) / 4u + vector] = delta;
    }
}

/// ∂loss/∂input k, after backward passes down to the inputs, which have served.
fn mw_input_slope(k: u32, v: u32) -> Lane { return mw_trace[mw_traced_row + k / 4u][k % 4u]; }
