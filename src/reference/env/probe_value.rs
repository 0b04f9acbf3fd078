//! ProbeValue: one action, one step, reward 1. Jones (2021), probe 1: V(0) = 1.
//!
//! ```text
//!   r = 1, the end after every step
//! ```
//!
//! State and observation: (0).

use super::Step;

/// One step from `state`; the only action is 0. Draws nothing.
pub fn step(state: &[f64], _action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: state.to_vec(), reward: 1.0, terminated: true }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The only state there is; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0]
}
