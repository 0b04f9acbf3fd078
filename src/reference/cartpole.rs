//! CartPole-v1: balance a pole on a cart. Barto, Sutton & Anderson (1983), constants of Gymnasium 1.4.
//!
//! ```text
//!   q    = (F + m_p l θ̇² sin θ) / m                      F = ±10, m = m_c + m_p, l half the pole's length
//!   θ̈    = (g sin θ − q cos θ) / (l (4/3 − m_p cos² θ / m))
//!   ẍ    = q − m_p l θ̈ cos θ / m
//!   s'   = s + τ ṡ                                        explicit Euler: old derivatives everywhere
//! ```
//!
//! Deliberately absent: reset, truncation after 500 steps and auto-reset, which are the rollout's.

/// Gravity, m/s².
pub const GRAVITY: f64 = 9.8;
/// Mass of the cart, kg.
pub const CART_MASS: f64 = 1.0;
/// Mass of the pole, kg.
pub const POLE_MASS: f64 = 0.1;
/// Half the length of the pole, m (Gymnasium's `length`).
pub const HALF_LENGTH: f64 = 0.5;
/// Size of the push, N.
pub const FORCE: f64 = 10.0;
/// Duration of a step, s.
pub const TAU: f64 = 0.02;
/// The episode terminates where |x| exceeds this, m.
pub const POSITION_LIMIT: f64 = 2.4;
/// The episode terminates where |θ| exceeds this, rad (12 degrees).
pub const ANGLE_LIMIT: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;

/// Position (m), velocity (m/s), angle (rad) and angular velocity (rad/s); also the observation.
pub type State = [f64; 4];

/// What one step leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The state after the step, not reset.
    pub state: State,
    /// 1 on every step, the ending one included.
    pub reward: f64,
    /// Whether `state` is strictly outside the limits of position or angle.
    pub terminated: bool,
}

/// One step from `state`. Action 1 pushes to the right, 0 to the left.
pub fn step(state: State, action: u32) -> Step {
    assert!(action < 2, "CartPole-v1 has actions 0 and 1, got {action}");
    let [x, x_dot, theta, theta_dot] = state;
    let force = if action == 1 { FORCE } else { -FORCE };
    let (sin, cos) = theta.sin_cos();
    let mass = CART_MASS + POLE_MASS;
    let pole_moment = POLE_MASS * HALF_LENGTH;

    let push = (force + pole_moment * theta_dot * theta_dot * sin) / mass;
    let theta_acc = (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cos * cos / mass));
    let x_acc = push - pole_moment * theta_acc * cos / mass;

    let state = [x + TAU * x_dot, x_dot + TAU * x_acc, theta + TAU * theta_dot, theta_dot + TAU * theta_acc];
    let terminated = state[0].abs() > POSITION_LIMIT || state[2].abs() > ANGLE_LIMIT;
    Step { state, reward: 1.0, terminated }
}
