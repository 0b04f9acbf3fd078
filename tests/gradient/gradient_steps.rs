//! Critics and actors that learn from a minibatch, on the device, against the f64 reference: shapes, copies, several steps.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::learned::{Agent, Batch, Decision, Device, Outcome, Setup, assert_moved, assert_near};
use crate::oracle::assert_close;
use crate::support::{Draw, forms, gpu};
use manyworlds::env::ActionSpace;
use manyworlds::gpu::{Form, Share};
use manyworlds::kernels::Optimizer;
use manyworlds::layout::ReplaySettings;
use manyworlds::reference::adam::Adam;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::off_policy::{
    actor_loss, critic_loss, d_q_d_action, polyak, q, smoothed, target, temperature_loss,
};
use manyworlds::reference::reparametrised::Head;

/// An agent that learns in f64.
struct Reference<'a> {
    setup: &'a Setup,
    agent: Agent,
    optimizers: [Vec<Adam>; 2],
    log_alpha: Vec<f64>,
    of_alpha: Adam,
}

/// The rows of sample `s` of so many.
fn sample(rows: &[f64], s: usize, samples: usize) -> &[f64] {
    &rows[s * (rows.len() / samples)..][..rows.len() / samples]
}

impl<'a> Reference<'a> {
    fn new(setup: &'a Setup, agent: usize) -> Self {
        let agent = setup.agents[agent].clone();
        let adam = |network: &Mlp| Adam::new(network.parameters.len(), setup.optimizer_eps);
        let optimizers = [vec![adam(&agent.actor)], agent.critics.iter().map(adam).collect()];
        let (log_alpha, of_alpha) = (vec![setup.log_alpha()], Adam::new(1, setup.optimizer_eps));
        Self { setup, agent, optimizers, log_alpha, of_alpha }
    }

    fn alpha(&self) -> f64 {
        if self.setup.alpha > 0.0 { self.log_alpha[0].exp() } else { 0.0 }
    }

    /// A' as critics see it, and log π of it.
    fn next_action(&self, s: usize, samples: usize) -> (Vec<f64>, f64) {
        let (setup, batch) = (self.setup, &self.agent.batch);
        let actor = self.agent.target_actor.as_ref().unwrap_or(&self.agent.actor);
        let outputs = actor.output(sample(&batch.next_observations, s, samples));
        let noise = sample(&batch.next_noise, s, samples);
        let Decision::Deterministic { smoothed: soft } = setup.decision else {
            let action = setup.head().action(&outputs, noise);
            return (action.numbers, action.log_prob);
        };
        let plain = setup.head().action(&outputs, &[]).numbers;
        if !soft {
            return (plain, 0.0);
        }
        let (low, high) = setup.bounds();
        let Head::Deterministic { half, .. } = setup.head() else { unreachable!("a deterministic head") };
        let noise: Vec<f64> = noise.iter().map(|n| n * f64::from(setup.settings.policy_noise)).collect();
        (smoothed(&plain, &noise, f64::from(setup.settings.noise_clip), &half, &low, &high), 0.0)
    }

