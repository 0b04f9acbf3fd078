//! Slot `distribution`: independent normal distributions. The policy's outputs are the means, then what the deviations s
//! are made of (slot `deviation`); an action is its numbers' bits, before it is squashed or clipped (slot `squash`).
//!
//!   z = (x − μ)/s      log π = Σ −½ z² − log s − ½ log 2π       H = Σ log s + ½ log 2πe
//!   ∂ log π/∂μ = z/s      ∂ log π/∂ log s = z² − 1      ∂H/∂ log s = 1
//!
//! Reference: src/reference/gaussian.rs.

alias LaneAction = array<LaneWord, MW_ACTION_WORDS>;

const MW_HALF_LOG_2PI = 0.9189385332;

struct MwDistribution { mean: array<Lane, MW_ACTION_WORDS>, deviation: MwDeviation }

/// The distribution that the network's outputs for Lane v describe.
fn mw_dist(v: u32) -> MwDistribution {
    var dist: MwDistribution;
    @unroll for i in 0..MW_ACTION_WORDS { dist.mean[i] = mw_output[i * MW_VECTORS + v]; }
    dist.deviation = mw_deviation(v);
    return dist;
}

/// Box & Muller (1958): two uniforms in (0, 1) make two normals.
fn mw_dist_sample(dist: MwDistribution, uniforms: array<Lane, MW_UNIFORMS>) -> LaneAction {
    var normal: array<Lane, MW_NOISE>;
    @unroll for pair in 0..MW_UNIFORMS / 2 {
        let radius = sqrt(-2.0 * mw_lane_log(uniforms[2u * pair]));
        let angle = 6.2831853 * uniforms[2u * pair + 1u];
        normal[2u * pair] = radius * mw_lane_cos(angle);
        if 2u * pair + 1u < MW_NOISE { normal[min(2u * pair + 1u, MW_NOISE - 1u)] = radius * mw_lane_sin(angle); }
    }
    return mw_dist_draw(dist, normal);
}

/// The action that normal numbers make.
fn mw_dist_draw(dist: MwDistribution, normal: array<Lane, MW_NOISE>) -> LaneAction {
    var action: LaneAction;
    @unroll for i in 0..MW_ACTION_WORDS {
        action[i] = bitcast<LaneWord>(mw_drawn_number(dist.mean[i], dist.deviation, normal, i));
    }
    return action;
}

/// The mean; of a squashed action that is the median, not the highest density.
fn mw_dist_mode(dist: MwDistribution) -> LaneAction {
    var action: LaneAction;
    @unroll for i in 0..MW_ACTION_WORDS { action[i] = bitcast<LaneWord>(dist.mean[i]); }
    return action;
}

/// How many deviations number i of an action is from its mean.
fn mw_dist_z(dist: MwDistribution, action: LaneAction, i: u32) -> Lane {
    return (bitcast<Lane>(action[i]) - dist.mean[i]) * mw_lane_exp(-dist.deviation.log_std[i]);
}

/// Logarithm of the density of a number that is z deviations from its mean.
fn mw_log_normal(z: Lane, log_std: Lane) -> Lane { return fma(-0.5 * z, z, -log_std - Lane(MW_HALF_LOG_2PI)); }

fn mw_dist_log_prob(dist: MwDistribution, action: LaneAction) -> Lane {
    var log_prob = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS {
        log_prob += mw_log_normal(mw_dist_z(dist, action, i), dist.deviation.log_std[i]);
    }
    return mw_squashed_log_prob(log_prob, action);
}

/// Entropy; of squashed actions an estimate from one of them.
fn mw_dist_entropy(dist: MwDistribution, action: LaneAction) -> Lane {
    var entropy = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS { entropy += dist.deviation.log_std[i] + Lane(0.5 + MW_HALF_LOG_2PI); }
    return mw_squashed_entropy(entropy, action);
}

