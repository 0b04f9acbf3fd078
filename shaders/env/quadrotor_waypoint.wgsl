//! QuadrotorWaypoint: fly a quadrotor through one random waypoint after another, with one command per rotor.
//! Source: rotors, drag and constants of the AscTec Hummingbird in RotorS (Furrer, Burri, Achtelik & Siegwart 2016),
//! rotors_description/urdf/hummingbird.xacro; they stand in an X here, in a + there. Start, reward and ends are ours.
//!
//!   n_i' = (1 + speed_range a_i − n_i) / τ       rotor speed as a part of the hovering speed; τ by direction
//!   F_i  = n_i² m g / 4                          thrust, N, along the body's z axis e
//!   J ω' = Σ r_i × F_i ẑ + κ Σ s_i F_i ẑ − ω × J ω                      body axes: x forward, y left, z up
//!   m v' = e ΣF_i − rotor_drag Σn_i (v − e (e · v)) − m g ẑ,   p' = v    world axes, z up
//!   q'   = ½ q ⊗ (ω, 0)
//!   r    = progress_gain (d_old − d) + waypoint_bonus [d < waypoint_radius] + flight_reward
//!          − spin_cost |ω|² / (1 + |ω|²) − effort_cost |a|² / 4,                         d = |goal − p|, the same goal
//!
//! A step is four substeps: rotors (exactly), ω and v, then p and q (normalised) with the new ones. Rotors and signs s:
//! front left +1, back left −1, back right +1, front right −1 (+1 turns clockwise seen from above). Commands outside
//! [−1, 1] are clipped; 0 hovers. There is no ground, no wind and no gyroscopic moment of the rotors.
//! Start: within 1 m, 0.5 m/s, 0.5 rad/s and about 0.3 rad along each axis, rotors hovering. A waypoint that is reached
//! gives way to the next, uniform in a cube about the origin and not known before. End: farther than `distance_limit`
//! from the goal, or flipped: tilted by more than 90 degrees.
//! Observation: goal − p, v / 2, R (world from body, row by row), ω / 5, (n − 1) / speed_range.
//!
//! Observation: to x, to y, to z, vx/2, vy/2, vz/2, R xx, R xy, R xz, R yx, R yy, R yz, R zx, R zy, R zz,
//!   ωx/5, ωy/5, ωz/5, front left, back left, back right, front right
//! Actions: front left, back left, back right, front right

const OBSERVATION_DIM: u32 = 22u;
const ACTION_DIM: u32 = 4u;
const ACTION_LOW: f32 = -1.0;
const ACTION_HIGH: f32 = 1.0;
const MAX_EPISODE_STEPS: u32 = 500u;

override gravity: f32 = 9.81;             // m/s²
override mass: f32 = 0.716;               // kg, 0.68 and four rotors of 0.009
override inertia_xy: f32 = 0.007;         // kg m²
override inertia_z: f32 = 0.012;          // kg m²
override arm_length: f32 = 0.17;          // m
override moment_constant: f32 = 0.016;    // m, κ: torque of a rotor about its axis per thrust
override rotor_drag: f32 = 0.0365;        // N s/m per rotor: 8.06428e-5 at the hovering speed of 453 rad/s
override spin_up_time: f32 = 0.0125;      // s
override spin_down_time: f32 = 0.025;     // s
override speed_range: f32 = 0.3;          // part of the hovering speed; RotorS' limit of 838 rad/s would be 0.85
override time_step: f32 = 0.02;           // s
override distance_limit: f32 = 6.0;       // m
override waypoint_radius: f32 = 0.2;      // m
override waypoint_range: f32 = 1.5;       // m, half the side of the cube
override waypoint_bonus: f32 = 5.0;
override progress_gain: f32 = 5.0;        // 1/m
override flight_reward: f32 = 0.05;       // per step; without it early learners crash on purpose
override spin_cost: f32 = 0.025;
override effort_cost: f32 = 0.01;

/// m, m/s, (x, y, z, w) world from body, rad/s about the body's axes, speeds / hovering speed, m.
struct State {
    position: vec3<f32>, velocity: vec3<f32>, attitude: vec4<f32>, rates: vec3<f32>, rotors: vec4<f32>, goal: vec3<f32>,
}

fn random_vector(rng: ptr<function, Rng>, size: f32) -> vec3<f32> {
    return vec3<f32>(rng_range(rng, -size, size), rng_range(rng, -size, size), rng_range(rng, -size, size));
}

fn env_reset(rng: ptr<function, Rng>) -> State {
    let position = random_vector(rng, 1.0);
    let velocity = random_vector(rng, 0.5);
    // a turn by 2 atan(|h|) about h, each component of which is at most 0.15
    let attitude = normalize(vec4<f32>(random_vector(rng, 0.15), 1.0));
    let rates = random_vector(rng, 0.5);
    return State(position, velocity, attitude, rates, vec4<f32>(1.0), random_vector(rng, waypoint_range));
}

