//! Critics and actors that learn from a minibatch, on the device: against the oracle files, in every form, and against the
//! f64 reference.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

mod oracle;
mod support;

use manyworlds::batch::Agents;
use manyworlds::env::{ActionSpace, Exploration, Spread};
use manyworlds::gpu::{Form, Recording, Share};
use manyworlds::kernels::{Decision, Kernels, Noise, OffPolicyKernels, Optimizer};
use manyworlds::layout::{Progress, Replay, Run, TERMS};
use manyworlds::nn::{self, Parameters};
use manyworlds::reference::adam::Adam;
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::off_policy::{
    actor_loss, critic_loss, d_q_d_action, polyak, q, smoothed, target, temperature_loss,
};
use manyworlds::reference::reparametrised::Head;
use manyworlds::stage::{Actors, Critics, Minibatch, Replayed, Step, Targets, slicing};
use oracle::{label, network, number, numbers, shape};
use serde_json::Value;
use support::{Draw, POISON, ROUNDING, forms, gpu, ok, poison, submit, wide};

/// What the project promises against `PyTorch` and the reference, relative to the largest entry of a list: entries are sums
/// of up to some 10³ terms of about that size, whose roundings (6e-8 each) and those of tanh, exp and log (4e-7) stay below
/// a tenth of it.
const RELATIVE: f64 = 1e-4;

/// Rows of terms (`slot/objective/temporal_difference.wgsl`, `critic.wgsl`).
const POLICY_LOSS: usize = 0;
const ENTROPY: usize = 1;
const Q: usize = 0;
const VALUE_LOSS: usize = 6;

// ---------------------------------------------------------------- what is learned from

/// One agent: networks, and the minibatch that it learns from.
#[derive(Clone)]
struct Agent {
    actor: Mlp,
    critics: Vec<Mlp>,
    /// None where next actions are the actor's own.
    target_actor: Option<Mlp>,
    target_critics: Vec<Mlp>,
    batch: Batch,
}

/// A minibatch, everything `[sample][…]`. What is empty is poison on the device.
#[derive(Clone, Default)]
struct Batch {
    observations: Vec<f64>,
    next_observations: Vec<f64>,
    actions: Vec<f64>,
    returns: Vec<f64>,
    discounts: Vec<f64>,
    noise: Vec<f64>,
    next_noise: Vec<f64>,
}

/// Agents of one kind, and how they learn.
#[derive(Clone)]
struct Setup {
    space: ActionSpace,
    decision: Decision,
    noise: Noise,
    judges: u32,
    /// `policy_noise`, `noise_clip`, `autotune`, `target_entropy` and `alpha_rate`; the rest is filled in.
    settings: Replay,
    alpha: f64,
    temperature: f64,
    /// Of actors and critics.
    rates: [f64; 2],
    tau: f64,
    optimizer: Optimizer,
    optimizer_eps: f64,
    agents: Vec<Agent>,
}

impl Setup {
    fn new(space: ActionSpace, decision: Decision, judges: u32, agents: Vec<Agent>) -> Self {
        Self {
            space,
            decision,
            noise: Noise::Relative,
            judges,
            settings: Replay::default(),
            alpha: 0.0,
            temperature: 1.0,
            rates: [0.01, 0.02],
            tau: 0.1,
            optimizer: Optimizer::Sgd,
            optimizer_eps: 1e-5,
            agents,
        }
    }

    fn exploration(&self) -> Exploration {
        let spread = match self.decision {
            Decision::Gumbel => Spread::Free,
            Decision::Squashed { log_std } => Spread::Clamped { log_std },
            Decision::Deterministic { .. } => Spread::None,
        };
        Exploration { squash: self.space.is_box(), state_dependent: None, spread }
    }

    fn acts(&self) -> usize {
        if self.space.is_box() { self.space.words() as usize } else { self.space.choices() as usize }
    }

    fn bounds(&self) -> (Vec<f64>, Vec<f64>) {
        match &self.space {
            ActionSpace::Box { low, high } => (wide(low), wide(high)),
            _ => (vec![], vec![]),
        }
    }

    fn head(&self) -> Head {
        let (low, high) = self.bounds();
        let of = |sign: f64| low.iter().zip(&high).map(|(low, high)| (high + sign * low) / 2.0).collect();
        let (mid, half) = (of(1.0), of(-1.0));
        match self.decision {
            Decision::Deterministic { .. } => Head::Deterministic { mid, half },
            Decision::Squashed { log_std: [least, most] } => {
                Head::Squashed { log_std: (f64::from(least), f64::from(most)), mid, half }
            }
            Decision::Gumbel => Head::OneHot { temperature: self.temperature },
        }
    }

