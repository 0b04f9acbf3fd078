//! Slot `head`: the outputs as they are.

@bind var<storage, read_write> mw_outputs: array<f32>;      // [agent][output][column]

fn mw_wanted(agent: u32) -> bool { return true; }

/// Lane v of the outputs belongs to the columns from `first` on.
fn mw_put_outputs(thread: MwThread, v: u32, first: u32, mine: array<bool, MW_LANES>) {
    @unroll for o in 0..MW_OUTPUTS {
        @unroll for i in 0..MW_LANES {
            if mine[i] {
                mw_outputs[(thread.agent * MW_OUTPUTS + o) * mw_columns.count + first + i] =
                    mw_lane_get(mw_output[o * MW_VECTORS + v], i);
            }
        }
    }
}
