//! Slot `search`: a genetic algorithm with truncation selection (Such et al. 2017).
//!
//!   parents = the best of the generation before; the first few of them live on as they are
//!   every other member = a parent (of each number one of two, where parents are crossed) + σ ε
//!
//! The first generation has one parent, the actor as it begins; later the actor is the best parent. Rows of what is kept are the parents, twice: those of this generation and those of the next.
//! Reference: src/reference/search.rs.

/// Row of the first parent of this generation (0), or the next (1).
fn mw_parents(agent: u32, next: u32) -> u32 { return (mw_progress[agent].update + next) % 2u * mw_search.elites; }

fn mw_parent(agent: u32, parent: u32, at: u32) -> vec4<f32> {
    if mw_progress[agent].update == 0u { return mw_actor(agent, at); }
    return mw_memory[mw_kept_at(agent, mw_parents(agent, 0u) + parent, at)];
}

fn mw_member(agent: u32, m: u32, at: u32) -> vec4<f32> {
    if m < mw_search.unchanged { return mw_parent(agent, m, at); }
    // words for the whole member have a place of their own behind all vec4s
    let chosen = mw_search_words(agent, m, MW_ACTOR / 4u);
    var child = mw_parent(agent, mw_multiply_wide(chosen.x, mw_search.elites).x, at);
    if mw_search.crossed != 0u {
        let other = mw_parent(agent, mw_multiply_wide(chosen.y, mw_search.elites).x, at);
        let sides = mw_search_words(agent, m, MW_ACTOR / 4u + 1u + at);
        child = select(child, other, (sides & vec4<u32>(1u)) == vec4<u32>(1u));
    }
    return fma(vec4<f32>(mw_search.sigma), mw_perturbation(agent, m, at), child);
}

fn mw_recombine(agent: u32, at: u32) -> vec4<f32> {
    for (var rank = 0u; rank < mw_search.elites; rank++) {
        mw_memory[mw_kept_at(agent, mw_parents(agent, 1u) + rank, at)] = mw_member(agent, mw_of_rank(agent, rank), at);
    }
    return mw_memory[mw_kept_at(agent, mw_parents(agent, 1u), at)];
}
