//! The deltas of a network's outputs for a window of the minibatch, by an objective (slot), where layers are made one after the
//! other. One thread = one sample.
//!
//!   loss = (1/count) Σ_samples objective

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_trace: array<vec4<f32>>;            // [agent][sample of the window][MW_TRACE_WIDTH]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let place = mw_thread(group, groups, local);
    let thread = MwThread(place.agent * MW_AGENT_STEP, place.index, place.lane);   // perhaps only every n-th has work
    let progress = &mw_progress[thread.agent];
    if (*progress).stopped != 0u || thread.index >= mw_sample_range.count { return; }
    let count = mw_minibatch_count((*progress).minibatch);
    let first = mw_sample_range.first + thread.index;
    let mine = first < count;
    var column: array<u32, MW_LANES>;
    column[0] = mw_minibatch_column(thread.agent, min(first, count - 1u));
    mw_take_outputs(thread.agent, thread.index);
    let samples = MwSamples(thread.agent, column, select(0.0, 1.0, mine), f32(count), 0u);
    mw_objective(thread, samples, true);
    mw_leave_deltas();
}
