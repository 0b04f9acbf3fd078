//! Generalised advantage estimation as a scan over time, for long rollouts of few worlds. One workgroup = one world.
//!
//!   A_t = δ_t + c_t A_{t+1} = f_t(A_{t+1})     f ∘ g (x) = (b_f + a_f b_g) + (a_f a_g) x
//!
//! A thread has a block of neighbouring steps. It composes their affine functions; a scan over the blocks, newest first,
//! gives each the advantage behind it; then it walks its steps again. Numbers of kept observations are scanned the same
//! way, oldest first, for the slots. Every step is read twice, whatever the number of threads.
//! Reference: src/reference/gae.rs.

var<workgroup> mw_functions: array<vec2<f32>, MW_WORKGROUP>;   // (a, b) of a block and all newer ones
var<workgroup> mw_counts: array<u32, MW_WORKGROUP>;            // kept observations of a block and all older ones

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
    for (var t = first; t < end; t++) { count += select(0u, 1u, mw_kept(agent, t, world)); }
    mw_counts[local] = count;
    workgroupBarrier();
    @unroll for level in 0..MW_TREE_LEVELS {
        const reach = 1u << level;
        let older = select(0u, mw_counts[max(local, reach) - reach], local >= reach);
        workgroupBarrier();
        mw_counts[local] += older;
        workgroupBarrier();
    }

    var slot = mw_counts[local];
    var block = vec2<f32>(1.0, 0.0);
    for (var t = end; t > first; t--) {
        if mw_kept(agent, t - 1u, world) { slot -= 1u; }
        let step = mw_residual(agent, t - 1u, world, slot);
        block = vec2<f32>(step.y * block.x, step.x + step.y * block.y);
    }
    mw_functions[local] = block;
    workgroupBarrier();
    @unroll for level in 0..MW_TREE_LEVELS {
        const reach = 1u << level;
        let newer = select(vec2<f32>(1.0, 0.0), mw_functions[min(local + reach, MW_WORKGROUP - 1u)], local + reach < MW_WORKGROUP);
        workgroupBarrier();
        block = vec2<f32>(block.x * newer.x, block.y + block.x * newer.y);
        mw_functions[local] = block;
        workgroupBarrier();
    }

    var advantage = select(0.0, mw_functions[min(local + 1u, MW_WORKGROUP - 1u)].y, local + 1u < MW_WORKGROUP);
    slot = mw_counts[local];
    for (var t = end; t > first; t--) {
        if mw_kept(agent, t - 1u, world) { slot -= 1u; }
        let step = mw_residual(agent, t - 1u, world, slot);
        advantage = step.x + step.y * advantage;
        mw_put_advantage(agent, t - 1u, world, advantage, step.z);
    }
}
