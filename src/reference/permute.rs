//! A random permutation of 0 … count − 1, evaluated at one place: eight rounds of x ← (x ⊕ a) · m, x ← x ⊕ (x >> h)
//! modulo 2^b, each invertible, where 2^b ≥ count; results past the end walk on along their cycle
//! (Black & Rogaway 2002).

use super::philox::philox4x32_10;

/// Where `place` goes in the permutation of 0 … `count` − 1 that `words` choose.
pub fn permute(place: u32, count: u32, words: [u32; 4]) -> u32 {
    let bits = (u32::BITS - (count - 1).leading_zeros()).max(1);
    let mask = u32::MAX >> (u32::BITS - bits);
    let half = (bits / 2).max(1);
    let mut x = place;
    loop {
        for round in 0..8 {
            let again = (round / 4) as u32;
            let a = words[round % 4] >> (16 * again);
            let m = (words[(round + 1) % 4] >> (7 + 11 * again)) | 1;
            x = (x ^ a).wrapping_mul(m) & mask;
            x ^= x >> half;
        }
        if x < count {
            return x;
        }
    }
}

/// The column of the batch at a place of the shuffled order of an epoch; `tile` neighbours move together and `tile`
/// divides `batch`.
pub fn shuffled(place: u32, batch: u32, tile: u32, seed: u32, update: u32, epoch: u32) -> u32 {
    let words = philox4x32_10([update, epoch, 3, 0], [seed, 0]);
    permute(place / tile, batch / tile, words) * tile + place % tile
}
