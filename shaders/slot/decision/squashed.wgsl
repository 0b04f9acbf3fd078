//! Slot `decision`: what an actor's outputs and noise make of an action, and the way back. Squashed Gaussian (Haarnoja et
//! al. 2018): outputs are means, then logarithms of deviations, held to MW_LOG_STD_MIN … MW_LOG_STD_MAX.
//!
//!   log s = clamp(raw)      u = μ + s n      t = tanh u      a = (low + high)/2 + (high − low)/2 · t
//!   log π = Σ −½ n² − log s − ½ log 2π − log(1 − t²)        of t, so that units do not matter
//!
//! With n held: ∂ log π/∂u = 2 t, ∂a/∂u = (high − low)/2 (1 − t²), ∂u/∂μ = 1, ∂u/∂ log s = s n, and log π has −1 more by
//! log s; nothing reaches raw outputs past the clamp. Reference: src/reference/off_policy.rs.

struct MwDecision { action: array<Lane, MW_ACTS>, log_prob: Lane }

/// log s of number i.
fn mw_log_deviation(output: array<Lane, MW_DECISIONS>, i: u32) -> Lane {
    return clamp(output[MW_ACTS + i], Lane(MW_LOG_STD_MIN), Lane(MW_LOG_STD_MAX));
}

fn mw_decide(output: array<Lane, MW_DECISIONS>, noise: array<Lane, MW_NOISES>) -> MwDecision {
    var decision: MwDecision;
    @unroll for i in 0..MW_ACTS {
        let log_std = mw_log_deviation(output, i);
        let u = fma(mw_lane_exp(log_std), noise[i], output[i]);
        decision.action[i] = fma(Lane(MW_HALVES[i]), mw_lane_tanh(u), Lane(MW_CENTRES[i]));
        decision.log_prob += fma(-0.5 * noise[i], noise[i], -log_std - Lane(0.9189385332) - mw_log_tanh_slope(u));
    }
    return decision;
}

/// ∂loss/∂outputs, from ∂loss/∂a and ∂loss/∂log π.
fn mw_d_decide(output: array<Lane, MW_DECISIONS>, noise: array<Lane, MW_NOISES>, d_action: array<Lane, MW_ACTS>,
               d_log_prob: Lane, temperature: f32) -> array<Lane, MW_DECISIONS> {
    var d_output: array<Lane, MW_DECISIONS>;
    @unroll for i in 0..MW_ACTS {
        let raw = output[MW_ACTS + i];
        let spread = mw_lane_exp(mw_log_deviation(output, i)) * noise[i];
        let t = mw_lane_tanh(output[i] + spread);
        let d_u = fma(d_action[i] * MW_HALVES[i], Lane(1.0) - t * t, 2.0 * d_log_prob * t);
        d_output[i] = d_u;
        let inside = (raw >= Lane(MW_LOG_STD_MIN)) & (raw <= Lane(MW_LOG_STD_MAX));
        d_output[MW_ACTS + i] = select(Lane(0.0), fma(d_u, spread, -d_log_prob), inside);
    }
    return d_output;
}
