//! Least and greatest value of every number of an observation since the picture was made: (m, M) ← (min(m, o), max(M, o)) over all
//! worlds; numbers that are not finite are passed over. One thread = one number.

@bind var<storage, read> mw_observations: array<f32>;          // [feature][world]
@bind var<storage, read_write> mw_ranges: array<vec2<f32>>;    // [feature] least and greatest

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    if thread.index >= arrayLength(&mw_ranges) { return; }
    var range = mw_ranges[thread.index];
    for (var world = 0u; world < mw_picture.worlds; world++) {
        let value = mw_observations[thread.index * mw_picture.worlds + world];
        let finite = (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
        range = select(range, vec2<f32>(min(range.x, value), max(range.y, value)), finite);
    }
    mw_ranges[thread.index] = range;
}
