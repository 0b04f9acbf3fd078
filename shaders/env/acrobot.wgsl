//! Acrobot-v1: swing the tip of two links above a bar by a torque of −1 (0), 0 (1) or +1 (2) on the joint between them.
//! Source: Sutton (1996), the book's equations (Sutton & Barto 1998); every constant and rule as in Gymnasium 1.4,
//! classic_control/acrobot.py.
//! One Runge-Kutta step of 0.2 s, then angles wrapped and velocities clipped. Both angles
//! are 0 where the links hang; θ₂ is relative to the first link. Reward −1 a step, 0 on the step that ends the episode.
//!
//!   d₁ a₁ + d₂ a₂ = −φ₁                     d, φ as in acrobot.py, which eliminates a₁; here both are
//!   d₂ a₁ + d₃ a₂ = τ − h ω₁² sin θ₂ − φ₂   solved for at once, with one division by d₁ d₃ − d₂² > 0
//!
//! Observation: cos θ₁, sin θ₁, cos θ₂, sin θ₂, ω₁, ω₂
//! Actions: torque −1, torque 0, torque 1

const OBSERVATION_DIM: u32 = 6u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 500u;
const REWARD_THRESHOLD: f32 = -100.0;

override gravity: f32 = 9.8;             // m/s²
override mass_1: f32 = 1.0;              // kg
override mass_2: f32 = 1.0;              // kg
override length_1: f32 = 1.0;            // m
override center_1: f32 = 0.5;            // m, from the joint to the link's centre of mass
override center_2: f32 = 0.5;            // m
override inertia: f32 = 1.0;             // kg m², of each link
override torque_size: f32 = 1.0;         // N m
override time_step: f32 = 0.2;           // s
override max_velocity_1: f32 = 12.566371; // rad/s, 4π
override max_velocity_2: f32 = 28.274334; // rad/s, 9π

struct State { theta_1: f32, theta_2: f32, omega_1: f32, omega_2: f32 }

/// d/dt (θ₁, θ₂, ω₁, ω₂).
fn derivative(y: vec4<f32>, torque: f32) -> vec4<f32> {
    let h = mass_2 * length_1 * center_2;
    let sine_2 = sin_(y.y);
    let cosine_2 = cos_(y.y);
    let d_3 = mass_2 * center_2 * center_2 + inertia;
    let d_2 = d_3 + h * cosine_2;
    let d_1 = mass_1 * center_1 * center_1 + mass_2 * length_1 * length_1 + inertia + d_3 + 2.0 * h * cosine_2;
    let phi_2 = mass_2 * center_2 * gravity * sin_(y.x + y.y);
    let phi_1 = (mass_1 * center_1 + mass_2 * length_1) * gravity * sin_(y.x) + phi_2
        - h * sine_2 * y.w * (y.w + 2.0 * y.z);
    let drive = torque - h * sine_2 * y.z * y.z - phi_2;
    let scale = 1.0 / (d_1 * d_3 - d_2 * d_2);
    return vec4<f32>(y.z, y.w, -(d_3 * phi_1 + d_2 * drive) * scale, (d_1 * drive + d_2 * phi_1) * scale);
}

fn env_reset(rng: ptr<function, Rng>) -> State {
    let theta_1 = rng_range(rng, -0.1, 0.1);
    let theta_2 = rng_range(rng, -0.1, 0.1);
    let omega_1 = rng_range(rng, -0.1, 0.1);
    let omega_2 = rng_range(rng, -0.1, 0.1);
    return State(theta_1, theta_2, omega_1, omega_2);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let torque = (f32(action) - 1.0) * torque_size;
    let y = vec4<f32>((*s).theta_1, (*s).theta_2, (*s).omega_1, (*s).omega_2);
    let k_1 = derivative(y, torque);
    let k_2 = derivative(y + 0.5 * time_step * k_1, torque);
    let k_3 = derivative(y + 0.5 * time_step * k_2, torque);
    let k_4 = derivative(y + time_step * k_3, torque);
    let end = y + time_step / 6.0 * (k_1 + 2.0 * (k_2 + k_3) + k_4);

    (*s).theta_1 = wrap_(end.x);
    (*s).theta_2 = wrap_(end.y);
    (*s).omega_1 = clamp(end.z, -max_velocity_1, max_velocity_1);
    (*s).omega_2 = clamp(end.w, -max_velocity_2, max_velocity_2);
    let above = -cos_((*s).theta_1) - cos_((*s).theta_1 + (*s).theta_2) > 1.0;
    return Outcome(select(-1.0, 0.0, above), above);
}

fn env_observe(s: State) -> Observation {
    return Observation(cos_(s.theta_1), sin_(s.theta_1), cos_(s.theta_2), sin_(s.theta_2), s.omega_1, s.omega_2);
}

/// Picture: both links below their joint, and the line that the tip must come above.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let scale = 0.45;
    let line = scale;
    let first = scale * vec2<f32>(sin_(s.theta_1), -cos_(s.theta_1));
    let both = s.theta_1 + s.theta_2;
    let tip = first + scale * vec2<f32>(sin_(both), -cos_(both));
    let above = tip.y > line;
    var colour = mix(vec3<f32>(0.97, 0.97, 0.96), vec3<f32>(0.83, 0.93, 0.84), pixel_cover(line - p.y));
    colour = pixel_over(colour, vec3<f32>(0.35, 0.6, 0.4), pixel_line(p, vec2<f32>(-1.0, line), vec2<f32>(1.0, line), 0.02));
    colour = pixel_over(colour, vec3<f32>(0.16, 0.27, 0.42), pixel_line(p, vec2<f32>(0.0), first, 0.13));
    colour = pixel_over(colour, vec3<f32>(0.3, 0.55, 0.78), pixel_line(p, first, tip, 0.11));
    colour = pixel_over(colour, vec3<f32>(0.9, 0.75, 0.2), max(pixel_disc(p, vec2<f32>(0.0), 0.05), pixel_disc(p, first, 0.05)));
    return pixel_over(colour, select(vec3<f32>(0.85, 0.25, 0.2), vec3<f32>(0.15, 0.65, 0.3), above), pixel_disc(p, tip, 0.075));
}
