//! Reacher: bring the tip of an arm of two links to a target and hold it there, by torques at shoulder and elbow.
//! Source: the equations of motion of two uniform rods that turn in a plane without gravity (Craig, Introduction to
//! Robotics, chapter 6); the task is in the spirit of Gymnasium's Reacher, all numbers are our own.
//! Observation: cos q1, sin q1, cos q2, sin q2, q1 speed, q2 speed, target x, target y, away x, away y
//! Actions: shoulder torque, elbow torque
//!
//!   (5/3 + cos q₂) a₁ + (1/3 + ½ cos q₂) a₂ = τ₁ + ½ sin q₂ (2 ω₁ + ω₂) ω₂      torques τ, less friction, in units
//!   (1/3 + ½ cos q₂) a₁ + 1/3 a₂            = τ₂ − ½ sin q₂ ω₁²                 of mass · length²
//!
//! The reward of a step is −(distance of the tip from the target) and a little for effort. Nothing ends an episode early.

const OBSERVATION_DIM: u32 = 10u;
const ACTION_DIM: u32 = 2u;            // real numbers; ACTION_COUNT would be for choices
const ACTION_LOW: f32 = -1.0;          // parts of the greatest torques
const ACTION_HIGH: f32 = 1.0;
const MAX_EPISODE_STEPS: u32 = 100u;   // 4 s
const REWARD_THRESHOLD: f32 = -50.0;   // random: -199; by hand: -55 a controller of weak gains, 5 % of a link away at the end, -39 the best

override link: f32 = 0.5;              // m, length of each; change it by --set-env link=0.4
override mass: f32 = 1.0;              // kg, of each
override shoulder_torque: f32 = 3.0;   // N m
override elbow_torque: f32 = 1.0;      // N m
override joint_friction: f32 = 0.2;    // N m s
override time_step: f32 = 0.04;        // s

/// Angles (of the first link; of the second from the first), their speeds, and the target.
struct State { q: vec2<f32>, speed: vec2<f32>, goal: vec2<f32> }

fn env_reset(rng: ptr<function, Rng>) -> State {
    let q = vec2<f32>(rng_range(rng, -3.1415927, 3.1415927), rng_range(rng, -2.0, 2.0));
    // evenly over the area of a ring: the root makes far ones as likely as they are many
    let radius = link * sqrt(rng_range(rng, 0.25, 3.6));
    let angle = rng_range(rng, -3.1415927, 3.1415927);
    return State(q, vec2<f32>(0.0), radius * vec2<f32>(cos_(angle), sin_(angle)));
}

/// Where the elbow is.
fn elbow(s: State) -> vec2<f32> {
    return link * vec2<f32>(cos_(s.q.x), sin_(s.q.x));
}

/// Where the tip is.
fn tip(s: State) -> vec2<f32> {
    let angle = s.q.x + s.q.y;
    return elbow(s) + link * vec2<f32>(cos_(angle), sin_(angle));
}

/// Angular accelerations under torques: two linear equations, solved with one division.
fn accelerations(s: State, torque: vec2<f32>) -> vec2<f32> {
    let cosine = cos_(s.q.y);
    let bend = 0.5 * sin_(s.q.y);
    let free = (torque - joint_friction * s.speed) / (mass * link * link);
    let right = free + bend * vec2<f32>((2.0 * s.speed.x + s.speed.y) * s.speed.y, -s.speed.x * s.speed.x);
    let a = 5.0 / 3.0 + cosine;
    let b = 1.0 / 3.0 + 0.5 * cosine;
    let c = 1.0 / 3.0;
    return vec2<f32>(c * right.x - b * right.y, a * right.y - b * right.x) / (a * c - b * b);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let part = clamp(vec2<f32>(action[0], action[1]), vec2<f32>(-1.0), vec2<f32>(1.0));   // policies overshoot
    let h = 0.25 * time_step;
    for (var i = 0u; i < 4u; i++) {    // four small steps are more exact than a large one
        (*s).speed += h * accelerations(*s, part * vec2<f32>(shoulder_torque, elbow_torque));
        (*s).q += h * (*s).speed;      // s is a pointer: *s is the state, (*s).q a part of it
    }
    let away = length((*s).goal - tip(*s)) / link;
    return Outcome(-away - 0.02 * dot(part, part), false);
}

/// Angles as cosine and sine, so that a full turn is no jump; numbers of a size around 1 are learned from fastest.
fn env_observe(s: State) -> Observation {
    let away = (s.goal - tip(s)) / link;
    return Observation(cos_(s.q.x), sin_(s.q.x), cos_(s.q.y), sin_(s.q.y), s.speed.x / 4.0, s.speed.y / 8.0,
        s.goal.x / link, s.goal.y / link, away.x, away.y);
}

/// Picture: the arm, the target, and how far the arm reaches.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let scale = 0.46 / link;                                // of the tile, for a metre
    let joint = scale * elbow(s);
    let end = scale * tip(s);
    let goal = scale * s.goal;
    let near = length(end - goal) < 0.1;
    var colour = vec3<f32>(0.97, 0.97, 0.96);
    colour = pixel_over(colour, vec3<f32>(0.88), pixel_ring(p, vec2<f32>(0.0), 0.92, 0.015));
    colour = pixel_over(colour, select(vec3<f32>(0.9, 0.35, 0.3), vec3<f32>(0.3, 0.75, 0.4), near), pixel_disc(p, goal, 0.1));
    colour = pixel_over(colour, vec3<f32>(0.16, 0.27, 0.42), pixel_line(p, vec2<f32>(0.0), joint, 0.12));
    colour = pixel_over(colour, vec3<f32>(0.3, 0.55, 0.78), pixel_line(p, joint, end, 0.1));
    colour = pixel_over(colour, vec3<f32>(0.9, 0.75, 0.2), max(pixel_disc(p, vec2<f32>(0.0), 0.045), pixel_disc(p, joint, 0.045)));
    return pixel_over(colour, vec3<f32>(0.12), pixel_disc(p, end, 0.05));
}