    /// A gradient step; the actor and the targets have one too if `acts`.
    fn step(&mut self, acts: bool) -> Outcome {
        let (setup, alpha, head) = (self.setup, self.alpha(), self.setup.head());
        let batch = self.agent.batch.clone();
        let samples = batch.returns.len();
        let next: Vec<_> = (0..samples).map(|s| self.next_action(s, samples)).collect();
        let value = |critic: &Mlp| -> Vec<f64> {
            (0..samples).map(|s| q(critic, sample(&batch.next_observations, s, samples), &next[s].0)).collect()
        };
        let next_values: Vec<Vec<f64>> = self.agent.target_critics.iter().map(value).collect();
        let lowest = |s: usize| next_values.iter().map(|values| values[s]).fold(f64::INFINITY, f64::min);
        let goals: Vec<f64> =
            (0..samples).map(|s| target(batch.returns[s], batch.discounts[s], lowest(s), alpha, next[s].1)).collect();
        let losses: Vec<_> = (self.agent.critics.iter())
            .map(|critic| critic_loss(critic, &batch.observations, &batch.actions, &goals))
            .collect();
        for (j, loss) in losses.iter().enumerate() {
            let critic = &mut self.agent.critics[j].parameters;
            descend(setup, &mut self.optimizers[1][j], critic, &loss.gradient, setup.rates[1]);
            if acts {
                polyak(&mut self.agent.target_critics[j].parameters, critic, setup.tau);
            }
        }

        let guides = &self.agent.critics[..setup.guides as usize];
        let of_actor = actor_loss(&self.agent.actor, &head, guides, &batch.observations, &batch.noise, alpha);
        let judge = |critic: &Mlp| -> (Vec<f64>, Vec<Vec<f64>>) {
            let at = |s: usize| {
                let action = sample(&of_actor.actions, s, samples);
                d_q_d_action(critic, sample(&batch.observations, s, samples), action)
            };
            (0..samples).map(at).unzip()
        };
        let (q, slopes): (Vec<_>, Vec<_>) = guides.iter().map(judge).unzip();
        if acts {
            let actor = &mut self.agent.actor.parameters;
            descend(setup, &mut self.optimizers[0][0], actor, &of_actor.gradient, setup.rates[0]);
            if let Some(target) = &mut self.agent.target_actor {
                polyak(&mut target.parameters, actor, setup.tau);
            }
            if setup.settings.autotune > 0 {
                let target_entropy = f64::from(setup.settings.target_entropy);
                let (_, gradient) = temperature_loss(self.log_alpha[0], &of_actor.log_probs, target_entropy);
                self.of_alpha.step(&mut self.log_alpha, &[gradient], f64::from(setup.settings.alpha_rate));
            }
        }
        let parameters = |networks: &[Mlp]| networks.iter().map(|network| network.parameters.clone()).collect();
        Outcome {
            next_actions: next.iter().flat_map(|(action, _)| action.clone()).collect(),
            bonus: next.iter().map(|(_, log_prob)| -alpha * log_prob).collect(),
            next_values,
            critic_losses: losses.iter().map(|loss| loss.loss).collect(),
            mean_q: losses.iter().map(|loss| loss.q.iter().sum::<f64>() / samples as f64).collect(),
            d_critics: losses.into_iter().map(|loss| loss.gradient).collect(),
            q,
            slopes: slopes.into_iter().map(|slopes| slopes.concat()).collect(),
            actor_loss: of_actor.loss,
            entropy: -of_actor.log_probs.iter().sum::<f64>() / samples as f64,
            actions: of_actor.actions,
            log_probs: of_actor.log_probs,
            d_actor: of_actor.gradient,
            critics: parameters(&self.agent.critics),
            actor: self.agent.actor.parameters.clone(),
            target_critics: parameters(&self.agent.target_critics),
            target_actor: self.agent.target_actor.as_ref().map(|target| target.parameters.clone()),
        }
    }
}

fn descend(setup: &Setup, adam: &mut Adam, parameters: &mut [f64], gradient: &[f64], rate: f64) {
    if setup.optimizer == Optimizer::Adam {
        return adam.step(parameters, gradient, rate);
    }
    for (p, g) in parameters.iter_mut().zip(gradient) {
        *p -= rate * g;
    }
}

