//! Outputs of a network for columns of what it sees (slot `observed`), from `first` on, and what becomes of them (slot
//! `head`).
//! One thread = `turns` times MW_SAMPLES columns; neighbouring threads take neighbours.

@bind var<uniform> mw_columns: MwColumns;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    if !mw_wanted(group.z) { return; }
    mw_use_workspace(thread, mw_columns.threads);
    for (var turn = 0u; turn < mw_columns.turns; turn++) {
        let first = mw_columns.first + (turn * mw_columns.threads + thread.index) * MW_SAMPLES;
        @unroll for vector in 0..MW_INPUT_VECTORS {
            @unroll for v in 0..MW_VECTORS {
                var units: array<Lane, 4>;
                @unroll for q in 0..4 {
                    const f = vector * 4u + q;
                    var value: array<f32, MW_LANES>;
                    @unroll for i in 0..MW_LANES {
                        let column = min(first + v * MW_LANES + i, mw_columns.count - 1u);
                        if f < MW_INPUTS { value[i] = mw_seen_in(thread.agent, f, column, mw_columns.count); }
                    }
                    if f < MW_INPUTS { units[q] = mw_normalised(thread.agent, f, mw_lane_from(value)); }
                }
                mw_put_input(vector, v, units);
            }
        }
        mw_forward(thread);
        @unroll for v in 0..MW_VECTORS {
            var mine: array<bool, MW_LANES>;
            @unroll for i in 0..MW_LANES {
                mine[i] = (thread.index < mw_columns.threads) & (first + v * MW_LANES + i < mw_columns.count);
            }
            mw_put_outputs(thread, v, first + v * MW_LANES, mine);
        }
    }
}
