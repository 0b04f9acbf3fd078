//! Every world begins a new episode; the one that was under way does not count. One thread = one world.

@bind var<uniform> mw_worlds: MwWorlds;
@bind var<storage, read> mw_progress: array<MwProgress>;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let n = mw_worlds.count;
    if thread.index >= n { return; }
    let key = vec2<u32>(mw_progress[thread.agent].seed, mw_worlds.stream);
    var world = mw_world_load(thread.agent, thread.index, n);
    world.state = mw_first_state(key, thread.index, world.begun);
    world.episode_return = MwSum();
    world.episode_length = 0u;
    world.begun += 1u;
    mw_world_store(thread.agent, thread.index, n, world);
}