    fn log_alpha(&self) -> f64 {
        if self.alpha > 0.0 { self.alpha.ln() } else { 0.0 }
    }
}

// ---------------------------------------------------------------- the device

/// The agents of a setup on the device, with their stages.
struct Device {
    setup: Setup,
    actor_layout: Parameters,
    critic_layout: Parameters,
    actor: Agents,
    critic: Agents,
    targets: Targets,
    minibatch: Minibatch,
    critics: Critics,
    actors: Actors,
    step: Step,
    samples: usize,
    /// First rows of `mw_drawn`: bonus, log π; actions that come next, that are chosen; all rows.
    rows: [usize; 5],
    /// Samples in an invocation, of actor and critics.
    invocations: [usize; 2],
}

fn layout_of(name: &str, network: &Mlp) -> Parameters {
    let widths: Vec<u32> = network.widths.iter().map(|&width| width as u32).collect();
    let activation = match network.activation {
        Activation::Tanh => nn::Activation::Tanh,
        Activation::Relu => nn::Activation::Relu,
    };
    let mut layout = Parameters::default();
    layout.add(name, &widths, activation);
    layout
}

fn words<'a>(layout: &Parameters, networks: impl Iterator<Item = &'a Mlp>) -> Vec<f32> {
    let compact = |network: &Mlp| network.parameters.iter().map(|&p| p as f32).collect::<Vec<_>>();
    networks.flat_map(|network| layout.expand(&compact(network))).collect()
}

