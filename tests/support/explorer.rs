//! Environments with real numbers to act with, and a policy over them in f64 that explores in every way.

use super::{Draw, ok, with_log_std};
use manyworlds::env::{ActionSpace, Deviation, Environment, Exploration, StateDependent};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reference::{gaussian, squashed, state_dependent};

/// Three numbers between different bounds: a walk that only the actions move.
const WALK: &str = "
const OBSERVATION_DIM: u32 = 3u;
const ACTION_DIM: u32 = 3u;
const ACTION_LOW: array<f32, 3> = array<f32, 3>(-1.0, -0.5, 0.0);
const ACTION_HIGH: array<f32, 3> = array<f32, 3>(1.0, 0.5, 2.0);
const MAX_EPISODE_STEPS: u32 = 11u;
struct State { at: vec3<f32> }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(vec3<f32>(rng_uniform(rng), rng_uniform(rng), rng_uniform(rng))); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let push = vec3<f32>(action[0], action[1], action[2]);
    (*s).at = 0.5 * (*s).at + push;
    return Outcome(push.x + 10.0 * push.y + 100.0 * push.z, false);
}
fn env_observe(s: State) -> Observation { return Observation(s.at.x, s.at.y, s.at.z); }
";

/// Its observation follows a clock; two numbers; episodes of 7 steps.
pub const CLOCK: &str = "
const OBSERVATION_DIM: u32 = 2u;
const ACTION_DIM: u32 = 2u;
const ACTION_LOW: f32 = 0.0;
const ACTION_HIGH: f32 = 2.0;
const MAX_EPISODE_STEPS: u32 = 7u;
override speed: f32 = 0.0;
struct State { t: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(0.0); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).t += speed;
    return Outcome(action[0], false);
}
fn env_observe(s: State) -> Observation { return Observation(1.0 - 0.25 * s.t, 0.5 + 0.5 * s.t); }
";

pub const SEED: u32 = 12;
/// Steps of a window: neither divides the episodes nor the rollout.
const WINDOW: u32 = 4;
const PURPOSE_EXPLORATION: u32 = 5;

/// The walk in episodes of 11 steps.
pub fn walk() -> Environment {
    walk_of(11)
}

/// The walk in episodes of so many steps.
pub fn walk_of(limit: u32) -> Environment {
    ok(Environment::from_source("Walk", "serial.wgsl", &WALK.replace("= 11u", &format!("= {limit}u"))))
}

/// Every way to explore, for observations of so many numbers.
pub fn explorations(observation: u32) -> [Exploration; 4] {
    let state = StateDependent { features: observation + 1, steps: WINDOW };
    let (free, state) = (Deviation::Free, Deviation::StateDependent(state));
    [(false, free), (true, free), (false, state), (true, state)]
        .map(|(squash, deviation)| Exploration { squash, deviation })
}

pub fn bounds(env: &Environment) -> Vec<(f64, f64)> {
    let ActionSpace::Box { low, high } = &env.spec().action_space else { panic!("no real numbers") };
    low.iter().zip(high).map(|(low, high)| (f64::from(*low), f64::from(*high))).collect()
}

/// A policy in f64: a network of means, and log σ behind it.
pub struct Reference {
    pub means: Mlp,
    pub log_sigma: Vec<f64>,
    pub exploration: Exploration,
    pub bounds: Vec<(f64, f64)>,
}

impl Reference {
    pub fn draw(draw: &mut Draw, hidden: &[u32], exploration: Exploration, env: &Environment) -> Self {
        let (inputs, numbers) = (env.spec().observation_dim, env.spec().action_space.words());
        let means = draw.network(&[&[inputs], hidden, &[numbers]].concat(), Activation::Tanh);
        let free = env.spec().action_space.free_outputs(exploration) as usize;
        Self { means, log_sigma: draw.vector(free, -1.2, 0.1), exploration, bounds: bounds(env) }
    }

    pub fn network(&self) -> Mlp {
        with_log_std(&self.means, &self.log_sigma)
    }

    pub fn mean(&self, observation: &[f64]) -> Vec<f64> {
        self.means.output(observation)
    }

    pub fn features(observation: &[f64]) -> Vec<f64> {
        [observation, &[1.0]].concat()
    }

    /// log s.
    pub fn log_std(&self, observation: &[f64]) -> Vec<f64> {
        match self.exploration.state_dependent() {
            Some(_) => state_dependent::log_std(&Self::features(observation), &self.log_sigma),
            None => self.log_sigma.clone(),
        }
    }

    /// Of a slope by log s, that by log σ.
    pub fn d_log_sigma(&self, observation: &[f64], d_log_std: &[f64]) -> Vec<f64> {
        match self.exploration.state_dependent() {
            Some(_) => state_dependent::d_log_sigma(&Self::features(observation), &self.log_sigma, d_log_std),
            None => d_log_std.to_vec(),
        }
    }

    /// What is drawn for a world at the step `step` of its run, which is the `length`-th of its episode.
    pub fn drawn(&self, observation: &[f64], world: u32, step: u32, length: u32) -> Vec<f64> {
        let mean = self.mean(observation);
        let count = self.log_sigma.len().next_multiple_of(2);
        let uniforms = |step: u32, purpose: u32| -> Vec<f64> {
            let call = |call: usize| philox4x32_10([world, step, purpose, call as u32], [SEED, 0]).map(uniform);
            (0..count.div_ceil(4)).flat_map(call).collect()
        };
        match self.exploration.state_dependent() {
            Some(state) => {
                let begin = step - length % state.steps;
                let (zeros, ones) = (vec![0.0; self.log_sigma.len()], vec![0.0; self.log_sigma.len()]);
                let normals = gaussian::sample(&zeros, &ones, &uniforms(begin, PURPOSE_EXPLORATION));
                state_dependent::action(&mean, &Self::features(observation), &self.log_sigma, &normals)
            }
            None => gaussian::sample(&mean, &self.log_sigma, &uniforms(step, 1)),
        }
    }

    pub fn log_prob(&self, observation: &[f64], u: &[f64]) -> f64 {
        let (mean, log_std) = (self.mean(observation), self.log_std(observation));
        if self.exploration.squash {
            squashed::log_prob(&mean, &log_std, u, &self.bounds)
        } else {
            gaussian::log_prob(&mean, &log_std, u)
        }
    }

    /// What the environment gets.
    pub fn action(&self, u: &[f64]) -> Vec<f64> {
        let held = |(u, &(low, high)): (&f64, &(f64, f64))| {
            if self.exploration.squash { squashed::action(*u, low, high) } else { u.clamp(low, high) }
        };
        u.iter().zip(&self.bounds).map(held).collect()
    }

    /// Entropy, and its gradient by mean and log s.
    pub fn entropy(&self, observation: &[f64], u: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
        let (mean, log_std) = (self.mean(observation), self.log_std(observation));
        if self.exploration.squash {
            let (d_mean, d_log_std) = squashed::d_entropy(&mean, u);
            (squashed::entropy(&log_std, u, &self.bounds), d_mean, d_log_std)
        } else {
            (gaussian::entropy(&log_std), vec![0.0; u.len()], vec![1.0; u.len()])
        }
    }
}
