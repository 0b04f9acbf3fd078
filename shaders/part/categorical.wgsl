//! Categorical distribution over MW_ACTIONS logits, the outputs of the policy network.
//!
//!   log p_a = z_a − max z − log Σ_b exp(z_b − max z)       H = −Σ p log p
//!   ∂ log p_a / ∂z_b = 1{a = b} − p_b                      ∂H / ∂z_b = −p_b (log p_b + H)
//!
//! Reference: src/reference/categorical.rs.

alias LaneAction = LaneWord;

struct MwDistribution { log_p: array<Lane, MW_ACTIONS>, p: array<Lane, MW_ACTIONS> }

/// The distribution that the network's outputs for Lane v describe.
fn mw_dist(v: u32) -> MwDistribution {
    var z: array<Lane, MW_ACTIONS>;
    @unroll for a in 0..MW_ACTIONS { z[a] = mw_output[a * MW_VECTORS + v]; }
    var top = z[0];
    @unroll for a in 1..MW_ACTIONS { top = max(top, z[a]); }
    var total = Lane(0.0);
    @unroll for a in 0..MW_ACTIONS { total += mw_lane_exp(z[a] - top); }
    let shift = top + mw_lane_log(total);
    var dist: MwDistribution;
    @unroll for a in 0..MW_ACTIONS {
        dist.log_p[a] = z[a] - shift;
        dist.p[a] = mw_lane_exp(z[a] - top) / total;
    }
    return dist;
}

/// Inverse of the cumulative distribution at u in (0, 1).
fn mw_dist_sample(dist: MwDistribution, u: Lane) -> LaneAction {
    var action = LaneWord(0u);
    var cumulative = Lane(0.0);
    @unroll for a in 1..MW_ACTIONS {
        cumulative += dist.p[a - 1u];
        action = select(action, LaneWord(a), u > cumulative);
    }
    return action;
}

/// The most likely action; the first of equals.
fn mw_dist_mode(dist: MwDistribution) -> LaneAction {
    var action = LaneWord(0u);
    var best = dist.log_p[0];
    @unroll for a in 1..MW_ACTIONS {
        action = select(action, LaneWord(a), dist.log_p[a] > best);
        best = max(best, dist.log_p[a]);
    }
    return action;
}

fn mw_dist_log_prob(dist: MwDistribution, action: LaneAction) -> Lane {
    var log_prob = Lane(0.0);
    @unroll for a in 0..MW_ACTIONS { log_prob = select(log_prob, dist.log_p[a], action == LaneWord(a)); }
    return log_prob;
}

fn mw_dist_entropy(dist: MwDistribution) -> Lane {
    var entropy = Lane(0.0);
    @unroll for a in 0..MW_ACTIONS { entropy = fma(-dist.p[a], dist.log_p[a], entropy); }
    return entropy;
}

/// d_log_prob · ∂ log p(action)/∂z_b + d_entropy · ∂H/∂z_b
fn mw_dist_backward(dist: MwDistribution, action: LaneAction, d_log_prob: Lane, d_entropy: Lane, b: u32) -> Lane {
    let taken = select(Lane(0.0), Lane(1.0), action == LaneWord(b));
    let entropy_slope = -dist.p[b] * (dist.log_p[b] + mw_dist_entropy(dist));
    return d_log_prob * (taken - dist.p[b]) + d_entropy * entropy_slope;
}
