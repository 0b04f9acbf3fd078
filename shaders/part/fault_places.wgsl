//! Where gradients and parameters are unsound first, for each agent: the least place of a word, never larger than before.
//! Nothing is written, and nobody waits, while all is well.

@bind var<storage, read_write> mw_faults: array<atomic<u32>>;      // [agent][gradient, parameter]

/// Tests four neighbouring numbers, the first of which has this place; the largest that is sound is given as bits.
fn mw_test_place(agent: u32, of_: u32, place: u32, values: vec4<f32>, largest: u32) {
    let unsound = (bitcast<vec4<u32>>(values) & vec4<u32>(0x7fffffffu)) > vec4<u32>(largest);
    if any(unsound) {
        let first = select(select(select(3u, 2u, unsound.z), 1u, unsound.y), 0u, unsound.x);
        atomicMin(&mw_faults[(MW_FAULTS_FIRST + agent) * 2u + of_], place + first);
    }
}

const MW_OF_GRADIENT = 0u;
const MW_OF_PARAMETER = 1u;
const MW_FINITE = 0x7f7fffffu;
