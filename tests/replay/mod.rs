//! Every step of rollouts and evaluations on CartPole-v1 replayed in f64: actions, endings, resets, values, advantages.

// equal means equal here, places count in several lists, and a test may panic
#![allow(clippy::float_cmp, clippy::needless_range_loop, clippy::unwrap_used)]

use crate::oracle::assert_close;
use crate::support::cartpole::{config, of_agent, ppo};
use crate::support::{Draw, ROUNDING, Stages, assert_bits, forms, from_bits, gpu, ok, padded, poison_on, run, wide};
use manyworlds::config::Config;
use manyworlds::env::{Environment, world_word};
use manyworlds::gpu::{Form, Gpu, Recording};
use manyworlds::layout::{Metrics, ROWS, Row, STREAM_EVALUATION, STREAM_TRAINING, TERMINATED, TRUNCATED, WorldWord};
use manyworlds::reference::mlp::{Activation, Mlp};
use manyworlds::reference::philox::{philox4x32_10, uniform};
use manyworlds::reference::{cartpole, categorical, gae};

/// Words of a world of CartPole's, whose state has four.
const EPISODE_RETURN: usize = 4 + WorldWord::Return as usize;
const EPISODE_LENGTH: usize = 4 + WorldWord::Length as usize;
const STEPS: usize = 4 + WorldWord::Steps as usize;
const BEGUN: usize = 4 + WorldWord::Begun as usize;
/// Steps after which CartPole-v1 is truncated.
const LIMIT: u32 = 500;

/// A word of every world.
fn words_of(words: &[u32], word: usize, worlds: usize) -> Vec<u32> {
    (0..worlds).map(|world| words[world_word(word, world, worlds)]).collect()
}

// ---------------------------------------------------------------- rollout

/// What an update left on the device for one agent, and what is needed to replay it.
struct Rollout {
    case: String,
    seed: u32,
    worlds: usize,
    steps: usize,
    slots: usize,
    actor: Mlp,
    critic: Mlp,
    /// Steps of every world before.
    before: u32,
    /// Length of each world's episode before.
    lengths: Vec<u32>,
    begun: Vec<u32>,
    observations: Vec<f32>,
    samples: Vec<u32>,
    final_observations: Vec<f32>,
    final_values: Vec<u32>,
    words: Vec<u32>,
    metrics: Metrics,
    gamma: f64,
    lambda: f64,
}

/// What the replay met.
#[derive(Debug, Default, PartialEq)]
struct Met {
    terminated: usize,
    truncated: usize,
    both: usize,
    /// Actions that were within 1e-5 of the other one.
    close: usize,
}

impl Rollout {
    /// Runs an update with these networks of every agent; `change` gets the words of all worlds before it.
    fn of(
        gpu: &Gpu,
        config: &Config,
        seeds: &[u32],
        networks: [&Mlp; 2],
        before: u32,
        change: impl Fn(&mut [u32]),
    ) -> Vec<Self> {
        let ppo = ppo(gpu, config, seeds);
        let parameters = padded(&ppo.layout, &networks);
        gpu.write(&ppo.agents.parameters, &parameters.repeat(seeds.len()));
        let agents = seeds.len() as u32;
        let mut all = ok(gpu.read(&ppo.rollout.worlds));
        change(&mut all);
        gpu.write(&ppo.rollout.worlds, &all);
        ok(gpu.submit(ppo.update()));

        let run = ppo.agents.run;
        let buffers = (
            ok(gpu.read(&ppo.batch.observations)),
            ok(gpu.read(&ppo.batch.samples)),
            ok(gpu.read(&ppo.batch.final_observations)),
            ok(gpu.read(&ppo.batch.final_values)),
            ok(gpu.read(&ppo.rollout.worlds)),
            ok(gpu.read(&ppo.metrics)),
        );
        let worlds = config.num_envs as usize;
        let of = |(agent, &seed): (usize, &u32)| Self {
            case: format!("{}, seed {seed}, {worlds} worlds, {} steps", gpu.form(), config.num_steps),
            seed,
            worlds,
            steps: config.num_steps as usize,
            slots: run.bootstrap_slots as usize,
            actor: networks[0].clone(),
            critic: networks[1].clone(),
            before,
            lengths: words_of(&of_agent(&all, agents, agent), EPISODE_LENGTH, worlds),
            begun: words_of(&of_agent(&all, agents, agent), BEGUN, worlds),
            observations: of_agent(&buffers.0, agents, agent),
            samples: of_agent(&buffers.1, agents, agent),
            final_observations: of_agent(&buffers.2, agents, agent),
            final_values: of_agent(&buffers.3, agents, agent),
            words: of_agent(&buffers.4, agents, agent),
            metrics: buffers.5[agent],
            gamma: f64::from(run.gamma),
            lambda: f64::from(run.gae_lambda),
        };
        seeds.iter().enumerate().map(of).collect()
    }