impl Device {
    fn new(form: Form, setup: &Setup) -> Self {
        let setup = setup.clone();
        let first = &setup.agents[0];
        let (actor_layout, critic_layout) = (layout_of("actor", &first.actor), layout_of("critic", &first.critics[0]));
        let (count, twins) = (setup.agents.len() as u32, first.critics.len() as u32);
        let features = first.actor.widths[0];
        let samples = first.batch.observations.len() / features;
        let kernels_of = |parameters, agents| Kernels {
            form,
            parameters,
            space: &setup.space,
            exploration: setup.exploration(),
            keeps: false,
            agents,
        };
        let kernels = OffPolicyKernels {
            actor: kernels_of(&actor_layout, count),
            critic: kernels_of(&critic_layout, count * twins),
            decision: setup.decision,
            noise: setup.noise,
            twins,
            judges: setup.judges,
            process: false,
        };

        let run_of = |kernels: &Kernels, rate: f64| {
            let run = support::run(1, samples as u32, samples as u32);
            let (learning_rate, optimizer_eps) = (rate as f32, setup.optimizer_eps as f32);
            let mut run = Run { stride: 1, learning_rate, optimizer_eps, ..run };
            run.set_slicing(slicing(kernels, samples as u32), kernels, kernels.parameters.span([0]));
            run
        };
        let agents_of = |kernels: &Kernels, rate: f64, parameters: &[f32]| {
            let run = run_of(kernels, rate);
            let seeds: Vec<u32> = (1..=kernels.agents).collect();
            let agents = ok(Agents::new(gpu(), run, &seeds, parameters, 0.0));
            let progress = Progress {
                learning_rate: run.learning_rate,
                correction1: run.decay1,
                correction2: run.decay2,
                alpha: setup.alpha as f32,
                log_alpha: setup.log_alpha() as f32,
                gumbel_temperature: setup.temperature as f32,
                ..Progress::default()
            };
            gpu().write(&agents.progress, &vec![progress; seeds.len()]);
            agents
        };
        let all = setup.agents.iter();
        let actor = agents_of(&kernels.actor, setup.rates[0], &words(&actor_layout, all.clone().map(|a| &a.actor)));
        let critics = words(&critic_layout, all.clone().flat_map(|a| &a.critics));
        let critic = agents_of(&kernels.critic, setup.rates[1], &critics);
        let target = |words: Vec<f32>| ok(gpu().uniform_or_storage("target", &words));
        let followed: Vec<&Mlp> = all.clone().filter_map(|a| a.target_actor.as_ref()).collect();
        let targets = Targets {
            actor: (!followed.is_empty()).then(|| target(words(&actor_layout, followed.into_iter()))),
            critic: target(words(&critic_layout, all.flat_map(|a| &a.target_critics))),
        };

        let minibatch = ok(Minibatch::new(gpu(), &kernels, count, samples as u32));
        poison(&minibatch.states);
        poison(&minibatch.drawn);
        let put = |buffer, first_row: usize, rows: &[f64]| {
            let width = rows.len() / samples;
            for i in 0..width {
                let row: Vec<f32> = rows.iter().skip(i).step_by(width).map(|&x| x as f32).collect();
                gpu().write_at(buffer, (first_row + i) * samples, &row);
            }
        };
        let [row_return, row_discount, row_bonus, row_log_prob] = kernels.scalar_rows().map(|row| row as usize);
        let [row_taken, row_next, row_chosen] = kernels.action_rows().map(|row| row as usize);
        let [row_noise, row_next_noise] = kernels.noise_rows().map(|row| row as usize);
        let drawn_rows = kernels.drawn_rows() as usize;
        for (a, agent) in setup.agents.iter().enumerate() {
            put(&minibatch.states, 2 * a * features, &agent.batch.observations);
            put(&minibatch.states, (2 * a + 1) * features, &agent.batch.next_observations);
            for (row, rows) in [
                (row_return, &agent.batch.returns),
                (row_discount, &agent.batch.discounts),
                (row_taken, &agent.batch.actions),
                (row_noise, &agent.batch.noise),
                (row_next_noise, &agent.batch.next_noise),
            ] {
                put(&minibatch.drawn, a * drawn_rows + row, rows);
            }
        }

        let settings = Replay {
            worlds: 1,
            batch_size: samples as u32,
            critic_threads: critic.run.minibatch_threads,
            gamma: 0.99,
            ..setup.settings
        };
        let replayed = Replayed {
            gpu: gpu(),
            kernels: &kernels,
            actor: &actor,
            critic: &critic,
            targets: &targets,
            minibatch: &minibatch,
            settings,
            tau: setup.tau as f32,
            optimizer: setup.optimizer,
        };
        let (critics, actors, step) =
            (ok(Critics::new(&replayed)), ok(Actors::new(&replayed)), ok(Step::new(&replayed)));
        for buffer in [&critics.next_values, &actors.slopes] {
            poison(buffer);
        }
        for learned in [&critics.learned, &actors.learned] {
            poison(&learned.terms);
            poison(&learned.gradient);
        }
        let invocations = [kernels.actor.samples() as usize, kernels.critic.samples() as usize];
        let rows = [row_bonus, row_log_prob, row_next, row_chosen, drawn_rows];
        Self {
            setup,
            actor_layout,
            critic_layout,
            actor,
            critic,
            targets,
            minibatch,
            critics,
            actors,
            step,
            samples,
            rows,
            invocations,
        }
    }

    fn learn_critics(&self, following: bool) {
        let mut recording = Recording::default();
        self.critics.record(&mut recording, following);
        submit(&recording);
    }

    fn learn_actors(&self) {
        let mut recording = Recording::default();
        self.actors.record(&mut recording);
        submit(&recording);
    }

    fn end_step(&self, acted: bool) {
        let mut recording = Recording::default();
        self.step.record(&mut recording, acted);
        submit(&recording);
    }

    fn progress(&self) -> Vec<Progress> {
        ok(gpu().read(&self.actor.progress))
    }

    fn critic_progress(&self) -> Vec<Progress> {
        ok(gpu().read(&self.critic.progress))
    }

