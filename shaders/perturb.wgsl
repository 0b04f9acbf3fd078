//! The members of a window of the population: their parameters (slot `search`). One thread = four neighbouring parameters of
//! MW_TOGETHER members, as far apart as there are threads at a place.

@bind var<uniform> mw_members: MwMembers;
@bind var<storage, read_write> mw_member_parameters: array<vec4<f32>>;       // [agent][MW_ACTOR / 4][member of the window]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let count = mw_members.count;
    let apart = (count + MW_TOGETHER - 1u) / MW_TOGETHER;
    if thread.index >= apart * (MW_ACTOR / 4u) { return; }
    let here = mw_place(thread.agent, thread.index / apart);
    let row = (thread.agent * (MW_ACTOR / 4u) + here.at) * count;
    for (var member = thread.index % apart; member < count; member += apart) {
        mw_member_parameters[row + member] = mw_member(here, mw_members.first + member);
    }
}
