//! ProbeTruncation: one action, reward 1 for ever: V(1) = 1 / (1 − γ), if truncated steps are bootstrapped.
//!
//! ```text
//!   r = 1, no end
//! ```
//!
//! State and observation: (1). Deliberately absent: truncation after 5 steps, which is the rollout's.

use super::Step;

/// One step from `state`; the only action is 0. Draws nothing.
pub fn step(state: &[f64], _action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: state.to_vec(), reward: 1.0, terminated: false }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The only state there is; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![1.0]
}
