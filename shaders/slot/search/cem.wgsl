//! Slot `search`: the cross-entropy method with a diagonal Gaussian (Rubinstein 1999; Szita & Lőrincz 2006).
//!
//!   member m = μ + s ε_m      E = the best elites      μ ← mean(E)      s² ← var(E) + extra · max(0, 1 − generation/until)
//!
//! Sums are of ε and ε². Reference: src/reference/search.rs.

fn mw_mask_at(at: u32) -> vec4<f32> { return mw_mask[at]; }

fn mw_member(here: MwPlace, m: u32) -> vec4<f32> { return fma(here.kept, mw_perturbation(here, m), here.actor); }

fn mw_terms() -> u32 { return mw_search.elites; }
fn mw_origin(agent: u32) -> f32 { return 0.0; }
fn mw_term(agent: u32, rank: u32, origin: f32) -> MwTerm { return MwTerm(mw_of_rank(agent, rank), 1.0, vec2<f32>(0.0)); }
fn mw_second(term: MwTerm, noise: vec4<f32>) -> vec4<f32> { return noise * noise; }

fn mw_recombine(here: MwPlace) -> vec4<f32> {
    let spread = here.kept;   // 0 in padding
    let mean = spread * mw_sum(here, 0u) / f32(mw_search.elites);
    let squares = spread * spread * mw_sum(here, 1u);
    let extra = mw_search.extra * max(0.0, 1.0 - f32(here.drawn.y) / mw_search.until);
    let variance = max(fma(-mean, mean, squares / f32(mw_search.elites)), vec4<f32>(0.0)) + extra * here.mask;
    mw_memory[mw_kept_at(here.agent, 0u, here.at)] = sqrt(variance);
    return here.actor + mean;
}
