//! ProbeValue: one action, observation 0, one step, reward 1.
//! Source: A. L. Jones (2021), Debugging RL, Without the Agonizing Pain, probe 1.
//! Isolates the value loss and its optimiser: there is no choice, no signal in the observation, no next step.
//! Must learn V(0) = 1, whatever γ and λ are. The observation is 0, so only biases can carry it.
//! If not: V → 1/(1 − γ) is a bootstrap over a termination; V that stays or runs away is a value loss, its
//! gradient's sign, the output's bias or the optimiser.
//!
//! Observation: zero
//! Actions: only

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 1u;
const MAX_EPISODE_STEPS: u32 = 2u;  // never comes into play: the environment ends before

struct State { observation: f32 } // 0

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome(1.0, true);
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
