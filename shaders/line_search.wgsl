//! Judges the parameters that were measured last, the old ones and then the candidates of the line search, longest first; and puts
//! the next ones in their place, unless those there are were accepted. One thread = four parameters of the span.
//!
//!   accepted: KL ≤ δ and surrogate − surrogate_old > 0     else fraction ← backtrack · fraction, 0 behind the last
//!   θ = θ_old + fraction · scale · x
//!
//! Without candidates (natural gradient) the full step is taken as it is. Every workgroup judges for itself, from the sums of the
//! blocks in the same order; the first one of an agent writes what it has found, to the place that the next dispatch reads.

@bind var<uniform> mw_trust_region: MwTrustRegion;
@bind var<storage, read> mw_measured: array<vec4<f32>>;                      // [agent][block] sums of (surrogate, KL)
@bind var<storage, read> mw_line_search: array<MwLineSearch>;                // [agent], before
@bind var<storage, read_write> mw_line_search_next: array<MwLineSearch>;     // [agent]
@bind var<storage, read_write> mw_progress: array<MwProgress>;               // [agent]
@bind var<storage, read_write> mw_trials: array<vec2<f32>>;                  // [agent][candidate, the old parameters first] means
@bind var<storage, read> mw_solver: array<vec4<f32>>;                        // [agent][x, r, old θ][MW_SPAN]
@bind var<storage, read_write> mw_parameters: array<vec4<f32>>;              // [agent][MW_PARAMETERS / 4]

var<workgroup> mw_proposed: vec3<f32>;   // (fraction, scale, 1 = parameters are proposed)

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let blocks = arrayLength(&mw_measured) / groups.z;
    var part = mw_identity();
    for (var i = local; i < blocks; i += MW_WORKGROUP) { part = mw_combine(part, mw_measured[thread.agent * blocks + i]); }
    let mean = mw_joined(local, part).xy / f32(mw_trust_region.samples);
    if local == 0u {
        let before = mw_line_search[thread.agent];
        var search = before;
        if before.accepted == 0u {
            search = mw_judged(before, mean);
            if thread.index == 0u { mw_note(thread.agent, before, search, mean); }
        }
        if thread.index == 0u { mw_line_search_next[thread.agent] = search; }
        mw_proposed = vec3<f32>(search.fraction, search.scale, f32(1u - search.accepted));
    }
    workgroupBarrier();
    if mw_proposed.z == 0.0 || thread.index >= MW_SPAN { return; }
    let x = mw_solver[thread.agent * 3u * MW_SPAN + thread.index];
    let old = mw_solver[(thread.agent * 3u + 2u) * MW_SPAN + thread.index];
    var proposed = old;   // to the bit where the line search has failed, whatever x is
    if mw_proposed.x > 0.0 { proposed = fma(vec4<f32>(mw_proposed.x * mw_proposed.y), x, old); }
    mw_parameters[thread.agent * MW_PARAMETERS / 4u + MW_SPAN_FIRST + thread.index] = proposed;
}

/// The search when the parameters have these means of surrogate and divergence.
fn mw_judged(before: MwLineSearch, mean: vec2<f32>) -> MwLineSearch {
    var search = before;
    search.measured += 1u;
    if search.measured == 1u {
        search.old_surrogate = mean.x;
        return search;
    }
    let gain = mean.x - search.old_surrogate;
    let finite = mw_is_finite(mean.x) && mw_is_finite(mean.y);
    if mw_trust_region.candidates == 0u || (finite && mean.y <= mw_trust_region.limit && gain > 0.0) {
        search.accepted = 1u;
    } else {
        search.fraction *= mw_trust_region.backtrack;
        if search.measured > mw_trust_region.candidates { search.fraction = 0.0; }
    }
    return search;
}

/// Writes down what was measured, and what becomes of the step. What the search stands on is tested; a candidate that is not finite
/// is only turned down.
fn mw_note(agent: u32, before: MwLineSearch, search: MwLineSearch, mean: vec2<f32>) {
    mw_trials[agent * (max(mw_trust_region.candidates, 1u) + 1u) + before.measured] = mean;
    var progress = mw_progress[agent];
    if search.measured == 1u {
        mw_test_search(&progress, MW_FAULT_SOLVER, vec4<f32>(search.square, search.curvature, search.slope, search.scale));
        mw_test_search(&progress, MW_FAULT_SURROGATE, vec4<f32>(mean, 0.0, 0.0));
        progress.kl = 0.0;
        progress.improvement = 0.0;
        progress.expected_improvement = 0.0;
        progress.cg_residual = sqrt(search.square / max(search.first_square, 1.2e-38));
    } else {
        if mw_trust_region.candidates == 0u { mw_test_search(&progress, MW_FAULT_SURROGATE, vec4<f32>(mean, 0.0, 0.0)); }
        progress.line_search_steps = search.measured - 1u;
        if search.accepted != 0u {
            progress.kl = mean.y;
            progress.improvement = mean.x - search.old_surrogate;
            progress.expected_improvement = search.fraction * search.scale * search.slope;
        }
    }
    mw_progress[agent] = progress;
}

fn mw_test_search(progress: ptr<function, MwProgress>, kind: u32, values: vec4<f32>) {
    @unroll for i in 0..4 { mw_test_learning(progress, kind, values[i]); }
}
