//! Squares of each workgroup's share of a gradient, in a tree.
//!
//!   norm_w = Σ_{workgroup w} g²

@bind var<storage, read_write> mw_norms: array<f32>;            // [agent][workgroup]

var<workgroup> mw_tree: array<f32, MW_WORKGROUP>;

/// `g` is what this thread has of the gradient, 0 past its end.
fn mw_put_norm(thread: MwThread, local: u32, g: vec4<f32>) {
    mw_tree[local] = dot(g, g);
    @unroll for level in 0..MW_TREE_LEVELS {
        workgroupBarrier();
        const reach = MW_WORKGROUP >> (level + 1u);
        if local < reach { mw_tree[local] += mw_tree[local + reach]; }
    }
    let block = thread.index / MW_WORKGROUP;
    if local == 0u && block < mw_run.norm_blocks { mw_norms[thread.agent * mw_run.norm_blocks + block] = mw_tree[0]; }
}
