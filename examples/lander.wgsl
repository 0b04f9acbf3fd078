//! Lander: bring a craft down softly between two flags, with a main engine and one at each side.
//! Source: physics and numbers are our own; actions, reward and endings are in the spirit of Gymnasium's LunarLander.
//! Observation: x, y, x speed, y speed, angle, spin, left foot down, right foot down
//! Actions: none, left engine, main engine, right engine
//!
//! The reward is what a step improves (merit, below), less the fuel; +100 for standing still on both feet, which ends
//! the episode, and −100 for a crash: the hull on the ground, a foot set down too fast, or too far away.

const OBSERVATION_DIM: u32 = 8u;       // u32 numbers end in u
const ACTION_COUNT: u32 = 4u;
const MAX_EPISODE_STEPS: u32 = 400u;   // 20 s
const REWARD_THRESHOLD: f32 = 200.0;   // a landing is worth some 220, a crash some 20

override gravity: f32 = 1.62;          // m/s², the moon's; change it by --set-env gravity=3.7
override main_thrust: f32 = 4.0;       // N; the craft has 1 kg
override side_thrust: f32 = 0.4;       // N
override inertia: f32 = 0.2;           // kg m²
override stiffness: f32 = 60.0;        // N/m, of a leg
override damping: f32 = 10.0;          // N s/m, of a leg
override friction: f32 = 0.6;          // of a foot on the ground
override time_step: f32 = 0.05;        // s

const FOOT = vec2<f32>(0.5, -0.6);     // m, the right one from the centre of mass; the left has −x
const HULL = vec2<f32>(0.4, -0.3);     // m, a lower corner of the hull
const SIDE_ENGINE = vec2<f32>(0.0, 0.4);

/// m, m/s, rad (counter-clockwise), rad/s, which feet touch the ground (1 or 0), what fired last.
struct State { position: vec2<f32>, velocity: vec2<f32>, angle: f32, spin: f32, feet: vec2<f32>, engine: u32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    let position = vec2<f32>(rng_range(rng, -3.0, 3.0), rng_range(rng, 9.0, 11.0));
    let velocity = vec2<f32>(rng_range(rng, -1.0, 1.0), rng_range(rng, -2.0, 0.0));
    let angle = rng_range(rng, -0.3, 0.3);
    let spin = rng_range(rng, -0.3, 0.3);
    return State(position, velocity, angle, spin, vec2<f32>(0.0), 0u);
}

/// From the craft's axes to those of the world; `axis` is (cos, sin) of its angle.
fn turned(v: vec2<f32>, axis: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(axis.x * v.x - axis.y * v.y, axis.y * v.x + axis.x * v.y);
}

fn moment(arm: vec2<f32>, f: vec2<f32>) -> f32 {
    return arm.x * f.y - arm.y * f.x;
}

/// How good a state is, apart from how it ends: near the flags, slow, upright, feet down.
fn merit(s: State) -> f32 {
    let place = s.position - vec2<f32>(0.0, 0.6);
    return -10.0 * length(place) - 20.0 * length(s.velocity) - 100.0 * abs(s.angle) + 10.0 * (s.feet.x + s.feet.y);
}

/// The ground's push on a foot at `arm` from the centre: a spring with a damper, and friction. z is its sinking speed.
fn ground(s: State, arm: vec2<f32>) -> vec3<f32> {
    let speed = s.velocity + s.spin * vec2<f32>(-arm.y, arm.x);
    let depth = -(s.position.y + arm.y);
    if depth <= 0.0 { return vec3<f32>(0.0); }
    let push = max(stiffness * depth - damping * speed.y, 0.0);
    return vec3<f32>(clamp(-damping * speed.x, -friction * push, friction * push), push, -speed.y);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let before = merit(*s);            // s is a pointer: *s is the state, (*s).angle a part of it
    let main = select(0.0, main_thrust, action == 2u);   // select(if false, if true, condition)
    let side = select(0.0, side_thrust, action == 1u) - select(0.0, side_thrust, action == 3u);
    let h = 0.2 * time_step;
    var crashed = false;               // var can change, let cannot
    for (var i = 0u; i < 5u; i++) {
        let now = *s;
        let axis = vec2<f32>(cos_(now.angle), sin_(now.angle));
        let left_arm = turned(vec2<f32>(-FOOT.x, FOOT.y), axis);
        let right_arm = turned(FOOT, axis);
        let left = ground(now, left_arm);
        let right = ground(now, right_arm);
        let force = turned(vec2<f32>(side, main), axis) + left.xy + right.xy;
        let torque = moment(SIDE_ENGINE, vec2<f32>(side, 0.0)) + moment(left_arm, left.xy) + moment(right_arm, right.xy);
        (*s).velocity = now.velocity + h * (force - vec2<f32>(0.0, gravity));
        (*s).spin = now.spin + h * torque / inertia;
        (*s).position = now.position + h * (*s).velocity;
        (*s).angle = now.angle + h * (*s).spin;
        (*s).feet = vec2<f32>(select(0.0, 1.0, left.y > 0.0), select(0.0, 1.0, right.y > 0.0));
        let lowest = now.position.y + min(turned(HULL, axis).y, turned(vec2<f32>(-HULL.x, HULL.y), axis).y);
        crashed = crashed || lowest < 0.0 || max(left.z, right.z) > 2.0;
    }
    (*s).engine = action;
    let now = *s;
    crashed = crashed || abs(now.position.x) > 8.0 || now.position.y > 14.0 || abs(now.angle) > 3.0;
    let landed = now.feet.x + now.feet.y == 2.0 && length(now.velocity) < 0.05 && abs(now.spin) < 0.05;
    let fuel = 0.3 * main / main_thrust + 0.03 * abs(side) / side_thrust;
    let end = select(select(0.0, 100.0, landed), -100.0, crashed);
    return Outcome(merit(now) - before - fuel + end, crashed || landed);
}

