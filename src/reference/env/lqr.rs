//! LQR: a linear system with a quadratic cost; by default ẍ = u with u held for steps of 0.1 s. Kalman (1960).
//!
//! ```text
//!   x' = A x + B u + noise · N(0, I)          n numbers in x, one in u
//!   r  = −(xᵀ Q x + uᵀ R u)                   of the state before the step
//!   x₀ ~ U(−1, 1) in each number
//! ```
//!
//! State and observation: x. It never terminates. Deliberately absent: truncation after 100 steps, which is the
//! rollout's.

use super::{Step, normal};

/// Numbers in the state, n.
pub const N: usize = 2;
/// Lowest control: so low that it never clips. `step` does not clip at all.
pub const ACTION_LOW: f64 = -1e9;
/// Highest control, likewise.
pub const ACTION_HIGH: f64 = 1e9;
/// A by rows: the overrides `a_0_0`, `a_0_1`, …
pub const A: [[f64; N]; N] = [[1.0, 0.1], [0.0, 1.0]];
/// B, a column: the overrides `b_0`, `b_1`.
pub const B: [f64; N] = [0.005, 0.1];
/// Q by rows: the overrides `q_0_0`, `q_0_1`, …
pub const Q: [[f64; N]; N] = [[1.0, 0.0], [0.0, 1.0]];
/// R, of one entry: the override `r_0_0`.
pub const R: f64 = 0.1;
/// Standard deviation of the noise in each number of a state, per step.
pub const NOISE: f64 = 0.0;

/// A row of a matrix times `x`.
fn dot(row: &[f64; N], x: &[f64]) -> f64 {
    row.iter().zip(x).map(|(entry, x)| entry * x).sum()
}

/// One step from `state` with one control; two draws for each number of the state, whatever the noise.
pub fn step(state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    let u = action[0];
    let cost = Q.iter().zip(state).map(|(row, x)| x * dot(row, state)).sum::<f64>() + u * R * u;
    let next = A.iter().zip(B).map(|(row, b)| dot(row, state) + b * u + NOISE * normal(random)).collect();
    Step { state: next, reward: -cost, terminated: false }
}

/// The state itself.
pub fn observe(state: &[f64]) -> Vec<f64> {
    state.to_vec()
}

/// Each number of x in order ~ U(−1, 1).
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    (0..N).map(|_| 2.0 * random() - 1.0).collect()
}
