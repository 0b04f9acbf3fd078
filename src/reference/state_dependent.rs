//! State-dependent exploration (Rückstieß, Felder & Schmidhuber 2008; Raffin, Kober & Stulp 2022): the noise of an action
//! is a random matrix times features of the state, `[feature][number]` like the logarithms of its deviations.
//!
//! ```text
//!   a_i = μ_i + Σ_k x_k σ_ki n_ki       n_ki ~ N(0, 1)
//!   s_i² = Σ_k x_k² σ_ki²               a_i ~ N(μ_i, s_i²), given x
//!   d log s_i / d log σ_ki = x_k² σ_ki² / s_i²
//! ```
//!
//! Densities, entropies and divergences are those of [`super::gaussian`] with `log s`.

/// `log s`, `[number]`, from features and `log_sigma[feature · numbers + number]`.
pub fn log_std(features: &[f64], log_sigma: &[f64]) -> Vec<f64> {
    let numbers = log_sigma.len() / features.len();
    let variance = |i: usize| -> f64 {
        features.iter().enumerate().map(|(k, x)| (x * log_sigma[k * numbers + i].exp()).powi(2)).sum()
    };
    (0..numbers).map(|i| 0.5 * variance(i).ln()).collect()
}

/// Of a slope by `log s`, `[number]`, that by `log_sigma`.
pub fn d_log_sigma(features: &[f64], log_sigma: &[f64], d_log_std: &[f64]) -> Vec<f64> {
    let (numbers, log_std) = (d_log_std.len(), log_std(features, log_sigma));
    let slope = |o: usize| {
        let share = (features[o / numbers] * (log_sigma[o] - log_std[o % numbers]).exp()).powi(2);
        d_log_std[o % numbers] * share
    };
    (0..log_sigma.len()).map(slope).collect()
}

/// The action under a matrix of standard normal numbers.
pub fn action(mean: &[f64], features: &[f64], log_sigma: &[f64], normals: &[f64]) -> Vec<f64> {
    let noise = |i: usize| -> f64 {
        let term = |(k, x): (usize, &f64)| {
            let o = k * mean.len() + i;
            x * log_sigma[o].exp() * normals[o]
        };
        features.iter().enumerate().map(term).sum()
    };
    (0..mean.len()).map(|i| mean[i] + noise(i)).collect()
}
