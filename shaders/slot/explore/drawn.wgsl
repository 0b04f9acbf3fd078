//! Slot `explore`: what worlds do with an actor's outputs. Real numbers are drawn from its distribution.

fn mw_explore(output: array<Lane, MW_DECISIONS>, key: vec2<u32>, world: u32, step: u32, memory: ptr<function, array<Lane, MW_ACTS>>)
    -> array<u32, MW_ACTION_WORDS> {
    let noise = mw_exploring_noise(key, world, step);
    let decision = mw_decide(output, noise);
    var words: array<u32, MW_ACTION_WORDS>;
    // rounding can leave the bounds by a bit
    @unroll for i in 0..MW_ACTS { words[i] = bitcast<u32>(clamp(decision.action[i], MW_LOW[i], MW_HIGH[i])); }
    return words;
}
