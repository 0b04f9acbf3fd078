//! Slot `head`: how the policy compares with that of the rollout, sample by sample; while the line search goes on.
//!
//!   surrogate = ρ Â     ρ = exp(log π(a|o) − log π_old(a|o))     KL(π_old ‖ π)
//!
//! Reference: src/reference/fisher.rs, src/reference/categorical.rs.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_line_search: array<MwLineSearch>;           // [agent]
@bind var<storage, read_write> mw_measures: array<vec2<f32>>;  // [agent][column] (surrogate, KL)

fn mw_wanted(agent: u32) -> bool { return mw_line_search[agent].accepted == 0u; }

/// Lane v of the outputs belongs to the columns from `first` on.
fn mw_put_outputs(thread: MwThread, v: u32, first: u32, mine: array<bool, MW_LANES>) {
    var samples: MwSamples;
    samples.agent = thread.agent;
    samples.v = v;
    @unroll for i in 0..MW_LANES { samples.column[i] = min(first + i, mw_columns.count - 1u); }
    let action = mw_sampled_action(samples);
    let dist = mw_dist(v);
    let ratio = mw_lane_exp(mw_dist_log_prob(dist, action) - mw_sample(samples, MW_ROW_LOG_PROB));
    let surrogate = ratio * mw_normal_advantage(thread, samples);
    let kl = mw_dist_kl(mw_kept_distribution(samples), dist);
    @unroll for i in 0..MW_LANES {
        if mine[i] {
            mw_measures[thread.agent * mw_columns.count + first + i] =
                vec2<f32>(mw_lane_get(surrogate, i), mw_lane_get(kl, i));
        }
    }
}
