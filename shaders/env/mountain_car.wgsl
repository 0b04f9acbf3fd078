//! MountainCar-v0: an underpowered car rocks itself out of a valley by pushing left (0), not at all (1) or right (2).
//! Source: Moore (1990); every constant and rule as in Gymnasium 1.4, classic_control/mountain_car.py.
//! The new velocity moves the car. Both ends hold it, but only the left one takes its velocity. Reward −1 on every
//! step, the one that arrives included.
//!
//! Observation: position, velocity
//! Actions: left, none, right

const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 200u;
const REWARD_THRESHOLD: f32 = -110.0;

override force: f32 = 0.001;        // change of velocity by a push
override gravity: f32 = 0.0025;     // change of velocity where the valley, sin 3x, is steepest
override min_position: f32 = -1.2;
override max_position: f32 = 0.6;
override max_speed: f32 = 0.07;     // positions per step
override goal_position: f32 = 0.5;
override goal_velocity: f32 = 0.0;  // at least this fast at the goal

struct State { position: f32, velocity: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(rng_range(rng, -0.6, -0.4), 0.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let push = (f32(action) - 1.0) * force;
    let velocity = clamp(old.velocity + (push - gravity * cos_(3.0 * old.position)), -max_speed, max_speed);
    let position = clamp(old.position + velocity, min_position, max_position);
    let stopped = position <= min_position && velocity < 0.0;

    (*s).position = position;
    (*s).velocity = select(velocity, 0.0, stopped);
    let arrived = position >= goal_position && (*s).velocity >= goal_velocity;
    return Outcome(-1.0, arrived);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.position, s.velocity);
}
