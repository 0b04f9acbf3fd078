//! Slot `search`: evolution strategies (Salimans et al. 2017): a gradient of the mean fitness of a Gaussian, by mirrored
//! perturbations and centred ranks, followed by an optimiser.
//!
//!   members 2i, 2i + 1 = μ ± σ ε_i      u = ½ − rank/(population − 1), equals sharing theirs      g = 1/(population σ) Σ_i (u_2i − u_2i+1) ε_i
//!
//! Reference: src/reference/search.rs.

fn mw_member(agent: u32, m: u32, at: u32) -> vec4<f32> {
    return fma(vec4<f32>(mw_search.sigma), mw_mirrored(agent, m, at), mw_actor(agent, at));
}

fn mw_recombine(agent: u32, at: u32) -> vec4<f32> {
    var g = vec4<f32>(0.0);
    for (var pair = 0u; pair < mw_search.population / 2u; pair++) {
        // half of it is the difference of the ranks, that of the utilities times 1 − population
        let apart = i32(mw_twice_rank_of(agent, 2u * pair + 1u)) - i32(mw_twice_rank_of(agent, 2u * pair));
        g = fma(vec4<f32>(0.5 * f32(apart)), mw_perturbation(agent, pair, at), g);
    }
    g /= f32(mw_search.population) * f32(mw_search.population - 1u) * mw_search.sigma;
    let standing = mw_standing[agent];
    let m_at = mw_kept_at(agent, 0u, at);
    let v_at = mw_kept_at(agent, 1u, at);
    let past = mw_remember(MwPast(mw_memory[m_at], mw_memory[v_at]), -g);
    mw_memory[m_at] = past.m;
    mw_memory[v_at] = past.v;
    return mw_actor(agent, at) - mw_search.rate * mw_direction(past, -g, vec2<f32>(standing.correction1, standing.correction2));
}
