//! ProbeDelay: two actions, two steps; the first action earns the reward of the second step.
//! π(1 | 0) → 1, V(±1) = ±1, V(0) = γ (2 π(1 | 0) − 1) → γ.
//!
//! ```text
//!   o' = 2 a − 1, r = o, the end after the step with o ≠ 0
//! ```
//!
//! State and observation: (o), 0 in the first step.

use super::Step;

/// One step from `state` with action 0 or 1; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: vec![2.0 * action[0] - 1.0], reward: state[0], terminated: state[0].abs() > 0.5 }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// No action yet; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0]
}
