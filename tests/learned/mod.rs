//! Critics and actors that learn from a minibatch, on the device: their setup, and what a gradient step leaves.

#![allow(dead_code)] // both integration tests compile their own copy and use a part of it

use crate::support::{POISON, ROUNDING, gpu, ok, poison, run, submit, wide};
use manyworlds::batch::Agents;
use manyworlds::env::{ActionSpace, Deviation, Exploration};
use manyworlds::gpu::{Buffer, Form, Recording};
use manyworlds::kernels::{Kernels, OffPolicyKernels, Optimizer};
use manyworlds::layout::{Progress, ReplaySettings, Run, Scalar, TERMS};
use manyworlds::nn::{self, Parameters};
use manyworlds::plan::{Plan, Target};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::reparametrised::Head;
use manyworlds::stage::{Actors, Critics, GradientSteps, Minibatch, Step, Targets, slicing};

/// What the project promises against `PyTorch` and the reference, relative to the largest entry of a list: entries are sums
/// of up to some 10³ terms of about that size, whose roundings (6e-8 each) and those of tanh, exp and log (4e-7) stay below
/// a tenth of it.
pub const RELATIVE: f64 = 1e-4;

/// Rows of terms (`slot/objective/temporal_difference.wgsl`, `critic.wgsl`).
pub const POLICY_LOSS: usize = 0;
pub const ENTROPY: usize = 1;
pub const Q: usize = 0;
pub const VALUE_LOSS: usize = 6;

// ---------------------------------------------------------------- what is learned from

/// One agent: networks, and the minibatch that it learns from.
#[derive(Clone)]
pub struct Agent {
    pub actor: Mlp,
    pub critics: Vec<Mlp>,
    /// None where next actions are the actor's own.
    pub target_actor: Option<Mlp>,
    pub target_critics: Vec<Mlp>,
    pub batch: Batch,
}

/// A minibatch, everything `[sample][…]`. What is empty is poison on the device.
#[derive(Clone, Default)]
pub struct Batch {
    pub observations: Vec<f64>,
    pub next_observations: Vec<f64>,
    pub actions: Vec<f64>,
    pub returns: Vec<f64>,
    pub discounts: Vec<f64>,
    pub noise: Vec<f64>,
    pub next_noise: Vec<f64>,
}

/// What an actor's outputs and noise make of an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// A deterministic action, squashed into its bounds; targets may smooth it with clipped noise.
    Deterministic { smoothed: bool },
    /// A Gaussian, squashed into the bounds; bounds of the logarithm of its deviation.
    Squashed { log_std: [f32; 2] },
    /// A choice through the straight-through Gumbel-softmax.
    Gumbel,
}

/// Agents of one kind, and how they learn.
#[derive(Clone)]
pub struct Setup {
    pub space: ActionSpace,
    pub decision: Decision,
    pub guides: u32,
    /// `policy_noise`, `noise_clip`, `autotune`, `target_entropy` and `alpha_rate`; the rest is filled in.
    pub settings: ReplaySettings,
    pub alpha: f64,
    pub temperature: f64,
    /// Of actors and critics.
    pub rates: [f64; 2],
    pub tau: f64,
    pub optimizer: Optimizer,
    pub optimizer_eps: f64,
    pub agents: Vec<Agent>,
}

impl Setup {
    pub fn new(space: ActionSpace, decision: Decision, guides: u32, agents: Vec<Agent>) -> Self {
        Self {
            space,
            decision,
            guides,
            settings: ReplaySettings::default(),
            alpha: 0.0,
            temperature: 1.0,
            rates: [0.01, 0.02],
            tau: 0.1,
            optimizer: Optimizer::Sgd,
            optimizer_eps: 1e-5,
            agents,
        }
    }

    pub fn exploration(&self) -> Exploration {
        let deviation = match self.decision {
            Decision::Gumbel => Deviation::Free,
            Decision::Squashed { log_std } => Deviation::Clamped { log_std },
            Decision::Deterministic { .. } => Deviation::None,
        };
        Exploration { squash: self.space.is_box(), deviation }
    }

