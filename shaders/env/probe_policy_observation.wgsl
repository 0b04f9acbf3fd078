//! ProbePolicyObservation: two actions, an observation of +1 or −1 (even odds), one step,
//! reward = observation for action 1, −observation for action 0.
//! Source: A. L. Jones (2021), Debugging RL, Without the Agonizing Pain, probe 5.
//! Isolates policy and value together: both must look at the observation, and V follows the policy.
//! Must learn π(1 | +1) → 1, π(0 | −1) → 1 and V(o) = o (2 π(1 | o) − 1) → 1 for both, whatever γ and λ are.
//! A policy that ignores the observation gets 0.
//! If not, while probes 2 and 4 pass: a right policy with a wrong V learns from stale samples; a policy that is the
//! same for both observations does not get its gradient back to the input; or samples are mixed in the minibatch.
//!
//! Observation: sign
//! Actions: minus, plus

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 2u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 0.9;

struct State { observation: f32 } // +1 or −1

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(select(-1.0, 1.0, rng_uniform(rng) < 0.5));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome(select(-(*s).observation, (*s).observation, action == 1u), true);
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