    fn observation(&self, t: usize, world: usize) -> [f64; 4] {
        let at = |f: usize| self.observations[(f * self.steps + t) * self.worlds + world];
        [0, 1, 2, 3].map(|f| f64::from(at(f)))
    }

    fn final_observation(&self, slot: usize, world: usize) -> [f64; 4] {
        let at = |f: usize| self.final_observations[(f * self.slots + slot) * self.worlds + world];
        [0, 1, 2, 3].map(|f| f64::from(at(f)))
    }

    fn final_value(&self, slot: usize, world: usize) -> f64 {
        f64::from(f32::from_bits(self.final_values[slot * self.worlds + world]))
    }

    /// A row of the samples, `[step][world]`.
    fn row(&self, row: Row) -> &[u32] {
        let size = self.steps * self.worlds;
        assert_eq!(self.samples.len(), (ROWS + 1) as usize * size, "{}: words of the samples", self.case);
        &self.samples[row as usize * size..][..size]
    }

    /// Steps of a world that were truncated and not terminated, and so keep their final observation.
    fn kept(&self, world: usize) -> Vec<usize> {
        let ending = self.row(Row::Ending);
        (0..self.steps).filter(|t| ending[t * self.worlds + world] == TRUNCATED).collect()
    }

    /// The first observation of the episode that begins after `begun` others of the world, from the words of Philox:
    /// purpose 0, uniform in (−0.05, 0.05).
    fn first_observation(&self, begun: u32, world: usize) -> [f64; 4] {
        first_observation([self.seed, STREAM_TRAINING], begun, world)
    }

