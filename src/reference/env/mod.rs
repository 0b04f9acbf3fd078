//! Environments once more, as plain f64 functions, one file each.
//!
//! `step`, `observe` and `reset` take and give the words of `State` in the order of its fields, integers and flags as
//! numbers. `random` gives the next uniform number in (0, 1), in the order in which the shader draws. Resets at endings
//! and time limits are the rollout's.

pub mod acrobot;
pub mod bandit;
pub mod breakout;
pub mod catch;
pub mod deep_sea;
pub mod hex_world;
pub mod lqr;
pub mod mountain_car;
pub mod mountain_car_continuous;
pub mod pendulum;
pub mod probe_backward;
pub mod probe_delay;
pub mod probe_discount;
pub mod probe_policy;
pub mod probe_policy_observation;
pub mod probe_reset;
pub mod probe_truncation;
pub mod probe_value;
pub mod quadrotor;
pub mod simple_regulator;
pub mod space_invaders;
pub mod two_action;

/// What one step leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The state after the step, not reset.
    pub state: Vec<f64>,
    /// The reward.
    pub reward: f64,
    /// Whether the environment ended the episode.
    pub terminated: bool,
}

/// Standard normal of two draws, Box & Muller (1958).
pub(crate) fn normal(random: &mut dyn FnMut() -> f64) -> f64 {
    let radius = (-2.0 * random().ln()).sqrt();
    radius * (std::f64::consts::TAU * random()).cos()
}
