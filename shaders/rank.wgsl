//! The order of a generation, best first; of equals the first comes first. And twice the mean rank of each, which is the same
//! for equals: what cannot be told apart must not be moved apart. One thread = one member, or one pair of them (slot `ranked`).

@bind var<uniform> mw_search: MwSearch;
@bind var<storage, read> mw_fitness: array<f32>;                   // [agent][member]
@bind var<storage, read_write> mw_order: array<u32>;               // [agent][order, twice the mean rank][number]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let count = mw_ranked_count();
    if thread.index >= count { return; }
    let own = mw_ranked_score(thread.agent, thread.index);
    var rank = 0u;
    var twice = 0u;
    for (var other = 0u; other < count; other++) {
        let score = mw_ranked_score(thread.agent, other);
        rank += select(0u, 1u, (score > own) | ((score == own) & (other < thread.index)));
        twice += select(select(0u, 1u, score == own), 2u, score > own);
    }
    mw_order[2u * thread.agent * mw_search.population + rank] = thread.index;
    mw_order[(2u * thread.agent + 1u) * mw_search.population + thread.index] = twice - 1u;   // it is its own equal
}
