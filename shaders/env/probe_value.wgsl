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
