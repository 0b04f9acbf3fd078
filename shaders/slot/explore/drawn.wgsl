//! Slot `explore`: what worlds do with an actor's outputs. Real numbers are drawn from its distribution.

fn mw_explore(output: array<Lane, MW_DECISIONS>, key: vec2<u32>, world: u32, step: u32, memory: ptr<function, array<Lane, MW_ACTS>>)
    -> array<u32, MW_ACTION_WORDS> {
    var noise: array<Lane, MW_NOISES>;
    @unroll for call in 0..MW_ACT_CALLS {
        let normals = mw_normals(mw_philox(vec4<u32>(world, step, MW_PURPOSE_ACTION, call), key));
        @unroll for q in 0..4 { if call * 4u + q < MW_ACTS { noise[min(call * 4u + q, MW_ACTS - 1u)] = normals[q]; } }
    }
    let decision = mw_decide(output, noise);
    var words: array<u32, MW_ACTION_WORDS>;
    // rounding can leave the bounds by a bit
    @unroll for i in 0..MW_ACTS { words[i] = bitcast<u32>(clamp(decision.action[i], MW_LOW[i], MW_HIGH[i])); }
    return words;
}
