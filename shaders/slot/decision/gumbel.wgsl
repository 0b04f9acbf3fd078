//! Slot `decision`: what an actor's outputs and noise make of an action, and the way back. Straight-through Gumbel-softmax
//! (Jang, Gu & Poole 2017): outputs are logits, critics see the choice as a one-hot vector.
//!
//!   forward    a = one-hot of argmax(logits + g)          backward    a = softmax((logits + g)/T)
//!   log π stands for its mean over choices, which is exact and as smooth as the logits: Σ p log p, p = softmax(logits)
//!   ∂a_j/∂logit_k = a_j (δ_jk − a_k)/T of the soft a       ∂Σ p log p/∂logit_k = p_k (log p_k − Σ p log p)
//!
//! Reference: src/reference/off_policy.rs.

struct MwDecision { action: array<Lane, MW_ACTS>, log_prob: Lane }

/// Logarithms of softmax(logits).
fn mw_log_softmax(logits: array<Lane, MW_DECISIONS>) -> array<Lane, MW_DECISIONS> {
    var highest = logits[0];
    @unroll for k in 1..MW_DECISIONS { highest = max(highest, logits[k]); }
    var sum = Lane(0.0);
    @unroll for k in 0..MW_DECISIONS { sum += mw_lane_exp(logits[k] - highest); }
    let log_sum = highest + mw_lane_log(sum);
    var log_p: array<Lane, MW_DECISIONS>;
    @unroll for k in 0..MW_DECISIONS { log_p[k] = logits[k] - log_sum; }
    return log_p;
}

fn mw_decide(output: array<Lane, MW_DECISIONS>, noise: array<Lane, MW_NOISES>) -> MwDecision {
    var best = output[0] + noise[0];
    @unroll for k in 1..MW_DECISIONS { best = max(best, output[k] + noise[k]); }
    var decision: MwDecision;
    var free = Lane(1.0);   // of equals the first is chosen
    @unroll for k in 0..MW_DECISIONS {
        decision.action[k] = select(Lane(0.0), free, output[k] + noise[k] == best);
        free -= decision.action[k];
    }
    let log_p = mw_log_softmax(output);
    @unroll for k in 0..MW_DECISIONS { decision.log_prob += mw_lane_exp(log_p[k]) * log_p[k]; }
    return decision;
}

/// ∂loss/∂outputs, from ∂loss/∂a and ∂loss/∂log π.
fn mw_d_decide(output: array<Lane, MW_DECISIONS>, noise: array<Lane, MW_NOISES>, d_action: array<Lane, MW_ACTS>,
               d_log_prob: Lane, temperature: f32) -> array<Lane, MW_DECISIONS> {
    var shifted: array<Lane, MW_DECISIONS>;
    @unroll for k in 0..MW_DECISIONS { shifted[k] = (output[k] + noise[k]) / temperature; }
    let log_soft = mw_log_softmax(shifted);
    let log_p = mw_log_softmax(output);
    var mean_slope = Lane(0.0);
    var mean_log = Lane(0.0);
    @unroll for k in 0..MW_DECISIONS {
        mean_slope = fma(mw_lane_exp(log_soft[k]), d_action[k], mean_slope);
        mean_log = fma(mw_lane_exp(log_p[k]), log_p[k], mean_log);
    }
    var d_output: array<Lane, MW_DECISIONS>;
    @unroll for k in 0..MW_DECISIONS {
        d_output[k] = mw_lane_exp(log_soft[k]) * (d_action[k] - mean_slope) / temperature
            + d_log_prob * mw_lane_exp(log_p[k]) * (log_p[k] - mean_log);
    }
    return d_output;
}
