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

/// Height of the valley at a place.
fn hill(x: f32) -> f32 { return sin_(3.0 * x); }

/// Picture: the car in its valley and the flag at the goal; the bar below is its velocity.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let middle = 0.5 * (min_position + max_position);
    let half = 0.5 * (max_position - min_position);
    // a tile shows a little more than where the car can be; heights −1 … 1 fill its middle
    let scale = 0.92 / half;
    let x = middle + p.x / scale;
    let slope = 3.0 * cos_(3.0 * x) * 0.42 / scale;
    let below = (p.y - 0.42 * hill(x) + 0.25) / sqrt(1.0 + slope * slope);
    var colour = mix(vec3<f32>(0.96, 0.97, 0.98), vec3<f32>(0.72, 0.85, 0.95), 0.5 * (p.y + 1.0));
    let pole = vec2<f32>(scale * (goal_position - middle), 0.42 * hill(goal_position) - 0.25);
    let top = pole + vec2<f32>(0.0, 0.45);
    let flag = min((top.x + 0.24 - p.x) * 0.33, 0.085) - abs(p.y - top.y + 0.09);
    colour = pixel_over(colour, vec3<f32>(0.3), pixel_line(p, pole, top, 0.025));
    colour = pixel_over(colour, vec3<f32>(0.85, 0.15, 0.15), pixel_cover(max(-flag, top.x - p.x)));
    colour = pixel_over(colour, vec3<f32>(0.45, 0.62, 0.35), pixel_cover(below));
    colour = pixel_over(colour, vec3<f32>(0.3, 0.44, 0.24), pixel_cover(abs(below + 0.015) - 0.015));
    let place = vec2<f32>(scale * (s.position - middle), 0.42 * hill(s.position) - 0.25);
    let own_slope = 3.0 * cos_(3.0 * s.position) * 0.42 / scale;
    let along = vec2<f32>(1.0, own_slope) / sqrt(1.0 + own_slope * own_slope);
    let from_car = vec2<f32>(dot(p - place, along), dot(p - place, vec2<f32>(-along.y, along.x)));
    let wheel = vec2<f32>(abs(from_car.x), from_car.y);
    let body = max(pixel_box(from_car, vec2<f32>(0.0, 0.12), vec2<f32>(0.15, 0.045)), pixel_box(from_car, vec2<f32>(-0.01, 0.18), vec2<f32>(0.085, 0.04)));
    colour = pixel_over(colour, vec3<f32>(0.16, 0.27, 0.42), body);
    colour = pixel_over(colour, vec3<f32>(0.12), pixel_disc(wheel, vec2<f32>(0.09, 0.05), 0.05));
    let reach = vec2<f32>(0.9 * s.velocity / max_speed, -0.88);
    return pixel_over(colour, vec3<f32>(0.95, 0.75, 0.2), pixel_line(p, vec2<f32>(0.0, -0.88), reach, 0.07));
}
