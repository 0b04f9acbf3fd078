//! Slot `pathwise`: an action as a function of the policy's outputs and of noise, and the way back. Straight-through
//! Gumbel-softmax (Jang, Gu & Poole 2017) of one choice, which critics see as a one-hot vector; g is Gumbel noise.
//!
//!   forward    a = one-hot of argmax(logits + g)          backward    a = softmax((logits + g)/T)
//!   log π stands for its mean over choices, which is exact and as smooth as the logits: Σ p log p, p = softmax(logits)
//!   ∂a_j/∂logit_k = a_j (δ_jk − a_k)/T of the soft a       ∂Σ p log p/∂logit_k = p_k (log p_k − Σ p log p)
//!
//! Reference: src/reference/off_policy.rs.

struct MwPathwise { action: array<Lane, MW_ACTS>, log_prob: Lane }

fn mw_pathwise(dist: MwDistribution, noise: array<Lane, MW_NOISE>) -> MwPathwise {
    var best = dist.z[0] + noise[0];
    @unroll for k in 1..MW_ACTS { best = max(best, dist.z[k] + noise[k]); }
    var path: MwPathwise;
    var free = Lane(1.0);   // of equals the first is chosen
    @unroll for k in 0..MW_ACTS {
        path.action[k] = select(Lane(0.0), free, dist.z[k] + noise[k] == best);
        free -= path.action[k];
    }
    path.log_prob = mw_mean_log_p(dist);
    return path;
}

/// ∂loss/∂outputs, from ∂loss/∂a and ∂loss/∂log π.
fn mw_d_pathwise(dist: MwDistribution, noise: array<Lane, MW_NOISE>, d_action: array<Lane, MW_ACTS>, d_log_prob: Lane,
                 temperature: f32) -> array<Lane, MW_OUTPUTS> {
    var shifted: array<Lane, MW_CHOICES>;
    @unroll for k in 0..MW_ACTS { shifted[k] = (dist.z[k] + noise[k]) / temperature; }
    let soft = mw_softmax(shifted);
    var mean_slope = Lane(0.0);
    @unroll for k in 0..MW_ACTS { mean_slope = fma(mw_lane_exp(soft.log_p[k]), d_action[k], mean_slope); }
    let mean_log = mw_mean_log_p(dist);
    var d_output: array<Lane, MW_OUTPUTS>;
    @unroll for k in 0..MW_ACTS {
        d_output[k] = mw_lane_exp(soft.log_p[k]) * (d_action[k] - mean_slope) / temperature
            + d_log_prob * mw_lane_exp(dist.log_p[k]) * (dist.log_p[k] - mean_log);
    }
    return d_output;
}

/// Σ p log p.
fn mw_mean_log_p(dist: MwDistribution) -> Lane {
    var mean = Lane(0.0);
    @unroll for k in 0..MW_ACTS { mean += mw_lane_exp(dist.log_p[k]) * dist.log_p[k]; }
    return mean;
}