/// Everything that a first gradient step leaves; `agent` is what it began with.
fn compare(case: &str, agent: &Agent, got: &Outcome, expected: &Outcome) {
    let near = |name: &str, got: &[f64], expected: &[f64]| assert_near(&format!("{case}, {name}"), got, expected, 0.0);
    near("next actions", &got.next_actions, &expected.next_actions);
    near("bonus", &got.bonus, &expected.bonus);
    near("losses of critics", &got.critic_losses, &expected.critic_losses);
    near("mean Q", &got.mean_q, &expected.mean_q);
    for j in 0..agent.critics.len() {
        let at = |name: &str| format!("{name} of critic {j}");
        near(&at("Q'"), &got.next_values[j], &expected.next_values[j]);
        near(&at("gradient"), &got.d_critics[j], &expected.d_critics[j]);
        let moved = |name: &str, before: &Mlp, got: &[f64], expected: &[f64]| {
            assert_moved(&format!("{case}, {name} {j}"), &before.parameters, got, expected);
        };
        moved("critic", &agent.critics[j], &got.critics[j], &expected.critics[j]);
        moved("target critic", &agent.target_critics[j], &got.target_critics[j], &expected.target_critics[j]);
    }
    near("actions", &got.actions, &expected.actions);
    near("log π", &got.log_probs, &expected.log_probs);
    for j in 0..expected.q.len() {
        near(&format!("Q of judge {j}"), &got.q[j], &expected.q[j]);
        near(&format!("slopes of judge {j}"), &got.slopes[j], &expected.slopes[j]);
    }
    // loss and entropy are means that may cancel to less than what is averaged
    let size = expected.q[0].iter().chain(&expected.log_probs).fold(1.0, |most: f64, x| most.max(x.abs()));
    assert_near(&format!("{case}, loss of the actor"), &[got.actor_loss], &[expected.actor_loss], 1e-5 * size);
    assert_near(&format!("{case}, entropy"), &[got.entropy], &[expected.entropy], 1e-5 * size);
    near("gradient of the actor", &got.d_actor, &expected.d_actor);
    assert_moved(&format!("{case}, actor"), &agent.actor.parameters, &got.actor, &expected.actor);
    if let Some(target) = &agent.target_actor {
        let (got, expected) = (got.target_actor.as_ref().unwrap(), expected.target_actor.as_ref().unwrap());
        assert_moved(&format!("{case}, target of the actor"), &target.parameters, got, expected);
    }
}

/// Sizes of drawn agents.
struct Sizes<'a> {
    features: u32,
    hidden: &'a [u32],
    activation: Activation,
    critics: usize,
    samples: usize,
}

/// An agent with random networks and a random minibatch, one in four of whose windows is worth nothing behind.
fn drawn_agent(draw: &mut Draw, setup: &Setup, sizes: &Sizes) -> Agent {
    let acts = setup.acts();
    let outputs = setup.space.outputs(setup.exploration());
    let mut network =
        |inputs: u32, outputs: u32| draw.network(&[&[inputs], sizes.hidden, &[outputs]].concat(), sizes.activation);
    let actor = network(sizes.features, outputs);
    let target_actor =
        matches!(setup.decision, Decision::Deterministic { .. }).then(|| network(sizes.features, outputs));
    let mut critics = || (0..sizes.critics).map(|_| network(sizes.features + acts as u32, 1)).collect();
    let (critics, target_critics) = (critics(), critics());
    let count = sizes.samples;
    let observations = sizes.features as usize * count;
    let (low, high) = setup.bounds();
    let mut action = |_| -> Vec<f64> {
        if setup.space.is_box() {
            return (0..acts).map(|i| draw.between(low[i], high[i])).collect();
        }
        let taken = draw.word() as usize % acts;
        (0..acts).map(|k| f64::from(u8::from(k == taken))).collect()
    };
    let actions = (0..count).flat_map(&mut action).collect();
    let mut discount = |_| if draw.word().is_multiple_of(4) { 0.0 } else { draw.between(0.9, 0.99) };
    let discounts = (0..count).map(&mut discount).collect();
    let batch = Batch {
        observations: draw.vector(observations, -1.5, 1.5),
        next_observations: draw.vector(observations, -1.5, 1.5),
        actions,
        returns: draw.vector(count, -2.0, 2.0),
        discounts,
        noise: draw.vector(acts * count, -2.0, 2.0),
        next_noise: draw.vector(acts * count, -2.0, 2.0),
    };
    Agent { actor, critics, target_actor, target_critics, batch }
}

/// The forms as runs from replay have them: where subgroups share, a workgroup is one.
fn run_forms() -> Vec<Form> {
    let of_run = |form: Form| match form.share {
        Share::Subgroup(size) => Form { workgroup: size, ..form },
        Share::Plain => form,
    };
    forms(gpu()).into_iter().map(of_run).collect()
}

