//! Slot `search`: a genetic algorithm with truncation selection (Such et al. 2017).
//!
//!   parents = the best of the generation before; the first few of them live on as they are
//!   every other member = a parent (of each number one of two, where parents are crossed) + σ ε
//!
//! The first generation has one parent, the actor as it begins; later the actor is the best parent. Rows of what is kept are the parents, twice: those of this generation and those of the next.
//! Reference: src/reference/search.rs.

/// Row of the first parent of this generation (0), or the next (1).
fn mw_parents(here: MwPlace, next: u32) -> u32 { return (here.drawn.y + next) % 2u * mw_search.elites; }

fn mw_parent(here: MwPlace, parent: u32) -> vec4<f32> {
    if here.drawn.y == 0u { return here.actor; }
    return mw_memory[mw_kept_at(here.agent, mw_parents(here, 0u) + parent, here.at)];
}

fn mw_mask_at(at: u32) -> vec4<f32> { return mw_mask[at]; }

fn mw_member(here: MwPlace, m: u32) -> vec4<f32> {
    if m < mw_search.unchanged { return mw_parent(here, m); }
    // words for the whole member have a place of their own behind all vec4s
    let chosen = mw_search_words(here.drawn, m, MW_ACTOR / 4u);
    var child = mw_parent(here, mw_multiply_wide(chosen.x, mw_search.elites).x);
    if mw_search.crossed != 0u {
        let other = mw_parent(here, mw_multiply_wide(chosen.y, mw_search.elites).x);
        let sides = mw_search_words(here.drawn, m, MW_ACTOR / 4u + 1u + here.at);
        child = select(child, other, (sides & vec4<u32>(1u)) == vec4<u32>(1u));
    }
    return fma(vec4<f32>(mw_search.sigma), mw_perturbation(here, m), child);
}

fn mw_recombine(here: MwPlace) -> vec4<f32> {
    for (var rank = 0u; rank < mw_search.elites; rank++) {
        let row = mw_parents(here, 1u) + rank;
        mw_memory[mw_kept_at(here.agent, row, here.at)] = mw_member(here, mw_of_rank(here.agent, rank));
    }
    return mw_memory[mw_kept_at(here.agent, mw_parents(here, 1u), here.at)];
}
