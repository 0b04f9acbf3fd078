//! ProbeReset: one action; the first observation of an episode carries a marker and its step all of the reward.
//! Source: ours, after the probes of A. L. Jones (2021).
//! Observation (marker, kind): marker 1 in the first step and 0 after it. Kind −1 terminates in its second step; kind
//! +1 never does, and the engine truncates it after its third (even odds, so resets fall anywhere). Reward = marker.
//! Isolates the border between episodes: after its first step an episode has nothing more to give, and the next
//! episode has. Must learn V(1, ±1) = 1 and V(0, ±1) = 0, whatever γ and λ are.
//! If not, while ProbeBackward passes, V(0, kind) > 0 says what leaks at ends of that kind: the next episode's first
//! observation taken for the final one, a bootstrap over a termination, or advantages summed across the border.
//! One such bootstrap gives, at λ = 0,
//!   V(0, −1) = γ/(1 − γ²/2)  if only terminations leak, 1.51 at γ = 0.9
//!   V(0, +1) = (γ/2)/(1 − γ/2 − γ²/4)  if only truncations do, 1.29 at γ = 0.9, and V(1, kind) = 1 + γ V(0, kind).
//!
//! Observation: marker, kind
//! Actions: only

const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNT: u32 = 1u;
const MAX_EPISODE_STEPS: u32 = 3u;

struct State { marker: f32, kind: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(1.0, select(-1.0, 1.0, rng_uniform(rng) < 0.5));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    (*s).marker = 0.0;
    return Outcome(old.marker, old.marker < 0.5 && old.kind < 0.0);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.marker, s.kind);
}

/// Picture: the marker as a disc, in the colour of the kind: orange for +1, blue for −1; an empty ring where it is 0.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let strong = select(vec3<f32>(0.27, 0.51, 0.78), vec3<f32>(0.93, 0.52, 0.18), s.kind > 0.0);
    let paper = pixel_over(vec3<f32>(0.97, 0.97, 0.96), strong, pixel_ring(p, vec2<f32>(0.0), 0.6, 0.06));
    return pixel_over(paper, strong, select(0.0, pixel_disc(p, vec2<f32>(0.0), 0.5), s.marker > 0.5));
}