/// Draws two agents; `copies` says how many there are on the device, which repeat; in the forms that `of` names.
/// Every form is compared with an oracle file (td3 and sac); those that take longest to compile are left out here.
fn agrees_with_the_reference(seed: u32, setup: &Setup, sizes: &Sizes, copies: usize, of: impl Fn(&Form) -> bool) {
    let kinds = 2;
    let mut draw = Draw::new(seed);
    let agents: Vec<Agent> = (0..kinds).map(|_| drawn_agent(&mut draw, setup, sizes)).collect();
    let setup = Setup { agents, ..setup.clone() };
    let expected: Vec<Outcome> = (0..kinds).map(|a| Reference::new(&setup, a).step(true)).collect();
    for form in run_forms().into_iter().filter(of) {
        let agents = (0..copies).map(|a| setup.agents[a % kinds].clone()).collect();
        let device = Device::new(form, &Setup { agents, ..setup.clone() });
        device.learn_critics(true);
        device.learn_actors();
        for (a, got) in device.read().iter().enumerate() {
            let case = format!("seed {seed}, hidden {:?}, agent {a} of {copies}, {form}", sizes.hidden);
            compare(&case, &setup.agents[a % kinds], got, &expected[a % kinds]);
        }
    }
}

fn box_of(low: &[f32], high: &[f32]) -> ActionSpace {
    ActionSpace::Box { low: low.to_vec(), high: high.to_vec() }
}

/// Whether kernels are compiled in a second or two even if layers are large.
fn is_short(form: &Form) -> bool {
    form.tile > 0 || form.share != Share::Plain && !form.units
}

#[test]
fn ddpg_of_layers_of_64_agrees_with_the_reference() {
    let decision = Decision::Deterministic { smoothed: false };
    let setup = Setup::new(box_of(&[-2.0], &[2.0]), decision, 1, vec![]);
    let sizes = Sizes { features: 3, hidden: &[64, 64], activation: Activation::Relu, critics: 1, samples: 345 };
    agrees_with_the_reference(1, &setup, &sizes, 2, |form| form.tile > 0);
    // where subgroups sum, the partial gradients of so many agents are more than one window of slices
    agrees_with_the_reference(1, &setup, &sizes, 96, |form| form.tile == 0 && is_short(form));
}

#[test]
fn sac_of_three_layers_agrees_with_the_reference() {
    // raw logarithms of deviations are past the clamp on both sides
    let decision = Decision::Squashed { log_std: [-0.6, 0.4] };
    let setup = Setup::new(box_of(&[-1.0, -3.0], &[1.0, 0.5]), decision, 2, vec![]);
    let setup = Setup { alpha: 0.3, ..setup };
    let sizes = Sizes { features: 5, hidden: &[8, 5, 12], activation: Activation::Relu, critics: 2, samples: 65 };
    agrees_with_the_reference(2, &setup, &sizes, 2, |form| form.vectors == 1 && form.lanes == 1 || form.units);
}

/// Wider than what stays in registers, where the ways of all forms but the two plain ones are different.
#[test]
fn td3_of_wide_networks_agrees_with_the_reference() {
    let decision = Decision::Deterministic { smoothed: true };
    let setup = Setup::new(box_of(&[-1.0, -3.0, 0.0], &[1.0, 0.5, 4.0]), decision, 1, vec![]);
    let settings = ReplaySettings { policy_noise: 0.4, noise_clip: 0.5, ..ReplaySettings::default() };
    let setup = Setup { settings, ..setup };
    for (activation, samples) in [(Activation::Relu, 63), (Activation::Tanh, 345)] {
        let sizes = Sizes { features: 4, hidden: &[160, 24], activation, critics: 2, samples };
        let of = |form: &Form| match activation {
            Activation::Relu => form.tile > 0 || form.lanes > 1,
            Activation::Tanh => form.tile == 0 && is_short(form),
        };
        agrees_with_the_reference(3, &setup, &sizes, 2, of);
    }
}

