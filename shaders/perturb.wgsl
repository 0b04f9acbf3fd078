//! The members of a window of the population: their parameters (slot `search`). One thread = four neighbouring parameters of a
//! member.

@bind var<uniform> mw_members: MwMembers;
@bind var<storage, read_write> mw_member_parameters: array<vec4<f32>>;       // [agent][MW_ACTOR / 4][member of the window]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let count = mw_members.count;
    if thread.index >= count * (MW_ACTOR / 4u) { return; }
    let member = thread.index % count;
    let at = thread.index / count;
    mw_member_parameters[(thread.agent * (MW_ACTOR / 4u) + at) * count + member] =
        mw_member(thread.agent, mw_members.first + member, at);
}
