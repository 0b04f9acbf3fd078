//! Random numbers for environments: a stream of words for one purpose of one world at one step.

/// Four words come with each block; `left` of them are not used yet.
struct Rng { key: vec2<u32>, counter: vec4<u32>, block: vec4<u32>, left: u32 }

fn mw_rng(key: vec2<u32>, world: u32, step: u32, purpose: u32) -> Rng {
    return Rng(key, vec4<u32>(world, step, purpose, 0u), vec4<u32>(0u), 0u);
}

/// The same, with a first block that is known already.
fn mw_rng_filled(key: vec2<u32>, world: u32, step: u32, purpose: u32, block: vec4<u32>) -> Rng {
    return Rng(key, vec4<u32>(world, step, purpose, 1u), block, 4u);
}

/// The uniform that picks the action of a world at a step: word `step & 3` of block `step >> 2`.
fn mw_action_uniform(key: vec2<u32>, world: u32, step: u32) -> f32 {
    return mw_uniform(mw_philox(vec4<u32>(world, step >> 2u, MW_PURPOSE_ACTION, 0u), key)[step & 3u]);
}

fn rng_u32(rng: ptr<function, Rng>) -> u32 {
    if (*rng).left == 0u {
        (*rng).block = mw_philox((*rng).counter, (*rng).key);
        (*rng).counter.w += 1u;
        (*rng).left = 4u;
    }
    (*rng).left -= 1u;
    let word = (*rng).block.x;
    (*rng).block = (*rng).block.yzwx;
    return word;
}

/// Uniform in (0, 1).
fn rng_uniform(rng: ptr<function, Rng>) -> f32 { return mw_uniform(rng_u32(rng)); }

/// Uniform in (low, high).
fn rng_range(rng: ptr<function, Rng>, low: f32, high: f32) -> f32 {
    return fma(rng_uniform(rng), high - low, low);
}

/// Standard normal, Box & Muller (1958).
fn rng_normal(rng: ptr<function, Rng>) -> f32 {
    let radius = sqrt(-2.0 * log_(rng_uniform(rng)));
    return radius * cos_(6.2831853 * rng_uniform(rng));
}