    /// Replays every step in f64 from the observation that the device had, under the action that it took.
    fn replay(&self) -> Met {
        let mut met = Met::default();
        let (mut returns, mut lengths) = (0.0, 0.0);
        let [actions, log_probs, rewards, endings] =
            [Row::Action, Row::LogProb, Row::Reward, Row::Ending].map(|row| self.row(row));
        for world in 0..self.worlds {
            let mut length = self.lengths[world];
            let mut begun = self.begun[world];
            let mut slot = 0;
            for t in 0..self.steps {
                let at = t * self.worlds + world;
                let case = format!("{}, world {world}, step {t}", self.case);
                let seen = self.observation(t, world);
                let logits = self.actor.output(&seen);

                // the action is where the uniform falls in the cumulative distribution: purpose 1, four steps a block
                let now = self.before + t as u32;
                let block = philox4x32_10([world as u32, now / 4, 1, 0], [self.seed, STREAM_TRAINING]);
                let u = uniform(block[now as usize % 4]);
                let boundary = categorical::probs(&logits)[0];
                if (u - boundary).abs() <= 1e-5 {
                    met.close += 1;
                    assert!(actions[at] < 2, "{case}: action {}", actions[at]);
                } else {
                    let expected = categorical::sample(&logits, u) as u32;
                    assert_eq!(actions[at], expected, "{case}: action where u = {u:e}, p(0) = {boundary:e}");
                }
                let got = f64::from(f32::from_bits(log_probs[at]));
                let expected = categorical::log_prob(&logits, actions[at] as usize);
                // 1e-5: logits of the size of 1 to 40 through f32, see `outputs_with_bounds`
                assert_close(&format!("{case}, log_prob"), &[got], &[expected], 1e-5, 1e-5);

                let step = cartpole::step(seen, actions[at]);
                length += 1;
                let reward = f64::from(f32::from_bits(rewards[at]));
                assert_close(&format!("{case}, reward"), &[reward], &[step.reward], 0.0, 0.0);
                let near = |x: f64, limit: f64| (x.abs() - limit).abs() <= 1e-5;
                let undecided =
                    near(step.state[0], cartpole::POSITION_LIMIT) || near(step.state[2], cartpole::ANGLE_LIMIT);
                let terminated = if undecided { endings[at] & TERMINATED != 0 } else { step.terminated };
                let bit = |flag: bool, bit: u32| if flag { bit } else { 0 };
                let expected = bit(terminated, TERMINATED) | bit(length >= LIMIT, TRUNCATED);
                let state = step.state;
                assert_eq!(endings[at], expected, "{case}: ending bits after {length} steps in {state:?}");

                // 1e-5: what the project promises for one step
                if endings[at] == TRUNCATED {
                    let got = self.final_observation(slot, world);
                    assert_close(&format!("{case}, final observation in slot {slot}"), &got, &state, 0.0, 1e-5);
                    slot += 1;
                }
                let last = t + 1 == self.steps;
                let (got, name) = if last {
                    (self.final_observation(self.slots - 1, world), "observation after the rollout")
                } else {
                    (self.observation(t + 1, world), "next observation")
                };
                if endings[at] == 0 {
                    assert_close(&format!("{case}, {name}"), &got, &state, 0.0, 1e-5);
                } else {
                    // two roundings of numbers up to 0.1, and that of 0.05 itself
                    let expected = self.first_observation(begun, world);
                    begun += 1;
                    assert_close(&format!("{case}, {name} after a reset"), &got, &expected, 0.0, 1e-8);
                    returns += f64::from(length);
                    lengths += f64::from(length);
                    length = 0;
                }
                met.terminated += usize::from(endings[at] == TERMINATED);
                met.truncated += usize::from(endings[at] == TRUNCATED);
                met.both += usize::from(endings[at] == TERMINATED | TRUNCATED);
            }
            let word = |word: usize| self.words[world_word(word, world, self.worlds)];
            let case = format!("{}, world {world}", self.case);
            assert_eq!(word(STEPS), self.before + self.steps as u32, "{case}: steps of the world after the rollout");
            assert_eq!(word(BEGUN), begun, "{case}: episodes that the world has begun");
            assert_eq!(word(EPISODE_LENGTH), length, "{case}: length of the running episode");
            let got = f32::from_bits(word(EPISODE_RETURN));
            assert!(got == length as f32, "{case}: return of the running episode is {got}, {length} expected");
        }
        let episodes = (met.terminated + met.truncated + met.both) as f64;
        let m = &self.metrics;
        let got = [m.episodes, m.return_sum, m.length_sum, m.terminated].map(f64::from);
        // whole numbers below 2²⁴ are exact
        let expected = [episodes, returns, lengths, (met.terminated + met.both) as f64];
        let name = "episodes, returns, lengths, terminated of the metrics";
        assert_close(&format!("{}, {name}", self.case), &got, &expected, 0.0, 0.0);
        let share = met.close as f64 / (self.steps * self.worlds) as f64;
        assert!(share < 1e-3, "{}: {} actions were too close to tell", self.case, met.close);
        met
    }

