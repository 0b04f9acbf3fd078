//! ProbeDiscount: one action, two steps, observation 0 and then 1, reward 0 and then 1.
//! Source: A. L. Jones (2021), Debugging RL, Without the Agonizing Pain, probe 3.
//! Isolates the discount: the only reward is one step away from the first observation.
//! Must learn V(0) = γ and V(1) = 1, whatever λ is; so give it a γ that can be told from 1, such as 0.9.
//! If not, while ProbeBackward passes: V(0) = 1 is a discount that is left out, V(0) = 0 a value that does not flow
//! back (every step taken for an ending), V(1) = 0 rewards in the wrong row, V(1) > 1 a bootstrap over the termination.
//!
//! Observation: step
//! Actions: only

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 1u;
const MAX_EPISODE_STEPS: u32 = 3u;  // never comes into play: the environment ends before

struct State { observation: f32 } // 0 in the first step, 1 in the second

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    (*s).observation = 1.0;
    return Outcome(old.observation, old.observation > 0.5);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.observation);
}

/// Picture: the observation as a disc: orange above 0, blue below it, and an empty ring at 0.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let strong = select(vec3<f32>(0.27, 0.51, 0.78), vec3<f32>(0.93, 0.52, 0.18), s.observation > 0.0);
    let paper = pixel_over(vec3<f32>(0.97, 0.97, 0.96), vec3<f32>(0.6), pixel_ring(p, vec2<f32>(0.0), 0.6, 0.03));
    return pixel_over(paper, strong, select(0.0, pixel_disc(p, vec2<f32>(0.0), 0.6 * sqrt(min(abs(s.observation), 1.0))), s.observation != 0.0));
}
