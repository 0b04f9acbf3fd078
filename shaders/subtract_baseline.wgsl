//! The policy gradient with the baseline that makes its variance smallest, for each parameter apart; then the squares of each
//! workgroup's share of the result. One thread = four parameters of the span.
//!
//!   b_i = Σ ℓ_i² G / Σ ℓ_i²     g_i ← g_i + b_i · mean ℓ_i     g that of −mean ℓ G, ℓ = ∇ log π, sums over samples
//!
//! Reference: src/reference/baseline.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_score: array<vec4<f32>>;             // [agent][MW_LEARNED / 4], Σ ℓ
@bind var<storage, read> mw_squares: array<vec4<f32>>;           // likewise, Σ ℓ²
@bind var<storage, read> mw_weighted: array<vec4<f32>>;          // likewise, Σ ℓ² G
@bind var<storage, read_write> mw_gradient: array<vec4<f32>>;    // likewise, g

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    var g = vec4<f32>(0.0);
    if thread.index < MW_SPAN {
        let at = thread.agent * MW_LEARNED / 4u + MW_SPAN_FIRST + thread.index;
        let squares = mw_squares[at];
        // a parameter that no sample moves has no baseline
        let moved = squares > vec4<f32>(0.0);
        let baseline = select(vec4<f32>(0.0), mw_weighted[at] / select(vec4<f32>(1.0), squares, moved), moved);
        g = fma(baseline, mw_score[at] * (1.0 / f32(mw_run.batch_size)), mw_gradient[at]);
        mw_gradient[at] = g;
    }
    mw_put_norm(thread.agent, thread.index / MW_WORKGROUP, local, g);
}
