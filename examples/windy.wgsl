//! Windy: hold a wheel at rest with a motor too weak to ignore the wind.
//! Source: a double integrator with a bounded torque; the wind is an Ornstein-Uhlenbeck process of our own.
//!
//!   dω = (τ + w)/J dt     dφ = ω dt     dw = −w/T dt + σ √(2/T) dB     |τ| ≤ 1
//!
//! Observation: angle, speed, wind
//! Actions: torque

const OBSERVATION_DIM: u32 = 3u;
const ACTION_DIM: u32 = 1u;
const ACTION_LOW: f32 = -1.0;          // N m
const ACTION_HIGH: f32 = 1.0;
const MAX_EPISODE_STEPS: u32 = 200u;   // 10 s
const REWARD_THRESHOLD: f32 = -30.0;

override inertia: f32 = 1.0;           // kg m², J
override gust: f32 = 0.3;              // N m, σ
override gust_time: f32 = 2.0;         // s, T
override time_step: f32 = 0.05;        // s

struct State { angle: f32, speed: f32, wind: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    let angle = rng_range(rng, -1.0, 1.0);
    let speed = rng_range(rng, -0.5, 0.5);
    return State(angle, speed, gust * rng_normal(rng));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let torque = clamp(action[0], ACTION_LOW, ACTION_HIGH);
    (*s).speed = old.speed + time_step * (torque + old.wind) / inertia;
    (*s).angle = old.angle + time_step * (*s).speed;
    let kept = 1.0 - time_step / gust_time;
    (*s).wind = kept * old.wind + gust * sqrt(1.0 - kept * kept) * rng_normal(rng);
    let lost = abs((*s).angle) > 5.0;
    let cost = old.angle * old.angle + 0.1 * old.speed * old.speed + 0.01 * torque * torque;
    return Outcome(-cost - select(0.0, 100.0, lost), lost);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.angle, s.speed, s.wind);
}

/// Picture: the wheel with a mark that should point upwards, and the wind as an arc at its rim.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let angle = clamp(s.angle, -3.1, 3.1);
    let mark = 0.6 * vec2<f32>(-sin_(angle), cos_(angle));
    var colour = vec3<f32>(0.97, 0.97, 0.96);
    colour = pixel_over(colour, vec3<f32>(0.3, 0.65, 0.4), pixel_line(p, vec2<f32>(0.0, 0.72), vec2<f32>(0.0, 0.9), 0.06));
    colour = pixel_over(colour, vec3<f32>(0.45, 0.5, 0.58), pixel_disc(p, vec2<f32>(0.0), 0.65));
    colour = pixel_over(colour, vec3<f32>(0.62, 0.66, 0.72), pixel_disc(p, vec2<f32>(0.0), 0.5));
    for (var spoke = 0; spoke < 3; spoke++) {
        let way = pixel_turn(p, angle + 1.0471976 * f32(spoke));
        colour = pixel_over(colour, vec3<f32>(0.45, 0.5, 0.58), pixel_box(way, vec2<f32>(0.0), vec2<f32>(0.03, 0.55)));
    }
    colour = pixel_over(colour, vec3<f32>(0.9, 0.3, 0.25), pixel_line(p, 0.6 * mark, mark, 0.11));
    colour = pixel_over(colour, vec3<f32>(0.2), pixel_disc(p, vec2<f32>(0.0), 0.09));
    // from the top, the way that it pushes
    let from_top = atan2(-p.x, p.y);
    let within = from_top * sign(s.wind) > 0.0 && abs(from_top) < 2.0 * abs(s.wind);
    return pixel_over(colour, vec3<f32>(0.3, 0.6, 0.9), select(0.0, pixel_ring(p, vec2<f32>(0.0), 0.78, 0.08), within));
}