    pub fn acts(&self) -> usize {
        if self.space.is_box() { self.space.words() as usize } else { self.space.choices() as usize }
    }

    pub fn bounds(&self) -> (Vec<f64>, Vec<f64>) {
        match &self.space {
            ActionSpace::Box { low, high } => (wide(low), wide(high)),
            _ => (vec![], vec![]),
        }
    }

    pub fn head(&self) -> Head {
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

    pub fn log_alpha(&self) -> f64 {
        if self.alpha > 0.0 { self.alpha.ln() } else { 0.0 }
    }
}

// ---------------------------------------------------------------- the device

/// The agents of a setup on the device, with their stages.
pub struct Device {
    pub setup: Setup,
    pub actor_layout: Parameters,
    pub critic_layout: Parameters,
    pub actor: Agents,
    pub critic: Agents,
    pub targets: Targets,
    pub minibatch: Minibatch,
    pub temperature: Buffer<Scalar>,
    pub critics: Critics,
    pub actors: Actors,
    pub step: Step,
    pub samples: usize,
    /// First rows of `mw_drawn`: bonus, log π; actions that come next, that are chosen; all rows.
    pub rows: [usize; 5],
    /// Samples in an invocation, of actor and critics.
    pub invocations: [usize; 2],
}

pub fn layout_of(name: &str, network: &Mlp) -> Parameters {
    let widths: Vec<u32> = network.widths.iter().map(|&width| width as u32).collect();
    let activation = match network.activation {
        Activation::Tanh => nn::Activation::Tanh,
        Activation::Relu => nn::Activation::Relu,
    };
    let mut layout = Parameters::default();
    layout.add(name, &widths, activation);
    layout
}

pub fn words<'a>(layout: &Parameters, networks: impl Iterator<Item = &'a Mlp>) -> Vec<f32> {
    let compact = |network: &Mlp| network.parameters.iter().map(|&p| p as f32).collect::<Vec<_>>();
    networks.flat_map(|network| layout.expand(&compact(network))).collect()
}

