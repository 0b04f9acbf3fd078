//! MountainCarContinuous-v0: an underpowered car rocks itself out of a valley, pushed by an action in [−1, 1].
//! Source: Moore (1990); every constant and rule as in Gymnasium 1.4, classic_control/continuous_mountain_car.py.
//! The force is clipped to [−1, 1], its cost 0.1 a² is not. The goal lies at 0.45 (0.5 in MountainCar-v0) and brings
//! 100, less the cost of the last push. The new velocity moves the car; only the left end takes it.
//!
//! Observation: position, velocity
//! Actions: force

const OBSERVATION_DIM: u32 = 2u;
const ACTION_DIM: u32 = 1u;
const ACTION_LOW: f32 = -1.0;
const ACTION_HIGH: f32 = 1.0;
const MAX_EPISODE_STEPS: u32 = 999u;
const REWARD_THRESHOLD: f32 = 90.0;

override power: f32 = 0.0015;       // change of velocity by a full push
override gravity: f32 = 0.0025;     // change of velocity where the valley, sin 3x, is steepest
override min_position: f32 = -1.2;
override max_position: f32 = 0.6;
override max_speed: f32 = 0.07;     // positions per step
override goal_position: f32 = 0.45;
override goal_velocity: f32 = 0.0;  // at least this fast at the goal

struct State { position: f32, velocity: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(rng_range(rng, -0.6, -0.4), 0.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let push = clamp(action[0], ACTION_LOW, ACTION_HIGH) * power;
    let velocity = clamp(old.velocity + (push - gravity * cos_(3.0 * old.position)), -max_speed, max_speed);
    let position = clamp(old.position + velocity, min_position, max_position);
    let stopped = position <= min_position && velocity < 0.0;

    (*s).position = position;
    (*s).velocity = select(velocity, 0.0, stopped);
    let arrived = position >= goal_position && (*s).velocity >= goal_velocity;
    return Outcome(select(0.0, 100.0, arrived) - 0.1 * action[0] * action[0], arrived);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.position, s.velocity);
}
