//! Pendulum-v1: swing a rod up and hold it, with a weak torque. Constants of Gymnasium 1.4.
//!
//! ```text
//!   u  = clamp(a, −2, 2)
//!   r  = −(wrap(θ)² + 0.1 θ̇² + 0.001 u²)                  of the old state; θ = 0 is upright
//!   θ̇' = clamp(θ̇ + τ (3 g / (2 l) sin θ + 3 u / (m l²)), ±8)
//!   θ' = θ + τ θ̇'                                         semi-implicit Euler; θ is not wrapped
//! ```
//!
//! State: (θ, θ̇). Observation: (cos θ, sin θ, θ̇). It never terminates. Deliberately absent: truncation after 200
//! steps, which is the rollout's.

use super::Step;
use std::f64::consts::{PI, TAU};

/// Lowest torque, N m.
pub const ACTION_LOW: f64 = -2.0;
/// Highest torque, N m.
pub const ACTION_HIGH: f64 = 2.0;
/// Gravity, m/s².
pub const GRAVITY: f64 = 10.0;
/// Mass of the rod, kg.
pub const MASS: f64 = 1.0;
/// Length of the rod, m.
pub const ROD_LENGTH: f64 = 1.0;
/// Duration of a step, s.
pub const TIME_STEP: f64 = 0.05;
/// The angular velocity is held to this, rad/s.
pub const MAX_SPEED: f64 = 8.0;

/// The angle in [−π, π) that differs by whole turns.
fn wrap(angle: f64) -> f64 {
    (angle + PI).rem_euclid(TAU) - PI
}

/// One step from `state` with a torque; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    let (theta, theta_dot) = (state[0], state[1]);
    let torque = action[0].clamp(ACTION_LOW, ACTION_HIGH);
    let cost = wrap(theta).powi(2) + 0.1 * theta_dot * theta_dot + 0.001 * torque * torque;
    let acceleration =
        3.0 * GRAVITY / (2.0 * ROD_LENGTH) * theta.sin() + 3.0 / (MASS * ROD_LENGTH * ROD_LENGTH) * torque;
    let theta_dot = (theta_dot + TIME_STEP * acceleration).clamp(-MAX_SPEED, MAX_SPEED);
    Step { state: vec![theta + TIME_STEP * theta_dot, theta_dot], reward: -cost, terminated: false }
}

/// Cosine and sine of the angle, and the angular velocity.
pub fn observe(state: &[f64]) -> Vec<f64> {
    vec![state[0].cos(), state[0].sin(), state[1]]
}

/// θ ~ U(−π, π), then θ̇ ~ U(−1, 1).
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let theta = PI * (2.0 * random() - 1.0);
    let theta_dot = 2.0 * random() - 1.0;
    vec![theta, theta_dot]
}
