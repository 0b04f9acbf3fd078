//! ProbeTruncation: one action, observation 1, reward 1 for ever; the engine truncates every 5 steps.
//! Source: ours, after the probes of A. L. Jones (2021); Pardo et al. (2018), Time Limits in Reinforcement Learning.
//! Isolates the bootstrap of truncated steps: nothing in the state says that the limit is near, so the value of every
//! step is that of the endless task. Must learn V(1) = 1/(1 − γ): 10 at γ = 0.9.
//! If a truncation is taken for a termination, V(1) is 1/(1 − 0.8 γ) < 5 at λ = 0 (3.57 at γ = 0.9) and the mean of
//! (1 − γᵏ)/(1 − γ) over k = 1 … 5, less than 3, at λ = 1 (2.63 at γ = 0.9), and in between for other λ.
//! Which observation the bootstrap reads cannot be seen here, for all are the same; that is ProbeReset's.
//!
//! Observation: one
//! Actions: only

const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 1u;
const MAX_EPISODE_STEPS: u32 = 5u;

struct State { observation: f32 } // 1

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(1.0);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    return Outcome(1.0, false);
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