    /// Everything that the stages have left, `[agent]`.
    fn read(&self) -> Vec<Outcome> {
        let read = |buffer| ok(gpu().read(buffer)) as Vec<f32>;
        let (b, acts) = (self.samples, self.setup.acts());
        let (twins, judges) = (self.setup.agents[0].critics.len(), self.setup.judges as usize);
        let [row_bonus, row_log_prob, row_next, row_chosen, drawn_rows] = self.rows;
        let (drawn, slopes, next_values) =
            (read(&self.minibatch.drawn), read(&self.actors.slopes), read(&self.critics.next_values));
        let (actor_terms, critic_terms) = (read(&self.actors.learned.terms), read(&self.critics.learned.terms));
        let (actors, critics) = (read(&self.actor.parameters), read(&self.critic.parameters));
        let (d_actors, d_critics) = (read(&self.actors.learned.gradient), read(&self.critics.learned.gradient));
        let target_actors = self.targets.actor.as_ref().map(read);
        let target_critics = read(&self.targets.critic);

        let row = |all: &[f32], row: usize| wide(&all[row * b..][..b]);
        // [number][sample] to [sample][number]
        let turned = |all: &[f32], first: usize, width: usize| -> Vec<f64> {
            (0..b * width).map(|i| f64::from(all[(first + i % width) * b + i / width])).collect()
        };
        let mean_term = |terms: &[f32], networks: usize, network: usize, term: usize, samples: usize| -> f64 {
            let threads = terms.len() / (TERMS as usize * networks);
            let at = (network * TERMS as usize + term) * threads;
            wide(&terms[at..][..b.div_ceil(samples)]).iter().sum::<f64>() / b as f64
        };
        let of = |layout: &Parameters, all: &[f32], network: usize| -> Vec<f64> {
            let words = layout.words() as usize;
            let own = &all[network * words..][..words];
            let used = layout.expand(&vec![1.0; layout.compact(own).len()]);
            let mut padding = own.iter().zip(&used).filter(|(_, used)| **used == 0.0);
            let untouched = own.iter().all(|word| word.to_bits() == POISON);
            assert!(untouched || padding.all(|(word, _)| *word == 0.0), "padding of network {network} is not 0");
            wide(&layout.compact(own))
        };
        let (al, cl) = (&self.actor_layout, &self.critic_layout);
        let count = self.setup.agents.len();
        (0..count)
            .map(|a| {
                let critic = |j: usize| a * twins + j;
                let slope_row = |j: usize| critic(j) * (1 + acts);
                for j in judges..twins {
                    let rows = &slopes[slope_row(j) * b..][..(1 + acts) * b];
                    assert!(rows.iter().all(|x| x.to_bits() == POISON), "agent {a}: critic {j} judges no action");
                }
                let [actor_samples, critic_samples] = self.invocations;
                let critic_term = |term, j| mean_term(&critic_terms, count * twins, critic(j), term, critic_samples);
                Outcome {
                    next_actions: turned(&drawn, a * drawn_rows + row_next, acts),
                    bonus: row(&drawn, a * drawn_rows + row_bonus),
                    next_values: (0..twins).map(|j| row(&next_values, critic(j))).collect(),
                    critic_losses: (0..twins).map(|j| critic_term(VALUE_LOSS, j)).collect(),
                    mean_q: (0..twins).map(|j| critic_term(Q, j)).collect(),
                    d_critics: (0..twins).map(|j| of(cl, &d_critics, critic(j))).collect(),
                    actions: turned(&drawn, a * drawn_rows + row_chosen, acts),
                    log_probs: row(&drawn, a * drawn_rows + row_log_prob),
                    q: (0..judges).map(|j| row(&slopes, slope_row(j))).collect(),
                    slopes: (0..judges).map(|j| turned(&slopes, slope_row(j) + 1, acts)).collect(),
                    actor_loss: mean_term(&actor_terms, count, a, POLICY_LOSS, actor_samples),
                    entropy: mean_term(&actor_terms, count, a, ENTROPY, actor_samples),
                    d_actor: of(al, &d_actors, a),
                    critics: (0..twins).map(|j| of(cl, &critics, critic(j))).collect(),
                    actor: of(al, &actors, a),
                    target_critics: (0..twins).map(|j| of(cl, &target_critics, critic(j))).collect(),
                    target_actor: target_actors.as_ref().map(|all| of(al, all, a)),
                }
            })
            .collect()
    }
}

/// What a gradient step of critics and actor leaves.
struct Outcome {
    /// `[sample][number]`, as critics see them.
    next_actions: Vec<f64>,
    /// −α log π(a'|s'), `[sample]`.
    bonus: Vec<f64>,
    /// Q'(s', a'), `[critic][sample]`.
    next_values: Vec<Vec<f64>>,
    critic_losses: Vec<f64>,
    mean_q: Vec<f64>,
    d_critics: Vec<Vec<f64>>,
    actions: Vec<f64>,
    log_probs: Vec<f64>,
    /// Q(s, a) of the actor's action, `[judge][sample]`.
    q: Vec<Vec<f64>>,
    /// ∂Q/∂a there, `[judge][sample][number]`.
    slopes: Vec<Vec<f64>>,
    actor_loss: f64,
    entropy: f64,
    d_actor: Vec<f64>,
    critics: Vec<Vec<f64>>,
    actor: Vec<f64>,
    target_critics: Vec<Vec<f64>>,
    target_actor: Option<Vec<f64>>,
}

