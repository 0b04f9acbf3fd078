//! What the code of kernels grows with, counted with all calls made part of their callers, as drivers do.

#![allow(clippy::unwrap_used)] // a test may panic

use manyworlds::algo;
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::plan::{Plan, Target};
use std::collections::BTreeMap;

/// Expressions and statements of each kernel of a plan, by name.
fn sizes(target: Target, env: &Environment, algo: Algo, set: &str) -> BTreeMap<String, u64> {
    let pairs: Vec<String> = set.split_whitespace().map(str::to_owned).collect();
    let config = Config::resolve("none", algo.name(), None, &pairs).unwrap();
    let mut plan = Plan::new(target);
    algo::plan(&mut plan, &config, env, &[1]).unwrap();
    let mut sizes = BTreeMap::new();
    for program in plan.kernels() {
        let linked = program.link().unwrap();
        let module = linked.module();
        *sizes.entry(program.name().to_owned()).or_default() += size(module, &module.entry_points[0].function);
    }
    sizes
}

fn size(module: &naga::Module, function: &naga::Function) -> u64 {
    function.expressions.len() as u64 + block_size(module, &function.body)
}

fn block_size(module: &naga::Module, block: &naga::Block) -> u64 {
    let of = |statement: &naga::Statement| match statement {
        naga::Statement::Block(inner) => block_size(module, inner),
        naga::Statement::If { accept, reject, .. } => block_size(module, accept) + block_size(module, reject),
        naga::Statement::Switch { cases, .. } => cases.iter().map(|case| block_size(module, &case.body)).sum(),
        naga::Statement::Loop { body, continuing, .. } => block_size(module, body) + block_size(module, continuing),
        naga::Statement::Call { function, .. } => size(module, &module.functions[*function]),
        _ => 0,
    };
    block.iter().map(|statement| 1 + of(statement)).sum()
}

const SHORT: &str = "total_timesteps=100000 eval_episodes=2 num_envs=64 num_steps=16";

#[test]
fn code_does_not_grow_with_the_widths_of_wide_networks() {
    let env = Environment::load("CartPole-v1").unwrap();
    for target in [Target::GPU, Target::SOFTWARE] {
        for algo in [Algo::Ppo, Algo::Trpo] {
            let [narrow, wide] = ["256,256", "512,1024"].map(|hidden| {
                sizes(target.clone(), &env, algo, &format!("{SHORT} hidden={hidden} total_timesteps=9000000"))
            });
            assert_eq!(narrow, wide, "{} for {target:?}", algo.name());
        }
    }
}

/// One of so many actions.
fn choices(count: u32) -> Environment {
    let text = format!(
        "const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = {count}u;
const MAX_EPISODE_STEPS: u32 = 5u;
struct State {{ x: f32 }}
fn env_reset(rng: ptr<function, Rng>) -> State {{ return State(rng_uniform(rng)); }}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{
    return Outcome(f32(action), false);
}}
fn env_observe(s: State) -> Observation {{ return Observation(s.x); }}
"
    );
    Environment::from_source("Choices", "choices.wgsl", &text).unwrap()
}

#[test]
fn code_grows_no_faster_than_the_number_of_actions() {
    for (algo, set) in [(Algo::Ppo, ""), (Algo::Ppo, "penalty=kl"), (Algo::Trpo, "")] {
        for target in [Target::GPU, Target::SOFTWARE] {
            let set = format!("{SHORT} hidden=16 {set}");
            let [a, b, c] = [32, 64, 128].map(|count| sizes(target.clone(), &choices(count), algo, &set));
            for (name, &last) in &c {
                let (first, middle) = (a.get(name).copied().unwrap_or(0), b.get(name).copied().unwrap_or(0));
                let (sooner, later) = (middle.saturating_sub(first), last.saturating_sub(middle));
                // 2 where it grows with the number, 4 with its square; kernels of other names come and go with the widths
                assert!(
                    first == 0 || later * 10 <= sooner * 24 + 5_000,
                    "{name} of {} {set}: {first}, {middle}, {last}",
                    algo.name()
                );
            }
        }
    }
}
