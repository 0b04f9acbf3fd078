//! The ring of transitions on the device against the f64 reference: what worlds write, what a minibatch draws, and the noise
//! of both.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support;
use crate::support::{POISON, ROUNDING, assert_bits, gpu, ok, planned, poison, submit};
use manyworlds::batch::Agents;
use manyworlds::env::{ActionSpace, Deviation, Environment, Exploration};
use manyworlds::gpu::{Form, Recording, Share};
use manyworlds::kernels::{Kernels, OffPolicyKernels};
use manyworlds::layout::{Progress, ReplaySettings, TERMINATED, TRUNCATED};
use manyworlds::nn::{self, Parameters};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reference::replay::{ReplayBuffer as Log, Transition};
use manyworlds::stage::{Interact, Minibatch, ReplayBuffer};
use std::f64::consts::PI;

/// Purposes of random numbers (`part/random_words.wgsl`).
const RESET: u32 = 0;
const ACTION: u32 = 1;
const STEP: u32 = 2;
const REPLAY: u32 = 7;

/// Agents of all tests.
const SEEDS: [u32; 2] = [11, 7];

// ---------------------------------------------------------------- environments

/// Two real numbers as actions; episodes end at random or after seven steps. Observations say who and when: the episode's
/// first random number (24 bits), steps since then, the last action, and the first two once more in other units.
const NUMBERS: &str = "
    const OBSERVATION_DIM: u32 = 5u;
    const ACTION_DIM: u32 = 2u;
    const ACTION_LOW = array<f32, 2>(-1.0, -3.0);
    const ACTION_HIGH = array<f32, 2>(1.0, 0.5);
    const MAX_EPISODE_STEPS: u32 = 7u;
    override ending_chance: f32 = 0.2;
    struct State { tag: f32, step: f32, acted: f32 }
    fn env_reset(rng: ptr<function, Rng>) -> State { return State(f32(rng_u32(rng) >> 8u), 0.0, 0.0); }
    fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
        (*s).step += 1.0;
        (*s).acted = action[0];
        return Outcome((*s).tag * 0.0000152587890625 + (*s).step, rng_uniform(rng) < ending_chance);
    }
    fn env_observe(s: State) -> Observation {
        return Observation(s.tag, s.step, s.acted, s.tag * 0.000000059604644775390625, -0.25 * s.step);
    }";

/// The same with five choices, more than one call of the generator serves, and nothing but the limit of five steps that
/// ends an episode.
fn choices() -> String {
    let numbers = [
        ("const ACTION_DIM: u32 = 2u;", "const ACTION_COUNT: u32 = 5u;"),
        ("const ACTION_LOW = array<f32, 2>(-1.0, -3.0);", ""),
        ("const ACTION_HIGH = array<f32, 2>(1.0, 0.5);", ""),
        ("const MAX_EPISODE_STEPS: u32 = 7u;", "const MAX_EPISODE_STEPS: u32 = 5u;"),
        ("ending_chance: f32 = 0.2", "ending_chance: f32 = 0.0"),
        ("action[0]", "f32(action)"),
    ];
    numbers.iter().fold(NUMBERS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "'{from}'");
        text.replace(from, to)
    })
}

const FEATURES: usize = 5;

/// What an environment of these is, and who acts in it.
struct Place {
    env: Environment,
    chance: f32,
    actor: Parameters,
    critic: Parameters,
    exploration: Exploration,
    form: Form,
    process: bool,
}

impl Place {
    fn new(text: &str, chance: f32, deviation: Deviation) -> Self {
        let mut env = ok(Environment::from_source("GradientSteps", "replayed.wgsl", text));
        ok(env.set("ending_chance", f64::from(chance)));
        let space = &env.spec().action_space;
        let exploration = Exploration { squash: space.is_box(), deviation };
        let seen = if space.is_box() { space.words() } else { space.choices() };
        let (mut actor, mut critic) = (Parameters::default(), Parameters::default());
        actor.add("actor", &[FEATURES as u32, space.outputs(exploration)], nn::Activation::Tanh);
        critic.add("critic", &[FEATURES as u32 + seen, 1], nn::Activation::Tanh);
        // as runs from replay have it: where subgroups share, a workgroup is one
        let form = gpu().form_for(0);
        let form = match form.share {
            Share::Subgroup(size) => Form { workgroup: size, ..form },
            Share::Plain => form,
        };
        Self { env, chance, actor, critic, exploration, form, process: false }
    }

    fn numbers() -> Self {
        Self::new(NUMBERS, 0.2, Deviation::None)
    }

    fn choices() -> Self {
        Self::new(&choices(), 0.0, Deviation::Free)
    }

    fn space(&self) -> &ActionSpace {
        &self.env.spec().action_space
    }

    fn limit(&self) -> f32 {
        self.env.spec().max_episode_steps as f32
    }

