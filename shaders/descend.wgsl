//! One step of the optimiser on the clipped gradient. One thread = four parameters of its span.
//!
//!   g ← scale · g     θ ← θ − α · direction(g, its past)          slot `optimizer`

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_gradient: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;       // [agent][MW_PARAMETERS / 4]
@bind var<storage, read_write> mw_past: array<vec4<f32>>;             // [agent][m, v][MW_LEARNED / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let size = MW_LEARNED / 4u;
    let progress = &mw_progress[thread.agent];
    if (*progress).active_ == 0u || thread.index >= MW_SPAN { return; }
    let place = MW_SPAN_FIRST + thread.index;
    let m_at = 2u * thread.agent * size + place;
    let g = mw_gradient[thread.agent * size + place] * (*progress).scale;
    let past = mw_remember(MwPast(mw_past[m_at], mw_past[m_at + size]), g);
    mw_past[m_at] = past.m;
    mw_past[m_at + size] = past.v;
    let direction = mw_direction(past, g, vec2<f32>((*progress).correction1, (*progress).correction2));
    mw_parameters[thread.agent * MW_PARAMETERS / 4u + place] -= (*progress).learning_rate * direction;
}

/// What the optimiser keeps of earlier gradients.
struct MwPast { m: vec4<f32>, v: vec4<f32> }
