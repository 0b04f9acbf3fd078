//! Slot `explore`: what worlds do with an actor's distribution. Real numbers are drawn from its distribution.

fn mw_explore(dist: MwDistribution, key: vec2<u32>, world: u32, step: u32, memory: ptr<function, array<Lane, MW_ACTS>>)
    -> array<u32, MW_ACTION_WORDS> {
    let action = mw_pathwise(dist, mw_exploring_noise(key, world, step)).action;
    var words: array<u32, MW_ACTION_WORDS>;
    @unroll for i in 0..MW_ACTS { words[i] = bitcast<u32>(action[i]); }
    return words;
}