    fn kernels(&self) -> OffPolicyKernels<'_> {
        let agents = SEEDS.len() as u32;
        let one =
            |parameters| Kernels { agents, ..Kernels::new(self.form, parameters, self.space(), self.exploration) };
        OffPolicyKernels {
            actor: one(&self.actor),
            critic: one(&self.critic),
            smoothed: false,
            critics: 1,
            guides: 1,
            process: self.process,
        }
    }
}

/// Agents with weights `[output][feature]` and biases, each of its own.
fn parameters(place: &Place, of_agent: impl Fn(usize) -> (Vec<f32>, Vec<f32>)) -> Vec<f32> {
    let compact = |agent| {
        let (weights, biases) = of_agent(agent);
        place.actor.expand(&[weights, biases].concat())
    };
    (0..SEEDS.len()).flat_map(compact).collect()
}

fn zeros(place: &Place) -> Vec<f32> {
    vec![0.0; SEEDS.len() * place.actor.words() as usize]
}

// ---------------------------------------------------------------- worlds and their log

/// Worlds that step into a ring, and a log of all that they made.
struct Worlds<'a> {
    place: &'a Place,
    agents: Agents,
    ring: ReplayBuffer,
    interact: Interact,
    settings: ReplaySettings,
    /// One for each agent.
    logs: Vec<Log>,
    last: Stored,
}

/// What a ring holds, as one part: `[agent][row][place]` and `[agent][feature][place]`.
#[derive(Clone)]
struct Stored {
    steps: Vec<u32>,
    before: Vec<f32>,
    after: Vec<f32>,
}

impl<'a> Worlds<'a> {
    fn new(place: &'a Place, settings: ReplaySettings, parameters: &[f32], warm_up: u32, bytes: u64) -> Self {
        let kernels = place.kernels();
        let (capacity, worlds) = (settings.capacity, settings.worlds);
        let (words, own) = (parameters.len() as u32 / SEEDS.len() as u32, parameters.to_vec());
        let (agents, ring, interact) = planned(|plan| {
            let run = support::run(worlds, 1, 1);
            let agents = Agents::new(plan, run, &SEEDS, words, move || own.clone(), Progress::default())?;
            let ring = ReplayBuffer::within(plan, &kernels, agents.count, [capacity, worlds], bytes)?;
            let interact = Interact::new(plan, &kernels, &place.env, &agents, &ring, settings, warm_up)?;
            Ok((agents, ring, interact))
        });
        poison(&ring.steps);
        for part in &ring.parts {
            poison(&part.before);
            poison(&part.after);
        }
        submit(interact.reset());
        let logs = vec![Log::new(capacity as usize, worlds as usize); SEEDS.len()];
        let last = stored(&ring);
        Self { place, agents, ring, interact, settings, logs, last }
    }

    /// A step of every world with random actions; [`Worlds::new`] was told of a warm-up of one step.
    fn step_at_random(&mut self) {
        submit(self.interact.random());
        self.log();
    }

    /// A step of every world under the actor.
    fn step(&mut self, first: bool) {
        let mut recording = Recording::default();
        self.interact.record(&mut recording, first);
        submit(&recording);
        self.log();
    }

    fn case(&self, agent: usize, what: &str) -> String {
        let ReplaySettings { worlds, capacity, .. } = self.settings;
        format!(
            "seed {}, {worlds} worlds, {capacity} places, {} steps so far, {what}",
            SEEDS[agent],
            self.logs[agent].steps.len()
        )
    }

    /// Reads the step that was just made; nothing else in the ring may have changed.
    fn log(&mut self) {
        let now = stored(&self.ring);
        let (n, capacity) = (self.settings.worlds as usize, self.settings.capacity as usize);
        for agent in 0..SEEDS.len() {
            let t = self.logs[agent].steps.len();
            let places: Vec<usize> = (0..n).map(|world| self.logs[agent].slot(t, world)).collect();
            let step = places.iter().map(|&place| self.transition(&now, agent, place)).collect();
            self.logs[agent].push(step);
            for other in (0..capacity).filter(|place| !places.contains(place)) {
                let words = |of: &Stored| self.words(of, agent, other);
                assert_eq!(words(&now), words(&self.last), "{}", self.case(agent, &format!("place {other} changed")));
            }
        }
        self.last = now;
    }

