//! SimpleRegulator: drive one number to zero by adding an action to it, under noise. γ = 1 and ten steps are usual.
//! Source: Kochenderfer, Wheeler & Wray, Algorithms for Decision Making (2022), appendix F.5.
//! The reward −s² is of the state before the action, which costs nothing and has no bounds. s′ is held to ±10, far from
//! what sensible policies reach (the authors' DecisionMakingProblems.jl truncates the distribution, not its sample).
//!
//! Observation: s
//! Actions: a

const OBSERVATION_DIM: u32 = 1u;
const ACTION_DIM: u32 = 1u;
const ACTION_LOW: f32 = -1e9;  // never clips
const ACTION_HIGH: f32 = 1e9;
const MAX_EPISODE_STEPS: u32 = 10u;

override initial_mean: f32 = 0.3;
override initial_deviation: f32 = 0.1;
override noise: f32 = 0.1;   // standard deviation, per step
override limit: f32 = 10.0;  // of |s|

struct State { s: f32 }

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(initial_mean + initial_deviation * rng_normal(rng));
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = (*s).s;
    (*s).s = clamp(old + action[0] + noise * rng_normal(rng), -limit, limit);
    return Outcome(-old * old, false);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.s);
}