/// R e_z, the body's z axis in the world.
fn up_axis(q: vec4<f32>) -> vec3<f32> {
    return vec3<f32>(2.0 * (q.x * q.z + q.w * q.y), 2.0 * (q.y * q.z - q.w * q.x), 1.0 - 2.0 * (q.x * q.x + q.y * q.y));
}

/// h seconds; `keep` is the part of its lag behind the command that a rotor still has after them, (up, down).
fn substep(s: ptr<function, State>, command: vec4<f32>, h: f32, keep: vec2<f32>) {
    let old = *s;
    let lag = old.rotors - command;
    let rotors = command + lag * select(vec4<f32>(keep.x), vec4<f32>(keep.y), lag > vec4<f32>(0.0));
    let thrust = 0.25 * mass * gravity * rotors * rotors;
    let lever = 0.70710678 * arm_length;
    let torque = vec3<f32>(lever * dot(thrust, vec4<f32>(1.0, 1.0, -1.0, -1.0)),
        lever * dot(thrust, vec4<f32>(-1.0, 1.0, 1.0, -1.0)),
        moment_constant * dot(thrust, vec4<f32>(1.0, -1.0, 1.0, -1.0)));
    let inertia = vec3<f32>(inertia_xy, inertia_xy, inertia_z);
    let rates = old.rates + h * (torque - cross(old.rates, inertia * old.rates)) / inertia;
    let up = up_axis(old.attitude);
    let drag = rotor_drag * dot(rotors, vec4<f32>(1.0)) * (old.velocity - up * dot(up, old.velocity));
    let force = up * dot(thrust, vec4<f32>(1.0)) - drag;
    let velocity = old.velocity + h * (force / mass - vec3<f32>(0.0, 0.0, gravity));
    let q = old.attitude;
    let turn = vec4<f32>(q.w * rates + cross(q.xyz, rates), -dot(q.xyz, rates));
    *s = State(old.position + h * velocity, velocity, normalize(q + 0.5 * h * turn), rates, rotors, old.goal);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let throttle = clamp(vec4<f32>(action[0], action[1], action[2], action[3]), vec4<f32>(-1.0), vec4<f32>(1.0));
    let goal = (*s).goal;
    let before = length(goal - (*s).position);
    let command = vec4<f32>(1.0) + speed_range * throttle;
    let h = 0.25 * time_step;
    let keep = vec2<f32>(exp_(-h / spin_up_time), exp_(-h / spin_down_time));
    substep(s, command, h, keep);
    substep(s, command, h, keep);
    substep(s, command, h, keep);
    substep(s, command, h, keep);
    let now = *s;
    let d = length(goal - now.position);
    let next = random_vector(rng, waypoint_range); // drawn in every step, used when it is due
    let reached = d < waypoint_radius;
    (*s).goal = select(goal, next, reached);
    let spin = dot(now.rates, now.rates);
    let cost = spin_cost * spin / (1.0 + spin) + 0.25 * effort_cost * dot(throttle, throttle);
    let lost = d > distance_limit || up_axis(now.attitude).z < 0.0;
    let gain = progress_gain * (before - d) + select(0.0, waypoint_bonus, reached) + flight_reward;
    return Outcome(gain - cost, lost);
}

fn env_observe(s: State) -> Observation {
    let q = s.attitude;
    let to_goal = s.goal - s.position;
    let up = up_axis(q);
    let n = (s.rotors - vec4<f32>(1.0)) / speed_range;
    return Observation(
        to_goal.x, to_goal.y, to_goal.z, 0.5 * s.velocity.x, 0.5 * s.velocity.y, 0.5 * s.velocity.z,
        1.0 - 2.0 * (q.y * q.y + q.z * q.z), 2.0 * (q.x * q.y - q.w * q.z), up.x,
        2.0 * (q.x * q.y + q.w * q.z), 1.0 - 2.0 * (q.x * q.x + q.z * q.z), up.y,
        2.0 * (q.x * q.z - q.w * q.y), 2.0 * (q.y * q.z + q.w * q.x), up.z,
        0.2 * s.rates.x, 0.2 * s.rates.y, 0.2 * s.rates.z, n.x, n.y, n.z, n.w);
}

/// A vector of the body in the world.
fn turned(q: vec4<f32>, v: vec3<f32>) -> vec3<f32> {
    let t = 2.0 * cross(q.xyz, v);
    return v + q.w * t + cross(q.xyz, t);
}

/// Coverage of a disc in space, seen at p.
fn rotor_disc(p: vec2<f32>, centre: vec3<f32>, up: vec3<f32>, radius: f32) -> f32 {
    let ray = pixel_ray(p);
    let facing = dot(ray, up);
    let far = dot(centre - pixel_eye(), up) / select(facing, 1e-4, abs(facing) < 1e-4);
    let scale = pixel_project(centre).z * max(abs(facing), 0.15);
    return pixel_cover((length(pixel_eye() + far * ray - centre) - radius) * scale);
}

