//! Loss gradients of whole minibatches against the f64 reference, in every form, at sizes that divide nothing.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::{
    Draw, SIZES, Samples, Stages, assert_bits, assert_norm, few_forms, forms, gpu, ok, run, shuffled, submit, wide,
    with_parameters,
};
use manyworlds::gpu::Form;
use manyworlds::layout::Run;
use manyworlds::reference::categorical;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::moments::normalise;
use manyworlds::reference::ppo::{actor_loss, critic_loss};

/// Samples that lie at least 0.05 off every kink of the losses with ε = 0.2, in every row of the clip table.
fn draw_samples(draw: &mut Draw, actor: &Mlp, critic: &Mlp, count: usize) -> Samples {
    let features = actor.widths[0];
    let mut samples = Samples { observations: draw.vector(count * features, -1.5, 1.5), ..Samples::default() };
    for s in 0..count {
        let observation = &samples.observations[s * features..][..features];
        let logits = actor.output(observation);
        let action = categorical::sample(&logits, draw.between(0.0, 1.0));
        let zones = [(0.4, 0.75), (0.85, 1.15), (1.25, 1.8)];
        let ratio: f64 = draw.between(zones[s % 3].0, zones[s % 3].1);
        let sign = if s % 6 < 3 { 1.0 } else { -1.0 };
        samples.actions.push(action as u32);
        samples.old_log_probs.push(f64::from((categorical::log_prob(&logits, action) - ratio.ln()) as f32));
        samples.advantages.push(sign * draw.between(0.3, 1.8));
        let value = critic.output(observation)[0];
        let zones = [(-0.6, -0.25), (-0.15, 0.15), (0.25, 0.6)];
        samples.old_values.push(f64::from((value - draw.between(zones[s / 2 % 3].0, zones[s / 2 % 3].1)) as f32));
        samples.targets.push(f64::from((value - sign * draw.between(0.5, 1.0)) as f32));
    }
    samples
}

/// A gradient test: shapes, sizes and switches.
#[derive(Clone, Debug)]
struct Case {
    seed: u32,
    features: u32,
    hidden: &'static [u32],
    actions: u32,
    activation: Activation,
    batch: u32,
    minibatch: u32,
    norm_adv: bool,
    clip_vloss: bool,
    ent_coef: f32,
    tile: u32,
    window: Option<u32>,
}

impl Case {
    /// Small networks, everything switched on.
    const SMALL: Self = Self {
        seed: 400,
        features: 4,
        hidden: &[7],
        actions: 2,
        activation: Activation::Tanh,
        batch: 345,
        minibatch: 345,
        norm_adv: true,
        clip_vloss: true,
        ent_coef: 0.01,
        tile: 1,
        window: None,
    };

    fn run(&self) -> Run {
        Run {
            norm_adv: u32::from(self.norm_adv),
            clip_vloss: u32::from(self.clip_vloss),
            ent_coef: self.ent_coef,
            max_grad_norm: 0.5,
            // steps so small that samples stay off the kinks
            learning_rate: 1e-5,
            tile: self.tile,
            ..run(self.batch, 1, self.minibatch)
        }
    }

    fn networks(&self, draw: &mut Draw) -> [Mlp; 2] {
        let widths = |outputs| [&[self.features], self.hidden, &[outputs]].concat();
        [self.actions, 1].map(|outputs| draw.network(&widths(outputs), self.activation))
    }
}

