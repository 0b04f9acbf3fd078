//! ProbeDelay: two actions, two steps; the reward depends on the previous action.
//! Source: ours, after the probes of A. L. Jones (2021).
//! Observation 0 in the first step, then −1 after action 0 or +1 after action 1. Reward 0 in the first step, then
//! the observation: the first action earns it, the second one changes nothing.
//! Isolates rows that are off by one: which action a reward belongs to, and which observation an action.
//! Must learn π(1 | 0) → 1, any π after it, V(±1) = ±1 and V(0) = γ (2 π(1 | 0) − 1) → γ, whatever λ is, γ > 0.
//! If not, while probes 3 and 5 pass: V(±1) = 0 has rewards in the wrong row, one too early if π(1 | 0) → 1 and
//! V(0) → 1 all the same, one too late if not; V(±1) right but π(1 | 0) = ½ has advantages of the wrong row, or only
//! the step's own reward in them.
//!
//! Observation: sign
//! Actions: minus, plus

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 3u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 0.9;

struct State { previous: f32 } // the previous action as −1 or +1; 0: there is none

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    (*s).previous = select(-1.0, 1.0, action == 1u);
    return Outcome(old.previous, abs(old.previous) > 0.5);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.previous);
}

/// Picture: the observation, the action before, as a disc: orange above 0, blue below it, and an empty ring at 0.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let strong = select(vec3<f32>(0.27, 0.51, 0.78), vec3<f32>(0.93, 0.52, 0.18), s.previous > 0.0);
    let paper = pixel_over(vec3<f32>(0.97, 0.97, 0.96), vec3<f32>(0.6), pixel_ring(p, vec2<f32>(0.0), 0.6, 0.03));
    return pixel_over(paper, strong, select(0.0, pixel_disc(p, vec2<f32>(0.0), 0.6 * sqrt(min(abs(s.previous), 1.0))), s.previous != 0.0));
}
