//! Slot `keep`: units and deltas go to memory, sample by sample, for the weight gradient.
//!
//! A row of `mw_trace` holds u₀ … u_{L−1}, then δ₁ … δ_L, as vec4s (MW_ROW of them, MW_DELTA_START).
//! `mw_trace_row` is the row of the first sample of this invocation; MW_ROW · MW_LANES vec4s belong to it.

@bind var<storage, read_write> mw_trace: array<vec4<f32>>;     // [agent][sample of the window][MW_ROW]

var<private> mw_trace_row: u32;

fn mw_keep(index: u32, value: array<Lane, 4>) {
    @unroll for i in 0..MW_LANES {
        mw_trace[mw_trace_row + i * MW_ROW + index] = vec4<f32>(mw_lane_get(value[0], i), mw_lane_get(value[1], i),
            mw_lane_get(value[2], i), mw_lane_get(value[3], i));
    }
}

fn mw_keep_units(index: u32, unit: array<Lane, 4>) { mw_keep(index, unit); }

/// `index` counts vec4s of units; deltas begin with layer 1.
fn mw_keep_deltas(index: u32, delta: array<Lane, 4>) {
    mw_keep(MW_DELTA_START + index - MW_WIDTHS[0] / 4u, delta);
}
