//! Slot `explore`: what worlds do with an actor's distribution. A choice is drawn from its distribution, which is what adding
//! Gumbel noise to logits and taking the highest does; `exploration_noise` of them are uniformly random instead.

fn mw_explore(dist: MwDistribution, key: vec2<u32>, world: u32, step: u32, memory: ptr<function, array<Lane, MW_ACTS>>)
    -> array<u32, MW_ACTION_WORDS> {
    let noise = mw_exploring_noise(key, world, step);
    let action = mw_pathwise(dist, noise).action;
    var choice = 0u;
    @unroll for k in 1..MW_ACTS { if action[k] > 0.5 { choice = k; } }
    let words = mw_world_words(key, world, step, MW_PURPOSE_EXPLORATION, 0u);
    if mw_uniform(words.x) < mw_replay.exploration_noise {
        choice = min(u32(mw_uniform(words.y) * f32(MW_ACTS)), MW_ACTS - 1u);
    }
    return array<u32, MW_ACTION_WORDS>(choice);
}
