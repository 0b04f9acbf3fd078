//! The categorical distribution over actions `0..K`, from unnormalised `logits[K]`.
//!
//! ```text
//!   log p_i = z_i − log Σ_k exp z_k                   (shifted by max z)
//!   H       = −Σ p_i log p_i
//!   d log p_a / d z_i = [i = a] − p_i
//!   d H / d z_i       = −p_i (log p_i + H)
//! ```

/// `log p[K]`, normalised. Exact for any finite logits; nothing overflows.
pub fn log_probs(logits: &[f64]) -> Vec<f64> {
    assert!(!logits.is_empty(), "a distribution over no actions");
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - top).exp()).sum();
    let shift = top + sum.ln();
    logits.iter().map(|z| z - shift).collect()
}

/// `p[K]`: softmax of the logits.
pub fn probs(logits: &[f64]) -> Vec<f64> {
    log_probs(logits).into_iter().map(f64::exp).collect()
}

/// `log p(action)`, nats.
pub fn log_prob(logits: &[f64], action: usize) -> f64 {
    log_probs(logits)[action]
}

/// Entropy, nats: between 0 and log K. An action of probability 0 adds 0.
pub fn entropy(logits: &[f64]) -> f64 {
    -log_probs(logits).iter().map(|l| l.exp() * l).sum::<f64>()
}

/// `d log p(action) / d logits`, `[K]`; sums to 0.
pub fn d_log_prob_d_logits(logits: &[f64], action: usize) -> Vec<f64> {
    let mut d: Vec<f64> = probs(logits).into_iter().map(|p| -p).collect();
    d[action] += 1.0;
    d
}

/// `d entropy / d logits`, `[K]`; sums to 0.
pub fn d_entropy_d_logits(logits: &[f64]) -> Vec<f64> {
    let entropy = entropy(logits);
    log_probs(logits).into_iter().map(|l| -l.exp() * (l + entropy)).collect()
}

/// The action by inverse CDF: the first whose cumulative probability exceeds `uniform`, the last
/// action where none does (rounding).
///
/// `uniform` lies in (0, 1), from [`super::philox::uniform`].
pub fn sample(logits: &[f64], uniform: f64) -> usize {
    let probs = probs(logits);
    let mut cumulative = 0.0;
    for (action, p) in probs.iter().enumerate() {
        cumulative += p;
        if cumulative > uniform {
            return action;
        }
    }
    probs.len() - 1
}

/// The most probable action, the first of equals.
pub fn argmax(logits: &[f64]) -> usize {
    let mut best = 0;
    for (action, z) in logits.iter().enumerate() {
        if *z > logits[best] {
            best = action;
        }
    }
    best
}
