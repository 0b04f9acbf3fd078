//! One iteration of conjugate gradients, after F p was made. One workgroup = one agent.
//!
//!   z = F p + damping p     α = rᵀr/pᵀz     x ← x + α p     r ← r − α z     β = rᵀr/(old rᵀr)     p ← r + β p
//!
//! Ends for good where ‖r‖² is small enough, or where pᵀz is not above 0, as rounding may have it behind the last digit.

@bind var<storage, read> mw_gradient: array<vec4<f32>>;            // [agent][MW_LEARNED / 4], F p
@bind var<storage, read_write> mw_direction: array<vec4<f32>>;     // [agent][MW_LEARNED / 4], p
@bind var<storage, read_write> mw_progress: array<MwProgress>;     // of the Fisher matrix's products

var<workgroup> mw_state: vec2<f32>;   // (‖r‖², 1 = over)

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    if local == 0u { mw_state = vec2<f32>(mw_line_search[agent].square, f32(mw_progress[agent].stopped)); }
    let state = workgroupUniformLoad(&mw_state);
    if state.y != 0.0 { return; }

    var curvature = 0.0;
    for (var i = local; i < MW_SPAN; i += MW_WORKGROUP) {
        let p = mw_direction[mw_learned_at(agent, i)];
        curvature += dot(p, fma(vec4<f32>(mw_trust_region.damping), p, mw_gradient[mw_learned_at(agent, i)]));
    }
    curvature = mw_total(local, curvature);
    let sound = curvature > 0.0;
    let alpha = select(0.0, state.x / max(curvature, 1.2e-38), sound);

    var square = 0.0;
    for (var i = local; i < MW_SPAN; i += MW_WORKGROUP) {
        let p = mw_direction[mw_learned_at(agent, i)];
        let z = fma(vec4<f32>(mw_trust_region.damping), p, mw_gradient[mw_learned_at(agent, i)]);
        let r = fma(vec4<f32>(-alpha), z, mw_solver[mw_solver_at(agent, MW_R, i)]);
        mw_solver[mw_solver_at(agent, MW_X, i)] = fma(vec4<f32>(alpha), p, mw_solver[mw_solver_at(agent, MW_X, i)]);
        mw_solver[mw_solver_at(agent, MW_R, i)] = r;
        square += dot(r, r);
    }
    square = mw_total(local, square);
    let beta = square / state.x;
    for (var i = local; i < MW_SPAN; i += MW_WORKGROUP) {
        let at = mw_learned_at(agent, i);
        mw_direction[at] = fma(vec4<f32>(beta), mw_direction[at], mw_solver[mw_solver_at(agent, MW_R, i)]);
    }
    if local > 0u { return; }
    if sound {
        mw_line_search[agent].square = square;
        mw_line_search[agent].iterations += 1u;
    }
    if !sound || square <= mw_trust_region.tolerance * mw_line_search[agent].first_square { mw_progress[agent].stopped = 1u; }
}
