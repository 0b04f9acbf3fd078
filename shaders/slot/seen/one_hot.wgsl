//! Slot `seen`: how critics see actions, and which noise decisions take. A choice as a one-hot vector; Gumbel noise.

/// Number i of what critics see of an action.
fn mw_seen_action(words: array<u32, MW_ACTION_WORDS>, i: u32) -> f32 { return select(0.0, 1.0, words[0] == i); }

fn mw_noise_of(words: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(mw_gumbel(words.x), mw_gumbel(words.y), mw_gumbel(words.z), mw_gumbel(words.w));
}