/// Picture: the quadrotor, 2.7 times as large as it is, its front rotors red and each the brighter the faster it turns; the green ball is the waypoint;
/// their shadows on a floor that is not there, with lines every metre.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let shown = 1.2; // lengths of the picture in a metre
    let floor_ = -2.1;
    let at = shown * s.position;
    let goal = shown * s.goal;
    // the floor
    let ground = pixel_ground(p, floor_);
    let foot = pixel_size() / pixel_project(vec3<f32>(ground.xy, floor_)).z;
    let near_line = abs(fract(ground.xy / shown + vec2<f32>(0.5)) - vec2<f32>(0.5)) * shown;
    let line = clamp(0.5 - (min(near_line.x, near_line.y) - 0.02) / (1.6 * foot), 0.0, 1.0);
    let fog = clamp((ground.z - 8.0) / 16.0, 0.0, 1.0);
    var colour = mix(vec3<f32>(0.93, 0.94, 0.95), vec3<f32>(0.68, 0.74, 0.8), 0.75 * line * (1.0 - fog));
    colour = mix(colour, vec3<f32>(0.8, 0.88, 0.95), fog);
    // shadows, and how high what throws them is
    let soft = 0.55;
    let shadow = 1.0 - smoothstep(0.5 * soft, 1.3 * soft, length(ground.xy - at.xy));
    colour = mix(colour, vec3<f32>(0.35, 0.38, 0.42), 0.55 * shadow);
    let mark = 1.0 - smoothstep(0.8 * (shown * waypoint_radius), 1.2 * (shown * waypoint_radius), length(ground.xy - goal.xy));
    colour = mix(colour, vec3<f32>(0.2, 0.55, 0.3), 0.35 * mark);
    let goal_seen = pixel_project(goal);
    let below_goal = pixel_project(vec3<f32>(goal.xy, floor_));
    colour = pixel_over(colour, vec3<f32>(0.45, 0.68, 0.5), pixel_line(p, goal_seen.xy, below_goal.xy, 0.012));
    // the goal, before and behind the quadrotor
    let goal_radius = max((shown * waypoint_radius) * goal_seen.z, 1.5 * pixel_size());
    let ball = pixel_disc(p, goal_seen.xy, goal_radius);
    let light = dot(p - goal_seen.xy, vec2<f32>(-0.5, 0.7)) / goal_radius;
    let ball_colour = mix(vec3<f32>(0.1, 0.5, 0.25), vec3<f32>(0.55, 0.9, 0.6), clamp(0.5 + 0.6 * light, 0.0, 1.0));
    colour = pixel_over(colour, ball_colour, ball);
    let seen = pixel_project(at);
    let q = s.attitude;
    let up = turned(q, vec3<f32>(0.0, 0.0, 1.0));
    let ahead = 0.55 * 0.70710678 * turned(q, vec3<f32>(1.0, 1.0, 0.0));
    let aside = 0.55 * 0.70710678 * turned(q, vec3<f32>(1.0, -1.0, 0.0));
    let front_left = at + ahead;
    let back_right = at - ahead;
    let front_right = at + aside;
    let back_left = at - aside;
    let dark = vec3<f32>(0.14, 0.16, 0.2);
    let width = 0.09 * seen.z;
    colour = pixel_over(colour, dark, pixel_line(p, pixel_project(front_left).xy, pixel_project(back_right).xy, width));
    colour = pixel_over(colour, dark, pixel_line(p, pixel_project(front_right).xy, pixel_project(back_left).xy, width));
    let lift = 0.06 * up;
    let radius = 0.52 * 0.55;
    // front left, back left, back right, front right, from 0 to 1
    let speed = clamp(vec4<f32>(0.5) + 0.5 * (s.rotors - vec4<f32>(1.0)) / speed_range, vec4<f32>(0.0), vec4<f32>(1.0));
    let front = vec3<f32>(0.95, 0.3, 0.25);
    let back = vec3<f32>(0.25, 0.5, 0.85);
    colour = pixel_over(colour, mix(dark, back, 0.4 + 0.6 * speed.y), 0.8 * rotor_disc(p, back_left + lift, up, radius));
    colour = pixel_over(colour, mix(dark, back, 0.4 + 0.6 * speed.z), 0.8 * rotor_disc(p, back_right + lift, up, radius));
    colour = pixel_over(colour, mix(dark, front, 0.4 + 0.6 * speed.x), 0.8 * rotor_disc(p, front_left + lift, up, radius));
    colour = pixel_over(colour, mix(dark, front, 0.4 + 0.6 * speed.w), 0.8 * rotor_disc(p, front_right + lift, up, radius));
    colour = pixel_over(colour, vec3<f32>(0.2, 0.22, 0.27), pixel_disc(p, seen.xy, 0.17 * seen.z));
    let nose = pixel_project(at + 0.16 * turned(q, vec3<f32>(1.0, 0.0, 0.3)));
    colour = pixel_over(colour, vec3<f32>(0.98, 0.85, 0.3), pixel_disc(p, nose.xy, 0.05 * seen.z));
    return pixel_over(colour, ball_colour, select(0.0, ball, goal_seen.z > seen.z));
}
