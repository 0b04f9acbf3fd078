//! ProbePolicy: two actions, observation 0, one step, reward −1 for action 0 and +1 for action 1.
//! Source: A. L. Jones (2021), Debugging RL, Without the Agonizing Pain, probe 4.
//! Isolates the policy: advantage, policy loss, policy update.
//! Must learn π(1 | 0) → 1 and V(0) = 2 π(1 | 0) − 1 → 1, whatever γ and λ are. At the uniform start V(0) = 0 and the
//! advantages are −1 and +1. An entropy bonus β stops it at log(π(1)/π(0)) = 2/β.
//! If not, while ProbeValue passes: π(1) → 0 is the sign of the policy's gradient or of the advantage; π(1) = ½ is an
//! advantage of 0, a gradient that does not arrive, or actions and rewards of different samples.
//!
//! Observation: zero
//! Actions: bad, good

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 2u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 0.9;

struct State { observation: f32 } // 0

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome(select(-1.0, 1.0, action == 1u), true);
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
