//! Multiply-adds and nothing else: what arithmetic this adapter has. One thread = 24 chains that do not wait for each
//! other, MW_ROUNDS links each.

@bind var<storage, read_write> mw_words: array<vec4<f32>>;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let a = mw_words[0];
    let b = mw_words[1];
    var x: array<vec4<f32>, 6>;
    @unroll for i in 0..6 { x[i] = a + vec4<f32>(f32(thread.index + i)); }
    for (var round = 0u; round < MW_ROUNDS / 8u; round++) {
        @unroll for again in 0..8 {
            @unroll for i in 0..6 { x[i] = fma(x[i], a, b); }
        }
    }
    var sum = vec4<f32>(0.0);
    @unroll for i in 0..6 { sum += x[i]; }
    // false for every input of ours, but no compiler knows
    if sum.x == 1.0 { mw_words[2] = sum; }
}