    /// All words of a place.
    fn words(&self, of: &Stored, agent: usize, place: usize) -> Vec<u32> {
        let capacity = self.settings.capacity as usize;
        let rows = of.steps.len() / capacity / SEEDS.len();
        let steps = (0..rows).map(|row| of.steps[(agent * rows + row) * capacity + place]);
        let numbers = |of: &'_ [f32]| -> Vec<u32> {
            (0..FEATURES).map(|f| of[(agent * FEATURES + f) * capacity + place].to_bits()).collect()
        };
        steps.chain(numbers(&of.before)).chain(numbers(&of.after)).collect()
    }

    fn transition(&self, of: &Stored, agent: usize, place: usize) -> Transition {
        let words = self.words(of, agent, place);
        assert!(
            !words.contains(&POISON),
            "{}",
            self.case(agent, &format!("place {place} was not written: {words:x?}"))
        );
        let actions = self.place.space().words() as usize;
        let numbers = |words: &[u32]| words.iter().map(|&word| f64::from(f32::from_bits(word))).collect();
        let observations = &words[actions + 2..];
        Transition {
            observation: numbers(&observations[..FEATURES]),
            action: words[..actions].to_vec(),
            reward: f64::from(f32::from_bits(words[actions])),
            ending: words[actions + 1],
            next_observation: numbers(&observations[FEATURES..]),
        }
    }

    /// The whole log is what the environment makes of its random numbers and of the actions; gives the kinds of endings.
    fn check_log(&self) -> [usize; 4] {
        let mut endings = [0; 4];
        for (agent, log) in self.logs.iter().enumerate() {
            for world in 0..self.settings.worlds {
                let (mut episode, mut step) = (0, 0.0f32);
                for (t, of_step) in log.steps.iter().enumerate() {
                    let case = self.case(agent, &format!("world {world}, step {t}"));
                    let got = &of_step[world as usize];
                    let key = [SEEDS[agent], 0];
                    let tag = (philox4x32_10([world, episode, RESET, 0], key)[0] >> 8) as f32;
                    let acted = |t: usize| self.acted(&log.steps[t][world as usize]);
                    let seen = |step: f32, acted: f32| {
                        [tag, step, acted, tag / 16_777_216.0, -0.25 * step].map(f64::from).to_vec()
                    };
                    let before = if step == 0.0 { 0.0 } else { acted(t - 1) };
                    assert_eq!(got.observation, seen(step, before), "{case}: observation");
                    step += 1.0;
                    assert_eq!(
                        got.next_observation,
                        seen(step, acted(t)),
                        "{case}: next observation, before any reset"
                    );
                    assert_eq!(got.reward, f64::from(tag / 65_536.0 + step), "{case}: reward");
                    let draw = uniform(philox4x32_10([world, t as u32, STEP, 0], key)[0]);
                    let terminated = u32::from(draw < f64::from(self.place.chance)) * TERMINATED;
                    let truncated = u32::from(step == self.place.limit()) * TRUNCATED;
                    assert_eq!(got.ending, terminated | truncated, "{case}: ending");
                    endings[got.ending as usize] += 1;
                    if got.ending != 0 {
                        (episode, step) = (episode + 1, 0.0);
                    }
                }
            }
        }
        endings
    }

    /// What the environment shows of an action.
    fn acted(&self, of: &Transition) -> f32 {
        if self.place.space().is_box() { f32::from_bits(of.action[0]) } else { of.action[0] as f32 }
    }

    /// A minibatch, after so many gradient steps: states and rows.
    fn draw(&self, settings: ReplaySettings, gradient_steps: u32) -> (Minibatch, Vec<f32>, Vec<f32>) {
        let kernels = self.place.kernels();
        let progress = SEEDS.map(|seed| Progress { seed, gradient_steps, ..Progress::default() });
        gpu().write(&self.agents.progress, &progress);
        let explorers = &self.interact.explorers;
        let (minibatch, draw) = planned(|plan| {
            let minibatch = Minibatch::new(plan, &kernels, self.agents.count, settings.batch_size)?;
            let draw = minibatch.draw(plan, &kernels, &self.agents, &self.ring, explorers, settings)?;
            Ok((minibatch, draw))
        });
        poison(&minibatch.states);
        poison(&minibatch.drawn);
        submit(&draw);
        let (states, drawn) = (ok(gpu().read(&minibatch.states)), ok(gpu().read(&minibatch.drawn)));
        (minibatch, states, drawn)
    }

    /// Draws a minibatch and compares every sample with the window of the log.
    fn check_draw(&self, settings: ReplaySettings, gradient_steps: u32) {
        let (_, states, drawn) = self.draw(settings, gradient_steps);
        let kernels = self.place.kernels();
        let b = settings.batch_size as usize;
        let drawn_rows = kernels.drawn_rows() as usize;
        let [row_return, row_discount, ..] = kernels.scalar_rows().map(|row| row as usize);
        let row_taken = kernels.action_rows()[0] as usize;
        let acts = kernels.acts() as usize;
        for (agent, log) in self.logs.iter().enumerate() {
            for s in 0..b {
                let counter = [s as u32, gradient_steps, REPLAY, 0];
                let word = u64::from(philox4x32_10(counter, [SEEDS[agent], 0])[0]);
                let place = ((word * log.len() as u64) >> 32) as usize;
                let ReplaySettings { n_steps, gamma, bootstrap, .. } = settings;
                let what = format!(
                    "γ {gamma}, n {n_steps}, bootstrap {bootstrap}, draw {gradient_steps}, sample {s} from {place}"
                );
                let case = self.case(agent, &what);
                let window = log.window(place, n_steps as usize, f64::from(gamma)).unwrap();
                let (first, last) = (log.transition(place).unwrap(), log.transition(window.last).unwrap());
                let seen = |after: usize| -> Vec<f64> {
                    let at = |f: usize| states[((agent * 2 + after) * FEATURES + f) * b + s];
                    (0..FEATURES).map(|f| f64::from(at(f))).collect()
                };
                assert_eq!(seen(0), first.observation, "{case}: observation");
                assert_eq!(seen(1), last.next_observation, "{case}: next observation, of a window of {}", window.steps);
                let row = |row: usize| f64::from(drawn[(agent * drawn_rows + row) * b + s]);
                // k products and sums, each rounded at the size of the sum; γ itself is given
                let roundings = (2 * window.steps) as f64 * ROUNDING;
                let size = window.steps as f64 * 300.0;
                assert_close(&format!("{case}: R"), &[row(row_return)], &[window.reward], 0.0, roundings * size);
                let discount = if bootstrap == 0 && last.ended() { 0.0 } else { window.discount };
                assert_close(&format!("{case}: discount"), &[row(row_discount)], &[discount], roundings, 0.0);
                let taken: Vec<f64> = (0..acts).map(|i| row(row_taken + i)).collect();
                let expected: Vec<f64> = if self.place.space().is_box() {
                    first.action.iter().map(|&word| f64::from(f32::from_bits(word))).collect()
                } else {
                    (0..acts as u32).map(|k| f64::from(u8::from(first.action[0] == k))).collect()
                };
                assert_eq!(taken, expected, "{case}: action");
            }
        }
    }
}

