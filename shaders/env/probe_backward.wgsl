//! ProbeBackward: one action, an observation of +1 or −1 (even odds), one step, reward = observation.
//! Source: A. L. Jones (2021), Debugging RL, Without the Agonizing Pain, probe 2.
//! Isolates the way back through the network: ProbeValue needs a bias, this needs the weights of the input.
//! Must learn V(+1) = 1 and V(−1) = −1, whatever γ and λ are.
//! If not, while ProbeValue passes: V = 0 for both is a gradient that does not reach the first layer, or observations
//! and targets of different samples or worlds; V(o) = −o is a sign.
//!
//! Observation: sign
//! Actions: only

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 1u;
const MAX_EPISODE_STEPS: u32 = 2u;  // never comes into play: the environment ends before

struct State { observation: f32 } // +1 or −1

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(select(-1.0, 1.0, rng_uniform(rng) < 0.5));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome((*s).observation, true);
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
