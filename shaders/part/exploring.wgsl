//! The noise that the next action of a world takes (slot `seen`).

fn mw_exploring_noise(key: vec2<u32>, world: u32, step: u32) -> array<Lane, MW_NOISE> {
    var noise: array<Lane, MW_NOISE>;
    @unroll for call in 0..MW_NOISE_CALLS {
        let drawn = mw_noise_of(mw_world_words(key, world, step, MW_PURPOSE_ACTION, call));
        @unroll for q in 0..4 {
            if call * 4u + q < MW_NOISE { noise[min(call * 4u + q, MW_NOISE - 1u)] = drawn[q]; }
        }
    }
    return noise;
}
