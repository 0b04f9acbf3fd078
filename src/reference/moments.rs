//! Mean and variance of samples, and the normalisation of advantages.
//!
//! ```text
//!   μ = Σ x / n     M2 = Σ (x − μ)²     variance = M2 / n  or, unbiased, M2 / (n − 1)
//!   normalised A = (A − μ) / (√(M2 / (n − 1)) + 1e-8)
//! ```
//!
//! Two passes, no cancellation. `CleanRL` normalises with the unbiased deviation and 1e-8.

/// Added to the standard deviation before dividing by it.
pub const EPSILON: f64 = 1e-8;

/// Count, mean and both variances of a set of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Number of samples n.
    pub count: usize,
    /// Mean; 0 where there are no samples.
    pub mean: f64,
    /// M2 / n, of the population; 0 where there are no samples.
    pub variance: f64,
    /// M2 / (n − 1), unbiased; 0 where there are fewer than two samples.
    pub variance_unbiased: f64,
}

/// The moments of `samples`, in any shape.
pub fn moments(samples: &[f64]) -> Moments {
    let count = samples.len();
    let n = count as f64;
    let mean = samples.iter().sum::<f64>() / n.max(1.0);
    let m2: f64 = samples.iter().map(|x| (x - mean) * (x - mean)).sum();
    Moments { count, mean, variance: m2 / n.max(1.0), variance_unbiased: m2 / (n - 1.0).max(1.0) }
}

/// Advantages with mean 0 and unbiased standard deviation 1, in the order given; a single sample
/// gives 0.
pub fn normalise(advantages: &[f64]) -> Vec<f64> {
    let moments = moments(advantages);
    let deviation = moments.variance_unbiased.sqrt() + EPSILON;
    advantages.iter().map(|a| (a - moments.mean) / deviation).collect()
}
