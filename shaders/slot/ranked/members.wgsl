//! Slot `ranked`: what a generation is ordered by. The fitness of members.

fn mw_ranked_count() -> u32 { return mw_search.population; }
fn mw_ranked_score(agent: u32, member: u32) -> f32 { return mw_fitness[agent * mw_search.population + member]; }

/// The best member, where this is the best of what was ordered.
fn mw_ranked_best(agent: u32, best: u32) -> u32 { return best; }