impl Outcome {
    /// y of every sample.
    fn goals(&self, batch: &Batch) -> Vec<f64> {
        let lowest = |s: usize| self.next_values.iter().map(|values| values[s]).fold(f64::INFINITY, f64::min);
        (0..batch.returns.len()).map(|s| batch.returns[s] + batch.discounts[s] * (lowest(s) + self.bonus[s])).collect()
    }
}

/// Asserts |got − expected| ≤ [`RELATIVE`] · max |expected| + `absolute`, entry by entry.
#[track_caller]
fn assert_near(case: &str, got: &[f64], expected: &[f64], absolute: f64) {
    assert_eq!(got.len(), expected.len(), "{case}: number of elements");
    let largest = expected.iter().fold(0.0, |most: f64, e| most.max(e.abs()));
    let tolerance = RELATIVE * largest + absolute;
    let apart = |i: usize| (got[i] - expected[i]).abs();
    let wrong: Vec<usize> = (0..got.len()).filter(|&i| apart(i) > tolerance || got[i].is_nan()).collect();
    if let Some(&worst) = wrong.iter().max_by(|&&a, &&b| apart(a).total_cmp(&apart(b))) {
        panic!(
            "{case}[{worst}]: got {:e}, expected {:e}, tolerance {tolerance:e} ({RELATIVE:e} of the largest, {largest:e}, \
             + {absolute:e}); {} of {} elements differ",
            got[worst],
            expected[worst],
            wrong.len(),
            got.len()
        );
    }
}

/// The same for how far parameters went from `before`, which f32 rounds at their own size, three times on the way.
#[track_caller]
fn assert_moved(case: &str, before: &[f64], got: &[f64], expected: &[f64]) {
    let from = |now: &[f64]| -> Vec<f64> { now.iter().zip(before).map(|(now, before)| now - before).collect() };
    let size = before.iter().fold(0.0, |most: f64, p| most.max(p.abs()));
    let (got, expected) = (from(got), from(expected));
    assert!(expected.iter().any(|d| d.abs() > 100.0 * ROUNDING * size), "{case}: nothing should have moved");
    assert_near(case, &got, &expected, 3.0 * ROUNDING * size);
}

// ---------------------------------------------------------------- facts

/// A case of the losses file as agents' inputs.
struct Case {
    file: Value,
    name: &'static str,
}

impl Case {
    fn new(name: &'static str) -> Self {
        Self { file: oracle::losses(), name }
    }

    fn at(&self, rest: &str) -> String {
        format!("cases.{}.{rest}", self.name)
    }

    fn input(&self, name: &str) -> Vec<f64> {
        numbers(&self.file, &self.at(&format!("inputs.{name}")))
    }

    fn hyper(&self, name: &str) -> f64 {
        number(&self.file, &self.at(&format!("hyper.{name}")))
    }

    fn network(&self, name: &str) -> Mlp {
        network(&self.file, &self.at(&format!("networks.{name}")))
    }

    fn space(&self) -> ActionSpace {
        let bounds = |name: &str| -> Vec<f32> {
            numbers(&self.file, &self.at(&format!("hyper.{name}"))).into_iter().map(|x| x as f32).collect()
        };
        ActionSpace::Box { low: bounds("low"), high: bounds("high") }
    }

    fn batch(&self) -> Batch {
        let gamma = self.hyper("gamma");
        Batch {
            observations: self.input("obs"),
            next_observations: self.input("next_obs"),
            actions: self.input("action"),
            returns: self.input("reward"),
            discounts: self.input("terminated").iter().map(|terminated| gamma * (1.0 - terminated)).collect(),
            ..Batch::default()
        }
    }

    fn twins(&self, name: &str) -> Vec<Mlp> {
        ["1", "2"].map(|j| self.network(&format!("{name}{j}"))).to_vec()
    }

    fn expected(&self, name: &str) -> Vec<f64> {
        numbers(&self.file, &self.at(&format!("expected.{name}")))
    }

    fn label(&self, name: &str, form: Form) -> String {
        format!("{}, {form}", label(&self.file, &self.at(&format!("expected.{name}"))))
    }

    #[track_caller]
    fn check(&self, form: Form, name: &str, got: &[f64]) {
        assert_near(&self.label(name, form), got, &self.expected(name), 0.0);
    }

