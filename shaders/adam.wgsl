//! Adam (Kingma & Ba 2015) on the clipped gradient. One thread = four parameters.
//!
//!   g ← scale · g     m ← m + (1 − β₁)(g − m)     v ← v + (1 − β₂)(g² − v)
//!   θ ← θ − α (m / c₁) / (√(v / c₂) + ε)          c_i = 1 − β_i^t
//!
//! Reference: src/reference/adam.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_gradient: array<vec4<f32>>;               // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;       // [agent][MW_PARAMETERS / 4]
@bind var<storage, read_write> mw_adam: array<vec4<f32>>;             // [agent][m, v][MW_LEARNED / 4]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let size = MW_LEARNED / 4u;
    let progress = &mw_progress[thread.agent];
    if (*progress).active_ == 0u || thread.index >= size { return; }
    let at = thread.agent * size + thread.index;
    let m_at = 2u * thread.agent * size + thread.index;
    let g = mw_gradient[at] * (*progress).scale;
    let m = fma(vec4<f32>(mw_run.adam_decay1), g - mw_adam[m_at], mw_adam[m_at]);
    let v = fma(vec4<f32>(mw_run.adam_decay2), g * g - mw_adam[m_at + size], mw_adam[m_at + size]);
    mw_adam[m_at] = m;
    mw_adam[m_at + size] = v;
    let step = (m / (*progress).correction1) / (sqrt(v / (*progress).correction2) + vec4<f32>(mw_run.adam_eps));
    mw_parameters[thread.agent * MW_PARAMETERS / 4u + thread.index] -= (*progress).learning_rate * step;
}
