//! SimpleRegulator: drive one number to zero under noise. Kochenderfer, Wheeler & Wray (2022), appendix F.5.
//!
//! ```text
//!   s' = clamp(s + a + N(0, 0.1²), ±10)
//!   r  = −s²                                  of the state before the action
//!   s₀ ~ N(0.3, 0.1²)
//! ```
//!
//! State and observation: (s). It never terminates. Deliberately absent: truncation after 10 steps, which is the
//! rollout's.

use super::{Step, normal};

/// Lowest action: so low that it never clips. `step` does not clip at all.
pub const ACTION_LOW: f64 = -1e9;
/// Highest action, likewise.
pub const ACTION_HIGH: f64 = 1e9;
/// Mean of the first state.
pub const INITIAL_MEAN: f64 = 0.3;
/// Standard deviation of the first state.
pub const INITIAL_DEVIATION: f64 = 0.1;
/// Standard deviation of the noise of a step.
pub const NOISE: f64 = 0.1;
/// |s| is held to this.
pub const LIMIT: f64 = 10.0;

/// One step from `state`; two draws, for the noise.
pub fn step(state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    let s = state[0];
    let next = (s + action[0] + NOISE * normal(random)).clamp(-LIMIT, LIMIT);
    Step { state: vec![next], reward: -s * s, terminated: false }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// s ~ N(0.3, 0.1²); two draws.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![INITIAL_MEAN + INITIAL_DEVIATION * normal(random)]
}
