//! Parameters somewhere along the natural gradient, unless those there are were accepted. One thread = four parameters of the
//! span.
//!
//!   θ = θ_old + fraction · scale · x

@bind var<storage, read> mw_line_search: array<MwLineSearch>;               // [agent]
@bind var<storage, read> mw_solver: array<vec4<f32>>;              // [agent][x, r, old θ][MW_SPAN]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;    // [agent][MW_PARAMETERS / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let search = &mw_line_search[thread.agent];
    if (*search).accepted != 0u || thread.index >= MW_SPAN { return; }
    let x = mw_solver[thread.agent * 3u * MW_SPAN + thread.index];
    let old = mw_solver[(thread.agent * 3u + 2u) * MW_SPAN + thread.index];
    var proposed = old;   // to the bit where the line search has failed, whatever x is
    if (*search).fraction > 0.0 { proposed = fma(vec4<f32>((*search).fraction * (*search).scale), x, old); }
    mw_parameters[thread.agent * MW_PARAMETERS / 4u + MW_SPAN_FIRST + thread.index] = proposed;
}
