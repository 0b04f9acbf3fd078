//! QuadrotorHover and QuadrotorWaypoint: a quadrotor with one command per rotor, which holds a place or flies through
//! random waypoints. Rigid body, rotors and drag of RotorS (Furrer, Burri, Achtelik & Siegwart 2016) with its AscTec
//! Hummingbird, the rotors in an X; starts, rewards and ends are ours.
//!
//! ```text
//!   nᵢ' = (1 + ρ aᵢ − nᵢ) / τ                             rotor speed / hovering speed; τ by direction
//!   Fᵢ  = nᵢ² m g / 4                                     thrust along the body's z axis e
//!   J ω' = Σ rᵢ × Fᵢ ẑ + κ Σ sᵢ Fᵢ ẑ − ω × J ω            body: x forward, y left, z up
//!   m v' = e ΣFᵢ − c Σnᵢ (v − e (e · v)) − m g ẑ          world: z up
//!   p'   = v,   q' = ½ q ⊗ (ω, 0)
//!
//!   hover:     r = ½ / (1 + d²) + ½ / (1 + (d / 0.1)²) − w_ω |ω|² / (1 + |ω|²) − w_a |a|² / 4,   d = |p|
//!   waypoint:  r = 5 (d_old − d) + 5 [d < 0.2] + 0.05 − w_ω |ω|² / (1 + |ω|²) − w_a |a|² / 4,      d = |goal − p|
//! ```
//!
//! Each step is [`SUBSTEPS`] substeps: n by its closed form for a constant command, then ω, v (old attitude), and with
//! the new ω and v the place and the attitude, which is normalised.
//!
//! Deliberately absent: ground, wind, gyroscopic moment of the rotors, rotor flapping.

use super::Step;
use glam::{DMat3, DQuat, DVec3};

/// Gravity, m/s².
pub const GRAVITY: f64 = 9.81;
/// Mass with the rotors, kg.
pub const MASS: f64 = 0.716;
/// Moment of inertia about the body's x and y axes, kg m².
pub const INERTIA_XY: f64 = 0.007;
/// Moment of inertia about the body's z axis, kg m².
pub const INERTIA_Z: f64 = 0.012;
/// Distance of a rotor from the centre of mass, m.
pub const ARM_LENGTH: f64 = 0.17;
/// κ: torque of a rotor about its axis per thrust, m.
pub const MOMENT_CONSTANT: f64 = 0.016;
/// c: drag of a rotor at hovering speed per velocity across its axis, N s/m.
pub const ROTOR_DRAG: f64 = 0.0365;
/// Time constant of a rotor that speeds up, s.
pub const SPIN_UP_TIME: f64 = 0.0125;
/// Time constant of a rotor that slows down, s.
pub const SPIN_DOWN_TIME: f64 = 0.025;
/// ρ: change of the commanded speed at action ±1, as a part of the hovering speed.
pub const SPEED_RANGE: f64 = 0.3;
/// Duration of a step, s.
pub const TIME_STEP: f64 = 0.02;
/// Substeps of a step.
pub const SUBSTEPS: u32 = 4;
/// A waypoint is reached within this distance, m.
pub const WAYPOINT_RADIUS: f64 = 0.2;
/// Waypoints are uniform in a cube about the origin; half its side, m.
pub const WAYPOINT_RANGE: f64 = 1.5;
/// Reward for a waypoint.
pub const WAYPOINT_BONUS: f64 = 5.0;
/// Reward per metre that the vehicle comes closer to its waypoint.
pub const PROGRESS_GAIN: f64 = 5.0;
/// Reward of every step of flight through waypoints; without it early learners crash on purpose.
pub const FLIGHT_REWARD: f64 = 0.05;

/// What the vehicle is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Hold the origin.
    Hover,
    /// Fly through one random waypoint after another.
    Waypoint,
}

