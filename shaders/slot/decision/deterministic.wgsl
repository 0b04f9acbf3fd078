//! Slot `decision`: what an actor's outputs and noise make of an action, and the way back. Deterministic: real numbers,
//! squashed into their bounds; the noise has no part in it.
//!
//!   a = (low + high)/2 + (high − low)/2 · tanh(output)      log π = 0
//!   ∂a/∂output = (high − low)/2 · (1 − tanh²)
//!
//! Reference: src/reference/off_policy.rs.

struct MwDecision { action: array<Lane, MW_ACTS>, log_prob: Lane }

fn mw_decide(output: array<Lane, MW_DECISIONS>, noise: array<Lane, MW_NOISES>) -> MwDecision {
    var decision: MwDecision;
    @unroll for i in 0..MW_ACTS {
        decision.action[i] = fma(Lane(MW_HALVES[i]), mw_lane_tanh(output[i]), Lane(MW_CENTRES[i]));
    }
    return decision;
}

/// ∂loss/∂outputs, from ∂loss/∂a and ∂loss/∂log π.
fn mw_d_decide(output: array<Lane, MW_DECISIONS>, noise: array<Lane, MW_NOISES>, d_action: array<Lane, MW_ACTS>,
               d_log_prob: Lane, temperature: f32) -> array<Lane, MW_DECISIONS> {
    var d_output: array<Lane, MW_DECISIONS>;
    @unroll for i in 0..MW_ACTS {
        let t = mw_lane_tanh(output[i]);
        d_output[i] = d_action[i] * MW_HALVES[i] * (Lane(1.0) - t * t);
    }
    return d_output;
}