fn stored(ring: &ReplayBuffer) -> Stored {
    let (agents, capacity) = (SEEDS.len(), ring.capacity() as usize);
    let (mut before, mut after) =
        (vec![f32::NAN; agents * FEATURES * capacity], vec![f32::NAN; agents * FEATURES * capacity]);
    for part in &ring.parts {
        for (whole, buffer) in [(&mut before, &part.before), (&mut after, &part.after)] {
            let words = ok(gpu().read(buffer));
            let (first, count) = (part.rows.first as usize, part.rows.count as usize);
            for agent in 0..agents {
                let (to, from) = ((agent * FEATURES + first) * capacity, agent * count * capacity);
                whole[to..to + count * capacity].copy_from_slice(&words[from..from + count * capacity]);
            }
        }
    }
    Stored { steps: ok(gpu().read(&ring.steps)), before, after }
}

fn settings(worlds: u32, capacity: u32) -> ReplaySettings {
    ReplaySettings {
        worlds,
        capacity,
        batch_size: 65,
        n_steps: 1,
        bootstrap: 1,
        gamma: 0.9,
        ..ReplaySettings::default()
    }
}

/// One binding for all features.
const WHOLE: u64 = 1 << 20;

// ---------------------------------------------------------------- the ring

#[test]
fn random_steps_and_windows_are_those_of_the_reference() {
    let place = Place::numbers();
    let mut endings = [0; 4];
    for (worlds, capacity) in [(3, 17), (5, 23), (1, 4), (4, 4), (37, 100), (70, 345)] {
        let mut of = Worlds::new(&place, settings(worlds, capacity), &zeros(&place), 1, WHOLE);
        let round = capacity.div_ceil(worlds);
        let steps = (3 * round + 2).max(12);
        for t in 1..=steps {
            of.step_at_random();
            // one step, nearly full, just full, and after the head has come round
            if [1, round - 1, round, round + 1, 2 * round + 1, steps].contains(&t) {
                for (n_steps, bootstrap) in [(1, 1), (3, 1), (6, 0), (100, 1)] {
                    of.check_draw(ReplaySettings { n_steps, bootstrap, ..of.settings }, t + 1000 * n_steps);
                }
            }
        }
        endings.iter_mut().zip(of.check_log()).for_each(|(sum, count)| *sum += count);
        // uniform between the bounds: number i is word i of the step's call
        for (agent, log) in of.logs.iter().enumerate() {
            for (t, of_step) in log.steps.iter().enumerate() {
                for (world, transition) in of_step.iter().enumerate() {
                    let words = philox4x32_10([world as u32, t as u32, ACTION, 0], [SEEDS[agent], 0]);
                    let expected = [-1.0 + 2.0 * uniform(words[0]), -3.0 + 3.5 * uniform(words[1])];
                    let got: Vec<f64> = transition.action.iter().map(|&word| f64::from(f32::from_bits(word))).collect();
                    let case = of.case(agent, &format!("world {world}, step {t}, action"));
                    assert_close(&case, &got, &expected, 0.0, 8.0 * ROUNDING * 3.0);
                }
            }
        }
    }
    assert!(
        endings.iter().all(|&count| count > 0),
        "steps that end not, terminated, truncated, both ways: {endings:?}"
    );
}

