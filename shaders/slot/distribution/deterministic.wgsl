//! Slot `distribution`: none; the policy's outputs are its action, before it is squashed into its bounds.

alias LaneAction = array<LaneWord, MW_ACTION_WORDS>;

struct MwDistribution { mean: array<Lane, MW_ACTION_WORDS> }

fn mw_dist(v: u32) -> MwDistribution {
    var dist: MwDistribution;
    @unroll for i in 0..MW_ACTION_WORDS { dist.mean[i] = mw_output[i * MW_VECTORS + v]; }
    return dist;
}

fn mw_dist_mode(dist: MwDistribution) -> LaneAction {
    var action: LaneAction;
    @unroll for i in 0..MW_ACTION_WORDS { action[i] = bitcast<LaneWord>(dist.mean[i]); }
    return action;
}

/// There is nothing to draw.
fn mw_dist_sample(dist: MwDistribution, uniforms: array<Lane, MW_UNIFORMS>) -> LaneAction { return mw_dist_mode(dist); }

fn mw_dist_log_prob(dist: MwDistribution, action: LaneAction) -> Lane { return Lane(0.0); }

fn mw_dist_kept(dist: MwDistribution) -> array<Lane, MW_KEPT> { return array<Lane, MW_KEPT>(); }
