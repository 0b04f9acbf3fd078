//! What a network sees of the samples of a window (slots `place`, `observed`, `normalise`), as the first units of the trace.
//! One thread = four numbers of a sample; neighbouring threads take neighbouring samples.

@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<storage, read_write> mw_trace: array<vec4<f32>>;            // [agent][sample of the window][MW_TRACE_WIDTH]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let agent = thread.agent * MW_AGENT_STEP;
    if !mw_works(agent) { return; }
    let s = thread.index % mw_sample_range.count;
    let vector = thread.index / mw_sample_range.count;
    if vector >= MW_INPUT_VECTORS { return; }
    let column = mw_place_column(agent, s);
    var unit = vec4<f32>(0.0);
    @unroll for q in 0..4 {
        let f = vector * 4u + q;
        if f < MW_INPUTS { unit[q] = mw_normalised(agent, f, mw_seen_in(agent, f, column, mw_place_columns())); }
    }
    mw_trace[(agent * mw_sample_range.rows + s) * MW_TRACE_WIDTH + vector] = unit;
}
