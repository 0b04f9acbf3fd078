//! First state of every world. One thread = one world.

@bind var<uniform> mw_worlds: MwWorlds;
@bind var<storage, read> mw_progress: array<MwProgress>;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    if thread.index >= mw_worlds.count { return; }
    let key = vec2<u32>(mw_progress[thread.agent].seed, mw_worlds.stream);
    mw_world_store(thread.agent, thread.index, mw_worlds.count, mw_world_first(key, thread.index));
}
