//! The order of a generation, best first; of equals the first comes first. And twice the mean rank of each, which is the same
//! for equals: what cannot be told apart must not be moved apart. One thread = MW_RANKED members, or pairs of them
//! (slot `ranked`), so that a score that is fetched is compared with as many.

@bind var<uniform> mw_search: MwSearch;
@bind var<storage, read> mw_fitness: array<f32>;                   // [agent][member]
@bind var<storage, read_write> mw_order: array<u32>;               // [agent][order, twice the mean rank][number]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let count = mw_ranked_count();
    let agent = thread.agent;
    let first = thread.index * MW_RANKED;
    if first >= count { return; }
    var own: array<f32, MW_RANKED>;
    var rank: array<u32, MW_RANKED>;
    var twice: array<u32, MW_RANKED>;
    @unroll for k in 0..MW_RANKED { own[k] = mw_ranked_score(agent, min(first + k, count - 1u)); }
    for (var other = 0u; other < count; other++) {
        let score = mw_ranked_score(agent, other);
        @unroll for k in 0..MW_RANKED {
            rank[k] += select(0u, 1u, (score > own[k]) | ((score == own[k]) & (other < first + k)));
            twice[k] += select(select(0u, 1u, score == own[k]), 2u, score > own[k]);
        }
    }
    @unroll for k in 0..MW_RANKED {
        if first + k < count {
            mw_order[2u * agent * mw_search.population + rank[k]] = first + k;
            mw_order[(2u * agent + 1u) * mw_search.population + first + k] = twice[k] - 1u;   // it is its own equal
        }
    }
}
