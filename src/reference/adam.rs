//! Adam, and clipping by the global norm. Kingma & Ba (2015); `PyTorch`'s `Adam` and `clip_grad_norm_`.
//!
//! ```text
//!   g ← g · min(1, max_norm / (|g| + 1e-6))                       before the step, where asked for
//!   m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²           t ← t + 1
//!   p ← p − rate · m̂ / (√v̂ + ε),     m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
//! ```

/// Added to the norm before dividing by it, as in `clip_grad_norm_`.
pub const NORM_EPSILON: f64 = 1e-6;

/// The optimiser's constants and state.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    /// Decay β₁ of the mean.
    pub beta1: f64,
    /// Decay β₂ of the mean square.
    pub beta2: f64,
    /// ε, outside the root and after bias correction.
    pub epsilon: f64,
    /// Decayed mean of the gradient, `[parameter]`.
    pub m: Vec<f64>,
    /// Decayed mean square of the gradient, `[parameter]`.
    pub v: Vec<f64>,
    /// Steps taken, t.
    pub step: u32,
}

impl Adam {
    /// A fresh optimiser for so many parameters, with β₁ = 0.9, β₂ = 0.999 (Kingma & Ba) and the given ε.
    pub fn new(parameters: usize, epsilon: f64) -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon, m: vec![0.0; parameters], v: vec![0.0; parameters], step: 0 }
    }

    /// One step down `gradient`; both slices are `[parameter]`.
    pub fn step(&mut self, params: &mut [f64], gradient: &[f64], learning_rate: f64) {
        assert_eq!(params.len(), self.m.len(), "number of parameters");
        assert_eq!(gradient.len(), self.m.len(), "length of the gradient");
        self.step += 1;
        let t = f64::from(self.step);
        let mean_correction = 1.0 - self.beta1.powf(t);
        let square_correction = 1.0 - self.beta2.powf(t);
        for (i, g) in gradient.iter().enumerate() {
            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g;
            self.v[i] = self.beta2 * self.v[i] + (1.0 - self.beta2) * g * g;
            let m_hat = self.m[i] / mean_correction;
            let v_hat = self.v[i] / square_correction;
            params[i] -= learning_rate * m_hat / (v_hat.sqrt() + self.epsilon);
        }
    }
}

/// Scales `gradient` to a norm of at most `max_norm`; returns the Euclidean norm before that.
pub fn clip_by_global_norm(gradient: &mut [f64], max_norm: f64) -> f64 {
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let scale = (max_norm / (norm + NORM_EPSILON)).min(1.0);
    for g in gradient {
        *g *= scale;
    }
    norm
}
