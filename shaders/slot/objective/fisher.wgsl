//! Slot `objective`: not a loss, but the metric of the policy's distributions, between a tangent and a backward pass.
//!
//!   F v = (1/count) Σ_samples Jᵀ M J v     J v: the outputs' tangent     M: the distribution's Fisher matrix by its outputs
//!
//! Reference: src/reference/fisher.rs.

fn mw_objective(thread: MwThread, samples: MwSamples, mine: bool) {
    mw_show_sampled_mask(samples);
    let dist = mw_dist(samples.v);
    var tangent: array<Lane, MW_OUTPUTS>;
    @unroll for a in 0..MW_OUTPUTS { tangent[a] = mw_tangent[a * MW_VECTORS + samples.v]; }
    let share = samples.weight / Lane(samples.count);
    let image = mw_dist_metric(dist, tangent);
    @unroll for a in 0..MW_OUTPUTS { mw_d_output[a * MW_VECTORS + samples.v] = share * image[a]; }
}
