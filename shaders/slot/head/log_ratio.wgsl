//! Slot `head`: log ρ = log π(a|o) − log π_b(a|o), π_b the policy that acted.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read_write> mw_importance: array<f32>;   // [agent][column]

fn mw_wanted(agent: u32) -> bool { return true; }

/// Lane v of the outputs belongs to the columns from `first` on.
fn mw_put_outputs(thread: MwThread, v: u32, first: u32, mine: array<bool, MW_LANES>) {
    var samples: MwSamples;
    samples.agent = thread.agent;
    samples.v = v;
    @unroll for i in 0..MW_LANES { samples.column[i] = min(first + i, mw_columns.count - 1u); }
    let action = mw_sampled_action(samples);
    let log_ratio = mw_dist_log_prob(mw_dist(v), action) - mw_sample(samples, MW_ROW_LOG_PROB);
    @unroll for i in 0..MW_LANES {
        if mine[i] { mw_importance[thread.agent * mw_columns.count + first + i] = mw_lane_get(log_ratio, i); }
    }
}