/// Runs epochs of minibatches; compares every gradient and every sum of the metrics with the reference at the
/// device's own parameters.
fn check_gradient(form: Form, case: &Case, epochs: u32) {
    let label = format!("{form}, {case:?}");
    let mut draw = Draw::new(case.seed);
    let [actor, critic] = case.networks(&mut draw);
    let samples = draw_samples(&mut draw, &actor, &critic, case.batch as usize);
    let run = case.run();
    let stages = Stages::new(form, &[&[&actor, &critic]], &[case.seed], run, case.window);
    stages.write_samples(0, &samples);
    let learning = stages.learning();
    let padding = stages.padding();
    let (clip, ent_coef, vf_coef) = (f64::from(run.clip_coef), f64::from(run.ent_coef), f64::from(run.vf_coef));

    let mut sums = [0.0; 5];
    for epoch in 0..epochs {
        let order = shuffled(case.batch, case.tile, case.seed, 0, epoch);
        for (minibatch, columns) in order.chunks(case.minibatch as usize).enumerate() {
            let label = format!("{label}, epoch {epoch}, minibatch {minibatch} of {} samples", columns.len());
            let before = stages.parameters(0);
            let networks = with_parameters(&stages.layout, &[&actor, &critic], &before);
            submit(&learning.step);

            let now = samples.select(columns);
            let advantages = if case.norm_adv { normalise(&now.advantages) } else { now.advantages.clone() };
            let policy = actor_loss(
                &networks[0],
                &now.observations,
                &now.actions,
                &now.old_log_probs,
                &advantages,
                clip,
                ent_coef,
            );
            let value_clip = case.clip_vloss.then_some(clip);
            let value = critic_loss(&networks[1], &now.observations, &now.targets, &now.old_values, value_clip);
            let d_value: Vec<f64> = value.gradient.iter().map(|g| vf_coef * g).collect();

            // 1e-4: what the project promises for gradients against PyTorch
            let padded = ok(gpu().read(&learning.gradient));
            let gradient = wide(&stages.layout.compact(&padded));
            let (d_actor, d_critic) = gradient.split_at(policy.gradient.len());
            assert_norm(&format!("{label}, actor's gradient"), d_actor, &policy.gradient, 1e-4);
            assert_norm(&format!("{label}, critic's gradient"), d_critic, &d_value, 1e-4);

            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let step = [policy.policy_loss, policy.entropy, policy.clip_fraction, value.value_loss, norm];
            sums.iter_mut().zip(step).for_each(|(sum, term)| *sum += term);
            let progress = stages.progress()[0];
            let got = [
                progress.policy_loss,
                progress.entropy,
                progress.clip_fraction,
                progress.value_loss,
                progress.grad_norm,
            ];
            // terms of size 1 with the errors of exp, log and the network, some 1e-6 each
            let got = got.map(f64::from);
            assert_close(&format!("{label}, sums of losses"), &got, &sums, 1e-5, 1e-5);
            let got = [progress.approx_kl, progress.old_approx_kl].map(f64::from);
            assert_close(&format!("{label}, KL"), &got, &[policy.approx_kl, policy.old_approx_kl], 1e-5, 1e-5);
            if (epoch, minibatch) == (0, 0) {
                let apart = |(new, old): (&f64, &f64)| ((new - old).exp() - 1.0).abs();
                let apart =
                    policy.log_probs.iter().zip(&now.old_log_probs).map(apart).sum::<f64>() / columns.len() as f64;
                let got = [progress.first_ratio_deviation, progress.first_clip_fraction].map(f64::from);
                assert_close(&format!("{label}, first ratio"), &got, &[apart, policy.clip_fraction], 1e-5, 1e-5);
            }

            let after = stages.parameters(0);
            assert_ne!(before, after, "{label}: nothing was learned");
            let state = ok(gpu().read(&learning.optimiser.state));
            let (m, v) = state.split_at(padded.len());
            for (name, words) in [("gradient", &padded[..]), ("parameters", &after[..]), ("m", m), ("v", v)] {
                for &word in &padding {
                    assert!(
                        words[word] == 0.0,
                        "{label}: padding of {name} at word {word} is {:e}, not 0",
                        words[word]
                    );
                }
            }
        }
    }
    let progress = stages.progress()[0];
    assert_eq!((progress.epoch, progress.minibatch), (epochs, 0), "{label}: where the agent stands");
    assert_eq!(progress.adam_steps, epochs * run.num_minibatches, "{label}: steps of Adam");
}

