//! Random numbers for environments: a stream of words for one purpose of one world at one step.

/// Four words come with each block; `left` of them are not used yet.
struct Rng { key: vec2<u32>, counter: vec4<u32>, block: vec4<u32>, left: u32 }

fn mw_rng(key: vec2<u32>, world: u32, step: u32, purpose: u32) -> Rng {
    return Rng(key, vec4<u32>(MW_FIRST_WORLD + world, step, purpose, 0u), vec4<u32>(0u), 0u);
}

/// The same, with a first block that is known already.
fn mw_rng_filled(key: vec2<u32>, world: u32, step: u32, purpose: u32, block: vec4<u32>) -> Rng {
    return Rng(key, vec4<u32>(MW_FIRST_WORLD + world, step, purpose, 1u), block, 4u);
}

/// Words of draw `draw` for a purpose of a world of this rank, at a step of it.
fn mw_world_words(key: vec2<u32>, world: u32, step: u32, purpose: u32, draw: u32) -> vec4<u32> {
    return mw_philox(vec4<u32>(MW_FIRST_WORLD + world, step, purpose, draw), key);
}

/// The uniform that picks the action of a world at a step: word `step & 3` of block `step >> 2`.
fn mw_action_uniform(key: vec2<u32>, world: u32, step: u32) -> f32 {
    return mw_uniform(mw_world_words(key, world, step >> 2u, MW_PURPOSE_ACTION, 0u)[step & 3u]);
}

/// A word: each of the 2³² is as likely as every other.
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

/// Uniform in (low, high), both finite: low + u (high − low), held to the numbers strictly between the two. Neither end can
/// come up; only where no f32 lies between them is it the lower one. The order of the ends does not matter.
fn rng_range(rng: ptr<function, Rng>, low: f32, high: f32) -> f32 {
    // halves where the difference could overflow; what is held is inside already, so that no compiler takes the half out of the
    // difference. Through `mw_flushed` it cannot make one rounding of the product's and the sum's either
    let large = max(abs(low), abs(high)) > 1.7e38;
    let scale = select(1.0, 0.5, large);
    let first = clamp(scale * mw_flushed(low), -1.75e38, 1.75e38);
    let width = mw_flushed(clamp(scale * mw_flushed(high), -1.75e38, 1.75e38) - first);
    let part = mw_flushed(rng_uniform(rng) * width);
    let x = clamp(first + part, -1.7014117e38, 1.7014117e38) * select(1.0, 2.0, large);
    let lower = mw_rank(min(low, high));
    let upper = mw_rank(max(low, high));
    return mw_ranked(max(lower, min(max(mw_rank(x), lower + 1), upper - 1)));
}

/// Uniform among 0, 1, …, n − 1; 0 where n is 0. ⌊n X⌋ of a 128-bit X in [0, 1), a block of its own: the probability of each
/// number is 1/n to within 2⁻¹²⁸, for every n, and there is no loop.
fn rng_below(rng: ptr<function, Rng>, n: u32) -> u32 {
    let block = mw_philox((*rng).counter, (*rng).key);
    (*rng).counter.w += 1u;
    // long multiplication, lowest word first
    var above = 0u;
    @unroll for i in 0..4 {
        let product = mw_multiply_wide(block[3u - i], n);
        let word = product.y + above;
        above = product.x + select(0u, 1u, word < above);
    }
    return above;
}

/// What is below the smallest normal number as 0: some adapters have no others.
fn mw_flushed(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return bitcast<f32>(select(0u, bits, (bits & 0x7f800000u) != 0u));
}

/// Floats in order: 0 for 0 and what is below the smallest normal one, then one after the other.
fn mw_rank(x: f32) -> i32 {
    let bits = bitcast<u32>(x);
    let size = i32(max(bits & 0x7fffffffu, 0x007fffffu) - 0x007fffffu);
    return select(size, -size, bits > 0x7fffffffu);
}

/// The float of a rank.
fn mw_ranked(rank: i32) -> f32 {
    let size = u32(abs(rank));
    return bitcast<f32>(select(0u, size + 0x007fffffu, size > 0u) | select(0u, 0x80000000u, rank < 0));
}

/// Standard normal, Box & Muller (1958).
fn rng_normal(rng: ptr<function, Rng>) -> f32 {
    let radius = sqrt(-2.0 * log_(rng_uniform(rng)));
    return radius * cos_(6.2831853 * rng_uniform(rng));
}
