//! ProbeDiscount: one action, two steps, the reward in the second. Jones (2021), probe 3: V(0) = γ, V(1) = 1.
//!
//! ```text
//!   o = 0 and then 1, r = o, the end after the step with o = 1
//! ```
//!
//! State and observation: (o).

use super::Step;

/// One step from `state`; the only action is 0. Draws nothing.
pub fn step(state: &[f64], _action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: vec![1.0], reward: state[0], terminated: state[0] > 0.5 }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The first of the two steps; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0]
}
