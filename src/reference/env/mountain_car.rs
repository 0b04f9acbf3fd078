//! MountainCar-v0: rock a car out of a valley. Moore (1990), constants of Gymnasium 1.4.
//!
//! ```text
//!   v' = clamp(v + (a − 1) f − g cos 3x, ±v_max)          a = 0 left, 1 no push, 2 right
//!   x' = clamp(x + v', x_min, x_max)                      semi-implicit Euler: the new velocity
//!   v' = 0 where x' = x_min and v' < 0                    the right end takes no velocity
//!   r  = −1, the end where x' ≥ x_goal and v' ≥ v_goal
//! ```
//!
//! State and observation: (x, v). Deliberately absent: truncation after 200 steps, which is the rollout's.

use super::Step;

/// Change of velocity by a push.
pub const FORCE: f64 = 0.001;
/// Change of velocity where the valley, sin 3x, is steepest.
pub const GRAVITY: f64 = 0.0025;
/// The wall on the left.
pub const MIN_POSITION: f64 = -1.2;
/// The wall on the right.
pub const MAX_POSITION: f64 = 0.6;
/// Positions per step.
pub const MAX_SPEED: f64 = 0.07;
/// The episode ends from here on.
pub const GOAL_POSITION: f64 = 0.5;
/// But not slower than this.
pub const GOAL_VELOCITY: f64 = 0.0;

/// One step from `state` with action 0, 1 or 2; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    let (x, v) = (state[0], state[1]);
    let push = (action[0] - 1.0) * FORCE;
    let mut v = (v + push - GRAVITY * (3.0 * x).cos()).clamp(-MAX_SPEED, MAX_SPEED);
    let x = (x + v).clamp(MIN_POSITION, MAX_POSITION);
    if x <= MIN_POSITION && v < 0.0 {
        v = 0.0;
    }
    Step { state: vec![x, v], reward: -1.0, terminated: x >= GOAL_POSITION && v >= GOAL_VELOCITY }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// At rest with x ~ U(−0.6, −0.4); one draw.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![-0.6 + 0.2 * random(), 0.0]
}
