//! Sums of the partial gradients of a window's slices.

@bind var<storage, read> mw_partial: array<vec4<f32>>;          // see part/partial.wgsl

/// Four words of the gradient, from vec4 `place` on: `sum` and the first `slices` of the window, oldest first.
fn mw_add_slices(agent: u32, place: u32, slices: u32, sum: vec4<f32>) -> vec4<f32> {
    let first = mw_partial_at(agent, 0u, place * 4u) / 4u;
    let end = arrayLength(&mw_partial);
    var total = sum;
    for (var slice = 0u; slice < slices; slice++) {
        let at = first + slice * (MW_PARTIAL_BLOCK / 4u);
        // the second use of `at` keeps LLVM from computing it again in each lane
        if at < end { total += mw_partial[at]; }
    }
    return total;
}
