//! CartPole-v1: balance a pole on a cart by pushing the cart left (0) or right (1).
//! Source: Barto, Sutton & Anderson (1983); every constant and rule as in Gymnasium 1.4, classic_control/cartpole.py.
//! Explicit Euler with the old derivatives, reward 1 on every step, the ending one included.
//!
//! Observation: x, ẋ, θ, θ̇
//! Actions: left, right

const OBSERVATION_DIM: u32 = 4u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 500u;
const REWARD_THRESHOLD: f32 = 475.0;

override gravity: f32 = 9.8;            // m/s²
override cart_mass: f32 = 1.0;          // kg
override pole_mass: f32 = 0.1;          // kg
override half_length: f32 = 0.5;        // m, half of the pole's length
override force: f32 = 10.0;             // N
override time_step: f32 = 0.02;         // s
override position_limit: f32 = 2.4;     // m
override angle_limit: f32 = 0.20943951; // rad, 12 degrees

struct State { x: f32, x_dot: f32, theta: f32, theta_dot: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    let x = rng_range(rng, -0.05, 0.05);
    let x_dot = rng_range(rng, -0.05, 0.05);
    let theta = rng_range(rng, -0.05, 0.05);
    let theta_dot = rng_range(rng, -0.05, 0.05);
    return State(x, x_dot, theta, theta_dot);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let push = select(-force, force, action == 1u);
    let total_mass = cart_mass + pole_mass;
    let pole_moment = pole_mass * half_length;
    let sine = sin_(old.theta);
    let cosine = cos_(old.theta);
    let drive = (push + pole_moment * old.theta_dot * old.theta_dot * sine) / total_mass;
    let theta_acc = (gravity * sine - cosine * drive)
        / (half_length * (4.0 / 3.0 - pole_mass * cosine * cosine / total_mass));
    let x_acc = drive - pole_moment * theta_acc * cosine / total_mass;

    (*s).x = old.x + time_step * old.x_dot;
    (*s).x_dot = old.x_dot + time_step * x_acc;
    (*s).theta = old.theta + time_step * old.theta_dot;
    (*s).theta_dot = old.theta_dot + time_step * theta_acc;
    let fallen = abs((*s).x) > position_limit || abs((*s).theta) > angle_limit;
    return Outcome(1.0, fallen);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.x, s.x_dot, s.theta, s.theta_dot);
}

/// Picture: the cart on its track, within the limits of both; the pole is red the nearer it is to falling.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let ground = -0.45;
    var colour = mix(vec3<f32>(0.98, 0.98, 0.97), vec3<f32>(0.86, 0.91, 0.96), 0.5 * (p.y + 1.0));
    colour = pixel_over(colour, vec3<f32>(0.83, 0.8, 0.74), pixel_cover(p.y - ground + 0.12));
    colour = pixel_over(colour, vec3<f32>(0.45), pixel_line(p, vec2<f32>(-0.94, ground - 0.12), vec2<f32>(0.94, ground - 0.12), 0.025));
    let stop = vec2<f32>(0.95, ground - 0.04);
    colour = pixel_over(colour, vec3<f32>(0.6, 0.2, 0.2), pixel_box(vec2<f32>(abs(p.x), p.y), stop, vec2<f32>(0.02, 0.09)));
    let x = 0.8 * s.x / position_limit;
    let danger = clamp(abs(s.theta) / angle_limit, 0.0, 1.0);
    let hinge = vec2<f32>(x, ground + 0.05);
    let tip = hinge + 1.05 * vec2<f32>(sin_(s.theta), cos_(s.theta));
    let wheels = min(abs(p.x - x - 0.11), abs(p.x - x + 0.11));
    colour = pixel_over(colour, vec3<f32>(0.15), pixel_disc(vec2<f32>(wheels, p.y), vec2<f32>(0.0, ground - 0.07), 0.05));
    colour = pixel_over(colour, vec3<f32>(0.16, 0.27, 0.42), pixel_box(p, vec2<f32>(x, ground), vec2<f32>(0.2, 0.07)));
    colour = pixel_over(colour, mix(vec3<f32>(0.85, 0.6, 0.25), vec3<f32>(0.9, 0.12, 0.1), danger * danger), pixel_line(p, hinge, tip, 0.09));
    return pixel_over(colour, vec3<f32>(0.75, 0.8, 0.9), pixel_disc(p, hinge, 0.04));
}