impl Task {
    /// The episode terminates farther than this from the goal, m.
    pub const fn distance_limit(self) -> f64 {
        match self {
            Self::Hover => 4.0,
            Self::Waypoint => 6.0,
        }
    }

    /// `w_ω`: reward lost in a step of fast rotation.
    pub const fn spin_cost(self) -> f64 {
        match self {
            Self::Hover => 0.05,
            Self::Waypoint => 0.025,
        }
    }

    /// `w_a`: reward lost in a step with all rotors at the limits of their commands.
    pub const fn effort_cost(self) -> f64 {
        match self {
            Self::Hover => 0.02,
            Self::Waypoint => 0.01,
        }
    }
}

/// Centres of the rotors in units of the arm's length times √½, and the signs of their torques about the body's z axis
/// (+1 turns clockwise seen from above): front left, back left, back right, front right.
const ROTORS: [(DVec3, f64); 4] = [
    (DVec3::new(1.0, 1.0, 0.0), 1.0),
    (DVec3::new(-1.0, 1.0, 0.0), -1.0),
    (DVec3::new(-1.0, -1.0, 0.0), 1.0),
    (DVec3::new(1.0, -1.0, 0.0), -1.0),
];

#[derive(Clone, Copy)]
struct Vehicle {
    position: DVec3,
    velocity: DVec3,
    /// World from body.
    attitude: DQuat,
    rates: DVec3,
    rotors: [f64; 4],
    goal: DVec3,
}

impl Vehicle {
    /// From x y z, v, q (x, y, z, w), ω, n and, for waypoints, the goal.
    fn from_words(task: Task, words: &[f64]) -> Self {
        assert_eq!(words.len(), if task == Task::Hover { 17 } else { 20 }, "words of a quadrotor's state");
        Self {
            position: DVec3::from_slice(words),
            velocity: DVec3::from_slice(&words[3..]),
            attitude: DQuat::from_slice(&words[6..]),
            rates: DVec3::from_slice(&words[10..]),
            rotors: [words[13], words[14], words[15], words[16]],
            goal: if task == Task::Hover { DVec3::ZERO } else { DVec3::from_slice(&words[17..]) },
        }
    }

    fn words(&self, task: Task) -> Vec<f64> {
        let mut words = [self.position, self.velocity].map(|v| v.to_array()).concat();
        words.extend(self.attitude.to_array());
        words.extend(self.rates.to_array());
        words.extend(self.rotors);
        if task == Task::Waypoint {
            words.extend(self.goal.to_array());
        }
        words
    }

    fn advance(&mut self, command: [f64; 4], seconds: f64) {
        let mut torque = DVec3::ZERO;
        let mut lift = 0.0;
        for ((speed, command), (place, sign)) in self.rotors.iter_mut().zip(command).zip(ROTORS) {
            let time = if command > *speed { SPIN_UP_TIME } else { SPIN_DOWN_TIME };
            *speed = command + (*speed - command) * (-seconds / time).exp();
            let thrust = DVec3::Z * (MASS * GRAVITY / 4.0 * speed.powi(2));
            torque += (place * ARM_LENGTH * 0.5_f64.sqrt()).cross(thrust) + sign * MOMENT_CONSTANT * thrust;
            lift += thrust.z;
        }
        let inertia = DMat3::from_diagonal(DVec3::new(INERTIA_XY, INERTIA_XY, INERTIA_Z));
        self.rates += seconds * (inertia.inverse() * (torque - self.rates.cross(inertia * self.rates)));

        // the drag, like the lift, is easier to say in the body's axes
        let across = self.attitude.inverse() * self.velocity * DVec3::new(1.0, 1.0, 0.0);
        let force = DVec3::Z * lift - ROTOR_DRAG * self.rotors.iter().sum::<f64>() * across;
        self.velocity += seconds * (self.attitude * force / MASS - GRAVITY * DVec3::Z);

        self.position += seconds * self.velocity;
        let spin = DQuat::from_vec4(self.rates.extend(0.0));
        self.attitude = (self.attitude + self.attitude * spin * (seconds / 2.0)).normalize();
    }

