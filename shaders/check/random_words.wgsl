//! Writes sixteen blocks of random words, to be compared with the host's.

@bind var<storage, read_write> mw_words: array<u32>;

@compute @workgroup_size(1)
fn mw_main() {
    for (var i = 0u; i < 16u; i++) {
        let block = mw_philox(vec4<u32>(i, 0x243f6a88u ^ i, 0x85a308d3u, i << 20u), vec2<u32>(0xa4093822u, i));
        for (var k = 0u; k < 4u; k++) { mw_words[4u * i + k] = block[k]; }
    }
}
