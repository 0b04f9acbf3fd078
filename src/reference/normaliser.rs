//! Running moments, and what is normalised by them.
//!
//! ```text
//!   join:    n = n₁ + n₂   mean = mean₁ + (mean₂ − mean₁) n₂/n   M2 = M2₁ + M2₂ + (mean₂ − mean₁)² n₁ n₂/n
//!   x'     = clamp((x − mean)/√(M2/n + 1e-8), ±10)        observations
//!   r'     = clamp(r/√(M2/n + 1e-8), ±10)                 rewards; the moments are those of R
//!   R_t    = γ (1 − ended_{t−1}) R_{t−1} + r_t
//! ```

/// Number, mean and sum of squared deviations of all that was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Running {
    /// How many.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// Σ (x − mean)².
    pub m2: f64,
}

impl Running {
    /// The same with more samples.
    #[must_use]
    pub fn with(self, samples: &[f64]) -> Self {
        let n = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / n;
        let m2 = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let (count, apart) = (self.count + n, mean - self.mean);
        Self { count, mean: self.mean + apart * n / count, m2: self.m2 + m2 + apart * apart * self.count * n / count }
    }

    /// 1/deviation; 1 where nothing was seen yet.
    pub fn scale(&self) -> f64 {
        if self.count == 0.0 { 1.0 } else { 1.0 / (self.m2 / self.count + 1e-8).sqrt() }
    }

    /// An observation as networks see it.
    pub fn observation(&self, x: f64) -> f64 {
        ((x - self.mean) * self.scale()).clamp(-10.0, 10.0)
    }

    /// A reward as advantages see it.
    pub fn reward(&self, r: f64) -> f64 {
        (r * self.scale()).clamp(-10.0, 10.0)
    }
}

/// R_t of one world, `[step]`, and what it begins the next rollout with.
pub fn discounted(rewards: &[f64], ended: &[bool], gamma: f64, before: f64) -> (Vec<f64>, f64) {
    let mut sum = before;
    let mut all = Vec::with_capacity(rewards.len());
    for (reward, ended) in rewards.iter().zip(ended) {
        sum += reward;
        all.push(sum);
        sum = if *ended { 0.0 } else { gamma * sum };
    }
    (all, sum)
}
