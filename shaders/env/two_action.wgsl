//! TwoAction: one state, two actions, L (0) and R (1), one step: the smallest problem that has a policy gradient.
//! Source: after an example of policy gradients in Kochenderfer, Wheeler & Wray, Algorithms for Decision Making (2022);
//! the rewards are ours. They are not random, so Q(L) and Q(R) are the two overrides. The observation is always 1.
//!
//! Observation: one
//! Actions: L, R

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 1u;

override reward_left: f32 = 1.0;
override reward_right: f32 = 0.0;

struct State { here: f32 } // 1, the only state there is

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(1.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome(select(reward_left, reward_right, action == 1u), true);
}

fn env_observe(s: State) -> Observation {
    return Observation(s.here);
}
