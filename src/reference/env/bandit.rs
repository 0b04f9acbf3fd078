//! Bandit: ten arms, one step. Sutton & Barto (2018), section 2.3, with means that are fixed.
//!
//! ```text
//!   r = mean of arm a + noise · N(0, 1), the end after every step
//! ```
//!
//! State and observation: (1). The value of a policy is Σ π(a) mean_a.

use super::Step;

/// Mean reward of each arm, `mean_0` to `mean_9`.
pub const MEANS: [f64; 10] = [0.04, 0.46, -0.46, 0.35, 0.93, 0.41, 1.56, -0.89, 0.07, -0.71];
/// Standard deviation of a reward.
pub const NOISE: f64 = 1.0;

/// One step from `state` with an arm from 0 to 9; two draws.
pub fn step(state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    let radius = (-2.0 * random().ln()).sqrt();
    let normal = radius * (2.0 * std::f64::consts::PI * random()).cos();
    Step { state: state.to_vec(), reward: MEANS[action[0] as usize] + NOISE * normal, terminated: true }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The only state there is; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![1.0]
}