impl Device {
    pub fn new(form: Form, setup: &Setup) -> Self {
        let setup = setup.clone();
        let first = &setup.agents[0];
        let (actor_layout, critic_layout) = (layout_of("actor", &first.actor), layout_of("critic", &first.critics[0]));
        let (count, critics) = (setup.agents.len() as u32, first.critics.len() as u32);
        let features = first.actor.widths[0];
        let samples = first.batch.observations.len() / features;
        let kernels_of = |parameters, agents| Kernels {
            agents,
            ..Kernels::new(form, parameters, &setup.space, setup.exploration())
        };
        let kernels = OffPolicyKernels {
            actor: kernels_of(&actor_layout, count),
            critic: kernels_of(&critic_layout, count * critics),
            smoothed: setup.decision == Decision::Deterministic { smoothed: true },
            critics,
            guides: setup.guides,
            process: false,
        };

        let run_of = |kernels: &Kernels, rate: f64| {
            let run = run(1, samples as u32, samples as u32);
            let (learning_rate, optimizer_eps) = (rate as f32, setup.optimizer_eps as f32);
            let mut run = Run { stride: 1, learning_rate, optimizer_eps, ..run };
            run.set_slicing(slicing(kernels, samples as u32), kernels, kernels.parameters.span([0]));
            run
        };
        let mut plan = Plan::new(Target::of(gpu()));
        let agents_of = |plan: &mut Plan, kernels: &Kernels, rate: f64, parameters: Vec<f32>| {
            let run = run_of(kernels, rate);
            let seeds: Vec<u32> = (1..=kernels.agents).collect();
            let first = Progress {
                correction1: run.decay1,
                correction2: run.decay2,
                gumbel_temperature: setup.temperature as f32,
                ..Progress::default()
            };
            let words = kernels.parameters.words();
            Agents::new(plan, run, &seeds, words, move || parameters.clone(), first)
        };
        let all = setup.agents.iter();
        let actors = words(&actor_layout, all.clone().map(|a| &a.actor));
        let actor = ok(agents_of(&mut plan, &kernels.actor, setup.rates[0], actors));
        let critics = words(&critic_layout, all.clone().flat_map(|a| &a.critics));
        let critic = ok(agents_of(&mut plan, &kernels.critic, setup.rates[1], critics));
        let mut target = |words: Vec<f32>| {
            let axes = [("words", words.len() as u64)];
            ok(plan.parameters("target", &axes, move || words.clone()))
        };
        let followed: Vec<&Mlp> = all.clone().filter_map(|a| a.target_actor.as_ref()).collect();
        let targets = Targets {
            actor: (!followed.is_empty()).then(|| target(words(&actor_layout, followed.into_iter()))),
            critic: target(words(&critic_layout, all.flat_map(|a| &a.target_critics))),
        };

        let first = Scalar {
            value: setup.alpha as f32,
            log: setup.log_alpha() as f32,
            correction1: actor.run.decay1,
            correction2: actor.run.decay2,
            ..Scalar::default()
        };
        let axes = [("agents", u64::from(count))];
        let temperature = ok(plan.filled("temperature", &axes, "nothing", move || vec![first; count as usize]));
        let minibatch = ok(Minibatch::new(&mut plan, &kernels, count, samples as u32));
        let settings = ReplaySettings {
            worlds: 1,
            batch_size: samples as u32,
            critic_threads: critic.run.minibatch_threads,
            gamma: 0.99,
            ..setup.settings
        };
        let replayed = GradientSteps {
            kernels: &kernels,
            actor: &actor,
            critic: &critic,
            targets: &targets,
            minibatch: &minibatch,
            temperature: &temperature,
            settings,
            tau: setup.tau as f32,
            optimizer: setup.optimizer,
        };
        let critics = ok(Critics::new(&mut plan, &replayed));
        let actors = ok(Actors::new(&mut plan, &replayed));
        let step = ok(Step::new(&mut plan, &replayed));
        ok(plan.build(gpu()));
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
            temperature,
            critics,
            actors,
            step,
            samples,
            rows,
            invocations,
        }
    }

    pub fn learn_critics(&self, following: bool) {
        let mut recording = Recording::default();
        self.critics.record(&mut recording, following);
        submit(&recording);
    }

    pub fn learn_actors(&self) {
        let mut recording = Recording::default();
        self.actors.record(&mut recording);
        submit(&recording);
    }

    pub fn end_step(&self, acted: bool) {
        let mut recording = Recording::default();
        self.step.record(&mut recording, acted);
        submit(&recording);
    }

    pub fn progress(&self) -> Vec<Progress> {
        ok(gpu().read(&self.actor.progress))
    }

    /// α of every agent.
    pub fn temperatures(&self) -> Vec<Scalar> {
        ok(gpu().read(&self.temperature))
    }

    pub fn critic_progress(&self) -> Vec<Progress> {
        ok(gpu().read(&self.critic.progress))
    }

    /// Everything that the stages have left, `[agent]`.
    pub fn read(&self) -> Vec<Outcome> {
        let read = |buffer| ok(gpu().read(buffer)) as Vec<f32>;
        let (b, acts) = (self.samples, self.setup.acts());
        let (per_agent, guides) = (self.setup.agents[0].critics.len(), self.setup.guides as usize);
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
                let critic = |j: usize| a * per_agent + j;
                let slope_row = |j: usize| critic(j) * (1 + acts);
                for j in guides..per_agent {
                    let rows = &slopes[slope_row(j) * b..][..(1 + acts) * b];
                    assert!(rows.iter().all(|x| x.to_bits() == POISON), "agent {a}: critic {j} guides no action");
                }
                let [actor_samples, critic_samples] = self.invocations;
                let critic_term =
                    |term, j| mean_term(&critic_terms, count * per_agent, critic(j), term, critic_samples);
                Outcome {
                    next_actions: turned(&drawn, a * drawn_rows + row_next, acts),
                    bonus: row(&drawn, a * drawn_rows + row_bonus),
                    next_values: (0..per_agent).map(|j| row(&next_values, critic(j))).collect(),
                    critic_losses: (0..per_agent).map(|j| critic_term(VALUE_LOSS, j)).collect(),
                    mean_q: (0..per_agent).map(|j| critic_term(Q, j)).collect(),
                    d_critics: (0..per_agent).map(|j| of(cl, &d_critics, critic(j))).collect(),
                    actions: turned(&drawn, a * drawn_rows + row_chosen, acts),
                    log_probs: row(&drawn, a * drawn_rows + row_log_prob),
                    q: (0..guides).map(|j| row(&slopes, slope_row(j))).collect(),
                    slopes: (0..guides).map(|j| turned(&slopes, slope_row(j) + 1, acts)).collect(),
                    actor_loss: mean_term(&actor_terms, count, a, POLICY_LOSS, actor_samples),
                    entropy: mean_term(&actor_terms, count, a, ENTROPY, actor_samples),
                    d_actor: of(al, &d_actors, a),
                    critics: (0..per_agent).map(|j| of(cl, &critics, critic(j))).collect(),
                    actor: of(al, &actors, a),
                    target_critics: (0..per_agent).map(|j| of(cl, &target_critics, critic(j))).collect(),
                    target_actor: target_actors.as_ref().map(|all| of(al, all, a)),
                }
            })
            .collect()
    }
}

