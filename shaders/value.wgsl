//! V(o) of every column of a matrix of observations. One thread = a Lane of columns.

@bind var<uniform> mw_columns: MwColumns;
@bind var<storage, read> mw_input: array<f32>;              // [agent][feature][column]
@bind var<storage, read_write> mw_values: array<u32>;       // [agent][stride], the row of values begins at `offset`

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let first = thread.index * MW_LANES;
    @unroll for f in 0..MW_OBSERVATIONS {
        var value: array<f32, MW_LANES>;
        @unroll for i in 0..MW_LANES {
            let column = min(first + i, mw_columns.count - 1u);
            value[i] = mw_input[(thread.agent * MW_OBSERVATIONS + f) * mw_columns.count + column];
        }
        mw_unit[f] = mw_lane_from(value);
    }
    mw_forward(thread);
    let value = mw_output(0u);
    @unroll for i in 0..MW_LANES {
        if first + i < mw_columns.count {
            mw_values[thread.agent * mw_columns.stride + mw_columns.offset + first + i] = bitcast<u32>(mw_lane_get(value, i));
        }
    }
}
