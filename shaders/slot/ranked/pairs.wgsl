//! Slot `ranked`: what a generation is ordered by. The better fitness of the two members of a pair.

fn mw_ranked_count() -> u32 { return mw_search.population / 2u; }
fn mw_ranked_score(agent: u32, pair: u32) -> f32 {
    let at = agent * mw_search.population + 2u * pair;
    return max(mw_fitness[at], mw_fitness[at + 1u]);
}

/// The best member, where this is the best of what was ordered.
fn mw_ranked_best(agent: u32, best: u32) -> u32 {
    let at = agent * mw_search.population + 2u * best;
    return 2u * best + select(0u, 1u, mw_fitness[at + 1u] > mw_fitness[at]);
}
