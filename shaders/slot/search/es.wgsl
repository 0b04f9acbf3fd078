//! Slot `search`: evolution strategies (Salimans et al. 2017): a gradient of the mean fitness of a Gaussian, by mirrored
//! perturbations and centred ranks, followed by an optimiser.
//!
//!   members 2i, 2i + 1 = μ ± σ ε_i      u = ½ − rank/(population − 1), equals sharing theirs      g = 1/(population σ) Σ_i (u_2i − u_2i+1) ε_i
//!
//! Reference: src/reference/search.rs.

fn mw_mask_at(at: u32) -> vec4<f32> { return mw_mask[at]; }

fn mw_member(here: MwPlace, m: u32) -> vec4<f32> {
    return fma(vec4<f32>(mw_search.sigma), mw_mirrored(here, m), here.actor);
}

fn mw_terms() -> u32 { return mw_search.population / 2u; }
fn mw_origin(agent: u32) -> f32 { return 0.0; }

/// Half the difference of a pair's twice ranks is that of its ranks, and that the one of the utilities times 1 − population.
fn mw_term(agent: u32, pair: u32, origin: f32) -> MwTerm {
    let apart = i32(mw_twice_rank_of(agent, 2u * pair + 1u)) - i32(mw_twice_rank_of(agent, 2u * pair));
    return MwTerm(pair, 0.5 * f32(apart), vec2<f32>(0.0));
}

/// There is one sum.
fn mw_second(term: MwTerm, noise: vec4<f32>) -> vec4<f32> { return vec4<f32>(0.0); }

fn mw_recombine(here: MwPlace) -> vec4<f32> {
    let scale = f32(mw_search.population) * f32(mw_search.population - 1u) * mw_search.sigma;
    let g = mw_sum(here, 0u) * here.mask / scale;
    let standing = mw_standing[here.agent];
    let v_at = mw_kept_at(here.agent, 1u, here.at);
    let past = mw_remember(MwPast(here.kept, mw_memory[v_at]), -g);
    mw_memory[mw_kept_at(here.agent, 0u, here.at)] = past.m;
    mw_memory[v_at] = past.v;
    return here.actor - mw_search.rate * mw_direction(past, -g, vec2<f32>(standing.correction1, standing.correction2));
}
