//! Policies of every kind, and observations of theirs: from random play, and stretched ones.

use crate::support::explorer::walk;
use crate::support::{Draw, gpu, ok, planned};
use manyworlds::algo::networks;
use manyworlds::batch::Agents;
use manyworlds::config::Config;
use manyworlds::env::{ActionSpace, Environment};
use manyworlds::gpu::Recording;
use manyworlds::kernels::Kernels;
use manyworlds::layout::{Progress, Run};
use manyworlds::pool::WorldPool;
use manyworlds::stage::Acting;
use manyworlds::train::Policy;

/// Observations of each case.
pub const COUNT: usize = 1000;
/// Steps of random play before they are taken.
const STEPS: usize = 12;

/// Two choices; which actions are allowed depends on the state.
const MASKED: &str = "
const OBSERVATION_DIM: u32 = 3u;
const ACTION_COUNTS: array<u32, 2> = array<u32, 2>(3u, 4u);
const MAX_EPISODE_STEPS: u32 = 20u;
struct State { a: u32, b: bool, c: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(rng_u32(rng) % 5u, rng_uniform(rng) < 0.5, rng_range(rng, -1.0, 1.0));
}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).a = ((*s).a + 1u + action[0]) % 5u;
    (*s).b = rng_uniform(rng) < 0.5;
    (*s).c += 0.1 * f32(action[1]);
    return Outcome(1.0, false);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.a), select(0.0, 1.0, s.b), s.c); }
fn env_action_mask(s: State) -> ActionMask {
    let kind = s.a % 3u;
    return ActionMask(kind != 0u, kind != 1u, kind != 2u, s.b, true, s.c > 0.0, !s.b);
}
";

/// One choice with a mask.
const LANE: &str = "
//! Observation: place, drift
//! Actions: left, stay, right
const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 30u;
struct State { place: i32, drift: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(i32(rng_u32(rng) % 8u), rng_range(rng, -2.0, 2.0)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).place = clamp((*s).place + i32(action) - 1, 0, 8);
    (*s).drift = 0.9 * (*s).drift + 0.1;
    return Outcome(-1.0, false);
}
fn env_observe(s: State) -> Observation { return Observation(f32(s.place) / 8.0, s.drift); }
fn env_action_mask(s: State) -> ActionMask { return ActionMask(s.place > 0, true, s.place < 8); }
";

/// A policy, observations, and what the device does there.
pub struct Case {
    pub name: String,
    pub policy: Policy,
    /// `[world][feature]`
    pub observations: Vec<Vec<f32>>,
    /// `[world][action]`; all where the environment has no masks.
    pub allowed: Vec<Vec<bool>>,
    /// `[world][word]`
    pub on_device: Vec<Vec<f64>>,
}

/// An environment from its text.
pub fn env_of(name: &str, text: &str) -> Environment {
    ok(Environment::from_source(name, name, text.trim_start()))
}

/// One choice with a mask.
pub fn lane() -> Environment {
    env_of("Lane", LANE)
}

/// CartPole with two choices at once.
pub fn two() -> Environment {
    let text = manyworlds::shader::built_in_text("env/cartpole.wgsl").expect("a file");
    let text = text
        .replace("const ACTION_COUNT: u32 = 2u;", "const ACTION_COUNTS = array<u32, 2>(3u, 2u);")
        .replace("action == 1u", "action[1] == 1u");
    env_of("Two", &text)
}

/// CartPole under a name of its own, so that a program has two policies of it.
fn linear() -> Environment {
    env_of("Linear", manyworlds::shader::built_in_text("env/cartpole.wgsl").expect("a file"))
}

/// The environments, how their policies are made, and how far states are stretched.
pub fn all() -> Vec<Case> {
    let load = |name: &str| ok(Environment::load(name));
    let rows: [(Environment, &str, &[&str], f64); 12] = [
        (load("CartPole-v1"), "ppo", &["hidden=[64, 64]", "norm_obs=true"], 4.0),
        (load("Acrobot-v1"), "sac", &["hidden=[24]", "activation=relu", "target_entropy_scale=0.3"], 40.0),
        (load("MountainCar-v0"), "cem", &["hidden=[9]"], 3.0),
        (two(), "a2c", &["hidden=[17, 6]", "activation=relu", "norm_reward=true"], 4.0),
        (env_of("Masked", MASKED), "ppo", &["hidden=[13, 10]", "norm_obs=true", "activation=relu"], 1.0),
        (lane(), "ppo", &["hidden=[20]"], 1.0),
        (load("Pendulum-v1"), "ppo", &["hidden=[32, 16]", "norm_obs=true", "norm_reward=true", "squash=false"], 2.0),
        (walk(), "trpo", &["hidden=[12, 12]", "squash=true", "use_sde=true"], 5.0),
        (load("QuadrotorHover"), "sac", &["hidden=[48, 48]", "activation=relu"], 1.5),
        (load("MountainCarContinuous-v0"), "ddpg", &["hidden=[30, 30, 30]", "activation=tanh"], 3.0),
        (load("QuadrotorWaypoint"), "td3", &["hidden=[40]", "activation=relu"], 1.5),
        // a single layer
        (linear(), "pattern", &["hidden=[]"], 1.0),
    ];
    let rows = rows.into_iter().zip(1..);
    rows.map(|((env, algo, pairs, stretch), seed)| case(&env, algo, pairs, stretch, seed)).collect()
}