    #[track_caller]
    fn check_moved(&self, form: Form, name: &str, before: &Mlp, got: &[f64]) {
        assert_moved(&self.label(name, form), &before.parameters, got, &self.expected(name));
    }

    /// One agent of this kind.
    fn setup(&self, space: ActionSpace, decision: Decision, judges: u32, agent: Agent) -> Setup {
        assert_eq!(agent.batch.observations.len(), self.input("obs").len(), "{}", self.name);
        Setup::new(space, decision, judges, vec![agent])
    }
}

#[test]
fn ddpg_agrees_with_the_oracle() {
    let case = Case::new("ddpg");
    let agent = Agent {
        actor: case.network("actor"),
        critics: vec![case.network("critic")],
        target_actor: Some(case.network("target_actor")),
        target_critics: vec![case.network("target_critic")],
        batch: case.batch(),
    };
    let rate = case.hyper("lr");
    let decision = Decision::Deterministic { smoothed: false };
    let setup = Setup { tau: case.hyper("tau"), ..case.setup(case.space(), decision, 1, agent.clone()) };
    for form in forms(gpu()) {
        // the actor's gradient at the given critic, and at the critic after its step
        for critic_rate in [0.0, rate] {
            let device = Device::new(form, &Setup { rates: [rate, critic_rate], ..setup.clone() });
            device.learn_critics(true);
            device.learn_actors();
            let got = &device.read()[0];
            case.check(form, "y", &got.goals(&agent.batch));
            case.check(form, "critic_loss", &got.critic_losses);
            let q = case.expected("q");
            assert_near(&case.label("q", form), &got.mean_q, &[q.iter().sum::<f64>() / q.len() as f64], 0.0);
            case.check(form, "critic_grad", &got.d_critics[0]);
            case.check(form, "mu", &got.actions);
            assert!(got.log_probs.iter().all(|&l| l == 0.0), "{form}: log π of a deterministic action");
            if critic_rate == 0.0 {
                case.check(form, "actor_loss", &[got.actor_loss]);
                case.check(form, "actor_grad", &got.d_actor);
                case.check_moved(form, "after_step.actor", &agent.actor, &got.actor);
                let target = agent.target_actor.as_ref().unwrap();
                case.check_moved(form, "after_step.target_actor", target, got.target_actor.as_ref().unwrap());
                let exact: Vec<f64> = agent.critics[0].parameters.iter().map(|&p| f64::from(p as f32)).collect();
                assert_eq!(got.critics[0], exact, "{form}: a critic with learning rate 0");
            } else {
                case.check(form, "critic_first.actor_loss", &[got.actor_loss]);
                case.check(form, "critic_first.actor_grad", &got.d_actor);
                case.check_moved(form, "after_step.critic", &agent.critics[0], &got.critics[0]);
                let target = &agent.target_critics[0];
                case.check_moved(form, "after_step.target_critic", target, &got.target_critics[0]);
            }
        }
    }
}

/// Losses and gradients of two critics.
fn check_critics(case: &Case, form: Form, got: &Outcome, batch: &Batch) {
    case.check(form, "y", &got.goals(batch));
    for j in 0..2 {
        case.check(form, &format!("critic{}_loss", j + 1), &got.critic_losses[j..=j]);
        case.check(form, &format!("critic{}_grad", j + 1), &got.d_critics[j]);
    }
    case.check(form, "critic_loss", &[got.critic_losses.iter().sum()]);
}

#[test]
fn td3_agrees_with_the_oracle() {
    let case = Case::new("td3");
    // the file's noise is in the units of the action
    let batch = Batch { next_noise: case.input("target_noise"), ..case.batch() };
    let agent = Agent {
        actor: case.network("actor"),
        critics: case.twins("critic"),
        target_actor: Some(case.network("target_actor")),
        target_critics: case.twins("target_critic"),
        batch: batch.clone(),
    };
    let settings = Replay { policy_noise: 1.0, noise_clip: case.hyper("noise_clip") as f32, ..Replay::default() };
    let decision = Decision::Deterministic { smoothed: true };
    let setup = case.setup(case.space(), decision, 1, agent.clone());
    let setup = Setup { settings, noise: Noise::Absolute, rates: [0.01, 0.0], ..setup };
    for form in forms(gpu()) {
        let device = Device::new(form, &setup);
        device.learn_critics(false);
        device.learn_actors();
        let got = &device.read()[0];
        case.check(form, "next_action", &got.next_actions);
        case.check(form, "target_q1", &got.next_values[0]);
        case.check(form, "target_q2", &got.next_values[1]);
        check_critics(&case, form, got, &batch);
        case.check(form, "actor_loss", &[got.actor_loss]);
        case.check(form, "actor_grad", &got.d_actor);
        for j in 0..2 {
            let exact: Vec<f64> = agent.target_critics[j].parameters.iter().map(|&p| f64::from(p as f32)).collect();
            assert_eq!(got.target_critics[j], exact, "{form}: target {j} does not follow yet");
        }
    }
}

