//! Slot `parameters`: each member of a population has its own, and plays `episodes` neighbouring worlds.

@bind var<uniform> mw_members: MwMembers;
@bind var<storage, read> mw_member_parameters: array<vec4<f32>>;      // [agent][MW_PARAMETERS / 4][member of the window]

/// Where the parameters of a thread's member begin; `mw_parameter` goes from one to the next in strides.
fn mw_parameters_of(thread: MwThread) -> u32 {
    return thread.agent * (MW_PARAMETERS / 4u) * mw_members.count + min(thread.index / mw_members.episodes, mw_members.count - 1u);
}
fn mw_parameter(base: u32, at: u32) -> vec4<f32> { return mw_member_parameters[base + at * mw_members.count]; }
