//! Slot `seen`: how critics see actions, and which noise decisions take. Real numbers as they are; normal noise.

/// Number i of what critics see of an action.
fn mw_seen_action(words: array<u32, MW_ACTION_WORDS>, i: u32) -> f32 { return bitcast<f32>(words[i]); }

fn mw_noise_of(words: vec4<u32>) -> vec4<f32> { return mw_normals(words); }
