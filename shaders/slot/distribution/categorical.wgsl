//! Slot `distribution`: categorical, one for each of MW_HEADS choices, independent of each other. The policy's outputs
//! are the logits of all choices one after the other; masked ones never come up (slot `mask`).
//!
//!   log p_a = z_a − max z − log Σ_b exp(z_b − max z)       H = −Σ p log p        both summed over the choices
//!   ∂ log p_a / ∂z_b = 1{a = b} − p_b                      ∂H / ∂z_b = −p_b (log p_b + H)
//!
//! Reference: src/reference/categorical.rs.

alias LaneAction = array<LaneWord, MW_ACTION_WORDS>;

const MW_MASKED_LOGIT = -1e8;

struct MwDistribution { z: array<Lane, MW_CHOICES>, log_p: array<Lane, MW_CHOICES>, p: array<Lane, MW_CHOICES> }

/// The distribution that the network's outputs for Lane v describe.
fn mw_dist(v: u32) -> MwDistribution {
    var z: array<Lane, MW_CHOICES>;
    @unroll for a in 0..MW_CHOICES { z[a] = mw_masked(mw_output[a * MW_VECTORS + v], a, v); }
    return mw_softmax(z);
}

/// The distribution that has these logits.
fn mw_softmax(z: array<Lane, MW_CHOICES>) -> MwDistribution {
    var dist: MwDistribution;
    dist.z = z;
    @unroll for h in 0..MW_HEADS {
        var top = z[MW_HEAD_START[h]];
        @unroll for a in MW_HEAD_START[h]..MW_HEAD_START[h + 1] { top = max(top, z[a]); }
        var total = Lane(0.0);
        @unroll for a in MW_HEAD_START[h]..MW_HEAD_START[h + 1] { total += mw_lane_exp(z[a] - top); }
        let shift = top + mw_lane_log(total);
        @unroll for a in MW_HEAD_START[h]..MW_HEAD_START[h + 1] {
            dist.log_p[a] = z[a] - shift;
            dist.p[a] = mw_lane_exp(z[a] - top) / total;
        }
    }
    return dist;
}

/// Inverse of the cumulative distributions at uniforms in (0, 1).
fn mw_dist_sample(dist: MwDistribution, uniforms: array<Lane, MW_UNIFORMS>) -> LaneAction {
    var action: LaneAction;
    @unroll for h in 0..MW_HEADS {
        var cumulative = Lane(0.0);
        @unroll for a in MW_HEAD_START[h] + 1..MW_HEAD_START[h + 1] {
            cumulative += dist.p[a - 1u];
            // rounding must not bring up a masked action behind the last allowed one
            let allowed = dist.log_p[a] > Lane(0.5 * MW_MASKED_LOGIT);
            action[h] = select(action[h], LaneWord(a - MW_HEAD_START[h]), (uniforms[h] > cumulative) & allowed);
        }
    }
    return action;
}

/// The most likely action; the first of equals.
fn mw_dist_mode(dist: MwDistribution) -> LaneAction {
    var action: LaneAction;
    @unroll for h in 0..MW_HEADS {
        var best = dist.z[MW_HEAD_START[h]];
        @unroll for a in MW_HEAD_START[h] + 1..MW_HEAD_START[h + 1] {
            action[h] = select(action[h], LaneWord(a - MW_HEAD_START[h]), dist.z[a] > best);
            best = max(best, dist.z[a]);
        }
    }
    return action;
}

fn mw_dist_log_prob(dist: MwDistribution, action: LaneAction) -> Lane {
    var log_prob = Lane(0.0);
    @unroll for h in 0..MW_HEADS {
        var its = Lane(0.0);
        @unroll for a in MW_HEAD_START[h]..MW_HEAD_START[h + 1] {
            its = select(its, dist.log_p[a], action[h] == LaneWord(a - MW_HEAD_START[h]));
        }
        log_prob += its;
    }
    return log_prob;
}

/// Entropy of choice h.
fn mw_dist_entropy_of(dist: MwDistribution, h: u32) -> Lane {
    var entropy = Lane(0.0);
    @unroll for a in 0..MW_CHOICES {
        if a >= MW_HEAD_START[h] && a < MW_HEAD_START[h + 1u] { entropy = fma(-dist.p[a], dist.log_p[a], entropy); }
    }
    return entropy;
}

fn mw_dist_entropy(dist: MwDistribution, action: LaneAction) -> Lane {
    var entropy = Lane(0.0);
    @unroll for h in 0..MW_HEADS { entropy += mw_dist_entropy_of(dist, h); }
    return entropy;
}

/// d_log_prob · ∂ log p(action)/∂z + d_entropy · ∂H/∂z
fn mw_dist_backward(dist: MwDistribution, action: LaneAction, d_log_prob: Lane, d_entropy: Lane) -> array<Lane, MW_OUTPUTS> {
    var slope: array<Lane, MW_OUTPUTS>;
    @unroll for h in 0..MW_HEADS {
        let entropy = mw_dist_entropy_of(dist, h);
        @unroll for b in MW_HEAD_START[h]..MW_HEAD_START[h + 1] {
            let taken = select(Lane(0.0), Lane(1.0), action[h] == LaneWord(b - MW_HEAD_START[h]));
            slope[b] = d_log_prob * (taken - dist.p[b]) + d_entropy * (-dist.p[b] * (dist.log_p[b] + entropy));
        }
    }
    return slope;
}

/// What a rollout keeps of the distribution: log p.
fn mw_dist_kept(dist: MwDistribution) -> array<Lane, MW_KEPT> { return dist.log_p; }

/// KL(old ‖ new) = Σ p_old (log p_old − log p), summed over the choices.
fn mw_dist_kl(old: array<Lane, MW_KEPT>, dist: MwDistribution) -> Lane {
    var kl = Lane(0.0);
    @unroll for a in 0..MW_CHOICES { kl = fma(mw_lane_exp(old[a]), old[a] - dist.log_p[a], kl); }
    return kl;
}

/// ∂KL/∂z_b = p_b − p_old,b
fn mw_dist_kl_backward(old: array<Lane, MW_KEPT>, dist: MwDistribution) -> array<Lane, MW_OUTPUTS> {
    var slope: array<Lane, MW_OUTPUTS>;
    @unroll for b in 0..MW_CHOICES { slope[b] = dist.p[b] - mw_lane_exp(old[b]); }
    return slope;
}

/// M times a tangent of the outputs; M = diag(p) − ppᵀ, choice by choice.
fn mw_dist_metric(dist: MwDistribution, tangent: array<Lane, MW_OUTPUTS>) -> array<Lane, MW_OUTPUTS> {
    var image: array<Lane, MW_OUTPUTS>;
    @unroll for h in 0..MW_HEADS {
        var mean = Lane(0.0);
        @unroll for a in MW_HEAD_START[h]..MW_HEAD_START[h + 1] { mean = fma(dist.p[a], tangent[a], mean); }
        @unroll for b in MW_HEAD_START[h]..MW_HEAD_START[h + 1] { image[b] = dist.p[b] * (tangent[b] - mean); }
    }
    return image;
}
