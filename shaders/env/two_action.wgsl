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

/// Picture: what each of the two actions pays, as balls of that size; red ones cost.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let size = max(max(abs(reward_left), abs(reward_right)), 1e-6);
    let reward = select(reward_left, reward_right, p.x > 0.0);
    let centre = vec2<f32>(select(-0.5, 0.5, p.x > 0.0), 0.0);
    let gain = select(vec3<f32>(0.85, 0.3, 0.25), vec3<f32>(0.3, 0.65, 0.4), reward >= 0.0);
    var colour = pixel_over(vec3<f32>(0.97, 0.97, 0.96), vec3<f32>(0.8), pixel_ring(p, centre, 0.42, 0.02));
    colour = pixel_over(colour, gain, select(0.0, pixel_disc(p, centre, 0.42 * sqrt(abs(reward) / size)), reward != 0.0));
    return pixel_over(colour, vec3<f32>(0.3), pixel_line(p, vec2<f32>(0.0, -0.7), vec2<f32>(0.0, 0.7), 0.02));
}