#[test]
fn sac_agrees_with_the_oracle() {
    let case = Case::new("sac");
    let batch = Batch { noise: case.input("noise"), next_noise: case.input("next_noise"), ..case.batch() };
    let agent = Agent {
        actor: case.network("actor"),
        critics: case.twins("critic"),
        target_actor: None,
        target_critics: case.twins("target_critic"),
        batch: batch.clone(),
    };
    let dims = shape(&case.file, &case.at("inputs.action"))[1];
    let space = ActionSpace::Box { low: vec![-1.0; dims], high: vec![1.0; dims] };
    let decision = Decision::Squashed { log_std: [case.hyper("log_std_min") as f32, case.hyper("log_std_max") as f32] };
    let settings = Replay {
        autotune: 1,
        target_entropy: case.hyper("target_entropy") as f32,
        alpha_rate: 0.01,
        ..Replay::default()
    };
    let setup = case.setup(space, decision, 2, agent);
    let setup = Setup { settings, alpha: case.hyper("alpha"), rates: [0.01, 0.0], ..setup };
    for form in forms(gpu()) {
        let device = Device::new(form, &setup);
        device.learn_critics(true);
        device.learn_actors();
        let before = device.progress()[0];
        device.end_step(true);
        let got = &device.read()[0];
        case.check(form, "next_action", &got.next_actions);
        let log_probs: Vec<f64> = got.bonus.iter().map(|bonus| -bonus / case.hyper("alpha")).collect();
        case.check(form, "next_log_prob", &log_probs);
        check_critics(&case, form, got, &batch);
        case.check(form, "new_action", &got.actions);
        case.check(form, "log_prob", &got.log_probs);
        case.check(form, "q1", &got.q[0]);
        case.check(form, "q2", &got.q[1]);
        case.check(form, "actor_loss", &[got.actor_loss]);
        case.check(form, "actor_grad", &got.d_actor);
        let mean = got.log_probs.iter().sum::<f64>() / got.log_probs.len() as f64;
        assert_near(&format!("entropy, {form}"), &[got.entropy], &[-mean], 0.0);

        // m was 0: it is the gradient times 1 − β₁ now, and Adam's first step has the length of the rate
        let now = device.progress()[0];
        let decay1 = f64::from(device.actor.run.decay1);
        case.check(form, "temperature_grad", &[f64::from(now.alpha_m) / decay1]);
        let gradient = case.expected("temperature_grad")[0];
        let step = 0.01 * gradient / (gradient.abs() + setup.optimizer_eps);
        let log_alpha = case.hyper("log_alpha") - step;
        assert_near(&case.label("log α", form), &[f64::from(now.log_alpha)], &[log_alpha], 0.0);
        let moved = f64::from(now.log_alpha - before.log_alpha);
        assert_near(&case.label("step of log α", form), &[moved], &[-step], 4.0 * ROUNDING * log_alpha.abs());
        assert_near(&case.label("α", form), &[f64::from(now.alpha)], &[log_alpha.exp()], 0.0);
    }
}

#[test]
fn straight_through_gumbel_softmax_agrees_with_the_oracle() {
    let case = Case::new("gumbel_straight_through");
    let (actor, critic) = (case.network("actor"), case.network("critic"));
    let count = actor.widths[actor.widths.len() - 1];
    let batch = Batch { observations: case.input("obs"), noise: case.input("gumbel_noise"), ..Batch::default() };
    let agent = Agent {
        actor: actor.clone(),
        critics: vec![critic.clone()],
        target_actor: Some(actor),
        target_critics: vec![critic],
        batch,
    };
    let space = ActionSpace::Discrete { count: count as u32, masked: false };
    let setup = case.setup(space, Decision::Gumbel, 1, agent);
    let setup = Setup { temperature: case.hyper("temperature"), ..setup };
    for form in forms(gpu()) {
        let device = Device::new(form, &setup);
        device.learn_actors();
        let got = &device.read()[0];
        assert_eq!(got.actions, case.expected("hard"), "{}", case.label("hard", form));
        case.check(form, "q", &got.q[0]);
        case.check(form, "loss", &[got.actor_loss]);
        case.check(form, "actor_grad", &got.d_actor);
    }
}

