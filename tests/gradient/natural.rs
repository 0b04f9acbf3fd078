//! Natural gradients on the device against the f64 reference: products with the Fisher matrix of networks of every shape,
//! at sizes that divide nothing; a search that ends early.

// equal means equal here, and a test may panic
#![allow(clippy::float_cmp, clippy::unwrap_used)]

use crate::support::{Draw, Samples, Stages, assert_norm, bits, few_forms, forms, gpu, ok, run, wide};
use manyworlds::env::ActionSpace;
use manyworlds::gpu::{Form, Recording};
use manyworlds::layout::TrustRegion;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::{baseline, categorical, fisher};

struct Case {
    hidden: &'static [u32],
    features: u32,
    activation: Activation,
    samples: u32,
    /// Every so-manyeth sample.
    stride: u32,
    window: Option<u32>,
}

const SMALL: Case =
    Case { hidden: &[12], features: 3, activation: Activation::Tanh, samples: 345, stride: 1, window: None };

const ACTIONS: u32 = 3;

/// Two agents with networks, observations and directions of their own.
fn check(form: Form, case: &Case, seed: u32) {
    let mut draw = Draw::new(seed);
    let widths = [&[case.features], case.hidden, &[ACTIONS]].concat();
    let networks: Vec<Mlp> = (0..2).map(|_| draw.network(&widths, case.activation)).collect();
    let space = ActionSpace::Discrete { count: ACTIONS, masked: false };
    let each: Vec<&[&Mlp]> = vec![&[], &[]];
    let owned: Vec<[&Mlp; 1]> = networks.iter().map(|network| [network]).collect();
    let each: Vec<&[&Mlp]> = each.iter().zip(&owned).map(|(_, networks)| &networks[..]).collect();
    let stages = Stages::with_space(form, &each, space, &[1, 2], run(case.samples, 1, case.samples), case.window);
    let trust = TrustRegion { samples: case.samples, iterations: 1, ..TrustRegion::default() };
    let (_, natural) = stages.natural(trust, case.stride);
    let mut directions = Vec::new();
    let mut wanted = Vec::new();
    for (agent, network) in networks.iter().enumerate() {
        let observations = draw.vector((case.samples * case.features) as usize, -2.0, 2.0);
        let v = draw.vector(network.parameters.len(), -1.0, 1.0);
        stages.write_observations(agent, &observations);
        directions.extend(stages.layout.expand(&v.iter().map(|&x| x as f32).collect::<Vec<_>>()));
        let taken: Vec<f64> = observations
            .chunks_exact(case.features as usize)
            .step_by(case.stride as usize)
            .flatten()
            .copied()
            .collect();
        wanted.push(fisher::product(network, &taken, fisher::categorical_metric, &v));
    }
    gpu().write(&natural.direction, &directions);
    let mut product = Recording::default();
    natural.fisher.record(&mut product);
    ok(gpu().submit(&product));
    let got = ok(gpu().read(&natural.fisher.gradient));
    for (agent, wanted) in wanted.iter().enumerate() {
        let got = wide(&stages.layout.compact(&stages.of_agent(&got, agent)));
        let Case { hidden, features, samples, stride, .. } = case;
        let label = format!(
            "{form}, {features} features, hidden {hidden:?}, {samples} samples, every {stride}-th, agent {agent}"
        );
        assert_norm(&label, &got, wanted, 1e-4);
    }
}

#[test]
fn fisher_products_agree_with_the_reference_for_every_shape() {
    for form in forms(gpu()) {
        check(form, &SMALL, 701);
    }
    // an odd number of layers leaves one without a partner
    for form in few_forms() {
        check(form, &Case { hidden: &[8, 8], samples: 1757, stride: 5, ..SMALL }, 703);
    }
    // four layers, of widths that are padded and such that are not
    check(Form::PLAIN, &Case { hidden: &[9, 6, 5], activation: Activation::Relu, samples: 173, ..SMALL }, 702);
    for form in &few_forms()[1..] {
        check(*form, &Case { hidden: &[20, 12, 5], activation: Activation::Relu, samples: 173, ..SMALL }, 706);
    }
    for form in [Form::PLAIN, gpu().form()] {
        check(form, &Case { hidden: &[], features: 5, samples: 65, stride: 2, ..SMALL }, 704);
    }
    check(gpu().form(), &Case { hidden: &[9, 7, 6, 5], samples: 64, window: Some(1), ..SMALL }, 705);
}

#[test]
fn fisher_products_agree_with_the_reference_layer_by_layer() {
    for form in few_forms() {
        check(form, &Case { hidden: &[5, 130], samples: 173, stride: 3, ..SMALL }, 710);
        check(form, &Case { hidden: &[140, 129, 12], samples: 345, ..SMALL }, 711);
    }
}

#[test]
fn fisher_products_agree_with_the_reference_with_two_layers_of_64() {
    check(gpu().form(), &Case { hidden: &[64, 64], features: 4, samples: 1757, ..SMALL }, 720);
}

