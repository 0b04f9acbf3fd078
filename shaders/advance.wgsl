//! Moves an agent's progress on by one minibatch where the optimiser takes no step of its gradient. One workgroup = one agent.

@bind var<uniform> mw_run: MwRun;

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    mw_join_norm(group.z, local);
    mw_move_on(group.z, local);
}
