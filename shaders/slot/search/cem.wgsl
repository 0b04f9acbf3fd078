//! Slot `search`: the cross-entropy method with a diagonal Gaussian (Rubinstein 1999; Szita & Lőrincz 2006).
//!
//!   member m = μ + s ε_m      E = the best elites      μ ← mean(E)      s² ← var(E) + extra · max(0, 1 − generation/until)
//!
//! Sums are of differences to μ. Reference: src/reference/search.rs.

fn mw_member(agent: u32, m: u32, at: u32) -> vec4<f32> {
    return fma(mw_memory[mw_kept_at(agent, 0u, at)], mw_perturbation(agent, m, at), mw_actor(agent, at));
}

fn mw_recombine(agent: u32, at: u32) -> vec4<f32> {
    let spread = mw_memory[mw_kept_at(agent, 0u, at)];
    var sum = vec4<f32>(0.0);
    var squares = vec4<f32>(0.0);
    for (var rank = 0u; rank < mw_search.elites; rank++) {
        let d = spread * mw_perturbation(agent, mw_of_rank(agent, rank), at);
        sum += d;
        squares = fma(d, d, squares);
    }
    let mean = sum / f32(mw_search.elites);
    let extra = mw_search.extra * max(0.0, 1.0 - f32(mw_progress[agent].update) / mw_search.until);
    let variance = max(fma(-mean, mean, squares / f32(mw_search.elites)), vec4<f32>(0.0)) + extra * mw_mask[at];
    mw_memory[mw_kept_at(agent, 0u, at)] = sqrt(variance);
    return mw_actor(agent, at) + mean;
}
