//! What becomes of a network's outputs (slot `head`) for the columns of a window, where layers are made one after the other. One
//! thread = one column.

@bind var<uniform> mw_columns: MwColumns;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read_write> mw_trace: array<vec4<f32>>;            // [agent][column of the window][MW_TRACE_WIDTH]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let first = mw_columns.first + thread.index;
    if !mw_wanted(thread.agent) || thread.index >= mw_sample_range.count || first >= mw_columns.count { return; }
    mw_take_outputs(thread.agent, thread.index);
    mw_put_outputs(thread, 0u, first, array<bool, MW_LANES>(true));
}
