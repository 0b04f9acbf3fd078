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

/// Picture: s as a ball on a line from −1 to 1, on which 0 is where it should be; larger |s| stays at the side.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let x = clamp(s.s, -1.0, 1.0);
    var colour = pixel_over(vec3<f32>(0.97, 0.97, 0.96), vec3<f32>(0.55), pixel_line(p, vec2<f32>(-0.9, -0.2), vec2<f32>(0.9, -0.2), 0.03));
    colour = pixel_over(colour, vec3<f32>(0.3, 0.65, 0.4), pixel_line(p, vec2<f32>(0.0, -0.38), vec2<f32>(0.0, 0.38), 0.04));
    let ball = mix(vec3<f32>(0.25, 0.6, 0.4), vec3<f32>(0.85, 0.25, 0.2), sqrt(abs(x)));
    return pixel_over(colour, ball, pixel_disc(p, vec2<f32>(0.8 * x, 0.0), 0.18));
}
