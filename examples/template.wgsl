//! Template: bring a point mass on a line to rest at 0 by pushing it. Change this text and everything below.
//! Source: where the problem and its constants come from.
//!
//! An environment is one file like this. The engine does the rest: it resets worlds that ended, cuts episodes off after
//! MAX_EPISODE_STEPS, keeps statistics and draws random numbers. `manyworlds check-env FILE` tests what you write.
//!
//! What its numbers are called in tables and traces; a list as long as there are numbers (legs[0..3] are four).
//! Observation: position, velocity
//! Actions: push

// Sizes and kinds. Constants of the contract say their types.
const OBSERVATION_DIM: u32 = 2u;        // numbers that the policy sees
const ACTION_DIM: u32 = 1u;             // real numbers that it sets; bounds for each follow
const ACTION_LOW: f32 = -1.0;           //   (array<f32, N>(…) where they differ)
const ACTION_HIGH: f32 = 1.0;
// or:  const ACTION_COUNT: u32 = 3u;                                    one of three actions, Action is a u32
// or:  const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 2u);      two choices at once
const MAX_EPISODE_STEPS: u32 = 200u;    // 0 = no limit
const REWARD_THRESHOLD: f32 = -15.0;    // optional: mean return that counts as solved

// What can be changed without a rebuild: --set-env mass=2
override mass: f32 = 1.0;               // kg
override force: f32 = 2.0;              // N, at action 1
override time_step: f32 = 0.05;         // s
// Sizes and spaces may follow from such numbers: override cells: u32 = 8u; override OBSERVATION_DIM: u32 = 2u * cells;

/// All that a world remembers from one step to the next: numbers, flags, vectors, arrays and structs of them.
struct State { position: f32, velocity: f32 }

/// The first state of an episode. Draws: rng_uniform(rng) in (0, 1), rng_range(rng, low, high) strictly between the two,
/// rng_below(rng, n) one of 0 to n − 1 without bias, rng_normal(rng), rng_u32(rng).
fn env_reset(rng: ptr<function, Rng>) -> State {
    let position = rng_range(rng, -1.0, 1.0);
    let velocity = rng_range(rng, -0.5, 0.5);
    return State(position, velocity);
}

/// One step: changes the state, and returns the reward and whether the episode is over for good. Use sin_, cos_, exp_,
/// log_ and tanh_, which are equally exact everywhere, instead of WGSL's own; wrap_ brings an angle to [−π, π].
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let push = clamp(action[0], -1.0, 1.0);
    (*s).velocity = old.velocity + time_step * force * push / mass;
    (*s).position = old.position + time_step * (*s).velocity;
    let cost = old.position * old.position + 0.1 * old.velocity * old.velocity + 0.01 * push * push;
    let lost = abs((*s).position) > 5.0;
    return Outcome(-cost - select(0.0, 100.0, lost), lost);
}

/// What the policy sees; numbers of a size around 1 are learned from fastest.
fn env_observe(s: State) -> Observation {
    return Observation(s.position, s.velocity);
}

// Optional, for discrete actions: which of them are allowed.
// fn env_action_mask(s: State) -> ActionMask { return ActionMask(true, s.position > 0.0, true); }
// Optional, instead of env_observe, for observations of hundreds of numbers: number i.
// fn env_feature(s: State, i: u32) -> f32 { … }

/// Optional: how a world looks (`manyworlds render FILE`), the colour, red, green and blue from 0 to 1, of a place of its square
/// tile: p goes from −1 to 1, x to the right and y upwards. pixel_disc, pixel_line, pixel_box and pixel_ring say how much of a
/// pixel a shape covers, pixel_over(below, colour, coverage) puts a colour there.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let place = vec2<f32>(clamp(0.18 * s.position, -0.9, 0.9), 0.0);
    var colour = vec3<f32>(0.97, 0.97, 0.96);
    colour = pixel_over(colour, vec3<f32>(0.6), pixel_line(p, vec2<f32>(-0.9, -0.12), vec2<f32>(0.9, -0.12), 0.02));
    colour = pixel_over(colour, vec3<f32>(0.3, 0.65, 0.4), pixel_line(p, vec2<f32>(0.0, -0.3), vec2<f32>(0.0, 0.3), 0.03));
    colour = pixel_over(colour, vec3<f32>(0.95, 0.7, 0.2), pixel_line(p, place, place + vec2<f32>(0.18 * s.velocity, 0.0), 0.05));
    return pixel_over(colour, vec3<f32>(0.2, 0.4, 0.7), pixel_disc(p, place, 0.12));
}