// ---------------------------------------------------------------- the reference

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
        let unit = if setup.noise == Noise::Relative { half } else { vec![1.0; low.len()] };
        let noise: Vec<f64> = noise.iter().map(|n| n * f64::from(setup.settings.policy_noise)).collect();
        (smoothed(&plain, &noise, f64::from(setup.settings.noise_clip), &unit, &low, &high), 0.0)
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

        let judges = &self.agent.critics[..setup.judges as usize];
        let of_actor = actor_loss(&self.agent.actor, &head, judges, &batch.observations, &batch.noise, alpha);
        let judge = |critic: &Mlp| -> (Vec<f64>, Vec<Vec<f64>>) {
            let at = |s: usize| {
                let action = sample(&of_actor.actions, s, samples);
                d_q_d_action(critic, sample(&batch.observations, s, samples), action)
            };
            (0..samples).map(at).unzip()
        };
        let (q, slopes): (Vec<_>, Vec<_>) = judges.iter().map(judge).unzip();
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
    twins: usize,
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
    let mut critics = || (0..sizes.twins).map(|_| network(sizes.features + acts as u32, 1)).collect();
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
/// Every form is compared with the oracle files; those that take longest to compile are left out here.
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
    let sizes = Sizes { features: 3, hidden: &[64, 64], activation: Activation::Relu, twins: 1, samples: 345 };
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
    let sizes = Sizes { features: 5, hidden: &[8, 5, 12], activation: Activation::Relu, twins: 2, samples: 65 };
    agrees_with_the_reference(2, &setup, &sizes, 2, |form| form.vectors == 1 || form.lanes > 1);
}

/// Wider than what stays in registers, where the ways of all forms but the two plain ones are different.
#[test]
fn td3_of_wide_networks_agrees_with_the_reference() {
    let decision = Decision::Deterministic { smoothed: true };
    let setup = Setup::new(box_of(&[-1.0, -3.0, 0.0], &[1.0, 0.5, 4.0]), decision, 1, vec![]);
    let settings = Replay { policy_noise: 0.4, noise_clip: 0.5, ..Replay::default() };
    let setup = Setup { settings, ..setup };
    for (activation, samples) in [(Activation::Relu, 63), (Activation::Tanh, 345)] {
        let sizes = Sizes { features: 4, hidden: &[160, 24], activation, twins: 2, samples };
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
        let sizes = Sizes { features: 6, hidden: &[], activation: Activation::Tanh, twins: 2, samples };
        agrees_with_the_reference(4, &setup, &sizes, 2, |form| form.vectors == 1 || form.lanes > 1);
    }
}

/// Critics at every step, actors, targets and α at every second: moments, corrections and counts go on for each by itself.
#[test]
fn several_steps_of_adam_agree_with_the_reference() {
    let decision = Decision::Squashed { log_std: [-5.0, 2.0] };
    let setup = Setup::new(box_of(&[-1.0, -3.0], &[1.0, 0.5]), decision, 2, vec![]);
    let settings = Replay { autotune: 1, target_entropy: -2.0, alpha_rate: 0.05, ..Replay::default() };
    // where a gradient is small against ε, Adam's step is as smooth as the gradient
    let setup = Setup { alpha: 0.3, settings, optimizer: Optimizer::Adam, optimizer_eps: 0.1, ..setup };
    let sizes = Sizes { features: 4, hidden: &[12], activation: Activation::Tanh, twins: 2, samples: 65 };
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
                oracle::assert_close(&format!("{case}, corrections of critic {j}"), &corrections, &expected, 1e-5, 0.0);
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
            oracle::assert_close(&format!("{case}, corrections of the actor"), &corrections, &bias, 1e-5, 0.0);
            let log_alpha = references[a].log_alpha[0];
            assert_near(&format!("{case}, log α"), &[f64::from(p.log_alpha)], &[log_alpha], 0.0);
            assert_near(&format!("{case}, α"), &[f64::from(p.alpha)], &[log_alpha.exp()], 0.0);
        }
    }
}
