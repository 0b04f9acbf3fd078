//! Slot `objective`: not a loss, but log π(a|o) itself, summed over samples: its gradient is the score ℓ = ∇ log π.

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    let action = mw_sampled_action(samples);
    let dist = mw_dist(samples.v);
    let slope = mw_dist_backward(dist, action, samples.weight, Lane(0.0));
    @unroll for a in 0..MW_OUTPUTS { mw_d_output[a * MW_VECTORS + samples.v] = slope[a]; }
}
