//! Slot `search`: augmented random search (Mania, Guy & Recht 2018): finite differences along random directions, of which the
//! best count, in steps that the deviation of their returns scales. With normalised observations it is their V2.
//!
//!   members 2i, 2i + 1 = μ ± σ ε_i      B = the pairs with the best max(f₊, f₋)      μ ← μ + rate/(|B| s) Σ_B (f₊ − f₋) ε
//!
//! s is the deviation of the 2|B| fitnesses that count. Reference: src/reference/search.rs.

fn mw_mask_at(at: u32) -> vec4<f32> { return mw_mask[at]; }

fn mw_member(here: MwPlace, m: u32) -> vec4<f32> {
    return fma(vec4<f32>(mw_search.sigma), mw_mirrored(here, m), here.actor);
}

fn mw_terms() -> u32 { return mw_search.elites; }

/// A fitness; what is counted are differences to it.
fn mw_origin(agent: u32) -> f32 { return mw_fitness_of(agent, 2u * mw_of_rank(agent, 0u)); }

fn mw_term(agent: u32, rank: u32, origin: f32) -> MwTerm {
    let pair = mw_of_rank(agent, rank);
    let up = mw_fitness_of(agent, 2u * pair) - origin;
    let down = mw_fitness_of(agent, 2u * pair + 1u) - origin;
    return MwTerm(pair, up - down, vec2<f32>(up + down, up * up + down * down));
}

/// Both fitnesses and their squares: the same at every place.
fn mw_second(term: MwTerm, noise: vec4<f32>) -> vec4<f32> { return vec4<f32>(term.own, 0.0, 0.0); }

fn mw_recombine(here: MwPlace) -> vec4<f32> {
    let count = f32(mw_search.elites);
    let counted = mw_sum(here, 1u) / (2.0 * count);
    let deviation = sqrt(max(counted.y - counted.x * counted.x, 0.0));
    let step = mw_sum(here, 0u) * here.mask;
    return here.actor + select(0.0, mw_search.rate / (count * deviation), deviation > 0.0) * step;
}