#[test]
fn gradient_agrees_with_the_reference_at_every_size() {
    for form in forms(gpu()) {
        for batch in SIZES {
            check_gradient(form, &Case { seed: 400 + batch, batch, minibatch: batch, ..Case::SMALL }, 1);
        }
    }
}

/// The default networks, where one load fetches several weights and the last one is full; see below for tiles.
#[test]
fn gradient_agrees_with_the_reference_at_every_size_with_two_layers_of_64() {
    let shared = forms(gpu()).into_iter().filter(|form| form.share_size() > 1 || *form == gpu().form());
    for form in shared {
        for batch in [1, 63, 65, 345, 1757] {
            let case = Case { seed: 400 + batch, batch, minibatch: batch, hidden: &[64, 64], ..Case::SMALL };
            check_gradient(form, &case, 1);
        }
    }
}

#[test]
fn gradient_agrees_with_the_reference_over_minibatches_that_do_not_divide() {
    for form in forms(gpu()) {
        // the last minibatch holds 1, 1, 45 and 2 samples; the third shuffles tiles, the fourth has many slices
        for (batch, minibatch, tile) in [(65, 32, 1), (65, 64, 1), (345, 100, 5), (2562, 1280, 1)] {
            check_gradient(form, &Case { seed: 410 + batch, batch, minibatch, tile, ..Case::SMALL }, 2);
        }
    }
}

#[test]
fn gradient_agrees_with_the_reference_under_every_switch() {
    for form in forms(gpu()) {
        for switches in 0..8 {
            let (norm_adv, clip_vloss) = (switches & 1 == 1, switches & 2 == 2);
            let ent_coef = if switches & 4 == 4 { 0.01 } else { 0.0 };
            check_gradient(
                form,
                &Case { seed: 420 + switches, norm_adv, clip_vloss, ent_coef, minibatch: 115, ..Case::SMALL },
                1,
            );
        }
    }
}

/// Four layers in every form, one and three in those that differ most, and a wide middle in the adapter's own.
#[test]
fn gradient_agrees_with_the_reference_for_every_shape() {
    let four: (&[u32], u32, u32, Activation) = (&[9, 6, 5], 3, 5, Activation::Relu);
    let fewer: [(&[u32], u32, u32, Activation); 3] =
        [(&[20, 12, 5], 3, 5, Activation::Relu), (&[8, 8], 1, 1, Activation::Tanh), (&[], 4, 3, Activation::Tanh)];
    let middle: [(&[u32], u32, u32, Activation); 1] = [(&[130, 20, 5], 5, 3, Activation::Tanh)];
    for form in forms(gpu()) {
        let fewer = if few_forms().contains(&form) { &fewer[..] } else { &[] };
        let middle = if form == gpu().form() { &middle[..] } else { &[] };
        for (seed, &(hidden, features, actions, activation)) in
            (430..).zip([&four].into_iter().chain(fewer).chain(middle))
        {
            let case = Case { seed, hidden, features, actions, activation, minibatch: 173, ..Case::SMALL };
            check_gradient(form, &case, 1);
        }
    }
}

/// Networks that are run layer by layer, the smallest in every form, the others in those that differ most: blocks that are not
/// full, just full, and of few results, many outputs, windows of one slice, and a minibatch that fills none of them.
#[test]
fn gradient_agrees_with_the_reference_layer_by_layer() {
    let shapes: [(&[u32], u32, u32, Activation); 3] = [
        (&[5, 130], 3, 2, Activation::Tanh),
        (&[192, 200], 70, 5, Activation::Relu),
        (&[140, 129, 12], 9, 70, Activation::Tanh),
    ];
    for form in forms(gpu()) {
        let count = if few_forms().contains(&form) { 3 } else { 1 };
        for (seed, &(hidden, features, actions, activation)) in (439..).zip(&shapes[..count]) {
            let window = if seed == 440 { Some(1) } else { None };
            let sizes = if seed == 440 { (1100, 1037) } else { (345, 173) };
            let (batch, minibatch) = sizes;
            let case = Case { seed, features, hidden, actions, activation, batch, minibatch, window, ..Case::SMALL };
            check_gradient(form, &case, 1);
        }
    }
}

