//! Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror & Shaw (2011).
//!
//! One round, for counter `c` and key `k`, with `hi` and `lo` the halves of the 64-bit products:
//!
//! ```text
//!   c' = ( hi(M1 c2) ^ c1 ^ k0,  lo(M1 c2),  hi(M0 c0) ^ c3 ^ k1,  lo(M0 c0) )
//!   k' = ( k0 + W0,  k1 + W1 )                                     mod 2^32
//! ```
//!
//! Ten rounds; the key is bumped between rounds, not after the last. Four words a call.

const MULTIPLIER_0: u32 = 0xD251_1F53;
const MULTIPLIER_1: u32 = 0xCD9E_8D57;
/// The golden ratio and √3 − 1, as 32-bit fractions.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Four random words: a bijection of `counter`, a different one for every `key`.
///
/// Known answers: `kat_vectors` of Random123.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..ROUNDS {
        let (high_0, low_0) = wide_multiply(MULTIPLIER_0, c[0]);
        let (high_1, low_1) = wide_multiply(MULTIPLIER_1, c[2]);
        c = [high_1 ^ c[1] ^ k[0], low_1, high_0 ^ c[3] ^ k[1], low_0];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// Uniform in the open interval (0, 1): `(k + 0.5) · 2⁻²³` with `k` the upper 23 bits of `word`.
///
/// Every value is exact in f32 as well; 24 bits could round to 1 there.
pub fn uniform(word: u32) -> f64 {
    (f64::from(word >> 9) + 0.5) / f64::from(1_u32 << 23)
}

/// Uniform in (`low`, `high`), both finite, to the bit: `low + u (high − low)` with every operation rounded to f32, held to the
/// numbers strictly between the two. Where there is none it is the lower one.
///
/// Numbers below the smallest normal one count as 0, as on adapters that have no others.
pub fn range(word: u32, low: f32, high: f32) -> f32 {
    let large = low.abs().max(high.abs()) > 1.7e38;
    let (scale, back) = if large { (0.5, 2.0) } else { (1.0, 1.0) };
    let first = scale * flushed(low);
    let width = flushed(scale * flushed(high) - first);
    let x = (first + flushed(uniform(word) as f32 * width)).clamp(-1.701_411_7e38, 1.701_411_7e38) * back;
    let (lower, upper) = (rank(low.min(high)), rank(low.max(high)));
    ranked(rank(x).max(lower + 1).min(upper - 1).max(lower))
}

/// Uniform among 0, 1, …, n − 1, to the bit: ⌊n X⌋ with X the four words as a 128-bit fraction; 0 where `n` is 0.
pub fn below(words: [u32; 4], n: u32) -> u32 {
    // the carry of each word's product into the next
    words.iter().rev().fold(0, |above, &word| (u64::from(word) * u64::from(n) + above) >> 32) as u32
}

fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// Floats in order: 0 for 0 and what is below the smallest normal one, then one after the other.
fn rank(x: f32) -> i32 {
    let size = (x.abs().to_bits().max(0x007f_ffff) - 0x007f_ffff).cast_signed();
    if x.is_sign_negative() { -size } else { size }
}

fn ranked(rank: i32) -> f32 {
    let size = if rank == 0 { 0.0 } else { f32::from_bits(rank.unsigned_abs() + 0x007f_ffff) };
    if rank < 0 { -size } else { size }
}

fn wide_multiply(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}
