//! ProbeReset: one action; the first observation carries a marker m: V(1, k) = 1, V(0, k) = 0.
//!
//! ```text
//!   m = 1 in the first step, then 0          k = ±1 with even odds, for the whole episode
//!   r = m                                    k = −1: the end after the second step; k = 1: no end
//! ```
//!
//! State and observation: (m, k). Deliberately absent: truncation after 3 steps, which is the rollout's.

use super::Step;

/// One step from `state`; the only action is 0. Draws nothing.
pub fn step(state: &[f64], _action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    let (marker, kind) = (state[0], state[1]);
    Step { state: vec![0.0, kind], reward: marker, terminated: marker < 0.5 && kind < 0.0 }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The marker, and kind +1 below ½, −1 from there on; one draw.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![1.0, if random() < 0.5 { 1.0 } else { -1.0 }]
}
