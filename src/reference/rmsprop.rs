//! RMSprop as `PyTorch` has it. Tieleman & Hinton (2012).
//!
//! ```text
//!   v ← α v + (1 − α) g²     θ ← θ − lr g / (√v + ε)
//! ```

/// The mean square of a vector of gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct RmsProp {
    /// α, in [0, 1).
    pub alpha: f64,
    /// ε, above 0.
    pub eps: f64,
    square: Vec<f64>,
}

impl RmsProp {
    /// For `count` parameters; the mean square begins at 0.
    pub fn new(count: usize, alpha: f64, eps: f64) -> Self {
        Self { alpha, eps, square: vec![0.0; count] }
    }

    /// One step on `parameters`.
    pub fn step(&mut self, parameters: &mut [f64], gradient: &[f64], learning_rate: f64) {
        assert_eq!(parameters.len(), self.square.len(), "length of parameters");
        assert_eq!(gradient.len(), self.square.len(), "length of gradient");
        for ((theta, g), v) in parameters.iter_mut().zip(gradient).zip(&mut self.square) {
            *v = self.alpha * *v + (1.0 - self.alpha) * g * g;
            *theta -= learning_rate * g / (v.sqrt() + self.eps);
        }
    }
}
