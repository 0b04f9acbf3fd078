//! Independent normal distributions N(μ_i, σ_i²), from `mean[n]` and `log_std[n]`.
//!
//! ```text
//!   z = (x − μ)/σ
//!   log π              = Σ −½ z² − log σ − ½ log 2π
//!   H                  = Σ log σ + ½ log 2πe
//!   d log π / d μ      = z / σ
//!   d log π / d log σ  = z² − 1
//!   d H / d log σ      = 1
//! ```

use std::f64::consts::PI;

/// `log π(action)`, nats.
pub fn log_prob(mean: &[f64], log_std: &[f64], action: &[f64]) -> f64 {
    let term = |i: usize| {
        let z = (action[i] - mean[i]) / log_std[i].exp();
        -0.5 * z * z - log_std[i] - 0.5 * (2.0 * PI).ln()
    };
    (0..mean.len()).map(term).sum()
}

/// Entropy, nats.
pub fn entropy(log_std: &[f64]) -> f64 {
    log_std.iter().map(|l| l + 0.5 * (1.0 + (2.0 * PI).ln())).sum()
}

/// `d log π(action) / d mean`, then `/ d log_std`, `[n]` each.
pub fn d_log_prob(mean: &[f64], log_std: &[f64], action: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let z: Vec<f64> = (0..mean.len()).map(|i| (action[i] - mean[i]) / log_std[i].exp()).collect();
    (z.iter().zip(log_std).map(|(z, l)| z / l.exp()).collect(), z.iter().map(|z| z * z - 1.0).collect())
}

/// The action that two uniforms in (0, 1) for each pair of numbers give (Box & Muller 1958): cosine first, then sine.
pub fn sample(mean: &[f64], log_std: &[f64], uniforms: &[f64]) -> Vec<f64> {
    let normal = |i: usize| {
        let (radius, angle) = ((-2.0 * uniforms[i / 2 * 2].ln()).sqrt(), 2.0 * PI * uniforms[i / 2 * 2 + 1]);
        radius * if i.is_multiple_of(2) { angle.cos() } else { angle.sin() }
    };
    (0..mean.len()).map(|i| mean[i] + log_std[i].exp() * normal(i)).collect()
}

/// `KL(old ‖ new) = Σ log σ − log σ_old + ½ (σ_old² + (μ_old − μ)²)/σ² − ½`, nats; both as `(mean, log_std)`.
pub fn kl(old: (&[f64], &[f64]), new: (&[f64], &[f64])) -> f64 {
    let term = |i: usize| {
        let spread = (old.1[i].exp().powi(2) + (old.0[i] - new.0[i]).powi(2)) / new.1[i].exp().powi(2);
        new.1[i] - old.1[i] + 0.5 * spread - 0.5
    };
    (0..old.0.len()).map(term).sum()
}

/// `d KL(old ‖ new) / d mean` of the new one, then `/ d log_std`, `[n]` each.
pub fn d_kl(old: (&[f64], &[f64]), new: (&[f64], &[f64])) -> (Vec<f64>, Vec<f64>) {
    let variance = |i: usize| new.1[i].exp().powi(2);
    let spread = |i: usize| (old.1[i].exp().powi(2) + (old.0[i] - new.0[i]).powi(2)) / variance(i);
    let count = old.0.len();
    ((0..count).map(|i| (new.0[i] - old.0[i]) / variance(i)).collect(), (0..count).map(|i| 1.0 - spread(i)).collect())
}
