//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011).
//!
//!   key     = (seed of the agent, stream: training or evaluation)
//!   counter = (world within its agent, step of that world (its episode for a reset), purpose, draw)
//!
//! The same counter gives the same words on every backend, whatever runs beside it. Of a run over several ranks each has a block of
//! the worlds: the first one of it has number MW_FIRST_WORLD.
//! Reference: src/reference/philox.rs.

const MW_PURPOSE_RESET: u32 = 0u;
const MW_PURPOSE_ACTION: u32 = 1u;
const MW_PURPOSE_STEP: u32 = 2u;
const MW_PURPOSE_SHUFFLE: u32 = 3u;
const MW_PURPOSE_EXPLORATION: u32 = 5u;   // 4 is the host's: first parameters
const MW_PURPOSE_PERTURBATION: u32 = 6u;
const MW_PURPOSE_REPLAY: u32 = 7u;

/// (high, low) words of a · b; WGSL has no wide multiply.
fn mw_multiply_wide(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu; let a1 = a >> 16u;
    let b0 = b & 0xffffu; let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let carry = (middle & 0xffffu) + a0 * b1;
    return vec2<u32>(a1 * b1 + (middle >> 16u) + (carry >> 16u), a * b);
}

fn mw_philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    @unroll for round in 0..10 {
        let p = mw_multiply_wide(0xd2511f53u, c.x);
        let q = mw_multiply_wide(0xcd9e8d57u, c.z);
        c = vec4<u32>(q.x ^ c.y ^ k.x, q.y, p.x ^ c.w ^ k.y, p.y);
        k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}

/// Uniform in (0, 1): (k + ½) · 2⁻²³ from the upper 23 bits of a word.
fn mw_uniform(word: u32) -> f32 {
    return (f32(word >> 9u) + 0.5) * 1.1920928955078125e-7;
}
