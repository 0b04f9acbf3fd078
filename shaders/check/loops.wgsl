//! Counts how many iterations of a loop an invocation is allowed to make. Some software adapters end loops without notice.

@bind var<storage, read_write> mw_words: array<u32>;

@compute @workgroup_size(1)
fn mw_main() {
    var count = 0u;
    for (var i = 0u; i < 100000u; i++) { count += 1u + (mw_words[1] & 0u); }
    mw_words[0] = count;
}