    /// Checks V of every observation, then advantages and targets.
    fn check_values_and_advantages(&self) {
        let value = from_bits(self.row(Row::Value));
        let close = |case: &str, got: f64, observation: &[f64; 4]| {
            // 1e-5: values of the size of 1 through f32
            assert_close(&format!("{}, {case}", self.case), &[got], &self.critic.output(observation), 1e-5, 1e-5);
        };
        let mut final_value = vec![f64::NAN; value.len()];
        for world in 0..self.worlds {
            for t in 0..self.steps {
                let got = value[t * self.worlds + world];
                close(&format!("world {world}, step {t}, value"), got, &self.observation(t, world));
            }
            for (slot, t) in self.kept(world).into_iter().enumerate() {
                let got = self.final_value(slot, world);
                close(&format!("world {world}, step {t}, final value"), got, &self.final_observation(slot, world));
                final_value[t * self.worlds + world] = got;
            }
            let last = self.slots - 1;
            close(
                &format!("world {world}, last value"),
                self.final_value(last, world),
                &self.final_observation(last, world),
            );
        }
        let last_value: Vec<f64> = (0..self.worlds).map(|world| self.final_value(self.slots - 1, world)).collect();
        let endings = self.row(Row::Ending);
        let flags = |bit: u32| endings.iter().map(|ending| ending & bit != 0).collect::<Vec<_>>();
        let reward = from_bits(self.row(Row::Reward));
        let (advantage, target) = gae::gae(
            &reward,
            &value,
            &flags(TERMINATED),
            &flags(TRUNCATED),
            &final_value,
            &last_value,
            self.gamma,
            self.lambda,
        );
        for (row, expected) in [(Row::Advantage, advantage), (Row::Target, target)] {
            let got = from_bits(self.row(row));
            assert_close(&format!("{}, {row:?}", self.case), &got, &expected, 0.0, self.tolerance(&expected));
        }
    }

    /// A step of GAE rounds numbers up to the largest about six times, and the errors of later steps fade with γλ.
    fn tolerance(&self, expected: &[f64]) -> f64 {
        let largest = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        let steps = (self.steps as f64).min(1.0 / (1.0 - self.gamma * self.lambda));
        6.0 * ROUNDING * (3.0 + 2.0 * largest) * steps
    }
}

/// The first observation of an episode, from the words of Philox.
fn first_observation(key: [u32; 2], steps: u32, world: usize) -> [f64; 4] {
    philox4x32_10([world as u32, steps, 0, 0], key).map(|word| 0.1 * uniform(word) - 0.05)
}

/// Networks that act in every way and value in every size.
fn random_networks(seed: u32) -> [Mlp; 2] {
    let mut draw = Draw::new(seed);
    [draw.network(&[4, 8, 8, 2], Activation::Tanh), draw.network(&[4, 8, 8, 1], Activation::Tanh)]
}

/// A policy that keeps the pole up for ever: one unit of each hidden layer carries x/10 + ẋ/5 + 5θ/2 + θ̇/2, and the
/// logits are 100 times that. In f64 it never gets further than 0.5 from the middle.
fn balancing_networks(seed: u32) -> [Mlp; 2] {
    let [mut actor, critic] = random_networks(seed);
    actor.parameters = vec![0.0; actor.parameters.len()];
    let layers = Mlp::layers(&actor.widths);
    for (feature, gain) in [0.1_f32, 0.2, 2.5, 0.5].into_iter().enumerate() {
        actor.parameters[layers[0].weight + feature] = f64::from(gain);
    }
    actor.parameters[layers[1].weight] = 1.0;
    actor.parameters[layers[2].weight] = -100.0;
    actor.parameters[layers[2].weight + layers[2].inputs] = 100.0;
    [actor, critic]
}

#[test]
fn every_step_of_a_rollout_is_that_of_the_reference() {
    let networks = random_networks(600);
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        for worlds in [65, 346] {
            let config = config(worlds, 41);
            let rollouts = Rollout::of(&gpu, &config, &[601, 602, 603], [&networks[0], &networks[1]], 0, |_| ());
            for rollout in &rollouts {
                for world in 0..rollout.worlds {
                    let case = format!("{}, world {world}, first observation of the run", rollout.case);
                    let expected = rollout.first_observation(0, world);
                    assert_close(&case, &rollout.observation(0, world), &expected, 0.0, 1e-8);
                }
                let met = rollout.replay();
                rollout.check_values_and_advantages();
                assert!(met.terminated > 50, "{}: {met:?}: episodes are too long", rollout.case);
            }
        }
    }
}

