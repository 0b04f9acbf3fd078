//! The schedules of a run that learns from the ring and goes on with another number of updates. One thread = one agent.

@bind var<uniform> mw_run: MwRun;                              // of the actor
@bind var<uniform> mw_replay: MwReplay;
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // [agent]
@bind var<storage, read_write> mw_critic_progress: array<MwProgress>;  // [agent][critic]

@compute @workgroup_size(1)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>) {
    mw_schedule_block(group.z);
}
