//! ProbePolicy: two actions, one step, the reward is the action's sign. Jones (2021), probe 4: π(1) → 1, V(0) → 1.
//!
//! ```text
//!   r = 2 a − 1, the end after every step
//! ```
//!
//! State and observation: (0).

use super::Step;

/// One step from `state` with action 0 or 1; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: state.to_vec(), reward: 2.0 * action[0] - 1.0, terminated: true }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The only state there is; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0]
}