#[test]
fn several_steps_in_one_dispatch_are_as_many_single_steps() {
    let place = Place::numbers();
    for (worlds, capacity, steps) in [(3, 17, 70), (37, 100, 20), (5, 400, 131)] {
        let mut single = Worlds::new(&place, settings(worlds, capacity), &zeros(&place), 1, WHOLE);
        for _ in 0..steps {
            submit(single.interact.random());
        }
        let many = Worlds::new(&place, settings(worlds, capacity), &zeros(&place), steps, WHOLE);
        submit(many.interact.random());
        let (a, b) = (stored(&single.ring), stored(&many.ring));
        let case = format!("{worlds} worlds, {capacity} places, {steps} steps");
        assert_eq!(a.steps, b.steps, "{case}: actions, rewards, endings");
        assert_bits(&format!("{case}: observations"), &b.before, &a.before);
        assert_bits(&format!("{case}: next observations"), &b.after, &a.after);
        let explorers = |of: &Worlds| ok(gpu().read(&of.interact.explorers));
        assert_eq!(explorers(&single), explorers(&many), "{case}: places and noise");
        let current = |of: &Worlds| ok(gpu().read(&of.interact.current));
        assert_bits(&format!("{case}: what the actor sees"), &current(&many), &current(&single));
        // what was filled before is not forgotten
        single.last = stored(&single.ring);
        assert_eq!(
            single.last.before.iter().any(|x| x.to_bits() == POISON),
            capacity > worlds * steps,
            "{case}: places left"
        );
    }
}

#[test]
fn parts_of_a_ring_hold_what_one_part_holds() {
    let place = Place::numbers();
    let (worlds, capacity) = (5, 23);
    // room for two features of both agents, and for one
    for bytes in [4 * 2 * 23 * 2, 1] {
        let weights = |agent| (vec![0.3 - 0.2 * agent as f32; 2 * FEATURES], vec![0.1, -0.2]);
        let start = |bytes| Worlds::new(&place, settings(worlds, capacity), &parameters(&place, weights), 2, bytes);
        let (mut whole, mut parts) = (start(WHOLE), start(bytes));
        let counts: Vec<u32> = parts.ring.parts.iter().map(|part| part.rows.count).collect();
        assert_eq!(whole.ring.parts.len(), 1, "parts of the whole");
        assert_eq!(counts, if bytes == 1 { vec![1; 5] } else { vec![2, 2, 1] }, "features of the parts");
        for of in [&mut whole, &mut parts] {
            submit(of.interact.random());
            let mut steps = Recording::default();
            for step in 0..13 {
                of.interact.record(&mut steps, step == 0);
            }
            submit(&steps);
        }
        let (a, b) = (stored(&whole.ring), stored(&parts.ring));
        assert_eq!(a.steps, b.steps, "{bytes} bytes: actions, rewards, endings");
        assert_bits(&format!("{bytes} bytes: observations"), &b.before, &a.before);
        assert_bits(&format!("{bytes} bytes: next observations"), &b.after, &a.after);
        let settings = ReplaySettings { n_steps: 3, batch_size: 345, ..whole.settings };
        let ((_, states, drawn), (_, of_parts, drawn_of_parts)) = (whole.draw(settings, 9), parts.draw(settings, 9));
        assert!(!states.iter().any(|x| x.to_bits() == POISON), "states that were not drawn");
        assert_bits(&format!("{bytes} bytes: states"), &of_parts, &states);
        assert_bits(&format!("{bytes} bytes: rows"), &drawn_of_parts, &drawn);
    }
}

// ---------------------------------------------------------------- actors in worlds

/// Box & Muller of four words: the radius of the first (third) and the angle of the second (fourth).
fn normals(words: [u32; 4]) -> [f64; 4] {
    let pair = |a: u32, b: u32| {
        let (radius, angle) = ((-2.0 * uniform(a).ln()).sqrt(), 2.0 * PI * uniform(b));
        [radius * angle.cos(), radius * angle.sin()]
    };
    let [[x, y], [z, w]] = [pair(words[0], words[1]), pair(words[2], words[3])];
    [x, y, z, w]
}

/// −log(−log u).
fn gumbel(word: u32) -> f64 {
    -(-uniform(word).ln()).ln()
}

/// Weights that leave the tag itself alone, which is large.
fn weights_of(agent: usize, outputs: usize) -> (Vec<f32>, Vec<f32>) {
    let weight =
        |i: usize| if i.is_multiple_of(FEATURES) { 0.0 } else { ((i * 7 + agent * 3) % 11) as f32 * 0.1 - 0.5 };
    ((0..outputs * FEATURES).map(weight).collect(), (0..outputs).map(|o| 0.2 * o as f32 - 0.1 * agent as f32).collect())
}