/// What a gradient step of critics and actor leaves.
pub struct Outcome {
    /// `[sample][number]`, as critics see them.
    pub next_actions: Vec<f64>,
    /// −α log π(a'|s'), `[sample]`.
    pub bonus: Vec<f64>,
    /// Q'(s', a'), `[critic][sample]`.
    pub next_values: Vec<Vec<f64>>,
    pub critic_losses: Vec<f64>,
    pub mean_q: Vec<f64>,
    pub d_critics: Vec<Vec<f64>>,
    pub actions: Vec<f64>,
    pub log_probs: Vec<f64>,
    /// Q(s, a) of the actor's action, `[judge][sample]`.
    pub q: Vec<Vec<f64>>,
    /// ∂Q/∂a there, `[judge][sample][number]`.
    pub slopes: Vec<Vec<f64>>,
    pub actor_loss: f64,
    pub entropy: f64,
    pub d_actor: Vec<f64>,
    pub critics: Vec<Vec<f64>>,
    pub actor: Vec<f64>,
    pub target_critics: Vec<Vec<f64>>,
    pub target_actor: Option<Vec<f64>>,
}

impl Outcome {
    /// y of every sample.
    pub fn goals(&self, batch: &Batch) -> Vec<f64> {
        let lowest = |s: usize| self.next_values.iter().map(|values| values[s]).fold(f64::INFINITY, f64::min);
        (0..batch.returns.len()).map(|s| batch.returns[s] + batch.discounts[s] * (lowest(s) + self.bonus[s])).collect()
    }
}

/// Asserts |got − expected| ≤ [`RELATIVE`] · max |expected| + `absolute`, entry by entry.
#[track_caller]
pub fn assert_near(case: &str, got: &[f64], expected: &[f64], absolute: f64) {
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
pub fn assert_moved(case: &str, before: &[f64], got: &[f64], expected: &[f64]) {
    let from = |now: &[f64]| -> Vec<f64> { now.iter().zip(before).map(|(now, before)| now - before).collect() };
    let size = before.iter().fold(0.0, |most: f64, p| most.max(p.abs()));
    let (got, expected) = (from(got), from(expected));
    assert!(expected.iter().any(|d| d.abs() > 100.0 * ROUNDING * size), "{case}: nothing should have moved");
    assert_near(case, &got, &expected, 3.0 * ROUNDING * size);
}
