//! A recursion over the steps of a world (slot `recursion`) as a scan, for long rollouts of few worlds.
//! One workgroup = one world.
//!
//!   x_i = f_i(x_{i−1}), f affine     f ∘ g: part/affine.wgsl
//!
//! A thread has a block of neighbouring steps. It composes their functions; a scan over the blocks gives each the x before
//! it; then it walks its steps again. Numbers of kept observations are scanned the same way, for the slots. Every step is
//! read twice, whatever the number of threads.

var<workgroup> mw_blocks: array<MwAffine, MW_WORKGROUP>;   // of a block and all before it
var<workgroup> mw_counts: array<u32, MW_WORKGROUP>;        // kept observations of a block and all before it

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    let world = group.y * groups.x + group.x;
    if world >= mw_run.num_envs { return; }
    let span = (mw_run.num_steps + MW_WORKGROUP - 1u) / MW_WORKGROUP;
    let first = min(local * span, mw_run.num_steps);
    let end = min(first + span, mw_run.num_steps);

    var count = 0u;
    for (var i = first; i < end; i++) { count += select(0u, 1u, mw_kept(agent, mw_time(i), world)); }
    mw_counts[local] = count;
    workgroupBarrier();
    @unroll for level in 0..MW_TREE_LEVELS {
        const reach = 1u << level;
        let before = select(0u, mw_counts[max(local, reach) - reach], local >= reach);
        workgroupBarrier();
        mw_counts[local] += before;
        workgroupBarrier();
    }

    // slots count from the oldest step on; the recursion may begin with the newest
    let begin = mw_counts[MW_WORKGROUP - 1u] - (mw_counts[local] - count);
    var slot = begin;
    var block = mw_identity();
    for (var i = first; i < end; i++) {
        if mw_kept(agent, mw_time(i), world) { slot -= 1u; }
        block = mw_combine(mw_link(agent, mw_time(i), world, slot).along, block);
    }
    mw_blocks[local] = block;
    workgroupBarrier();
    @unroll for level in 0..MW_TREE_LEVELS {
        const reach = 1u << level;
        var before = mw_identity();
        if local >= reach { before = mw_blocks[max(local, reach) - reach]; }
        workgroupBarrier();
        block = mw_combine(block, before);
        mw_blocks[local] = block;
        workgroupBarrier();
    }

    var x = Along(0.0);
    if local > 0u { x = mw_blocks[max(local, 1u) - 1u].b; }
    slot = begin;
    for (var i = first; i < end; i++) {
        let t = mw_time(i);
        if mw_kept(agent, t, world) { slot -= 1u; }
        let link = mw_link(agent, t, world, slot);
        x = mw_apply(link.along, x);
        mw_put(agent, t, world, x, link.kept);
    }
}