/// Outputs of that network.
fn outputs_of(agent: usize, outputs: usize, observation: &[f64]) -> Vec<f64> {
    let (weights, biases) = weights_of(agent, outputs);
    let row = |o: usize| weights[o * FEATURES..][..FEATURES].iter().zip(observation).map(|(w, x)| f64::from(*w) * x);
    (0..outputs).map(|o| f64::from(biases[o]) + row(o).sum::<f64>()).collect()
}

const LOW: [f64; 2] = [-1.0, -3.0];
const HIGH: [f64; 2] = [1.0, 0.5];

fn scaled(x: f64, i: usize) -> f64 {
    f64::midpoint(LOW[i], HIGH[i]) + (HIGH[i] - LOW[i]) / 2.0 * x
}

/// Every step's actions, with what the policy makes of outputs, four normal numbers and the noise's memory.
fn check_actions(of: &Worlds, outputs: usize, policy: impl Fn(&[f64], [f64; 4], &mut [f64; 2]) -> [f64; 2]) {
    for (agent, log) in of.logs.iter().enumerate() {
        let mut memory = vec![[0.0; 2]; of.settings.worlds as usize];
        for (t, of_step) in log.steps.iter().enumerate() {
            for (world, transition) in of_step.iter().enumerate() {
                let words = philox4x32_10([world as u32, t as u32, ACTION, 0], [SEEDS[agent], 0]);
                let outputs = outputs_of(agent, outputs, &transition.observation);
                let expected = policy(&outputs, normals(words), &mut memory[world]);
                let got: Vec<f64> = transition.action.iter().map(|&word| f64::from(f32::from_bits(word))).collect();
                let case = of.case(agent, &format!("world {world}, step {t}, action"));
                // numbers up to 3 through log, cos, exp and tanh, each to 4e-7
                assert_close(&case, &got, &expected, 0.0, 2e-5);
                if transition.ended() {
                    memory[world] = [0.0; 2];
                }
            }
        }
    }
}

#[test]
fn deterministic_actors_add_noise_to_what_they_choose_for_what_they_see() {
    for (process, worlds, capacity) in [(false, 5, 23), (true, 70, 345)] {
        let (theta, place) = (0.6, Place { process, ..Place::numbers() });
        let settings =
            ReplaySettings { exploration_noise: 0.4, ou_theta: theta, ou_dt: 0.5, ..settings(worlds, capacity) };
        let mut of = Worlds::new(&place, settings, &parameters(&place, |agent| weights_of(agent, 2)), 1, WHOLE);
        let steps = 15;
        for t in 0..steps {
            of.step(t == 0 || t == 6);
        }
        of.check_log();
        of.check_draw(ReplaySettings { n_steps: 3, ..of.settings }, 2);
        check_actions(&of, 2, |outputs, n, memory| {
            [0, 1].map(|i| {
                let mut x = n[i];
                if process {
                    memory[i] += -f64::from(theta) * memory[i] * 0.5 + 0.5f64.sqrt() * n[i];
                    x = memory[i];
                }
                let half = (HIGH[i] - LOW[i]) / 2.0;
                (scaled(outputs[i].tanh(), i) + 0.4 * half * x).clamp(LOW[i], HIGH[i])
            })
        });
        // episodes since the step that was said to be the first
        let mut recording = Recording::default();
        of.interact.record_episodes(&mut recording);
        submit(&recording);
        for (agent, sums) in ok(gpu().read(of.interact.episode_sums())).into_iter().enumerate() {
            let mut expected = [0.0; 4];
            for world in 0..worlds as usize {
                let (mut sum, mut length) = (0.0, 0.0);
                for (t, of_step) in of.logs[agent].steps.iter().enumerate() {
                    (sum, length) = (sum + of_step[world].reward, length + 1.0);
                    if of_step[world].ended() {
                        let terminated = f64::from(of_step[world].ending & TERMINATED);
                        let episode = [1.0, sum, length, terminated];
                        if t >= 6 {
                            expected.iter_mut().zip(episode).for_each(|(e, x)| *e += x);
                        }
                        (sum, length) = (0.0, 0.0);
                    }
                }
            }
            let case = of.case(agent, "(episodes, returns, lengths, terminations)");
            assert_close(&case, &sums.map(f64::from), &expected, 1e-5, 0.0);
        }
    }
}

#[test]
fn gaussian_actors_draw_their_actions() {
    let place = Place::new(NUMBERS, 0.2, Deviation::Clamped { log_std: [-0.4, 0.3] });
    let start = parameters(&place, |agent| weights_of(agent, 4));
    let mut of = Worlds::new(&place, settings(5, 23), &start, 1, WHOLE);
    (0..9).for_each(|t| of.step(t == 0));
    of.check_log();
    check_actions(&of, 4, |outputs, n, _| {
        [0, 1].map(|i| scaled((outputs[i] + outputs[2 + i].clamp(-0.4, 0.3).exp() * n[i]).tanh(), i))
    });
}

