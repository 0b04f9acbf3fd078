//! A recursion over the steps of a world (slot `recursion`): returns, advantages. One thread = one world.
//!
//!   x_i = a_i x_{i−1} + b_i, x before the first step 0     i counts in the order of the recursion
//!
//! Final observations were kept oldest first; which one belongs to a step follows from counting.

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let world = thread.index;
    if world >= mw_run.num_envs { return; }
    var slot = 0u;
    for (var t = 0u; t < mw_run.num_steps; t++) { slot += select(0u, 1u, mw_kept(thread.agent, t, world)); }
    var x = Along(0.0);
    for (var i = 0u; i < mw_run.num_steps; i++) {
        let t = mw_time(i);
        if mw_kept(thread.agent, t, world) { slot -= 1u; }
        let link = mw_link(thread.agent, t, world, slot);
        x = mw_apply(link.along, x);
        mw_put(thread.agent, t, world, x, link.kept);
    }
}
