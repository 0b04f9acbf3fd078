//! SimpleRegulator as a question to a search: the action is θ itself, as an offset from where it begins, and the regulator is
//! played under a ~ N(θ₁ s, θ₂²). There is nothing to see, so that a policy is its bias.

const OBSERVATION_DIM: u32 = 1u;
const ACTION_DIM: u32 = 2u;
const ACTION_LOW: f32 = -1e9;  // never clips
const ACTION_HIGH: f32 = 1e9;
const MAX_EPISODE_STEPS: u32 = 10u;

override theta_1: f32 = -0.2;  // at the start
override theta_2: f32 = 0.8;

struct State { s: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0.3 + 0.1 * rng_normal(rng));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = (*s).s;
    let a = (theta_1 + action[0]) * old + (theta_2 + action[1]) * rng_normal(rng);
    (*s).s = clamp(old + a + 0.1 * rng_normal(rng), -10.0, 10.0);
    return Outcome(-old * old, false);
}

fn env_observe(s: State) -> Observation {
    return Observation(0.0);
}
