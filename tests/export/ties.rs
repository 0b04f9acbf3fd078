//! Actions that are as good as each other: all programs take the first.

// a test may panic
#![allow(clippy::unwrap_used)]

use crate::cases::{Case, lane, two};
use crate::programs::{by_c, by_onnx, by_wgsl};
use crate::support::ok;
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::Policy;

/// A policy whose logits are the same everywhere: weights of 0, and a list of biases of the head.
fn constant(env: &Environment, head: &[f32]) -> Policy {
    let config = ok(Config::resolve(env.name(), "cem", None, &["hidden=[4]".to_owned()]));
    let mut policy = ok(Policy::untrained(env, config));
    let features = env.spec().observation_dim as usize;
    let mut parameters = vec![0.0; policy.parameters().len()];
    let first = 4 * features + 4 + head.len() * 4;
    parameters[first..first + head.len()].copy_from_slice(head);
    ok(policy.set_parameters(&parameters));
    policy
}

/// Five observations, and masks that forbid more and more.
fn case(policy: Policy, allowed: &[Vec<bool>]) -> Case {
    let features = policy.env.spec().observation_dim as usize;
    let observations = (0..allowed.len()).map(|n| vec![0.25 * n as f32 - 0.5; features]).collect();
    Case { name: policy.env.name().to_owned(), policy, observations, allowed: allowed.to_vec(), on_device: Vec::new() }
}

#[test]
fn the_first_of_equals_is_taken_by_all() {
    let lane = lane();
    let free = |count: usize| vec![vec![true; count]; 5];
    let f = |flags: [u8; 3]| flags.map(|flag| flag == 1).to_vec();
    let masks = [f([1, 1, 1]), f([0, 1, 1]), f([0, 0, 1]), f([1, 0, 1]), f([0, 1, 0])];
    let cases = [
        (case(constant(&ok(Environment::load("CartPole-v1")), &[0.5, 0.5]), &free(2)), vec![vec![0.0]; 5]),
        (case(constant(&ok(Environment::load("Acrobot-v1")), &[-1.0, 0.25, 0.25]), &free(3)), vec![vec![1.0]; 5]),
        (case(constant(&two(), &[-2.0, 0.0, 0.0, -3.0, -3.0]), &free(5)), vec![vec![1.0, 0.0]; 5]),
        (case(constant(&lane, &[7.0, 7.0, 7.0]), &masks), [0.0, 1.0, 2.0, 0.0, 1.0].map(|a| vec![a]).to_vec()),
    ];
    let (cases, expected): (Vec<Case>, Vec<Vec<Vec<f64>>>) = cases.into_iter().unzip();
    for (case, wanted) in cases.iter().zip(&expected) {
        let masked = case.policy.env.spec().action_space.masked();
        for ((observation, allowed), wanted) in case.observations.iter().zip(&case.allowed).zip(wanted) {
            let wide: Vec<f64> = observation.iter().copied().map(f64::from).collect();
            let got = if masked { case.policy.act_masked(&wide, allowed) } else { case.policy.act(&wide) };
            assert_eq!(ok(got), *wanted, "{} on the host", case.name);
        }
    }
    let onnx: Vec<_> = by_onnx(&cases).into_iter().map(|(made, _)| made.actions).collect();
    let c: Vec<_> = by_c(&cases).into_iter().map(|made| made.actions).collect();
    let wgsl: Vec<_> = cases.iter().map(|case| by_wgsl(case).actions).collect();
    for (by, got) in [("onnxruntime", onnx), ("C", c), ("WGSL", wgsl)] {
        assert_eq!(got, expected, "{by}");
    }
    // where nothing is allowed, as docs/export.md has it
    let none = [case(constant(&lane, &[1.0, 3.0, 2.0]), &[f([0, 0, 0]), f([0, 1, 1])])];
    let actions = [by_onnx(&none).remove(0).0.actions, by_c(&none).remove(0).actions, by_wgsl(&none[0]).actions];
    for (first, actions) in [0.0, -1.0, 0.0].into_iter().zip(actions) {
        assert_eq!(actions, [[first], [1.0]]);
    }
}
