//! Begins conjugate gradients: x = 0, r = p = −g; remembers the parameters. One workgroup = one agent.

@bind var<storage, read> mw_gradient: array<vec4<f32>>;            // [agent][MW_LEARNED / 4], of the loss
@bind var<storage, read> mw_parameters: array<vec4<f32>>;          // [agent][MW_PARAMETERS / 4]
@bind var<storage, read_write> mw_direction: array<vec4<f32>>;     // [agent][MW_LEARNED / 4]
@bind var<storage, read_write> mw_progress: array<MwProgress>;     // of the Fisher matrix's products

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    var square = 0.0;
    for (var i = local; i < MW_SPAN; i += MW_WORKGROUP) {
        let r = -mw_gradient[mw_learned_at(agent, i)];
        mw_solver[mw_solver_at(agent, MW_X, i)] = vec4<f32>(0.0);
        mw_solver[mw_solver_at(agent, MW_R, i)] = r;
        mw_solver[mw_solver_at(agent, MW_OLD, i)] = mw_parameters[agent * MW_PARAMETERS / 4u + MW_SPAN_FIRST + i];
        mw_direction[mw_learned_at(agent, i)] = r;
        square += dot(r, r);
    }
    let total = mw_total(local, square);
    if local > 0u { return; }
    var search: MwLineSearch;
    search.first_square = total;
    search.square = total;
    mw_line_search[agent] = search;
    mw_progress[agent].stopped = select(0u, 1u, total == 0.0);
}
