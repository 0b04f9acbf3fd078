//! Slot `search`: random search, by which the others are measured. Members are drawn from N(0, σ²) in every generation; the
//! actor is the best that there was.

fn mw_mask_at(at: u32) -> vec4<f32> { return mw_mask[at]; }
fn mw_member(here: MwPlace, m: u32) -> vec4<f32> { return mw_search.sigma * mw_perturbation(here, m); }

fn mw_recombine(here: MwPlace) -> vec4<f32> {
    let best = mw_of_rank(here.agent, 0u);
    if mw_fitness_of(here.agent, best) >= mw_standing[here.agent].best { return mw_member(here, best); }
    return here.actor;
}
