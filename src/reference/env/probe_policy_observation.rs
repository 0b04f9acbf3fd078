//! ProbePolicyObservation: two actions, one step, the reward is the action's sign times the observation.
//! Jones (2021), probe 5: π(1 | +1) → 1, π(0 | −1) → 1, V → 1 for both.
//!
//! ```text
//!   o = ±1 with even odds, r = (2 a − 1) o, the end after every step
//! ```
//!
//! State and observation: (o).

use super::Step;

/// One step from `state` with action 0 or 1; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: state.to_vec(), reward: (2.0 * action[0] - 1.0) * state[0], terminated: true }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// +1 below ½, −1 from there on; one draw.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![if random() < 0.5 { 1.0 } else { -1.0 }]
}
