//! One step of the optimiser on the clipped gradient. One thread = four parameters of its span.
//!
//!   g ← scale · g     θ ← θ − α · direction(g, its past)          slot `optimizer`

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_gradient: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;       // [agent][MW_PARAMETERS / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let progress = &mw_progress[thread.agent];
    if (*progress).active_ == 0u || thread.index >= MW_SPAN { return; }
    let place = MW_SPAN_FIRST + thread.index;
    let g = mw_gradient[thread.agent * MW_LEARNED / 4u + place] * (*progress).scale;
    let direction = mw_step(thread.agent, place, g, vec2<f32>((*progress).correction1, (*progress).correction2));
    let at = thread.agent * MW_PARAMETERS / 4u + place;
    let parameters = mw_parameters[at] - (*progress).learning_rate * direction;
    mw_parameters[at] = parameters;
    mw_test_place(thread.agent, MW_OF_PARAMETER, place * 4u, parameters, MW_FINITE);
}
