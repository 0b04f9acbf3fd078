//! LQR: a linear system with a quadratic cost; by default a point on a line, to be brought to rest at 0.
//! Source: Kalman (1960); the defaults are ẍ = u (double integrator), u held for 0.1 s, and weights of our own.
//!
//!   x' = A x + B u + noise · N(0, I)          x has n numbers, u one; neither has bounds
//!   r  = −(xᵀ Q x + uᵀ R u)                   of the state before the step
//!
//! Entry (i, j) of A is the override a_i_j, and so on; B is one column. A larger system is a copy of this file: set n,
//! add the further entries and, for each further number in x, a draw in `env_reset`, a row of A x and one of Q x.
//! The scalar system of a, b, q, r is the first number of this one with a_0_1, b_1 and q_1_1 set to 0.
//!
//! Observation: x[..]
//! Actions: u

const OBSERVATION_DIM: u32 = 2u;  // n
const ACTION_DIM: u32 = 1u;
const ACTION_LOW: f32 = -1e9;     // never clips
const ACTION_HIGH: f32 = 1e9;
const MAX_EPISODE_STEPS: u32 = 100u;

override a_0_0: f32 = 1.0;
override a_0_1: f32 = 0.1;
override a_1_0: f32 = 0.0;
override a_1_1: f32 = 1.0;
override b_0: f32 = 0.005;
override b_1: f32 = 0.1;
override q_0_0: f32 = 1.0;
override q_0_1: f32 = 0.0;
override q_1_0: f32 = 0.0;
override q_1_1: f32 = 1.0;
override r_0_0: f32 = 0.1;
override noise: f32 = 0.0;        // standard deviation in each number of x, per step

struct State { x: array<f32, OBSERVATION_DIM> }

fn env_reset(rng: ptr<function, Rng>) -> State {
    let x_0 = rng_range(rng, -1.0, 1.0);
    let x_1 = rng_range(rng, -1.0, 1.0);
    return State(array<f32, OBSERVATION_DIM>(x_0, x_1));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let x = (*s).x;
    let u = action[0];
    let cost = x[0] * (q_0_0 * x[0] + q_0_1 * x[1])
        + x[1] * (q_1_0 * x[0] + q_1_1 * x[1])
        + u * r_0_0 * u;

    (*s).x[0] = a_0_0 * x[0] + a_0_1 * x[1] + b_0 * u + noise * rng_normal(rng);
    (*s).x[1] = a_1_0 * x[0] + a_1_1 * x[1] + b_1 * u + noise * rng_normal(rng);
    return Outcome(-cost, false);
}

fn env_observe(s: State) -> Observation {
    return s.x;
}

/// Picture: the first two numbers of x as a place and the cost of places as rings about 0, where it should come to rest.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    // a square root, so that both 0.01 and 1 can be seen
    let at = s.x[0];
    let speed = s.x[1];
    let place = 0.85 * clamp(sign(vec2<f32>(at, speed)) * sqrt(abs(vec2<f32>(at, speed)) / 1.4), vec2<f32>(-1.1), vec2<f32>(1.1));
    var colour = vec3<f32>(0.97, 0.97, 0.96);
    colour = pixel_over(colour, vec3<f32>(0.8, 0.87, 0.82), pixel_disc(p, vec2<f32>(0.0), 0.12));
    for (var ring = 1; ring < 4; ring++) {
        colour = pixel_over(colour, vec3<f32>(0.86), pixel_ring(p, vec2<f32>(0.0), 0.3 * f32(ring), 0.015));
    }
    colour = pixel_over(colour, vec3<f32>(0.7), max(pixel_line(p, vec2<f32>(-0.95, 0.0), vec2<f32>(0.95, 0.0), 0.015),
        pixel_line(p, vec2<f32>(0.0, -0.95), vec2<f32>(0.0, 0.95), 0.015)));
    colour = pixel_over(colour, vec3<f32>(0.6, 0.7, 0.85), pixel_line(p, vec2<f32>(0.0), place, 0.03));
    return pixel_over(colour, vec3<f32>(0.2, 0.4, 0.75), pixel_disc(p, place, 0.1));
}
