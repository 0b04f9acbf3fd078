//! A random permutation of 0 … count − 1, evaluated at one place without a table.
//!
//! Eight rounds of x ← (x ⊕ a) · m, x ← x ⊕ (x >> h) modulo 2^b, each invertible, where 2^b ≥ count;
//! results past the end walk on along their cycle until they fall inside (Black & Rogaway 2002, "cycle walking").
//! Reference: src/reference/permute.rs.

fn mw_permute(place: u32, count: u32, words: vec4<u32>) -> u32 {
    let bits = max(32u - countLeadingZeros(count - 1u), 1u);
    let mask = select((1u << bits) - 1u, 0xffffffffu, bits >= 32u);
    let half = max(bits / 2u, 1u);
    var x = place;
    var outside = true;
    while outside {
        @unroll for round in 0..8 {
            const again = round / 4u;
            let a = words[round & 3u] >> (16u * again);
            let m = (words[(round + 1u) & 3u] >> (7u + 11u * again)) | 1u;
            x = ((x ^ a) * m) & mask;
            x ^= x >> half;
        }
        outside = x >= count;
    }
    return x;
}

/// The column of a shard's batch that stands at a place of its shuffled order. Columns move in tiles of neighbours
/// (`tile`, which divides the batch), so that loads stay coalesced.
fn mw_shuffled(place: u32, batch: u32, tile: u32, seed: u32, update: u32, epoch: u32, shard: u32) -> u32 {
    let words = mw_philox(vec4<u32>(update, epoch, MW_PURPOSE_SHUFFLE, shard), vec2<u32>(seed, MW_STREAM_TRAINING));
    return mw_permute(place / tile, batch / tile, words) * tile + place % tile;
}
