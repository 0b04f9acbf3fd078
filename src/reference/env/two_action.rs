//! TwoAction: one state, two actions, one step. After Kochenderfer, Wheeler & Wray (2022); the rewards are ours.
//!
//! ```text
//!   r = r_L for action 0, r_R for action 1; the end after every step
//! ```
//!
//! State and observation: (1). So Q(L) = r_L, Q(R) = r_R and, for π(L) = θ in (0, 1), dU/dθ = r_L − r_R.

use super::Step;

/// Reward of action 0.
pub const REWARD_LEFT: f64 = 1.0;
/// Reward of action 1.
pub const REWARD_RIGHT: f64 = 0.0;

/// One step from `state` with action 0 (L) or 1 (R); draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    let reward = if action[0] < 0.5 { REWARD_LEFT } else { REWARD_RIGHT };
    Step { state: state.to_vec(), reward, terminated: true }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// The only state there is; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![1.0]
}
