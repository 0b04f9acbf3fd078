//! Pendulum-v1: swing a rod up and hold it there with a torque too weak to lift it at once. Upright is θ = 0.
//! Source: OpenAI Gym (2016); every constant and rule as in Gymnasium 1.4, classic_control/pendulum.py.
//! The cost is that of the old state and of the clipped torque. The new velocity moves the angle, which is wrapped in
//! the cost only: the state counts turns. No end but the time limit, and no published reward threshold.
//!
//! Observation: cos θ, sin θ, θ̇
//! Actions: torque

const OBSERVATION_DIM: u32 = 3u;
const ACTION_DIM: u32 = 1u;
const ACTION_LOW: f32 = -2.0;  // N m
const ACTION_HIGH: f32 = 2.0;
const MAX_EPISODE_STEPS: u32 = 200u;

override gravity: f32 = 10.0;    // m/s²
override mass: f32 = 1.0;        // kg
override rod_length: f32 = 1.0;  // m
override time_step: f32 = 0.05;  // s
override max_speed: f32 = 8.0;   // rad/s

struct State { theta: f32, theta_dot: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    let theta = rng_range(rng, -3.1415927, 3.1415927);
    let theta_dot = rng_range(rng, -1.0, 1.0);
    return State(theta, theta_dot);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let torque = clamp(action[0], ACTION_LOW, ACTION_HIGH);
    let angle = wrap_(old.theta);
    let cost = angle * angle + 0.1 * old.theta_dot * old.theta_dot + 0.001 * torque * torque;
    let acceleration = 1.5 * gravity / rod_length * sin_(old.theta) + 3.0 / (mass * rod_length * rod_length) * torque;

    (*s).theta_dot = clamp(old.theta_dot + time_step * acceleration, -max_speed, max_speed);
    (*s).theta = old.theta + time_step * (*s).theta_dot;
    return Outcome(-cost, false);
}

fn env_observe(s: State) -> Observation {
    return Observation(cos_(s.theta), sin_(s.theta), s.theta_dot);
}

/// Picture: the rod on its pivot, upright where it should be; the arc is its speed.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let upright = 0.5 * (1.0 + cos_(s.theta));
    var colour = vec3<f32>(0.97, 0.97, 0.96);
    colour = pixel_over(colour, vec3<f32>(0.86, 0.87, 0.88), pixel_ring(p, vec2<f32>(0.0), 0.78, 0.02));
    // anticlockwise is positive, and θ = 0 is up
    let tip = 0.78 * vec2<f32>(-sin_(s.theta), cos_(s.theta));
    let rod = mix(vec3<f32>(0.8, 0.25, 0.2), vec3<f32>(0.2, 0.6, 0.35), upright * upright);
    colour = pixel_over(colour, rod, pixel_line(p, vec2<f32>(0.0), tip, 0.19));
    colour = pixel_over(colour, vec3<f32>(0.15), pixel_disc(p, vec2<f32>(0.0), 0.06));
    let angle = atan2(p.y, p.x);
    // from the right, as far as the speed says
    let turn = s.theta_dot / max_speed * 3.0;
    let within = angle * sign(turn) > 0.0 && abs(angle) < abs(turn);
    return pixel_over(colour, vec3<f32>(0.25, 0.5, 0.8), select(0.0, pixel_ring(p, vec2<f32>(0.0), 0.92, 0.06), within));
}