/// d_log_prob · ∂ log π(action)/∂output + d_entropy · ∂H/∂output
fn mw_dist_backward(dist: MwDistribution, action: LaneAction, d_log_prob: Lane, d_entropy: Lane) -> array<Lane, MW_OUTPUTS> {
    const n = MW_ACTION_WORDS;
    var slope: array<Lane, MW_OUTPUTS>;
    @unroll for b in 0..MW_OUTPUTS {
        let z = mw_dist_z(dist, action, b % n);
        let u = bitcast<Lane>(action[b % n]);
        if b < n {
            slope[b] = mw_d_squashed_mean(d_log_prob * z * mw_lane_exp(-dist.deviation.log_std[b % n]), d_entropy, u);
        } else {
            let d_log_std = fma(d_log_prob, fma(z, z, Lane(-1.0)), mw_d_squashed_log_std(d_entropy, u, dist.mean[b % n]));
            slope[b] = mw_d_deviation(dist.deviation, d_log_std, max(b, n) - n);
        }
    }
    return slope;
}

/// What a rollout keeps of the distribution: means, then logarithms of deviations.
fn mw_dist_kept(dist: MwDistribution) -> array<Lane, MW_KEPT> {
    var kept: array<Lane, MW_KEPT>;
    @unroll for i in 0..MW_ACTION_WORDS {
        kept[i] = dist.mean[i];
        kept[MW_ACTION_WORDS + i] = dist.deviation.log_std[i];
    }
    return kept;
}

/// (s_old² + (μ_old − μ)²)/s² of number i.
fn mw_dist_spread(old: array<Lane, MW_KEPT>, dist: MwDistribution, i: u32) -> Lane {
    let apart = (old[i] - dist.mean[i]) * mw_lane_exp(-dist.deviation.log_std[i]);
    let wider = mw_lane_exp(old[MW_ACTION_WORDS + i] - dist.deviation.log_std[i]);
    return fma(apart, apart, wider * wider);
}

/// KL(old ‖ new) = Σ log s − log s_old + ½ (s_old² + (μ_old − μ)²)/s² − ½
fn mw_dist_kl(old: array<Lane, MW_KEPT>, dist: MwDistribution) -> Lane {
    var kl = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS {
        kl += dist.deviation.log_std[i] - old[MW_ACTION_WORDS + i] + 0.5 * mw_dist_spread(old, dist, i) - Lane(0.5);
    }
    return kl;
}

/// ∂KL/∂μ = (μ − μ_old)/s²      ∂KL/∂log s = 1 − (s_old² + (μ_old − μ)²)/s²
fn mw_dist_kl_backward(old: array<Lane, MW_KEPT>, dist: MwDistribution) -> array<Lane, MW_OUTPUTS> {
    const n = MW_ACTION_WORDS;
    var slope: array<Lane, MW_OUTPUTS>;
    @unroll for b in 0..MW_OUTPUTS {
        let narrow = mw_lane_exp(-dist.deviation.log_std[b % n]);
        if b < n {
            slope[b] = (dist.mean[b % n] - old[b % n]) * narrow * narrow;
        } else {
            slope[b] = mw_d_deviation(dist.deviation, Lane(1.0) - mw_dist_spread(old, dist, b % n), max(b, n) - n);
        }
    }
    return slope;
}

/// M times a tangent of the outputs; M = diag(1/s², 2) by μ and log s.
fn mw_dist_metric(dist: MwDistribution, tangent: array<Lane, MW_OUTPUTS>) -> array<Lane, MW_OUTPUTS> {
    const n = MW_ACTION_WORDS;
    var log_std: array<Lane, MW_ACTION_WORDS>;   // their tangents
    @unroll for o in 0..MW_OUTPUTS - MW_ACTION_WORDS { log_std[o % n] += mw_d_deviation(dist.deviation, tangent[n + o], o); }
    var image: array<Lane, MW_OUTPUTS>;
    @unroll for b in 0..MW_OUTPUTS {
        let narrow = mw_lane_exp(-dist.deviation.log_std[b % n]);
        if b < n {
            image[b] = tangent[b] * narrow * narrow;
        } else {
            image[b] = mw_d_deviation(dist.deviation, 2.0 * log_std[b % n], max(b, n) - n);
        }
    }
    return image;
}
