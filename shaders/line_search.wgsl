//! Judges the parameters that were measured last: the old ones, then the candidates of the line search, longest first.
//! One thread = one agent.
//!
//!   accepted: KL ≤ δ and surrogate − surrogate_old > 0     else fraction ← backtrack · fraction, 0 behind the last
//!
//! Without candidates (natural gradient) the full step is taken as it is.

@bind var<uniform> mw_trust_region: MwTrustRegion;
@bind var<storage, read_write> mw_line_search: array<MwLineSearch>;             // [agent]
@bind var<storage, read_write> mw_progress: array<MwProgress>;         // [agent]
@bind var<storage, read> mw_measured: array<vec4<f32>>;                // [agent] sums of (surrogate, KL)
@bind var<storage, read_write> mw_trials: array<vec2<f32>>;            // [agent][candidate, the old parameters first] means

@compute @workgroup_size(1)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>) {
    let agent = group.z;
    var search = mw_line_search[agent];
    if search.accepted != 0u { return; }
    let mean = mw_measured[agent].xy / f32(mw_trust_region.samples);
    mw_trials[agent * (max(mw_trust_region.candidates, 1u) + 1u) + search.measured] = mean;
    search.measured += 1u;
    if search.measured == 1u {
        search.old_surrogate = mean.x;
        mw_test_search(agent, MW_FAULT_SOLVER, vec4<f32>(search.square, search.curvature, search.slope, search.scale));
        mw_test_search(agent, MW_FAULT_SURROGATE, vec4<f32>(mean, 0.0, 0.0));
        mw_progress[agent].kl = 0.0;
        mw_progress[agent].improvement = 0.0;
        mw_progress[agent].expected_improvement = 0.0;
        mw_progress[agent].cg_residual = sqrt(search.square / max(search.first_square, 1.2e-38));
    } else {
        let gain = mean.x - search.old_surrogate;
        let finite = mw_is_finite(mw_measured[agent].x) && mw_is_finite(mw_measured[agent].y);
        let taken = mw_trust_region.candidates == 0u || (finite && mean.y <= mw_trust_region.limit && gain > 0.0);
        if mw_trust_region.candidates == 0u { mw_test_search(agent, MW_FAULT_SURROGATE, vec4<f32>(mean, 0.0, 0.0)); }
        mw_progress[agent].line_search_steps = search.measured - 1u;
        if taken {
            search.accepted = 1u;
            mw_progress[agent].kl = mean.y;
            mw_progress[agent].improvement = gain;
            mw_progress[agent].expected_improvement = search.fraction * search.scale * search.slope;
        } else {
            search.fraction *= mw_trust_region.backtrack;
            if search.measured > mw_trust_region.candidates { search.fraction = 0.0; }
        }
    }
    mw_line_search[agent] = search;
}

/// Tests what the search stands on; a candidate that is not finite is only turned down.
fn mw_test_search(agent: u32, kind: u32, values: vec4<f32>) {
    var progress = mw_progress[agent];
    @unroll for i in 0..4 { mw_test_learning(&progress, kind, values[i]); }
    mw_progress[agent] = progress;
}
