//! Gaussian numbers squashed into bounds: `a = low + (high − low)(tanh u + 1)/2` with `u ~ N(mean, std²)`.
//!
//! ```text
//!   log |da/du| = log((high − low)/2) + log(1 − tanh² u)      log(1 − tanh² u) = 2 (log 2 − u − softplus(−2u))
//!   log π(a)    = log N(u) − Σ log |da/du|
//!   H(π)        = H(N) + E Σ log |da/du|                      no closed form
//! ```
//!
//! For a fixed u the correction does not depend on the parameters: `d log π = d log N`. The entropy is estimated at
//! the sample, and its gradient is taken along the sample's path, `u = mean + std z` with z held:
//!
//! ```text
//!   d H / d mean    = −2 tanh u
//!   d H / d log_std = 1 − 2 tanh u (u − mean)
//! ```
//!
//! `−d log π(a)` with u held would be no use: its mean over samples of the policy itself is 0. The KL divergence of two
//! such policies is that of the Gaussians.

use super::gaussian;

/// The action of one number.
pub fn action(u: f64, low: f64, high: f64) -> f64 {
    low + 0.5 * (high - low) * (u.tanh() + 1.0)
}

/// `Σ log |da/du|` of an action, with bounds `(low, high)` for each number.
pub fn log_stretch(u: &[f64], bounds: &[(f64, f64)]) -> f64 {
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    let term =
        |(u, (low, high)): (&f64, &(f64, f64))| (0.5 * (high - low)).ln() + 2.0 * (2f64.ln() - u - softplus(-2.0 * u));
    u.iter().zip(bounds).map(term).sum()
}

/// `log π(a)` of the action that `u` is squashed to, nats.
pub fn log_prob(mean: &[f64], log_std: &[f64], u: &[f64], bounds: &[(f64, f64)]) -> f64 {
    gaussian::log_prob(mean, log_std, u) - log_stretch(u, bounds)
}

/// Estimate of the entropy at a sample, nats.
pub fn entropy(log_std: &[f64], u: &[f64], bounds: &[(f64, f64)]) -> f64 {
    gaussian::entropy(log_std) + log_stretch(u, bounds)
}

/// Gradient of that estimate along the sample's path: `d / d mean`, then `/ d log_std`, `[n]` each.
pub fn d_entropy(mean: &[f64], u: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let d_mean = u.iter().map(|u| -2.0 * u.tanh()).collect();
    (d_mean, u.iter().zip(mean).map(|(u, mean)| 1.0 - 2.0 * u.tanh() * (u - mean)).collect())
}
