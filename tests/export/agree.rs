//! All programs agree on what a policy does.

// a test may panic; what it prints are the figures of docs/export.md
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use crate::cases::{COUNT, Case, all};
use crate::programs::{Made, by_c, by_onnx, by_wgsl, prefix, self_test};
use crate::support::ok;
use manyworlds::env::ActionSpace;
use manyworlds::export;
use manyworlds::train::{Dense, Layer};
use std::sync::OnceLock;
use std::time::Instant;

/// How far an action of f32 may be from that of f64: of real numbers relative to the distance of their bounds, of logits to
/// the largest of them (at least 1).
const TOLERANCE: f64 = 1e-5;

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(all)
}

/// What the host makes of the observations of a case: actions, and of choices by how much each is the best.
struct Expected {
    actions: Vec<Vec<f64>>,
    /// `[world][choice]`, relative to the largest logit.
    gaps: Vec<Vec<f64>>,
    outputs: Vec<Vec<f64>>,
}

fn expected(case: &Case) -> Expected {
    let (policy, space) = (&case.policy, &case.policy.env.spec().action_space);
    let actor = ok(policy.actor());
    let wide = |observation: &[f32]| observation.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let act = |(observation, allowed): (&Vec<f32>, &Vec<bool>)| {
        let seen = wide(observation);
        ok(if space.masked() { actor.act_masked(&seen, allowed) } else { actor.act(&seen) })
    };
    let layers = ok(policy.layers());
    let outputs: Vec<Vec<f64>> =
        case.observations.iter().map(|observation| outputs(&layers, &wide(observation))).collect();
    let gaps = outputs.iter().zip(&case.allowed).map(|(logits, allowed)| gaps(logits, allowed, space)).collect();
    Expected { actions: case.observations.iter().zip(&case.allowed).map(act).collect(), gaps, outputs }
}

/// What layers make of an observation, the head left out, as their rules have it.
fn outputs(layers: &[Layer], observation: &[f64]) -> Vec<f64> {
    let mut x = observation.to_vec();
    for layer in layers {
        x = match layer {
            Layer::Normalise { mean, scale } => x
                .iter()
                .zip(mean.iter().zip(scale))
                .map(|(x, (mean, scale))| ((x - f64::from(*mean)) * f64::from(*scale)).clamp(-10.0, 10.0))
                .collect(),
            Layer::Dense(Dense { inputs, weight, bias, .. }) => weight
                .chunks_exact(*inputs)
                .zip(bias)
                .map(|(row, b)| f64::from(*b) + row.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum::<f64>())
                .collect(),
            Layer::Tanh => x.iter().map(|x| x.tanh()).collect(),
            Layer::Relu => x.iter().map(|x| x.max(0.0)).collect(),
            Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => x,
        };
    }
    x
}

fn gaps(logits: &[f64], allowed: &[bool], space: &ActionSpace) -> Vec<f64> {
    let (mut first, mut gaps) = (0, Vec::new());
    for count in space.counts() {
        let end = first + count as usize;
        let mut of_choice: Vec<f64> = (first..end).filter(|&i| allowed[i]).map(|i| logits[i]).collect();
        of_choice.sort_by(|a, b| b.total_cmp(a));
        let size = of_choice.iter().fold(1.0, |most: f64, z| most.max(z.abs()));
        gaps.push(if let [best, second, ..] = of_choice[..] { (best - second) / size } else { f64::INFINITY });
        first = end;
    }
    gaps
}

/// Largest differences of a program from the host.
#[derive(Debug, Default)]
struct Largest {
    /// Of actions, relative to the distance of their bounds; 0 of choices.
    action: f64,
    /// Of outputs, relative to the largest of them.
    output: f64,
    /// Choices whose two best logits are closer than rounding, and those of them that came out otherwise.
    close: usize,
    other: usize,
}

