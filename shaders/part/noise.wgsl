//! Random words made into the noise of actions.

/// Four standard normal numbers from four words (Box & Muller 1958).
fn mw_normals(words: vec4<u32>) -> vec4<f32> {
    let radius = sqrt(-2.0 * mw_log4(vec4<f32>(mw_uniform(words.x), mw_uniform(words.x), mw_uniform(words.z), mw_uniform(words.z))));
    let angle = 6.2831853 * vec2<f32>(mw_uniform(words.y), mw_uniform(words.w));
    let turn = vec4<f32>(angle.x, angle.x - 1.5707964, angle.y, angle.y - 1.5707964);
    return radius * mw_cos4(turn);
}

/// −log(−log u) of a uniform u: logits with such noise are highest where their softmax would choose.
fn mw_gumbel(word: u32) -> f32 { return -log_(-log_(mw_uniform(word))); }
