//! Squares of each workgroup's share of a gradient, in a tree.
//!
//!   norm_w = Σ_{workgroup w} g²

@bind var<storage, read_write> mw_sums: array<f32>;             // see part/sums.wgsl

/// `g` is what this thread has of the gradient in the workgroup's block, 0 past its end.
fn mw_put_norm(agent: u32, block: u32, local: u32, g: vec4<f32>) {
    let sum = mw_joined(local, dot(g, g));
    if local == 0u && block < mw_run.norm_blocks { mw_sums[mw_norm_at(agent, block)] = sum; }
}
