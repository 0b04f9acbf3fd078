//! ProbeBackward: one action, one step, the reward is the observation. Jones (2021), probe 2: V(o) = o.
//!
//! ```text
//!   o = ±1 with even odds, r = o, the end after every step
//! ```
//!
//! State and observation: (o).

use super::Step;

/// One step from `state`; the only action is 0. Draws nothing.
pub fn step(state: &[f64], _action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    Step { state: state.to_vec(), reward: state[0], terminated: true }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// +1 below ½, −1 from there on; one draw.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![if random() < 0.5 { 1.0 } else { -1.0 }]
}
