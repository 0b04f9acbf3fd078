//! Slot `search`: augmented random search (Mania, Guy & Recht 2018): finite differences along random directions, of which the
//! best count, in steps that the deviation of their returns scales. With normalised observations it is their V2.
//!
//!   members 2i, 2i + 1 = μ ± σ ε_i      B = the pairs with the best max(f₊, f₋)      μ ← μ + rate/(|B| s) Σ_B (f₊ − f₋) ε
//!
//! s is the deviation of the 2|B| fitnesses that count. Reference: src/reference/search.rs.

fn mw_member(agent: u32, m: u32, at: u32) -> vec4<f32> {
    return fma(vec4<f32>(mw_search.sigma), mw_mirrored(agent, m, at), mw_actor(agent, at));
}

fn mw_recombine(agent: u32, at: u32) -> vec4<f32> {
    let count = f32(mw_search.elites);
    let first = mw_fitness_of(agent, 2u * mw_of_rank(agent, 0u));   // sums are of differences to it
    var sum = 0.0;
    var squares = 0.0;
    var step = vec4<f32>(0.0);
    for (var rank = 0u; rank < mw_search.elites; rank++) {
        let pair = mw_of_rank(agent, rank);
        let up = mw_fitness_of(agent, 2u * pair) - first;
        let down = mw_fitness_of(agent, 2u * pair + 1u) - first;
        sum += up + down;
        squares += up * up + down * down;
        step = fma(vec4<f32>(up - down), mw_perturbation(agent, pair, at), step);
    }
    let mean = sum / (2.0 * count);
    let deviation = sqrt(max(squares / (2.0 * count) - mean * mean, 0.0));
    return mw_actor(agent, at) + select(0.0, mw_search.rate / (count * deviation), deviation > 0.0) * step;
}
