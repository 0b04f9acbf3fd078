//! From the partial gradients of a minibatch to new parameters, and their target that follows. One thread = four parameters.
//!
//!   g = Σ_slices partial     θ ← θ − α · direction(g, its past)     θ' ← θ' + τ (θ − θ')     slot `optimizer`
//!
//! Slices of earlier windows are in `mw_gradient` already (sum_slices.wgsl). No norm is limited, so nothing needs to know the
//! whole gradient first; numbers of it whose squares are past all bounds are found here (part/fault_places.wgsl). Reference: src/reference/adam.rs, src/reference/off_policy.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_sample_range: MwSampleRange;
@bind var<uniform> mw_target_update: MwTargetUpdate;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read_write> mw_gradient: array<vec4<f32>>;         // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;       // [agent][MW_PARAMETERS / 4]
@bind var<storage, read_write> mw_target: array<vec4<f32>>;           // [agent][MW_PARAMETERS / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    if thread.index >= MW_SPAN { return; }
    let place = MW_SPAN_FIRST + thread.index;
    let at = thread.agent * MW_LEARNED / 4u + place;
    var g = vec4<f32>(0.0);
    if mw_sample_range.first > 0u { g = mw_gradient[at]; }
    let held = min(mw_sample_range.count, mw_run.minibatch_size - mw_sample_range.first);
    let slices = (held + mw_run.slice - 1u) / mw_run.slice;
    g = mw_add_slices(thread.agent, place, vec3<u32>(0u, 1u, slices), g);
    mw_gradient[at] = g;

    let progress = &mw_progress[thread.agent];
    let direction = mw_step(thread.agent, place, g, vec2<f32>((*progress).correction1, (*progress).correction2));
    let word = thread.agent * MW_PARAMETERS / 4u + place;
    let parameters = mw_parameters[word] - (*progress).learning_rate * direction;
    mw_parameters[word] = parameters;
    mw_test_place(thread.agent, MW_OF_GRADIENT, place * 4u, g, MW_LARGEST);
    mw_test_place(thread.agent, MW_OF_PARAMETER, place * 4u, parameters, MW_FINITE);
    if mw_target_update.tau > 0.0 { mw_target[word] += mw_target_update.tau * (parameters - mw_target[word]); }
}