#[test]
fn every_log_prob_is_that_of_the_reference_where_units_go_through_memory() {
    // an even layer above 128; 66 worlds leave threads without one, which must not meet the last world's units
    let (worlds, steps) = (66, 5);
    let actor = Draw::new(604).network(&[4, 5, 130, 2], Activation::Tanh);
    let stages = Stages::new(gpu().form(), &[&[&actor], &[&actor]], &[605, 606], run(worlds, steps, worlds), None);
    ok(gpu().submit(&stages.rollout(&ok(Environment::load("CartPole-v1")), 0)));
    let batch = (worlds * steps) as usize;
    let observations = wide(&ok(gpu().read(&stages.batch.observations)));
    for agent in 0..2 {
        let actions = stages.read_row(agent, Row::Action);
        let log_probs = from_bits(&stages.read_row(agent, Row::LogProb));
        for at in 0..batch {
            let seen = [0, 1, 2, 3].map(|feature| observations[(agent * 4 + feature) * batch + at]);
            let expected = categorical::log_prob(&actor.output(&seen), actions[at] as usize);
            let case = format!("{}, seed {}, step and world {at}", gpu().form(), 605 + agent);
            // 1e-5: logits of the size of 1 through f32
            assert_close(&format!("{case}, log_prob"), &log_probs[at..=at], &[expected], 1e-5, 1e-5);
        }
    }
}

#[test]
fn a_later_rollout_goes_on_where_the_last_one_stopped() {
    let (worlds, steps) = (65, 11);
    let config = config(worlds, steps);
    let ppo = ppo(gpu(), &config, &[603]);
    for update in 1..=4 {
        ok(gpu().submit(ppo.update()));
        let words = ok(gpu().read(&ppo.rollout.worlds));
        let worlds = worlds as usize;
        // the canary of the loops: none was cut short
        for (world, got) in words_of(&words, STEPS, worlds).iter().enumerate() {
            assert_eq!(*got, update * steps, "seed 603, world {world}: steps after {update} updates of {steps}");
        }
    }
    // the observation after the last rollout is the state of the worlds, and the first of the next one
    let words = ok(gpu().read(&ppo.rollout.worlds));
    let slots = ppo.agents.run.bootstrap_slots as usize;
    let last = ok(gpu().read(&ppo.batch.final_observations));
    ok(gpu().submit(ppo.update()));
    let next = ok(gpu().read(&ppo.batch.observations));
    for feature in 0..4 {
        let worlds = worlds as usize;
        let state: Vec<f32> = words_of(&words, feature, worlds).into_iter().map(f32::from_bits).collect();
        let case = format!("seed 603, feature {feature}");
        let after = &last[(feature * slots + slots - 1) * worlds..][..worlds];
        assert_bits(&format!("{case}, observation after the rollout"), after, &state);
        let first = &next[feature * steps as usize * worlds..][..worlds];
        assert_bits(&format!("{case}, first observation of the next rollout"), first, &state);
    }
}

#[test]
fn a_long_rollout_in_several_dispatches_keeps_every_truncation() {
    let networks = balancing_networks(610);
    let (worlds, limit) = (13, LIMIT as usize);
    // every fourth world flies off the track at its first step: an ending that keeps no final observation
    let flies = |world: usize| world.is_multiple_of(4);
    let change = |words: &mut [u32]| {
        for world in (0..worlds).filter(|&world| flies(world)) {
            words[world_word(0, world, worlds)] = 2.39_f32.to_bits();
            words[world_word(1, world, worlds)] = 3_f32.to_bits();
        }
    };
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        // 6 · 500 steps: six truncations in each world, if the pole never falls; five after a first step off the track
        let config = config(worlds as u32, 6 * LIMIT);
        let rollout = Rollout::of(&gpu, &config, &[611], [&networks[0], &networks[1]], 0, change).remove(0);
        let met = rollout.replay();
        rollout.check_values_and_advantages();
        let expected = Met { truncated: 9 * 6 + 4 * 5, terminated: 4, both: 0, close: met.close };
        assert_eq!(met, expected, "{}", rollout.case);
        for (at, &ending) in rollout.row(Row::Ending).iter().enumerate() {
            let (t, world) = (at / worlds, at % worlds);
            let expected = match (flies(world), t) {
                (true, 0) => TERMINATED,
                (true, t) if t.is_multiple_of(limit) => TRUNCATED,
                (false, t) if (t + 1).is_multiple_of(limit) => TRUNCATED,
                _ => 0,
            };
            assert_eq!(ending, expected, "{}, world {world}, step {t}: ending bits", rollout.case);
        }
    }
}

