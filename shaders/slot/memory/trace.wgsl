//! Slots `memory` and `weights`: units and deltas, kept sample by sample for the weight gradient.
//!
//! A row of `mw_trace` holds u₀ … u_{L−1}, then δ₁ … δ_L, as vec4s (MW_TRACE_WIDTH of them, deltas from
//! MW_DELTA_START on). `mw_trace_row` is the place of the first sample of this invocation.

@bind var<storage, read_write> mw_trace: array<vec4<f32>>;     // [agent][sample of the window][MW_TRACE_WIDTH]

var<private> mw_trace_row: u32;

/// Threads past the window write to a row of their own that nobody reads.
fn mw_use_weights(thread: MwThread) {
    let sample = min(thread.index * MW_SAMPLES, mw_sample_range.rows - MW_SAMPLES);
    mw_trace_row = (thread.agent * mw_sample_range.rows + sample) * MW_TRACE_WIDTH;
}

fn mw_sum_products(products: array<f32, MW_SHARE>) -> f32 { return 0.0; }
fn mw_put_weights(at: u32, mine: bool, sums: vec4<f32>) {}

fn mw_trace_put(place: u32, v: u32, value: array<Lane, 4>) {
    @unroll for i in 0..MW_LANES {
        mw_trace[mw_trace_row + (v * MW_LANES + i) * MW_TRACE_WIDTH + place] = vec4<f32>(mw_lane_get(value[0], i),
            mw_lane_get(value[1], i), mw_lane_get(value[2], i), mw_lane_get(value[3], i));
    }
}

fn mw_put_units(vector: u32, v: u32, units: array<Lane, 4>) { mw_trace_put(vector, v, units); }

/// Deltas begin with layer 1; `vector` counts like the units'.
fn mw_put_deltas(vector: u32, v: u32, deltas: array<Lane, 4>) {
    mw_trace_put(MW_DELTA_START + vector - MW_WIDTHS[0] / 4u, v, deltas);
}
