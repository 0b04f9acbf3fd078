//! The length of the natural gradient's step. One workgroup = one agent.
//!
//!   xᵀ(F + damping)x = xᵀ(−g − r)     step = √(2δ / xᵀ(F + damping)x) x

@bind var<storage, read> mw_gradient: array<vec4<f32>>;            // [agent][MW_LEARNED / 4], of the loss

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    var slope = 0.0;
    var curvature = 0.0;
    for (var i = local; i < MW_SPAN; i += MW_WORKGROUP) {
        let x = mw_solver[mw_solver_at(agent, MW_X, i)];
        let ascent = -mw_gradient[mw_learned_at(agent, i)];
        slope += dot(x, ascent);
        curvature += dot(x, ascent - mw_solver[mw_solver_at(agent, MW_R, i)]);
    }
    slope = mw_total(local, slope);
    curvature = mw_total(local, curvature);
    if local > 0u { return; }
    mw_line_search[agent].slope = slope;
    mw_line_search[agent].curvature = curvature;
    mw_line_search[agent].scale = select(0.0, sqrt(2.0 * mw_trust_region.delta / max(curvature, 1.2e-38)), curvature > 0.0);
    mw_line_search[agent].fraction = 1.0;
}
