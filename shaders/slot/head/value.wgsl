//! Slot `head`: V(o), the only output.

@bind var<storage, read_write> mw_values: array<u32>;       // [agent][stride], the row of values begins at `offset`

fn mw_wanted(agent: u32) -> bool { return true; }

/// Lane v of the outputs belongs to the columns from `first` on.
fn mw_put_outputs(thread: MwThread, v: u32, first: u32, mine: array<bool, MW_LANES>) {
    @unroll for i in 0..MW_LANES {
        if mine[i] {
            mw_values[thread.agent * mw_columns.stride + mw_columns.offset + first + i] =
                bitcast<u32>(mw_lane_get(mw_output[v], i));
        }
    }
}
