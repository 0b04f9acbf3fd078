//! One step of the optimiser on the clipped gradient, and the agent's progress moved on by one minibatch. One thread = four
//! parameters of its span; the first workgroup of an agent writes where it stands.
//!
//!   g ← scale · g     θ ← θ − α · direction(g, its past)          slot `optimizer`

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_gradient: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;       // [agent][MW_PARAMETERS / 4]

var<workgroup> mw_taken: vec4<f32>;     // (scale, 1 − β₁^t, 1 − β₂^t, 1 = the step is taken)

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let progress = mw_stepped(thread.agent, local);
    if local == 0u {
        mw_taken = vec4<f32>(progress.scale, progress.correction1, progress.correction2, f32(progress.active_));
        if thread.index == 0u { mw_progress[thread.agent] = progress; }
    }
    workgroupBarrier();
    if mw_taken.w == 0.0 || thread.index >= MW_SPAN { return; }
    let place = MW_SPAN_FIRST + thread.index;
    let g = mw_gradient[thread.agent * MW_LEARNED / 4u + place] * mw_taken.x;
    let direction = mw_step(thread.agent, place, g, mw_taken.yz);
    let at = thread.agent * MW_PARAMETERS / 4u + place;
    let parameters = mw_parameters[at] - progress.learning_rate * direction;
    mw_parameters[at] = parameters;
    mw_test_place(thread.agent, MW_OF_PARAMETER, place * 4u, parameters, MW_FINITE);
}