#[test]
fn choices_without_a_hidden_layer_agree_with_the_reference() {
    let space = ActionSpace::Discrete { count: 5, masked: false };
    let setup = Setup::new(space, Decision::Gumbel, 2, vec![]);
    let setup = Setup { alpha: 0.2, temperature: 0.7, ..setup };
    for samples in [1, 63] {
        let sizes = Sizes { features: 6, hidden: &[], activation: Activation::Tanh, critics: 2, samples };
        agrees_with_the_reference(4, &setup, &sizes, 2, |form| form.vectors == 1 || form.lanes > 1);
    }
}

/// Critics at every step, actors, targets and α at every second: moments, corrections and counts go on for each by itself.
#[test]
fn several_steps_of_adam_agree_with_the_reference() {
    let decision = Decision::Squashed { log_std: [-5.0, 2.0] };
    let setup = Setup::new(box_of(&[-1.0, -3.0], &[1.0, 0.5]), decision, 2, vec![]);
    let settings = ReplaySettings { autotune: 1, target_entropy: -2.0, alpha_rate: 0.05, ..ReplaySettings::default() };
    // where a gradient is small against ε, Adam's step is as smooth as the gradient
    let setup = Setup { alpha: 0.3, settings, optimizer: Optimizer::Adam, optimizer_eps: 0.1, ..setup };
    let sizes = Sizes { features: 4, hidden: &[12], activation: Activation::Tanh, critics: 2, samples: 65 };
    let mut draw = Draw::new(5);
    let agents: Vec<Agent> = (0..2).map(|_| drawn_agent(&mut draw, &setup, &sizes)).collect();
    let setup = Setup { agents, ..setup };
    let mut references: Vec<Reference> = (0..2).map(|a| Reference::new(&setup, a)).collect();
    let device = Device::new(Form::PLAIN, &setup);
    for step in 1..=6 {
        let acts = step % 2 == 0;
        device.learn_critics(acts);
        if acts {
            device.learn_actors();
        }
        device.end_step(acts);
        let (progress, critic_progress) = (device.progress(), device.critic_progress());
        let temperatures = device.temperatures();
        for (a, got) in device.read().iter().enumerate() {
            let case = format!("seed 5, step {step}, agent {a}");
            let expected = references[a].step(acts);
            let agent = &setup.agents[a];
            for j in 0..2 {
                let (before, target) = (&agent.critics[j].parameters, &agent.target_critics[j].parameters);
                assert_moved(&format!("{case}, critic {j}"), before, &got.critics[j], &expected.critics[j]);
                if step > 1 {
                    let case = format!("{case}, target of critic {j}");
                    assert_moved(&case, target, &got.target_critics[j], &expected.target_critics[j]);
                }
                let p = &critic_progress[2 * a + j];
                let corrections = [f64::from(p.correction1), f64::from(p.correction2)];
                let expected = [1.0 - 0.9f64.powi(step + 1), 1.0 - 0.999f64.powi(step + 1)];
                // 1 − c keeps a rounding of each step
                assert_close(&format!("{case}, corrections of critic {j}"), &corrections, &expected, 1e-5, 0.0);
                assert_eq!(p.adam_steps, step as u32, "{case}, steps of critic {j}");
            }
            if step > 1 {
                let before = &agent.actor.parameters;
                assert_moved(&format!("{case}, actor"), before, &got.actor, &expected.actor);
            }
            let p = &progress[a];
            let own = step / 2;
            assert_eq!(
                (p.gradient_steps, p.adam_steps),
                (step as u32, own as u32),
                "{case}: gradient steps, of the actor"
            );
            let corrections = [f64::from(p.correction1), f64::from(p.correction2)];
            let bias = [1.0 - 0.9f64.powi(own + 1), 1.0 - 0.999f64.powi(own + 1)];
            assert_close(&format!("{case}, corrections of the actor"), &corrections, &bias, 1e-5, 0.0);
            let log_alpha = references[a].log_alpha[0];
            let alpha = &temperatures[a];
            assert_eq!(
                [alpha.correction1, alpha.correction2],
                [p.correction1, p.correction2],
                "{case}: corrections of α"
            );
            assert_near(&format!("{case}, log α"), &[f64::from(alpha.log)], &[log_alpha], 0.0);
            assert_near(&format!("{case}, α"), &[f64::from(alpha.value)], &[log_alpha.exp()], 0.0);
        }
    }
}
