//! Ends the fit of a value network apart from its policy: hands its loss over to the policy's progress, whose metrics are
//! written next, and prepares its own for the next update. One thread = one agent.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // of the fit
@bind var<storage, read_write> mw_policy_progress: array<MwProgress>;

@compute @workgroup_size(1)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let agent = group.z;
    let fit = mw_progress[agent];
    // finish_update.wgsl takes the mean over the policy's minibatches
    let mean = fit.value_loss / f32(max(fit.minibatches, 1u));
    mw_policy_progress[agent].value_loss = mean * f32(max(mw_policy_progress[agent].minibatches, 1u));
    if mw_policy_progress[agent].fault == 0u {
        mw_policy_progress[agent].fault = fit.fault;
        mw_policy_progress[agent].fault_step = fit.fault_step;
        mw_policy_progress[agent].fault_value = fit.fault_value;
    }
    mw_progress[agent] = mw_next_update(agent, fit);
}
