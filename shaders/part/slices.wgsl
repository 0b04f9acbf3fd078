//! Sums of the partial gradients of a window's slices.

@bind var<storage, read> mw_partial: array<vec4<f32>>;          // see part/partial.wgsl

/// Four words of the gradient, from vec4 `place` on: `sum` and slices of the window (the first, the step, the end), oldest first.
fn mw_add_slices(agent: u32, place: u32, slices: vec3<u32>, sum: vec4<f32>) -> vec4<f32> {
    let first = mw_partial_at(agent, 0u, place * 4u) / 4u;
    let end = arrayLength(&mw_partial);
    var total = sum;
    for (var slice = slices.x; slice < slices.z; slice += slices.y) {
        let at = first + slice * (MW_PARTIAL_BLOCK / 4u);
        // the second use of `at` keeps LLVM from computing it again in each lane
        if at < end { total += mw_partial[at]; }
    }
    return total;
}