/// Numbers of a size around 1 are learned from fastest.
fn env_observe(s: State) -> Observation {
    return Observation(s.position.x / 4.0, s.position.y / 8.0, s.velocity.x / 2.0, s.velocity.y / 2.0, s.angle, s.spin,
        s.feet.x, s.feet.y);
}

/// Picture: the craft with its legs and what fires, the flags and the ground; a foot that is down is green.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let scale = 1.0 / 7.0;                                  // of the tile, for a metre
    let earth = -0.82;
    let at = vec2<f32>(0.0, earth) + scale * s.position;
    var colour = mix(vec3<f32>(0.16, 0.17, 0.27), vec3<f32>(0.04, 0.04, 0.09), 0.5 * (p.y + 1.0));
    let grid = floor(p * 4.0);
    let star = fract(vec2<f32>(dot(grid, vec2<f32>(0.37, 0.731)), dot(grid, vec2<f32>(0.619, 0.283))));
    colour = pixel_over(colour, vec3<f32>(0.75), 0.5 * pixel_disc(p, (grid + 0.2 + 0.6 * star) / 4.0, 0.008));
    colour = pixel_over(colour, vec3<f32>(0.62, 0.61, 0.6), pixel_cover(p.y - earth));
    let flag = vec2<f32>(abs(p.x), p.y);
    colour = pixel_over(colour, vec3<f32>(0.85), pixel_line(flag, vec2<f32>(0.2, earth), vec2<f32>(0.2, earth + 0.2), 0.014));
    colour = pixel_over(colour, vec3<f32>(0.95, 0.75, 0.2), pixel_box(flag, vec2<f32>(0.245, earth + 0.17), vec2<f32>(0.045, 0.03)));
    let own = pixel_turn(p - at, s.angle) / scale;          // as the craft sees it, in metres; coverage is of lengths of the tile
    let flame = vec3<f32>(1.0, 0.6, 0.15);
    let main = pixel_line(scale * own, scale * vec2<f32>(0.0, -0.35), scale * vec2<f32>(0.0, -1.0), scale * 0.22);
    colour = pixel_over(colour, flame, select(0.0, main, s.engine == 2u));
    let mouth = select(-0.4, 0.4, s.engine == 3u);          // an engine on the left pushes to the right
    let side = pixel_line(scale * own, scale * vec2<f32>(mouth, 0.4), scale * vec2<f32>(1.9 * mouth, 0.4), scale * 0.12);
    colour = pixel_over(colour, flame, select(0.0, side, s.engine == 1u || s.engine == 3u));
    for (var i = 0; i < 2; i++) {
        let x = select(-FOOT.x, FOOT.x, i == 1);
        let down = select(s.feet.x, s.feet.y, i == 1) > 0.0;
        let leg = pixel_line(scale * own, scale * vec2<f32>(0.5 * x, -0.15), scale * vec2<f32>(x, FOOT.y), scale * 0.1);
        colour = pixel_over(colour, select(vec3<f32>(0.7), vec3<f32>(0.3, 0.9, 0.4), down), leg);
    }
    colour = pixel_over(colour, vec3<f32>(0.55, 0.5, 0.85), pixel_box(scale * own, vec2<f32>(0.0), scale * vec2<f32>(0.4, 0.3)));
    return pixel_over(colour, vec3<f32>(0.75, 0.72, 0.95), pixel_disc(scale * own, scale * vec2<f32>(0.0, 0.3), scale * 0.28));
}
