const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 10u;
struct State { x: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).x += f32(action);
    return Outcome(1.0, (*s).x > 5.0);
}
fn env_observe(s: State) -> Observation { return Observation(s.x); }
