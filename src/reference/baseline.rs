//! The policy gradient with the baseline that makes its variance smallest, parameter by parameter. Greensmith et al. (2004).
//!
//! ```text
//!   b_i = Σ ℓ_i² G / Σ ℓ_i²      g_i = mean ℓ_i (G − b_i)      ℓ = ∇ log π(a|o), sums over samples
//! ```
//!
//! Estimated on the samples that it is used on, it is biased by O(1/samples).

/// g, flat like the parameters; `scores` is ℓ `[sample][parameter]`.
pub fn gradient(scores: &[Vec<f64>], returns: &[f64]) -> Vec<f64> {
    let parameter = |i: usize| {
        let squares: f64 = scores.iter().map(|l| l[i] * l[i]).sum();
        let weighted: f64 = scores.iter().zip(returns).map(|(l, g)| l[i] * l[i] * g).sum();
        let baseline = if squares > 0.0 { weighted / squares } else { 0.0 };
        scores.iter().zip(returns).map(|(l, g)| l[i] * (g - baseline)).sum::<f64>() / returns.len() as f64
    };
    (0..scores.first().map_or(0, Vec::len)).map(parameter).collect()
}