fn case(env: &Environment, algo: &str, pairs: &[&str], stretch: f64, seed: u32) -> Case {
    let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    let policy = perturbed(env, ok(Config::resolve(env.name(), algo, None, &pairs)), seed);
    // a search's answer is looked at as the best member that it ever had
    let policy = policy.best().unwrap_or(policy);
    let pool = played(env, stretch, seed);
    let features = env.spec().observation_dim as usize;
    let seen = ok(pool.observations());
    let observations = (0..COUNT).map(|world| (0..features).map(|f| seen[f * COUNT + world]).collect()).collect();
    let masks: Vec<Vec<bool>> = (0..env.spec().action_space.choices()).map(|action| ok(pool.allowed(action))).collect();
    let allowed = (0..COUNT).map(|world| masks.iter().map(|mask| mask[world]).collect()).collect();
    let on_device = acted(&policy, &pool, seed);
    Case { name: format!("{algo} on {}", env.name()), policy, observations, allowed, on_device }
}

/// A policy whose parameters are those of no beginning: weights that neither vanish nor saturate, and moments of their own.
pub fn perturbed(env: &Environment, config: Config, seed: u32) -> Policy {
    let mut draw = Draw::new(900 + seed);
    let mut parameters = Vec::new();
    for tensor in networks(&config, env).tensors() {
        match (tensor.name.as_str(), &tensor.shape[..]) {
            ("normaliser.observation" | "normaliser.reward", _) => {
                for _ in 0..tensor.len() / 4 {
                    let moments = [draw.between(-0.2, 0.2), draw.between(0.5, 4.0), draw.between(1.0, 90.0), 100.0];
                    parameters.extend(moments);
                }
            }
            (_, [_, inputs]) => {
                let most = (4.0 / *inputs as f64).sqrt();
                parameters.extend(draw.vector(tensor.len(), -most, most));
            }
            _ => parameters.extend(draw.vector(tensor.len(), -0.1, 0.1)),
        }
    }
    let mut policy = ok(Policy::untrained(env, config));
    ok(policy.set_parameters(&parameters.iter().map(|x| *x as f32).collect::<Vec<_>>()));
    policy
}

/// Worlds after random play, half of them moved and stretched beyond what play comes to.
fn played(env: &Environment, stretch: f64, seed: u32) -> WorldPool {
    let pool = ok(WorldPool::new(gpu(), env, COUNT as u32, seed));
    let (space, mut draw) = (&env.spec().action_space, Draw::new(seed));
    for _ in 0..STEPS {
        match space {
            ActionSpace::Box { low, high } => {
                let bounds = low.iter().zip(high).flat_map(|bounds| std::iter::repeat_n(bounds, COUNT));
                let actions: Vec<f32> =
                    bounds.map(|(low, high)| draw.between(f64::from(*low), f64::from(*high)) as f32).collect();
                ok(pool.step(&actions));
            }
            _ => {
                let counts = space.counts().into_iter().flat_map(|count| std::iter::repeat_n(count, COUNT));
                let mut actions: Vec<u32> = counts.map(|count| draw.word() % count).collect();
                ok(pool.make_legal(&mut actions));
                ok(pool.step(&actions));
            }
        }
    }
    let mut states = ok(pool.states());
    for state in states.iter_mut().step_by(2) {
        // whole numbers stay whole, and in their ranges
        state.iter_mut().filter(|x| x.fract() != 0.0).for_each(|x| *x = stretch * (*x + draw.between(-0.5, 0.5)));
    }
    ok(pool.set_states(&states));
    pool
}

/// What the device does in the worlds as they are, `[world][word]`.
fn acted(policy: &Policy, pool: &WorldPool, seed: u32) -> Vec<Vec<f64>> {
    let Policy { env, config, .. } = policy;
    let (layout, space) = (networks(config, env), &env.spec().action_space);
    let kernels = Kernels::new(gpu().form_for(0), &layout, space, config.exploration(env));
    let words = layout.expand(policy.parameters());
    let acting = planned(|plan| {
        let parameters = move || words.clone();
        let agents = Agents::new(plan, Run::default(), &[seed], layout.words(), parameters, Progress::default())?;
        Acting::new(plan, &kernels, env, 0, &agents, &pool.worlds, &pool.actions, COUNT as u32, false)
    });
    let mut recording = Recording::default();
    acting.record(&mut recording);
    ok(gpu().submit(&recording));
    let words = ok(gpu().read(&pool.actions));
    let number = |word: u32| if space.is_box() { f64::from(f32::from_bits(word)) } else { f64::from(word) };
    (0..COUNT).map(|world| words.iter().skip(world).step_by(COUNT).map(|word| number(*word)).collect()).collect()
}