/// Logits are the same everywhere: frequencies are those of their softmax, and of a uniform choice for the share of
/// `exploration_noise`.
#[test]
fn choices_have_their_probabilities_and_lie_in_the_ring() {
    let place = Place::choices();
    let probabilities = [0.4, 0.3, 0.1, 0.15, 0.05f64];
    let biases = probabilities.map(|p| p.ln() as f32).to_vec();
    let start = parameters(&place, |_| (vec![0.0; 5 * FEATURES], biases.clone()));
    for share in [0.0, 0.5] {
        let (worlds, capacity, steps) = (70, 345, 60);
        let settings = ReplaySettings { exploration_noise: share, ..settings(worlds, capacity) };
        let mut of = Worlds::new(&place, settings, &start, 1, WHOLE);
        for t in 0..steps {
            of.step(t == 0);
        }
        let endings = of.check_log();
        assert_eq!((endings[TERMINATED as usize], endings[3]), (0, 0), "terminations: {endings:?}");
        assert!(endings[TRUNCATED as usize] > 0, "truncations: {endings:?}");
        for (n_steps, bootstrap) in [(1, 0), (3, 1), (4, 0)] {
            of.check_draw(ReplaySettings { n_steps, bootstrap, ..of.settings }, n_steps);
        }
        let mut counts = [0; 5];
        for transition in of.logs.iter().flat_map(|log| log.steps.iter().flatten()) {
            counts[transition.action[0] as usize] += 1;
        }
        let count = f64::from(worlds * steps) * SEEDS.len() as f64;
        for k in 0..5 {
            let p = (1.0 - f64::from(share)) * probabilities[k] + f64::from(share) / 5.0;
            // five standard errors of a share of independent choices
            let bound = 5.0 * (p * (1.0 - p) / count).sqrt();
            let case = format!("seeds {SEEDS:?}, share of choice {k} of {count}, {share} of them random");
            assert_close(&case, &[f64::from(counts[k]) / count], &[p], 0.0, bound);
        }
    }
}

/// x ← (1 − θΔt) x + √Δt n without an end of episodes: variance Δt/(1 − a²), correlation aᵏ at lag k, a = 1 − θΔt.
#[test]
fn ornstein_uhlenbeck_noise_is_stationary() {
    let endless = NUMBERS.replace("MAX_EPISODE_STEPS: u32 = 7u", "MAX_EPISODE_STEPS: u32 = 0u");
    let place = Place { process: true, ..Place::new(&endless, 0.0, Deviation::None) };
    let (worlds, steps) = (64, 300);
    let settings = ReplaySettings { exploration_noise: 0.1, ou_theta: 0.5, ou_dt: 0.4, ..settings(worlds, worlds) };
    let of = Worlds::new(&place, settings, &zeros(&place), 1, WHOLE);
    let mut step = Recording::default();
    of.interact.record(&mut step, false);
    let words = place.kernels().explorer_words() as usize;
    let mut series = Vec::new();
    for t in 0..steps {
        submit(&step);
        // the start at 0 is forgotten to 0.8^40 = 1e-4
        if t >= 40 {
            let explorers: Vec<u32> = ok(gpu().read(&of.interact.explorers));
            let noise: Vec<f64> = (explorers.chunks_exact(worlds as usize * words))
                .flat_map(|agent| agent[worlds as usize..].iter().map(|&word| f64::from(f32::from_bits(word))))
                .collect();
            series.push(noise);
        }
    }
    let chains = series[0].len();
    assert_eq!(chains, SEEDS.len() * worlds as usize * 2, "noise of every agent, world and number");
    let count = (series.len() * chains) as f64;
    let moment = |lag: usize| -> f64 {
        let pairs = series.iter().zip(&series[lag..]);
        pairs.flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b)).sum::<f64>()
            / ((series.len() - lag) * chains) as f64
    };
    let a = 1.0 - 0.5 * 0.4f64;
    let variance = 0.4 / (1.0 - a * a);
    // five standard errors of a mean square of an autoregression: 2 σ⁴ (1 + a²)/(1 − a²) / count (Bartlett 1946)
    let bound = 5.0 * (2.0 * variance * variance * (1.0 + a * a) / (1.0 - a * a) / count).sqrt();
    let case = format!("seeds {SEEDS:?}, {chains} chains of {} steps", series.len());
    assert_close(&format!("{case}, variance"), &[moment(0)], &[variance], 0.0, bound);
    for lag in [1usize, 2, 5] {
        // the same for its products with itself later, whose variance is at most that of squares
        assert_close(&format!("{case}, lag {lag}"), &[moment(lag)], &[variance * a.powf(lag as f64)], 0.0, bound);
    }
    let mean = series.iter().flatten().sum::<f64>() / count;
    let bound = 5.0 * (variance * (1.0 + a) / (1.0 - a) / count).sqrt();
    assert_close(&format!("{case}, mean"), &[mean], &[0.0], 0.0, bound);
}