/// Widths that fill a tile, that need workgroups of 256, whose rows do not divide a workgroup, and a batch of few slices
/// and many tiles.
#[test]
fn gradient_agrees_with_the_reference_in_tiles() {
    let shapes: [(&[u32], u32, u32, Activation); 5] = [
        (&[64, 64], 4, 2, Activation::Tanh),
        (&[128, 100], 5, 3, Activation::Relu),
        (&[130, 20, 5], 5, 3, Activation::Tanh),
        (&[5, 130], 3, 2, Activation::Tanh),
        (&[24], 50, 6, Activation::Tanh),
    ];
    for (seed, (hidden, features, actions, activation)) in (450..).zip(shapes) {
        let case = Case { seed, hidden, features, actions, activation, minibatch: 173, ..Case::SMALL };
        check_gradient(Form::TILED, &case, 1);
    }
    check_gradient(Form::TILED, &Case { seed: 455, batch: 70_001, minibatch: 70_001, hidden: &[16], ..Case::SMALL }, 1);
}

/// Learns for two epochs; gives parameters, Adam's state and progress of each agent.
fn learn(form: Form, case: &Case, agents: &[(u32, [Mlp; 2], Samples)]) -> Vec<(Vec<f32>, Vec<f32>, String)> {
    let networks: Vec<[&Mlp; 2]> = agents.iter().map(|(_, [actor, critic], _)| [actor, critic]).collect();
    let networks: Vec<&[&Mlp]> = networks.iter().map(|networks| &networks[..]).collect();
    let seeds: Vec<u32> = agents.iter().map(|(seed, _, _)| *seed).collect();
    let run = Run { learning_rate: 1e-3, ..case.run() };
    let stages = Stages::new(form, &networks, &seeds, run, case.window);
    for (agent, (_, _, samples)) in agents.iter().enumerate() {
        stages.write_samples(agent, samples);
    }
    let learning = stages.learning();
    for _ in 0..2 * run.num_minibatches {
        submit(&learning.step);
    }
    let state = ok(gpu().read(&learning.optimiser.state));
    let progress = stages.progress();
    (0..agents.len())
        .map(|agent| (stages.parameters(agent), stages.of_agent(&state, agent), format!("{:?}", progress[agent])))
        .collect()
}

/// Agents with these seeds for [`learn`].
fn learners(case: &Case, seeds: &[u32]) -> Vec<(u32, [Mlp; 2], Samples)> {
    let of = |&seed: &u32| {
        let mut draw = Draw::new(seed);
        let networks = case.networks(&mut draw);
        let samples = draw_samples(&mut draw, &networks[0], &networks[1], case.batch as usize);
        (seed, networks, samples)
    };
    seeds.iter().map(of).collect()
}

/// A narrow network in every form, and one that is run layer by layer in those that differ most; both are those of tests above.
fn narrow_and_wide() -> Vec<(Case, Vec<Form>)> {
    vec![(Case::SMALL, forms(gpu())), (Case { features: 3, hidden: &[5, 130], ..Case::SMALL }, few_forms())]
}

#[test]
fn several_agents_learn_bit_for_bit_what_each_learns_alone() {
    for (case, forms) in narrow_and_wide() {
        let case = Case { minibatch: 100, ..case };
        let agents = learners(&case, &[441, 442, 443]);
        for form in forms {
            let together = learn(form, &case, &agents);
            for (agent, (parameters, state, progress)) in together.iter().enumerate() {
                let label = format!("{form}, {case:?}, agent {agent} of three, seed {}", agents[agent].0);
                let alone = &learn(form, &case, &agents[agent..=agent])[0];
                assert_bits(&format!("{label}, parameters"), parameters, &alone.0);
                assert_bits(&format!("{label}, Adam's state"), state, &alone.1);
                assert_eq!(*progress, alone.2, "{label}: progress");
            }
            assert_ne!(together[0].0, together[1].0, "{form}: agents 0 and 1 are the same");
        }
    }
}