#[test]
fn truncation_comes_at_exactly_500_steps_and_termination_wins_over_it() {
    let networks = random_networks(620);
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        let (worlds, steps) = (66_usize, 7);
        // world 3k is at 499 steps and 3k + 1 at 497; every fourth world flies off the track at its first step
        let length = |world: usize| [499, 497, 0][world % 3];
        let flies = |world: usize| world.is_multiple_of(4);
        let change = |words: &mut [u32]| {
            for world in 0..worlds {
                words[world_word(EPISODE_RETURN, world, worlds)] = (length(world) as f32).to_bits();
                words[world_word(EPISODE_LENGTH, world, worlds)] = length(world);
                if flies(world) {
                    words[world_word(0, world, worlds)] = 2.39_f32.to_bits();
                    words[world_word(1, world, worlds)] = 3_f32.to_bits();
                }
            }
        };
        let config = config(worlds as u32, steps);
        let rollout = Rollout::of(&gpu, &config, &[621], [&networks[0], &networks[1]], 0, change).remove(0);
        let met = rollout.replay();
        rollout.check_values_and_advantages();
        let value = from_bits(rollout.row(Row::Value));
        let advantage = from_bits(rollout.row(Row::Advantage));
        for world in 0..worlds {
            let case = format!("{}, world {world} from length {}", rollout.case, length(world));
            let endings: Vec<u32> = (0..7).map(|t| rollout.row(Row::Ending)[t * worlds + world]).collect();
            let expected = match (flies(world), length(world)) {
                (true, 499) => [TERMINATED | TRUNCATED, 0, 0, 0, 0, 0, 0],
                (true, _) => [TERMINATED, 0, 0, 0, 0, 0, 0],
                (false, 499) => [TRUNCATED, 0, 0, 0, 0, 0, 0],
                (false, 497) => [0, 0, TRUNCATED, 0, 0, 0, 0],
                (false, _) => [0; 7],
            };
            assert_eq!(endings, expected, "{case}: endings");
            if length(world) != 499 {
                continue;
            }
            // reward 1; the value of the final observation only where the episode was truncated and no more
            let state = cartpole::step(rollout.observation(0, world), rollout.row(Row::Action)[world]).state;
            let next = if flies(world) { 0.0 } else { rollout.critic.output(&state)[0] };
            let expected = 1.0 + rollout.gamma * next - value[world];
            // the observation to 1e-5, under a critic whose slope is below 10
            assert_close(&format!("{case}, advantage"), &advantage[world..=world], &[expected], 0.0, 1e-4);
        }
        assert!(met.both >= 5 && met.truncated >= 20 && met.terminated >= 5, "{}: {met:?}", rollout.case);
    }
}

// ---------------------------------------------------------------- advantages

#[test]
fn lambda_1_gives_returns_minus_values_and_lambda_0_the_residuals() {
    let networks = random_networks(630);
    let lengths = |words: &mut [u32]| {
        // some worlds come to their limit
        for world in (0..65).step_by(3) {
            words[world_word(EPISODE_LENGTH, world, 65)] = 490 + world as u32 % 7;
        }
    };
    for form in forms(gpu()) {
        let gpu = gpu().clone().with_form(form);
        for gae_lambda in [1.0, 0.0] {
            let config = Config { gae_lambda, gamma: 0.97, ..config(65, 31) };
            let rollout = Rollout::of(&gpu, &config, &[631], [&networks[0], &networks[1]], 0, lengths).remove(0);
            let [value, reward, got] = [Row::Value, Row::Reward, Row::Advantage].map(|row| from_bits(rollout.row(row)));
            let endings = rollout.row(Row::Ending);
            let mut expected = vec![];
            for at in 0..got.len() {
                let (step, world) = (at / 65, at % 65);
                // Σ γᵏ r up to the first ending, or one step for λ = 0, then γⁿ times the value where the sum stops
                let (mut sum, mut weight) = (0.0, 1.0);
                let mut next = rollout.final_value(rollout.slots - 1, world);
                for t in step..rollout.steps {
                    sum += weight * reward[t * 65 + world];
                    weight *= rollout.gamma;
                    let ending = endings[t * 65 + world];
                    if ending != 0 {
                        let slot = rollout.kept(world).iter().position(|&kept| kept == t);
                        next = slot.map_or(0.0, |slot| rollout.final_value(slot, world));
                        break;
                    }
                    if gae_lambda == 0.0 && t + 1 < rollout.steps {
                        next = value[(t + 1) * 65 + world];
                        break;
                    }
                    if gae_lambda == 0.0 {
                        break;
                    }
                }
                expected.push(sum + weight * next - value[at]);
            }
            let case = format!("{}, λ = {gae_lambda}, advantage", rollout.case);
            assert_close(&case, &got, &expected, 0.0, rollout.tolerance(&expected));
            let (truncated, terminated) = endings.iter().fold((0, 0), |(a, b), e| (a + e / 2, b + e % 2));
            assert!(truncated >= 10 && terminated >= 10, "{case}: {truncated} truncations, {terminated} terminations");
        }
    }
}

