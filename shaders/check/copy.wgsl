//! Copies memory: what bandwidth this adapter has. One thread = one vec4.

@bind var<storage, read> mw_source: array<vec4<f32>>;
@bind var<storage, read_write> mw_target: array<vec4<f32>>;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let i = mw_thread(group, groups, local).index;
    if i < arrayLength(&mw_source) { mw_target[i] = mw_source[i]; }
}
