//! Sums of the terms of a minibatch, where that is not done beside the sums of slices. One workgroup = one block.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_sums: array<f32>;             // see part/sums.wgsl

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    mw_put_terms(group.z, group.y * groups.x + group.x, local, mw_minibatch_count(mw_progress[group.z].minibatch));
}