// ---------------------------------------------------------------- evaluation

/// Evaluates networks on the device; gives (return, length, ending bits) of every episode, `[agent][episode]`.
fn evaluate(gpu: &Gpu, seeds: &[u32], networks: [&Mlp; 2]) -> Vec<[f32; 4]> {
    let ppo = ppo(gpu, &config(64, 1), seeds);
    gpu.write(&ppo.agents.parameters, &padded(&ppo.layout, &networks).repeat(seeds.len()));
    let mut recording = Recording::default();
    ppo.evaluation.record(&mut recording);
    poison_on(gpu, &ppo.evaluation.outcomes);
    ok(gpu.submit(&recording));
    ok(gpu.read(&ppo.evaluation.outcomes))
}

fn evaluation_forms() -> Vec<Gpu> {
    forms(gpu()).into_iter().map(|form: Form| gpu().clone().with_form(form)).collect()
}

#[test]
fn evaluation_of_a_balancing_policy_ends_every_episode_at_its_limit() {
    let [actor, critic] = balancing_networks(640);
    for gpu in evaluation_forms() {
        for (episode, outcome) in evaluate(&gpu, &[640, 641, 642], [&actor, &critic]).iter().enumerate() {
            let case = format!("{}, seeds 640 to 642, episode {episode}", gpu.form());
            let limit = LIMIT as f32;
            assert_eq!(*outcome, [limit, limit, TRUNCATED as f32, 0.0], "{case}: (return, length, ending, 0)");
        }
    }
}

#[test]
fn evaluation_of_a_policy_that_always_pushes_right_falls_when_the_reference_falls() {
    let [mut actor, critic] = balancing_networks(640);
    actor.parameters = vec![0.0; actor.parameters.len()];
    // the last bias; the most likely action is taken, however little it leads
    *actor.parameters.last_mut().expect("a network has parameters") = f64::from(0.01_f32);
    for gpu in evaluation_forms() {
        let outcomes = evaluate(&gpu, &[643, 644, 645], [&actor, &critic]);
        let episodes = outcomes.len() / 3;
        let mut seen = vec![];
        for (at, outcome) in outcomes.iter().enumerate() {
            let (seed, episode) = (643 + (at / episodes) as u32, at % episodes);
            let case = format!("{}, seed {seed}, episode {episode}", gpu.form());
            let mut state = first_observation([seed, STREAM_EVALUATION], 0, episode);
            let mut length = 0;
            let mut near = false;
            loop {
                let step = cartpole::step(state, 1);
                length += 1;
                // eleven steps of 1e-5 each at most
                near |= (step.state[2].abs() - cartpole::ANGLE_LIMIT).abs() < 1e-4;
                state = step.state;
                if step.terminated {
                    break;
                }
            }
            if !near {
                let expected = [length as f32, length as f32, TERMINATED as f32, 0.0];
                assert_eq!(*outcome, expected, "{case}: (return, length, ending, 0)");
                seen.push(length);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 1, "{}: all episodes were {seen:?} steps long", gpu.form());
    }
}