#[test]
fn windows_of_the_trace_change_nothing() {
    for (case, forms) in narrow_and_wide() {
        let case = Case { batch: 2562, minibatch: 1281, ..case };
        let agents = learners(&case, &[445]);
        for form in forms {
            let whole = &learn(form, &case, &agents)[0];
            for window in [1, 3] {
                let case = Case { window: Some(window), ..case.clone() };
                let got = &learn(form, &case, &agents)[0];
                let label = format!("{form}, {:?}, seed 445, {window} of 5 slices in a window", case.hidden);
                assert_bits(&format!("{label}, parameters"), &got.0, &whole.0);
                assert_eq!(got.2, whole.2, "{label}: progress");
            }
        }
    }
}

/// With as many agents as above, since kernels depend on that.
#[test]
fn target_kl_stops_an_agent_exactly_after_the_epoch_and_no_other() {
    for form in forms(gpu()) {
        let case = Case { minibatch: 100, ..Case::SMALL };
        let seeds = [461, 462, 463];
        let mut agents = learners(&case, &seeds);
        // the samples of agent 0 come from a policy far away (KL about 0.1), those of the others from their own
        for (_, [actor, _], samples) in &mut agents[1..] {
            for (s, observation) in samples.observations.chunks_exact(actor.widths[0]).enumerate() {
                let log_prob = categorical::log_prob(&actor.output(observation), samples.actions[s] as usize);
                samples.old_log_probs[s] = f64::from(log_prob as f32);
            }
        }
        let run = Run { target_kl: 0.02, ..case.run() };
        let networks = [0, 1, 2].map(|agent: usize| [&agents[agent].1[0], &agents[agent].1[1]]);
        let stages = Stages::new(form, &[&networks[0], &networks[1], &networks[2]], &seeds, run, None);
        for (agent, (_, _, samples)) in agents.iter().enumerate() {
            stages.write_samples(agent, samples);
        }
        let learning = stages.learning();
        let label = format!("{form}, seeds {seeds:?}, {case:?}");
        let minibatches = run.num_minibatches;
        let mut frozen = None;
        for step in 1..=3 * minibatches {
            let before = [0, 1, 2].map(|agent| stages.parameters(agent));
            submit(&learning.step);
            let after = [0, 1, 2].map(|agent| stages.parameters(agent));
            let progress = stages.progress();
            let label = format!(
                "{label}, minibatch {step} of {minibatches} in an epoch, KL {:e}, {:e} and {:e}",
                progress[0].approx_kl, progress[1].approx_kl, progress[2].approx_kl
            );
            assert_eq!(progress[0].adam_steps, step.min(minibatches), "{label}: steps of agent 0");
            assert_eq!(progress[0].stopped, u32::from(step >= minibatches), "{label}: agent 0 stopped");
            for agent in 1..3 {
                let p = &progress[agent];
                assert_eq!((p.adam_steps, p.stopped), (step, 0), "{label}: steps of agent {agent}, stopped");
                assert_ne!(before[agent], after[agent], "{label}: agent {agent} learned nothing");
                assert!(p.approx_kl < run.target_kl, "{label}: agent {agent} is no example");
            }
            if step <= minibatches {
                assert_ne!(before[0], after[0], "{label}: agent 0 learned nothing");
                assert!(progress[0].approx_kl > run.target_kl, "{label}: agent 0 is no example");
            } else {
                assert_bits(&format!("{label}, parameters of agent 0"), &after[0], &before[0]);
            }
            if step >= minibatches {
                // what the metrics are made from stands still too
                let now = format!("{:?}", manyworlds::layout::Progress { active_: 0, ..progress[0] });
                assert_eq!(*frozen.get_or_insert(now.clone()), now, "{label}: progress of agent 0");
                assert_eq!(progress[0].epoch, 1, "{label}: epochs of agent 0");
            }
        }
    }
}
