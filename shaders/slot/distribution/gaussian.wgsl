//! Slot `distribution`: independent normal distributions. The policy's outputs are the means, then the logarithms of the
//! deviations σ; an action is its numbers' bits.
//!
//!   z = (x − μ)/σ      log π = Σ −½ z² − log σ − ½ log 2π       H = Σ log σ + ½ log 2πe
//!   ∂ log π/∂μ = z/σ      ∂ log π/∂ log σ = z² − 1      ∂H/∂ log σ = 1
//!
//! Reference: src/reference/gaussian.rs.

alias LaneAction = array<LaneWord, MW_ACTION_WORDS>;

const MW_HALF_LOG_2PI = 0.9189385332;

struct MwDistribution { mean: array<Lane, MW_ACTION_WORDS>, log_std: array<Lane, MW_ACTION_WORDS> }

/// The distribution that the network's outputs for Lane v describe.
fn mw_dist(v: u32) -> MwDistribution {
    var dist: MwDistribution;
    @unroll for i in 0..MW_ACTION_WORDS {
        dist.mean[i] = mw_output[i * MW_VECTORS + v];
        dist.log_std[i] = mw_output[(MW_ACTION_WORDS + i) * MW_VECTORS + v];
    }
    return dist;
}

/// Box & Muller (1958): two uniforms in (0, 1) make two normals.
fn mw_dist_sample(dist: MwDistribution, noise: array<Lane, MW_NOISE>) -> LaneAction {
    var action: LaneAction;
    @unroll for pair in 0..MW_NOISE / 2 {
        let radius = sqrt(-2.0 * mw_lane_log(noise[2u * pair]));
        let angle = 6.2831853 * noise[2u * pair + 1u];
        const second = min(2u * pair + 1u, MW_ACTION_WORDS - 1u);
        if second > 2u * pair {
            action[second] = bitcast<LaneWord>(fma(mw_lane_exp(dist.log_std[second]), radius * mw_lane_sin(angle), dist.mean[second]));
        }
        action[2u * pair] = bitcast<LaneWord>(fma(mw_lane_exp(dist.log_std[2u * pair]), radius * mw_lane_cos(angle), dist.mean[2u * pair]));
    }
    return action;
}

/// The mean.
fn mw_dist_mode(dist: MwDistribution) -> LaneAction {
    var action: LaneAction;
    @unroll for i in 0..MW_ACTION_WORDS { action[i] = bitcast<LaneWord>(dist.mean[i]); }
    return action;
}

/// How many deviations number i of an action is from its mean.
fn mw_dist_z(dist: MwDistribution, action: LaneAction, i: u32) -> Lane {
    return (bitcast<Lane>(action[i]) - dist.mean[i]) * mw_lane_exp(-dist.log_std[i]);
}

fn mw_dist_log_prob(dist: MwDistribution, action: LaneAction) -> Lane {
    var log_prob = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS {
        let z = mw_dist_z(dist, action, i);
        log_prob += fma(-0.5 * z, z, -dist.log_std[i] - Lane(MW_HALF_LOG_2PI));
    }
    return log_prob;
}

fn mw_dist_entropy(dist: MwDistribution) -> Lane {
    var entropy = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS { entropy += dist.log_std[i] + Lane(0.5 + MW_HALF_LOG_2PI); }
    return entropy;
}

/// d_log_prob · ∂ log π(action)/∂output b + d_entropy · ∂H/∂output b
fn mw_dist_backward(dist: MwDistribution, action: LaneAction, d_log_prob: Lane, d_entropy: Lane, b: u32) -> Lane {
    const n = MW_ACTION_WORDS;
    let z = mw_dist_z(dist, action, b % n);
    if b < n { return d_log_prob * z * mw_lane_exp(-dist.log_std[b % n]); }
    return fma(d_log_prob, fma(z, z, Lane(-1.0)), d_entropy);
}

/// What a rollout keeps of the distribution: means, then logarithms of deviations.
fn mw_dist_kept(dist: MwDistribution) -> array<Lane, MW_CHOICES> {
    var kept: array<Lane, MW_CHOICES>;
    @unroll for i in 0..MW_ACTION_WORDS {
        kept[i] = dist.mean[i];
        kept[MW_ACTION_WORDS + i] = dist.log_std[i];
    }
    return kept;
}

/// (σ_old² + (μ_old − μ)²)/σ² of number i.
fn mw_dist_spread(old: array<Lane, MW_CHOICES>, dist: MwDistribution, i: u32) -> Lane {
    let apart = (old[i] - dist.mean[i]) * mw_lane_exp(-dist.log_std[i]);
    let wider = mw_lane_exp(old[MW_ACTION_WORDS + i] - dist.log_std[i]);
    return fma(apart, apart, wider * wider);
}

/// KL(old ‖ new) = Σ log σ − log σ_old + ½ (σ_old² + (μ_old − μ)²)/σ² − ½
fn mw_dist_kl(old: array<Lane, MW_CHOICES>, dist: MwDistribution) -> Lane {
    var kl = Lane(0.0);
    @unroll for i in 0..MW_ACTION_WORDS {
        kl += dist.log_std[i] - old[MW_ACTION_WORDS + i] + 0.5 * mw_dist_spread(old, dist, i) - Lane(0.5);
    }
    return kl;
}

/// ∂KL/∂μ = (μ − μ_old)/σ²      ∂KL/∂log σ = 1 − (σ_old² + (μ_old − μ)²)/σ²
fn mw_dist_kl_backward(old: array<Lane, MW_CHOICES>, dist: MwDistribution, b: u32) -> Lane {
    const n = MW_ACTION_WORDS;
    let narrow = mw_lane_exp(-dist.log_std[b % n]);
    if b < n { return (dist.mean[b % n] - old[b % n]) * narrow * narrow; }
    return Lane(1.0) - mw_dist_spread(old, dist, b % n);
}

/// Output b of M times a tangent of the outputs; M = diag(1/σ², 2) by μ and log σ.
fn mw_dist_metric(dist: MwDistribution, tangent: array<Lane, MW_CHOICES>, b: u32) -> Lane {
    const n = MW_ACTION_WORDS;
    let narrow = mw_lane_exp(-dist.log_std[b % n]);
    if b < n { return tangent[b] * narrow * narrow; }
    return 2.0 * tangent[b];
}
