//! Ends a generation: writes its metrics, with what was unsound in it first, and prepares the next. One workgroup = one agent.
//!
//!   the step of pattern search shrinks where nothing was better than the base, and nothing but the base was explored around

@bind var<uniform> mw_run: MwRun;
@bind var<uniform> mw_search: MwSearch;
@bind var<storage, read_write> mw_progress: array<MwProgress>;        // [agent]
@bind var<storage, read_write> mw_standing: array<MwStanding>;        // [agent]
@bind var<storage, read> mw_fitness: array<f32>;                      // [agent][member]
@bind var<storage, read> mw_order: array<u32>;                        // [agent][order, twice the mean rank][number]
@bind var<storage, read_write> mw_tally: array<u32>;                  // [agent][MW_TALLIES], see fitness.wgsl
@bind var<storage, read> mw_faults: array<u32>;                       // [agent][gradient, parameter], see part/fault_places.wgsl
@bind var<storage, read_write> mw_metrics: array<MwMetrics>;          // [slot of the ring][agent]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    let count = mw_search.population;
    let best = mw_ranked_best(agent, mw_order[2u * agent * count]);
    let highest = mw_fitness[agent * count + best];
    var sums = mw_identity();   // of differences to the highest, and of their squares
    for (var m = local; m < count; m += MW_WORKGROUP) {
        let d = mw_fitness[agent * count + m] - highest;
        sums += vec4<f32>(d, d * d, 0.0, 0.0);
    }
    let joined = mw_joined(local, sums) / f32(count);
    if local > 0u { return; }
    var standing = mw_standing[agent];
    let update = mw_progress[agent].update;
    var metrics: MwMetrics;
    let unsound = mw_tally[agent * MW_TALLIES + 2u];
    if unsound > 0u {
        metrics.fault = MW_FAULT_RETURN;
        metrics.fault_world = ~unsound;
        metrics.fault_value = bitcast<u32>(mw_fitness[agent * count + ~unsound]);
    } else if mw_faults[agent * 2u + 1u] != 0xffffffffu {
        metrics.fault = MW_FAULT_PARAMETER;
        metrics.fault_step = mw_faults[agent * 2u + 1u];
    }
    let mean = highest + joined.x;
    metrics.update = update;
    metrics.episodes = f32(count * mw_search.episodes);
    metrics.return_sum = mean * metrics.episodes;
    metrics.steps = mw_tally[agent * MW_TALLIES];
    metrics.length_sum = f32(metrics.steps);
    metrics.terminated = f32(mw_tally[agent * MW_TALLIES + 1u]);
    metrics.fitness_mean = mean;
    metrics.fitness_std = sqrt(max(joined.y - joined.x * joined.x, 0.0));
    metrics.fitness_best = highest;
    metrics.fitness_record = max(standing.best, highest);
    metrics.step_size = standing.step;
    mw_metrics[(update % MW_RING) * groups.z + agent] = metrics;

    if mw_search.shrink > 0.0 {
        let improved = highest > mw_fitness[agent * count];
        if !improved & (standing.moved == 0u) { standing.step *= mw_search.shrink; }
        standing.moved = select(0u, 1u, improved);
    }
    standing.best = metrics.fitness_record;
    standing.correction1 += (1.0 - standing.correction1) * mw_run.decay1;
    standing.correction2 += (1.0 - standing.correction2) * mw_run.decay2;
    mw_standing[agent] = standing;
    mw_progress[agent].update = update + 1u;
    for (var i = 0u; i < MW_TALLIES; i++) { mw_tally[agent * MW_TALLIES + i] = 0u; }
}
