const OBSERVATION_DIM: u32 = 2u;
const ACTION_DIM: u32 = 2u;
const ACTION_LOW: array<f32, 2> = array<f32, 2>(-1.0, -2.5e-1f);
const ACTION_HIGH: array<f32, 2> = array<f32, 2>(1.0, 0.25);
const MAX_EPISODE_STEPS: u32 = 200u;
/* a comment /* in a comment */ */
override mass: f32 = 1.0;
struct State { position: f32, velocity: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_range(rng, -1.0, 1.0), rng_normal(rng)); }
fn push(p: ptr<function, f32>, force: f32) { *p = clamp(*p + force / mass, -8.0, 8.0); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    var v = (*s).velocity;
    push(&v, action[0] + action[1]);
    (*s).velocity = v;
    (*s).position = wrap_(fma(0.05, v, (*s).position));
    let cost = pow(abs((*s).position), 2.0) + exp_(-v * v) - tanh_(log_(1.0 + v * v));
    return Outcome(-cost, false);
}
fn env_observe(s: State) -> Observation { return Observation(s.position, s.velocity); }
