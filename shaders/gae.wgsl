//! Generalised advantage estimation (Schulman et al. 2016). One thread = one world, newest step first.
//!
//!   A_t = δ_t + c_t A_{t+1}     target_t = A_t + v_t          δ and c: part/residual.wgsl
//!
//! Reference: src/reference/gae.rs.

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let world = thread.index;
    if world >= mw_run.num_envs { return; }
    // the slots were filled oldest first
    var slot = 0u;
    for (var t = 0u; t < mw_run.num_steps; t++) { slot += select(0u, 1u, mw_kept(thread.agent, t, world)); }
    var advantage = 0.0;
    for (var t = mw_run.num_steps; t > 0u; t--) {
        if mw_kept(thread.agent, t - 1u, world) { slot -= 1u; }
        let step = mw_residual(thread.agent, t - 1u, world, slot);
        advantage = step.x + step.y * advantage;
        mw_put_advantage(thread.agent, t - 1u, world, advantage, step.z);
    }
}
