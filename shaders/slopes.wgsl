//! What a network's outputs and their slopes by the inputs say (slot `slopes`), behind backward passes down to those. One thread = one
//! sample of a window.

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read_write> mw_trace: array<vec4<f32>>;            // [agent][sample of the window][MW_TRACE_WIDTH]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let agent = thread.agent * MW_AGENT_STEP;
    if !mw_works(agent) || thread.index >= mw_sample_range.count { return; }
    mw_take_outputs(agent, thread.index);
    let first = mw_sample_range.first + thread.index;
    mw_put_slopes(MwSamples(agent, array<u32, MW_LANES>(first), 1.0, f32(mw_run.minibatch_size), 0u), first, true);
}
