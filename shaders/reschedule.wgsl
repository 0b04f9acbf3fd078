//! The schedules of a run that goes on with another number of updates. One thread = one agent.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // [agent]

@compute @workgroup_size(1)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>) {
    mw_progress[group.z] = mw_scheduled(group.z, mw_progress[group.z]);
}