// ---------------------------------------------------------------- the noise of minibatches

/// Both lists of noise, `[agent][number][sample]`, of one minibatch.
fn noises(of: &Worlds, batch_size: u32, gradient_steps: u32) -> [Vec<f64>; 2] {
    let (_, _, drawn) = of.draw(ReplaySettings { batch_size, ..of.settings }, gradient_steps);
    let kernels = of.place.kernels();
    let (b, rows, noises) = (batch_size as usize, kernels.drawn_rows() as usize, kernels.acts() as usize);
    kernels.noise_rows().map(|row| {
        let of_agent = |agent: usize| &drawn[(agent * rows + row as usize) * b..][..noises * b];
        (0..SEEDS.len()).flat_map(|agent| of_agent(agent).iter().map(|&x| f64::from(x))).collect()
    })
}

/// Mean, variance, and independence of the two lists, to five standard errors; `fourth` is the fourth central moment.
fn check_moments(case: &str, lists: &[Vec<f64>; 2], mean: f64, variance: f64, fourth: f64) {
    let count = lists[0].len() as f64;
    let average = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count;
    for (name, list) in ["now", "next"].iter().zip(lists) {
        let case = format!("{case}, noise {name} of {count}");
        let bound = 5.0 * (variance / count).sqrt();
        assert_close(&format!("{case}, mean"), &[average(&mut list.iter().copied())], &[mean], 0.0, bound);
        let square = average(&mut list.iter().map(|x| (x - mean).powi(2)));
        let bound = 5.0 * ((fourth - variance * variance) / count).sqrt();
        assert_close(&format!("{case}, variance"), &[square], &[variance], 0.0, bound);
        let shifted = average(&mut list.iter().zip(&list[1..]).map(|(a, b)| (a - mean) * (b - mean)));
        let bound = 5.0 * variance / count.sqrt();
        assert_close(&format!("{case}, with its neighbour"), &[shifted], &[0.0], 0.0, bound);
    }
    let product = average(&mut lists[0].iter().zip(&lists[1]).map(|(a, b)| (a - mean) * (b - mean)));
    assert_close(&format!("{case}, now with next"), &[product], &[0.0], 0.0, 5.0 * variance / count.sqrt());
}

#[test]
fn noise_of_real_numbers_is_normal() {
    let place = Place::numbers();
    let mut of = Worlds::new(&place, settings(3, 17), &zeros(&place), 1, WHOLE);
    of.step_at_random();
    let lists = noises(&of, 20_000, 3);
    check_moments(&format!("seeds {SEEDS:?}, normal"), &lists, 0.0, 1.0, 3.0);
    // by number: calls 1 and 2 of the sample
    for (agent, sample, number) in [(0, 0, 0), (1, 17, 1), (0, 19_999, 1)] {
        for (n, list) in lists.iter().enumerate() {
            let words = philox4x32_10([sample as u32, 3, REPLAY, 1 + n as u32], [SEEDS[agent], 0]);
            let got = list[(agent * 2 + number) * 20_000 + sample];
            let case = format!("seed {}, list {n}, sample {sample}, number {number}", SEEDS[agent]);
            assert_close(&case, &[got], &[normals(words)[number]], 0.0, 1e-5);
        }
    }
    let others = noises(&of, 20_000, 4);
    let same = others[0].iter().zip(&lists[0]).filter(|(a, b)| a == b).count();
    assert!(same < 20, "{same} numbers of the next minibatch are those of the one before");
}

#[test]
fn noise_of_choices_is_gumbel() {
    let place = Place::choices();
    let mut of = Worlds::new(&place, settings(3, 17), &zeros(&place), 1, WHOLE);
    of.step_at_random();
    let lists = noises(&of, 20_000, 5);
    // Euler's constant, π²/6, and a kurtosis of 5.4
    let variance = PI * PI / 6.0;
    let case = format!("seeds {SEEDS:?}, Gumbel");
    check_moments(&case, &lists, 0.577_215_664_9, variance, 5.4 * variance * variance);
    for (agent, sample, number) in [(0, 0, 0), (1, 17, 1), (0, 19_999, 3), (1, 345, 4)] {
        for (n, list) in lists.iter().enumerate() {
            // lists take turns with calls of four numbers
            let call = 1 + n as u32 + 2 * (number as u32 / 4);
            let words = philox4x32_10([sample as u32, 5, REPLAY, call], [SEEDS[agent], 0]);
            let got = list[(agent * 5 + number) * 20_000 + sample];
            let case = format!("seed {}, list {n}, sample {sample}, choice {number}", SEEDS[agent]);
            // a uniform near 1 loses a rounding of its logarithm's size
            assert_close(&case, &[got], &[gumbel(words[number % 4])], 1e-5, 1e-5);
        }
    }
}
