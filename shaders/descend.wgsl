//! One step of the optimiser on the clipped gradient, as far as slot `taken` says. One thread = four parameters of its span.
//!
//!   g ← scale · g     θ ← θ − α · direction(g, its past)          slot `optimizer`

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_gradient: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;       // [agent][MW_PARAMETERS / 4]

struct MwTaken { active_: bool, scale: f32, corrections: vec2<f32>, learning_rate: f32 }

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let taken = mw_take(thread.agent, group, local);
    if !taken.active_ || thread.index >= MW_SPAN { return; }
    let place = MW_SPAN_FIRST + thread.index;
    let g = mw_gradient[thread.agent * MW_LEARNED / 4u + place] * taken.scale;
    let direction = mw_step(thread.agent, place, g, taken.corrections);
    let at = thread.agent * MW_PARAMETERS / 4u + place;
    let parameters = mw_parameters[at] - taken.learning_rate * direction;
    mw_parameters[at] = parameters;
    mw_test_place(thread.agent, MW_OF_PARAMETER, place * 4u, parameters, MW_FINITE);
}
