//! Slot `search`: random search, by which the others are measured. Members are drawn from N(0, σ²) in every generation; the
//! actor is the best that there was.

fn mw_member(agent: u32, m: u32, at: u32) -> vec4<f32> { return mw_search.sigma * mw_perturbation(agent, m, at); }

fn mw_recombine(agent: u32, at: u32) -> vec4<f32> {
    let best = mw_of_rank(agent, 0u);
    if mw_fitness_of(agent, best) >= mw_standing[agent].best { return mw_member(agent, best, at); }
    return mw_actor(agent, at);
}
