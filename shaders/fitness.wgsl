//! The fitness of the members of a window: the mean return of their episodes; and what is counted of those. One thread = one
//! member.
//!
//! Counts are integers, and of faults the first member's is taken, so that no order of threads matters.

@bind var<uniform> mw_members: MwMembers;
@bind var<uniform> mw_search: MwSearch;
@bind var<storage, read> mw_outcomes: array<vec4<f32>>;            // [agent][member of the window][episode], see evaluate.wgsl
@bind var<storage, read_write> mw_fitness: array<f32>;             // [agent][member]
@bind var<storage, read_write> mw_tally: array<atomic<u32>>;       // [agent][MW_TALLIES] steps, terminated, ~(first unsound member)

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    if thread.index >= mw_members.count { return; }
    let agent = thread.agent;
    let member = mw_members.first + thread.index;
    var sum = 0.0;
    var steps = 0u;
    var terminated = 0u;
    var sound = true;
    for (var episode = 0u; episode < mw_members.episodes; episode++) {
        let outcome = mw_outcomes[(agent * mw_members.count + thread.index) * mw_members.episodes + episode];
        sum += outcome.x;
        steps += u32(outcome.y);
        terminated += select(0u, 1u, (u32(outcome.z) & MW_TERMINATED) != 0u);
        sound &= outcome.w == 0.0;
    }
    let fitness = sum / f32(mw_members.episodes);
    mw_fitness[agent * mw_search.population + member] = fitness;
    atomicAdd(&mw_tally[agent * MW_TALLIES], steps);
    atomicAdd(&mw_tally[agent * MW_TALLIES + 1u], terminated);
    if !sound | !mw_is_finite(fitness) { atomicMax(&mw_tally[agent * MW_TALLIES + 2u], ~member); }
}
