//! Importance weights of trajectories that another policy has drawn. Precup, Sutton & Singh (2000).
//!
//! ```text
//!   ρ_t = π(a_t|o_t) / π_b(a_t|o_t)      within a segment, which begins with an episode or with the first step:
//!   first-order  w_t = ρ_t
//!   causal       w_t = ρ_first … ρ_t
//!   full         w_t = ρ_first … ρ_last
//!   per-decision Φ_t = Σ_{k≥t} γ^{k−t} (ρ_first … ρ_k) r_k
//! ```

/// (first-order, causal, full) weights, each `[steps][worlds]`, of log ρ `[steps][worlds]`.
pub fn weights(log_ratio: &[f64], ended: &[bool], worlds: usize) -> [Vec<f64>; 3] {
    let mut causal = log_ratio.to_vec();
    for at in worlds..causal.len() {
        if !ended[at - worlds] {
            causal[at] += causal[at - worlds];
        }
    }
    let mut full = causal.clone();
    for at in (0..full.len().saturating_sub(worlds)).rev() {
        if !ended[at] {
            full[at] = full[at + worlds];
        }
    }
    [log_ratio.to_vec(), causal, full].map(|logs| logs.iter().map(|x| x.exp()).collect())
}

/// Φ of per-decision weights, `[steps][worlds]`; `causal` as from [`weights`].
pub fn per_decision(causal: &[f64], reward: &[f64], ended: &[bool], worlds: usize, gamma: f64) -> Vec<f64> {
    let mut sums: Vec<f64> = causal.iter().zip(reward).map(|(w, r)| w * r).collect();
    for at in (0..sums.len().saturating_sub(worlds)).rev() {
        if !ended[at] {
            sums[at] += gamma * sums[at + worlds];
        }
    }
    sums
}

/// (Σw)²/Σw².
pub fn effective_samples(weights: &[f64]) -> f64 {
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    sum * sum / squares
}