/// Holds what a program makes against the host; without outputs where it shows only actions.
fn compare(by: &str, case: &Case, expected: &Expected, actions: &[Vec<f64>], outputs: Option<&[Vec<f64>]>) {
    let what = format!("{by}, {}", case.name);
    let mut largest = Largest::default();
    assert_eq!(actions.len(), COUNT, "{what}");
    for world in 0..COUNT {
        let (got, wanted) = (&actions[world], &expected.actions[world]);
        assert_eq!(got.len(), wanted.len(), "{what}");
        let shown = || {
            let (observation, outputs) = (&case.observations[world], &expected.outputs[world]);
            format!("{what}, observation {world} {observation:?}: {got:?}, on the host {wanted:?} of {outputs:?}")
        };
        match &case.policy.env.spec().action_space {
            ActionSpace::Box { low, high } => {
                for ((got, wanted), (low, high)) in got.iter().zip(wanted).zip(low.iter().zip(high)) {
                    assert!((*low..=*high).contains(&(*got as f32)), "out of its bounds: {}", shown());
                    let off = (got - wanted).abs() / f64::from(high - low);
                    assert!(off <= TOLERANCE, "off by {off:e} of its bounds: {}", shown());
                    largest.action = largest.action.max(off);
                }
            }
            _ => {
                for ((got, wanted), gap) in got.iter().zip(wanted).zip(&expected.gaps[world]) {
                    let (close, same) = (*gap <= TOLERANCE, (got - wanted).abs() < 0.5);
                    assert!(same || close, "another action: {}", shown());
                    largest.close += usize::from(close);
                    largest.other += usize::from(!same);
                }
            }
        }
        let Some(outputs) = outputs else { continue };
        let (got, wanted) = (&outputs[world], &expected.outputs[world]);
        assert_eq!(got.len(), wanted.len(), "{what}");
        let size = wanted.iter().fold(1.0, |most: f64, z| most.max(z.abs()));
        for (got, wanted) in got.iter().zip(wanted) {
            let off = (got - wanted).abs() / size;
            assert!(off <= TOLERANCE, "outputs {:?} are off by {off:e}: {}", outputs[world], shown());
            largest.output = largest.output.max(off);
        }
    }
    let Largest { action, output, close, other } = largest;
    println!(
        "{what}: actions {action:.1e} of their bounds, outputs {output:.1e}; {close} choices close, {other} other"
    );
    assert!(close <= COUNT / 50, "{what}: hardly any action is decided");
}

#[test]
fn the_cases_are_worth_it() {
    let cases = cases();
    for case in cases {
        let expected = expected(case);
        let first = &expected.actions[0];
        let same = expected.actions.iter().filter(|action| *action == first).count();
        assert!(same < COUNT * 49 / 50, "{}: {same} of {COUNT} actions are the same", case.name);
        if let ActionSpace::Box { low, high } = &case.policy.env.spec().action_space {
            let inner = expected.actions.iter().filter(|action| {
                action.iter().zip(low.iter().zip(high)).any(|(a, (low, high))| {
                    let free = 0.01 * f64::from(high - low);
                    *a > f64::from(*low) + free && *a < f64::from(*high) - free
                })
            });
            assert!(inner.count() > COUNT / 4, "{}: hardly any action is within its bounds", case.name);
        }
        if case.policy.env.spec().action_space.masked() {
            let free = ok(case.policy.actor());
            let all = vec![true; case.allowed[0].len()];
            let wide = |world: usize| case.observations[world].iter().copied().map(f64::from).collect::<Vec<f64>>();
            let changed = (0..COUNT).filter(|&n| ok(free.act_masked(&wide(n), &all)) != expected.actions[n]).count();
            assert!(changed > COUNT / 10, "{}: masks change {changed} actions", case.name);
        }
    }
    let held = |case: &Case| {
        let layers = ok(case.policy.layers());
        let Some(Layer::Normalise { mean, scale }) = layers.first() else { return 0 };
        let beyond = |x: &f32, f: usize| ((x - mean[f]) * scale[f]).abs() > 10.0;
        case.observations.iter().filter(|seen| seen.iter().enumerate().any(|(f, x)| beyond(x, f))).count()
    };
    let held: Vec<usize> = cases.iter().map(held).collect();
    assert!(held.iter().sum::<usize>() > COUNT / 10, "too few observations are held to ±10: {held:?}");
    let heads: Vec<&str> = cases.iter().filter_map(|case| ok(case.policy.layers()).last()?.head_name()).collect();
    assert!(["argmax", "clip", "tanh"].iter().all(|head| heads.contains(head)), "{heads:?}");
}

