//! One step: action in [50, 100], reward -((a - 75)/10)²; the best return is 0, at a = 75. A policy that draws from N(0, 1) and
//! clips does 50 always, whose return is -6.25, and learns nothing.

const OBSERVATION_DIM: u32 = 1u;
const ACTION_DIM: u32 = 1u;
const ACTION_LOW: f32 = 50.0;
const ACTION_HIGH: f32 = 100.0;
const MAX_EPISODE_STEPS: u32 = 1u;

struct State { x: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng)); }

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let d = (action[0] - 75.0) / 10.0;
    return Outcome(-d * d, true);
}

fn env_observe(s: State) -> Observation { return Observation(1.0); }