/// The gradient with each parameter's best baseline, and the norm that goes with it.
#[test]
fn optimal_baselines_agree_with_the_reference() {
    let shapes: [(&[u32], Activation); 2] = [(&[12], Activation::Tanh), (&[20, 12, 5], Activation::Relu)];
    for form in forms(gpu()) {
        let count = if few_forms()[1..].contains(&form) { 2 } else { 1 };
        for (seed, &(hidden, activation)) in (740..).zip(&shapes[..count]) {
            let mut draw = Draw::new(seed);
            let actor = draw.network(&[&[3], hidden, &[ACTIONS]].concat(), activation);
            let space = ActionSpace::Discrete { count: ACTIONS, masked: false };
            let count = 345;
            let stages = Stages::with_space(form, &[&[&actor]], space, &[1], run(count, 1, count), None);
            let samples = Samples {
                observations: draw.vector(3 * count as usize, -2.0, 2.0),
                actions: (0..count).map(|_| draw.word() % ACTIONS).collect(),
                old_log_probs: vec![-1.0; count as usize],
                advantages: draw.vector(count as usize, 1.0, 5.0),
                targets: vec![0.0; count as usize],
                old_values: vec![0.0; count as usize],
            };
            stages.write_samples(0, &samples);
            let (recording, learner) = stages.optimal_baseline();
            ok(gpu().submit(&recording));
            let score = |(observation, &action): (&[f64], &u32)| {
                let activations = actor.forward(observation);
                let logits = &activations[activations.len() - 1];
                actor.backward(&activations, &categorical::d_log_prob_d_logits(logits, action as usize)).0
            };
            let scores: Vec<Vec<f64>> = samples.observations.chunks_exact(3).zip(&samples.actions).map(score).collect();
            let wanted = baseline::gradient(&scores, &samples.advantages);
            let got: Vec<f64> =
                wide(&stages.layout.compact(&ok(gpu().read(&learner.gradient)))).iter().map(|g| -g).collect();
            let label = format!("{form}, hidden {hidden:?}");
            assert_norm(&label, &got, &wanted, 1e-4);
            let square: f64 =
                wide(&ok(gpu().read(&learner.sums)))[..stages.agents.run.norm_blocks as usize].iter().sum();
            assert_norm(&format!("{label}, squares"), &[square], &[wanted.iter().map(|g| g * g).sum()], 1e-4);
        }
    }
}

/// Conjugate gradients stop where the residual is small enough, each agent by itself, and leave nothing half done.
#[test]
fn conjugate_gradients_end_at_their_tolerance() {
    let form = gpu().form();
    let mut draw = Draw::new(730);
    let networks: Vec<Mlp> = (0..2).map(|_| draw.network(&[3, 8, ACTIONS], Activation::Tanh)).collect();
    let space = ActionSpace::Discrete { count: ACTIONS, masked: false };
    let count = 345;
    let stages =
        Stages::with_space(form, &[&[&networks[0]], &[&networks[1]]], space, &[1, 2], run(count, 1, count), None);
    for agent in 0..2 {
        let samples = Samples {
            observations: draw.vector(3 * count as usize, -2.0, 2.0),
            actions: (0..count).map(|_| draw.word() % ACTIONS).collect(),
            old_log_probs: vec![-1.0; count as usize],
            // the second agent has nothing to gain: its gradient is 0
            advantages: if agent == 0 { draw.vector(count as usize, -1.0, 1.0) } else { vec![0.0; count as usize] },
            targets: vec![0.0; count as usize],
            old_values: vec![0.0; count as usize],
        };
        stages.write_samples(agent, &samples);
        stages.write_kept(agent, &bits(&vec![-1.0; (ACTIONS * count) as usize]));
    }
    let first = TrustRegion {
        delta: 0.01,
        limit: 0.01,
        damping: 0.1,
        backtrack: 0.5,
        candidates: 2,
        samples: count,
        ..TrustRegion::default()
    };
    let solve = |iterations: u32, tolerance: f32| {
        let (learner, natural) = stages.natural(TrustRegion { iterations, tolerance, ..first }, 1);
        let before = ok(gpu().read(&stages.agents.parameters));
        let mut update = Recording::default();
        learner.record(&mut update);
        natural.record(&mut update);
        ok(gpu().submit(&update));
        let after = ok(gpu().read(&stages.agents.parameters));
        gpu().write(&stages.agents.parameters, &before);
        let x = ok(gpu().read(&natural.solver));
        let moved = [0, 1].map(|agent| stages.of_agent(&before, agent) != stages.of_agent(&after, agent));
        (ok(gpu().read(&natural.search)), x, moved)
    };
    let (whole, ..) = solve(50, 1e-4);
    let made = whole[0].iterations;
    assert!((2..50).contains(&made), "{made} iterations to 1e-4");
    assert!(whole[0].square <= 1e-4 * whole[0].first_square, "{:?}", whole[0]);
    // the same number without a tolerance gives the same x, to the bit, and one less has not arrived
    let (exact, x, moved) = solve(made, 0.0);
    assert_eq!(solve(50, 1e-4).1, x);
    assert_eq!(exact[0], whole[0]);
    assert!(solve(made - 1, 0.0).0[0].square > 1e-4 * whole[0].first_square);
    assert_eq!(
        (whole[1].iterations, whole[1].scale, moved[1]),
        (0, 0.0, false),
        "an agent without a gradient: {:?}",
        whole[1]
    );
}
