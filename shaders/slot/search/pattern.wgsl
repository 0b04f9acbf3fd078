//! Slot `search`: pattern search (Hooke & Jeeves 1961), whose exploratory moves are all tried at once.
//!
//!   member 0 = the base x, 1 = the point p that is explored around, 2 + 2i and 3 + 2i = p ± step e_i
//!   the best member y is better than x:  p ← y + (y − x), x ← y        else p ← x, and the step shrinks if p was x
//!
//! The actor is the base; the row that is kept is p − x. Reference: src/reference/search.rs.

@bind var<storage, read> mw_places: array<u32>;                // [number] the words that are parameters

/// Nothing is perturbed at random.
fn mw_mask_at(at: u32) -> vec4<f32> { return vec4<f32>(0.0); }

fn mw_member(here: MwPlace, m: u32) -> vec4<f32> {
    if m == 0u { return here.actor; }
    let point = here.actor + here.kept;
    if m == 1u { return point; }
    let place = mw_places[(m - 2u) / 2u];
    let step = mw_standing[here.agent].step * select(1.0, -1.0, m % 2u == 1u);
    let moved = vec4<u32>(4u * here.at) + vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(place);
    return select(point, point + vec4<f32>(step), moved);
}

fn mw_recombine(here: MwPlace) -> vec4<f32> {
    let best = mw_of_rank(here.agent, 0u);
    if mw_fitness_of(here.agent, best) > mw_fitness_of(here.agent, 0u) {
        let better = mw_member(here, best);
        mw_memory[mw_kept_at(here.agent, 0u, here.at)] = better - here.actor;
        return better;
    }
    mw_memory[mw_kept_at(here.agent, 0u, here.at)] = vec4<f32>(0.0);
    return here.actor;
}