    fn is_lost(&self, task: Task) -> bool {
        self.position.distance(self.goal) > task.distance_limit() || (self.attitude * DVec3::Z).z < 0.0
    }
}

/// One step. Actions: command of each rotor, clipped to [−1, 1]; 0 hovers. The reward and the end are of the new state
/// and the old goal. With [`Task::Waypoint`] every step draws the three numbers of a waypoint, used only where one was
/// reached.
pub fn step(task: Task, state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    assert_eq!(action.len(), 4, "a quadrotor has four rotors");
    let mut vehicle = Vehicle::from_words(task, state);
    let throttle = [0, 1, 2, 3].map(|i| action[i].clamp(-1.0, 1.0));
    let distance_before = vehicle.position.distance(vehicle.goal);
    for _ in 0..SUBSTEPS {
        vehicle.advance(throttle.map(|a| 1.0 + SPEED_RANGE * a), TIME_STEP / f64::from(SUBSTEPS));
    }
    let distance = vehicle.position.distance(vehicle.goal);
    let spin = vehicle.rates.length_squared();
    let effort = throttle.iter().map(|a| a * a).sum::<f64>() / 4.0;
    let cost = task.spin_cost() * spin / (1.0 + spin) + task.effort_cost() * effort;
    let terminated = vehicle.is_lost(task);
    let gain = match task {
        Task::Hover => 0.5 / (1.0 + distance.powi(2)) + 0.5 / (1.0 + (distance / 0.1).powi(2)),
        Task::Waypoint => {
            let next = random_vector(random, WAYPOINT_RANGE);
            let reached = distance < WAYPOINT_RADIUS;
            if reached {
                vehicle.goal = next;
            }
            let bonus = if reached { WAYPOINT_BONUS } else { 0.0 };
            PROGRESS_GAIN * (distance_before - distance) + bonus + FLIGHT_REWARD
        }
    };
    Step { state: vehicle.words(task), reward: gain - cost, terminated }
}

/// Goal − position, velocity / 2, rotation matrix world from body row by row, ω / 5, (n − 1) / ρ.
pub fn observe(task: Task, state: &[f64]) -> Vec<f64> {
    let vehicle = Vehicle::from_words(task, state);
    let rows = DMat3::from_quat(vehicle.attitude).transpose();
    let mut observation = vec![];
    for part in [vehicle.goal - vehicle.position, vehicle.velocity / 2.0, rows.x_axis, rows.y_axis, rows.z_axis] {
        observation.extend(part.to_array());
    }
    observation.extend((vehicle.rates / 5.0).to_array());
    observation.extend(vehicle.rotors.map(|speed| (speed - 1.0) / SPEED_RANGE));
    observation
}

/// Position within ±1 m, velocity within ±0.5 m/s, a turn by 2 atan |h| about h within ±0.15, rates within ±0.5 rad/s,
/// and for waypoints the first of them; rotors hover.
pub fn reset(task: Task, random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let position = random_vector(random, 1.0);
    let velocity = random_vector(random, 0.5);
    let turn = random_vector(random, 0.15);
    let rates = random_vector(random, 0.5);
    let goal = if task == Task::Waypoint { random_vector(random, WAYPOINT_RANGE) } else { DVec3::ZERO };
    let attitude = DQuat::from_scaled_axis(turn.normalize_or_zero() * 2.0 * turn.length().atan());
    Vehicle { position, velocity, attitude, rates, rotors: [1.0; 4], goal }.words(task)
}

/// Uniform within ±`size`, x first.
fn random_vector(random: &mut dyn FnMut() -> f64, size: f64) -> DVec3 {
    let mut next = || size * (2.0 * random() - 1.0);
    DVec3::new(next(), next(), next())
}