#[test]
fn the_device_acts_as_the_host_does() {
    for case in cases() {
        compare("device", case, &expected(case), &case.on_device, None);
    }
}

#[test]
fn onnxruntime_acts_as_the_host_does() {
    for (case, (Made { outputs, actions }, told)) in cases().iter().zip(by_onnx(cases())) {
        compare("onnxruntime", case, &expected(case), &actions, Some(&outputs));
        let space = &case.policy.env.spec().action_space;
        let (kind, opset) = if space.is_box() { ("float32", 8) } else { ("int64", 12) };
        let words = space.words();
        let shape = if space.is_box() || words > 1 { format!("[{COUNT}, {words}]") } else { format!("[{COUNT}]") };
        let (name, env, hash) = (prefix(&case.policy), case.policy.env.name(), case.policy.hash());
        assert_eq!(told, format!("{name} 4 {opset} {kind} {shape} {env} {hash} manyworlds"));
    }
}

#[test]
fn a_c_compiler_makes_what_acts_as_the_host_does() {
    for (case, Made { outputs, actions }) in cases().iter().zip(by_c(cases())) {
        compare("C", case, &expected(case), &actions, Some(&outputs));
    }
}

#[test]
fn the_self_test_of_a_header_tells_what_differs() {
    // the first number of an array, changed
    let changed = |header: &str, array: &str, number: &str| {
        let (before, rest) = header.split_once(&format!(" {array}")).unwrap();
        let (size, numbers) = rest.split_once("{\n    ").unwrap();
        let end = numbers.find([',', '\n']).unwrap();
        format!("{before} {array}{size}{{\n    {number}{}", &numbers[end..])
    };
    for (env, array, number, place) in [
        ("CartPole-v1", "cartpole_v1_bias_2", "9.0f", "1"),
        ("CartPole-v1", "cartpole_v1_mean", "3.0f", "1"),
        ("Pendulum-v1", "pendulum_v1_weight_0", "0.0f", "1"),
        // one output, then the action
        ("Pendulum-v1", "pendulum_v1_high", "-1.99f", "2"),
        ("Lane", "lane_bias_1", "-0.5f", "1"),
        ("Masked", "masked_start", "1", "8"),
    ] {
        let case = cases().iter().find(|case| case.policy.env.name() == env).unwrap();
        let header = ok(export::c(&case.policy));
        assert_eq!(self_test(&case.policy, &header), "0", "{env}");
        let broken = changed(&header, array, number);
        assert_ne!(broken, header, "{env}");
        assert_eq!(self_test(&case.policy, &broken), place, "{env} with {array} changed");
    }
}

#[test]
fn a_shader_acts_as_the_host_does() {
    for case in cases() {
        let begun = Instant::now();
        let Made { outputs, actions } = by_wgsl(case);
        println!("{}: compiled and run in {:.2} s", case.name, begun.elapsed().as_secs_f64());
        compare("WGSL", case, &expected(case), &actions, Some(&outputs));
    }
}

#[test]
fn policies_go_into_one_module_side_by_side() {
    let source: String = cases().iter().map(|case| ok(export::wgsl(&case.policy))).collect();
    let module =
        naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| panic!("{}", error.emit_to_string(&source)));
    let (flags, capabilities) = (naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
    naga::valid::Validator::new(flags, capabilities).validate(&module).unwrap();
    assert!(module.global_variables.is_empty() && module.entry_points.is_empty());
}
