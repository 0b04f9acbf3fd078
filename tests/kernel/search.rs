//! Searches without gradients against the f64 reference, on functions of known shape: from the same random words the same
//! members, ranks and distributions, generation by generation.

use crate::support::{gpu, ok};
use manyworlds::algo::Population;
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::reference::adam::Adam;
use manyworlds::reference::search::{Words, ars_step, cem, child, es_gradient, moved, ranks};

/// Numbers of an action, which are what is searched for.
const NUMBERS: usize = 5;
/// What the device may be off by: some 10 sums of rounded normal numbers in each of a few generations.
const RELATIVE: f64 = 1e-4;

/// An environment of one step, whose reward is minus a function of its action.
fn function(name: &str, of_action: &str) -> Environment {
    let text = format!(
        "
const OBSERVATION_DIM: u32 = 1u;
const ACTION_DIM: u32 = {NUMBERS}u;
const ACTION_LOW: f32 = -100.0;
const ACTION_HIGH: f32 = 100.0;
const MAX_EPISODE_STEPS: u32 = 1u;
struct State {{ x: f32 }}
fn env_reset(rng: ptr<function, Rng>) -> State {{ return State(0.75); }}
fn env_observe(s: State) -> Observation {{ return Observation(s.x); }}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{
    var sum = 0.0;
    {of_action}
    return Outcome(-sum, false);
}}
"
    );
    ok(Environment::from_source(name, "function.wgsl", &text))
}

type Function = (&'static str, &'static str, fn(&[f64]) -> f64);

const FUNCTIONS: [Function; 3] = [
    ("Sphere", "for (var i = 0u; i < ACTION_DIM; i++) { let d = action[i] - 0.5; sum += d * d; }", |x| {
        x.iter().map(|x| (x - 0.5).powi(2)).sum()
    }),
    (
        "Rosenbrock",
        "for (var i = 0u; i + 1u < ACTION_DIM; i++) {
            let bend = action[i + 1u] - action[i] * action[i];
            sum += 100.0 * bend * bend + (1.0 - action[i]) * (1.0 - action[i]);
        }",
        |x| x.windows(2).map(|x| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2)).sum(),
    ),
    (
        "Rastrigin",
        "for (var i = 0u; i < ACTION_DIM; i++) {
            sum += 10.0 + action[i] * action[i] - 10.0 * cos_(6.283185307 * action[i]);
        }",
        |x| x.iter().map(|x| 10.0 + x * x - 10.0 * (std::f64::consts::TAU * x).cos()).sum(),
    ),
];

fn config(algo: Algo, pairs: &[&str]) -> Config {
    let all: Vec<String> = ["hidden=[]", "eval_episodes=2", "generations=20"]
        .iter()
        .chain(if algo == Algo::Pattern { &[][..] } else { &["population=46"] })
        .chain(pairs)
        .map(ToString::to_string)
        .collect();
    ok(Config::resolve("none", algo.name(), None, &all))
}

/// A search as the reference makes it.
struct Search {
    config: Config,
    function: fn(&[f64]) -> f64,
    seed: u32,
    generation: u32,
    /// 1 in the words that are parameters.
    mask: Vec<f64>,
    actor: Vec<f64>,
    best: (f64, Vec<f64>),
    spread: Vec<f64>,
    adam: Adam,
    parents: Vec<Vec<f64>>,
    /// Of a pattern search: where it explores ahead to, and its step.
    ahead: Vec<f64>,
    step: f64,
}

impl Search {
    /// The action of a linear policy that observes ¾: weights and biases, in the layout `[number][4 inputs]`, `[number]`.
    fn action(words: &[f64]) -> Vec<f64> {
        (0..NUMBERS).map(|i| 0.75 * words[4 * i] + words[4 * NUMBERS.next_multiple_of(4) + i]).collect()
    }

    fn words(&self) -> Words {
        Words { seed: self.seed, generation: self.generation }
    }

    fn members(&self) -> Vec<Vec<f64>> {
        let (config, words, mask) = (&self.config, self.words(), &self.mask);
        let elites = self.elites();
        let one = |m: usize| -> Vec<f64> {
            let own = || words.perturbation(m as u32, mask);
            match config.algo {
                Algo::Cem => self.actor.iter().zip(&self.spread).zip(own()).map(|((x, s), e)| x + s * e).collect(),
                Algo::Random => moved(&vec![0.0; mask.len()], config.sigma, &own()),
                Algo::Ga => {
                    let first = vec![self.actor.clone(); elites];
                    let parents = if self.generation == 0 { &first } else { &self.parents };
                    child(words, mask, parents, m, config.unchanged as usize, config.crossover, config.sigma)
                }
                Algo::Pattern => self.neighbour(m),
                _ => moved(&self.actor, config.sigma, &words.mirrored(m as u32, mask)),
            }
        };
        (0..self.population()).map(one).collect()
    }

    fn places(&self) -> Vec<usize> {
        (0..self.mask.len()).filter(|&word| self.mask[word] > 0.0).collect()
    }

    fn population(&self) -> usize {
        if self.config.algo == Algo::Pattern { 2 + 2 * self.places().len() } else { self.config.population as usize }
    }

    fn elites(&self) -> usize {
        let all = if self.config.algo == Algo::Ars { self.population() / 2 } else { self.population() };
        (self.config.elite_fraction * all as f64).round() as usize
    }

    fn neighbour(&self, m: usize) -> Vec<f64> {
        if m == 0 {
            return self.actor.clone();
        }
        let mut point = moved(&self.actor, 1.0, &self.ahead);
        if m > 1 {
            point[self.places()[m / 2 - 1]] += if m % 2 == 1 { -self.step } else { self.step };
        }
        point
    }

    /// One generation; gives fitness, order and ranks.
    fn advance(&mut self) -> (Vec<f64>, Vec<usize>, Vec<usize>) {
        let (config, words) = (self.config.clone(), self.words());
        let members = self.members();
        let fitness: Vec<f64> = members.iter().map(|words| -(self.function)(&Self::action(words))).collect();
        let scores: Vec<f64> = match config.algo {
            Algo::Ars => fitness.chunks_exact(2).map(|pair| pair[0].max(pair[1])).collect(),
            _ => fitness.clone(),
        };
        let (order, ranks) = ranks(&scores);
        let highest = (0..fitness.len()).fold(0, |best, m| if fitness[m] > fitness[best] { m } else { best });
        if fitness[highest] >= self.best.0 {
            self.best = (fitness[highest], members[highest].clone());
        }
        let elite: Vec<&[f64]> = order.iter().take(self.elites()).map(|&m| &members[m][..]).collect();
        match config.algo {
            Algo::Cem => {
                let until = config.extra_noise_until * f64::from(config.generations);
                let extra = config.extra_noise * (1.0 - f64::from(self.generation) / until).max(0.0);
                (self.actor, self.spread) = cem(&elite, &self.mask, extra);
            }
            Algo::Ga => {
                self.parents = elite.iter().map(|parent| parent.to_vec()).collect();
                self.actor = self.parents[0].clone();
            }
            Algo::Es => {
                let gradient = es_gradient(words, &self.mask, config.sigma, &ranks);
                let down: Vec<f64> = gradient.iter().map(|g| -g).collect();
                self.adam.step(&mut self.actor, &down, config.learning_rate);
            }
            Algo::Ars => {
                let step = ars_step(words, &self.mask, self.elites(), &fitness);
                self.actor = moved(&self.actor, config.learning_rate, &step);
            }
            Algo::Pattern => {
                let explored_ahead = self.ahead.iter().any(|x| *x != 0.0);
                if fitness[highest] > fitness[0] {
                    self.ahead = moved(&members[highest], -1.0, &self.actor);
                    self.actor.clone_from(&members[highest]);
                } else {
                    self.ahead = vec![0.0; self.mask.len()];
                    if !explored_ahead {
                        self.step *= config.step_shrink;
                    }
                }
            }
            _ => self.actor = self.best.1.clone(),
        }
        self.generation += 1;
        (fitness, order, ranks)
    }
}

fn near(case: &str, got: &[f32], expected: &[f64]) {
    let scale = expected.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    assert_eq!(got.len(), expected.len(), "{case}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let off = (f64::from(*got) - expected).abs();
        assert!(off <= RELATIVE * scale, "{case}, {i}: {got}, expected {expected}");
    }
}

/// Two agents, some generations; every one of which ranks as the reference does and leaves what it leaves.
fn follows(algo: Algo, pairs: &[&str]) {
    const SEEDS: [u32; 2] = [7, 8];
    for (name, text, function_of) in FUNCTIONS {
        let (env, config) = (function(name, text), config(algo, pairs));
        let population = ok(Population::new(gpu(), &env, &config, &SEEDS));
        let words = population.layout.words() as usize / 2;
        let first = ok(gpu().read(&population.agents.parameters));
        let real = population.layout.compact(&vec![1.0; 2 * words]).len();
        let mask: Vec<f64> = population.layout.expand(&vec![1.0; real])[..words].iter().map(|&x| x.into()).collect();
        let mut references = SEEDS.map(|seed| {
            let agent = SEEDS.iter().position(|known| *known == seed).expect("one of them");
            let actor: Vec<f64> = first[2 * agent * words..][..words].iter().map(|&x| x.into()).collect();
            Search {
                config: config.clone(),
                function: function_of,
                seed,
                generation: 0,
                best: (f64::NEG_INFINITY, actor.clone()),
                spread: mask.iter().map(|mask| mask * config.sigma).collect(),
                adam: Adam::new(words, config.adam_eps),
                parents: Vec::new(),
                ahead: vec![0.0; words],
                step: config.step_size,
                mask: mask.clone(),
                actor,
            }
        });
        for generation in 0..6 {
            ok(gpu().submit(population.update()));
            let fitness = ok(gpu().read(&population.generation.fitness));
            let order = ok(gpu().read(&population.generation.order));
            let parameters = ok(gpu().read(&population.agents.parameters));
            let memory = ok(gpu().read(&population.generation.memory));
            let standing = ok(gpu().read(&population.generation.standing));
            for (agent, reference) in references.iter_mut().enumerate() {
                let case = format!("{} on {name}, agent {agent}, generation {generation}", algo.name());
                let (expected, expected_order, expected_ranks) = reference.advance();
                let count = expected.len();
                near(&format!("{case}, fitness"), &fitness[agent * count..][..count], &expected);
                let of_agent = &order[2 * agent * count..][..2 * count];
                let as_numbers = |list: &[u32]| list.iter().map(|&x| x as usize).collect::<Vec<_>>();
                let ranked = expected_order.len();
                assert_eq!(as_numbers(&of_agent[..ranked]), expected_order, "{case}: order");
                assert_eq!(as_numbers(&of_agent[count..][..ranked]), expected_ranks, "{case}: ranks");
                let own = &parameters[2 * agent * words..][..2 * words];
                near(&format!("{case}, actor"), &own[..words], &reference.actor);
                near(&format!("{case}, best"), &own[words..], &reference.best.1);
                near(&format!("{case}, record"), &[standing[agent].best], &[reference.best.0]);
                let kept = memory.len() / SEEDS.len();
                let kept = &memory[agent * kept..][..kept];
                match algo {
                    Algo::Cem => near(&format!("{case}, spread"), &kept[..words], &reference.spread),
                    Algo::Pattern => {
                        near(&format!("{case}, ahead"), kept, &reference.ahead);
                        near(&format!("{case}, step"), &[standing[agent].step], &[reference.step]);
                    }
                    Algo::Ga => {
                        let next = reference.generation as usize % 2 * kept.len() / 2;
                        near(&format!("{case}, parents"), &kept[next..][..kept.len() / 2], &reference.parents.concat());
                    }
                    _ => {}
                }
                let padding = own.iter().zip(mask.iter().cycle()).filter(|(_, mask)| **mask == 0.0);
                assert!(padding.into_iter().all(|(word, _)| *word == 0.0), "{case}: padding");
            }
        }
    }
}

#[test]
fn the_cross_entropy_method_follows_its_reference() {
    follows(Algo::Cem, &["sigma=0.7", "extra_noise=0.1", "extra_noise_until=0.2", "elite_fraction=0.2"]);
}

#[test]
fn evolution_strategies_follow_their_reference() {
    follows(Algo::Es, &["sigma=0.2", "learning_rate=0.05", "adam_eps=0.001"]);
}

#[test]
fn augmented_random_search_follows_its_reference() {
    follows(Algo::Ars, &["sigma=0.2", "learning_rate=0.05", "elite_fraction=0.3"]);
}

#[test]
fn the_genetic_algorithm_follows_its_reference() {
    follows(Algo::Ga, &["sigma=0.3", "elite_fraction=0.2", "unchanged=2"]);
    follows(Algo::Ga, &["sigma=0.3", "elite_fraction=0.3", "unchanged=0", "crossover=true"]);
}

#[test]
fn pattern_search_follows_its_reference() {
    follows(Algo::Pattern, &["step_size=0.4", "step_shrink=0.3"]);
}

#[test]
fn random_search_follows_its_reference() {
    follows(Algo::Random, &["sigma=0.8"]);
}

/// Where every member is as good as every other there is nothing to follow: no method may move what it searches around, whatever
/// the order of equals.
#[test]
fn equals_are_not_told_apart() {
    let env = function("Plateau", "if action[0] > 50.0 { sum += 1.0; }");
    for algo in [Algo::Es, Algo::Ars, Algo::Pattern] {
        let pairs: &[&str] = if algo == Algo::Pattern { &[] } else { &["sigma=0.1", "learning_rate=0.5"] };
        let population = ok(Population::new(gpu(), &env, &config(algo, pairs), &[3]));
        let words = population.layout.words() as usize / 2;
        let before = ok(gpu().read(&population.agents.parameters));
        for _ in 0..3 {
            ok(gpu().submit(population.update()));
        }
        let after = ok(gpu().read(&population.agents.parameters));
        assert_eq!(after[..words], before[..words], "{}", algo.name());
    }
}

/// Two of three are equal: mean ranks 0.5, 0.5 and 2.
#[test]
fn equals_share_their_mean_rank() {
    assert_eq!(ranks(&[7.0, 7.0, -1.0]), (vec![0, 1, 2], vec![1, 1, 4]));
    assert_eq!(ranks(&[1.0, 2.0, 1.0, 1.0]), (vec![1, 0, 2, 3], vec![4, 0, 4, 4]));
}

/// Observations are normalised by the moments of all that members saw until the generation before, whatever the window.
#[test]
fn members_count_what_they_observe() {
    let text = "
const OBSERVATION_DIM: u32 = 2u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 7u;
struct State { x: f32, steps: u32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_uniform(rng), 0u); }
fn env_observe(s: State) -> Observation { return Observation(10.0 + s.x, f32(s.steps)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).steps += 1u;
    (*s).x = rng_uniform(rng);
    return Outcome(1.0, (*s).steps == 5u);
}
";
    let env = ok(Environment::from_source("Counted", "counted.wgsl", text));
    let pairs = ["norm_obs=true", "hidden=[3]", "episodes_per_member=3", "common_noise=false", "population=46"];
    let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    let config = ok(Config::resolve("none", "ars", None, &pairs));
    let population = ok(Population::new(gpu(), &env, &config, &[3, 4]));
    let words = population.layout.words() as usize;
    let networks = population.layout.learned() as usize;
    let mut moments: Vec<Vec<[f32; 4]>> = Vec::new();
    for generation in 1..=2 {
        ok(gpu().submit(population.update()));
        let parameters = ok(gpu().read(&population.agents.parameters));
        for agent in 0..2 {
            let own = &parameters[agent * words + networks..(agent + 1) * words];
            let entries: Vec<[f32; 4]> = own.as_chunks().0.to_vec();
            let [x, steps] = [entries[0], entries[1]];
            // 46 members, three episodes of five steps each
            let count = (generation * 46 * 3 * 5) as f32;
            assert_eq!(
                [x[3], steps[3]].map(f32::to_bits),
                [count.to_bits(); 2],
                "agent {agent}, generation {generation}: observations counted"
            );
            // steps 0 to 4, each as often: mean 2, variance 2
            assert!((steps[0] - 2.0).abs() < 1e-5 && (steps[2] / count - 2.0).abs() < 1e-4, "{steps:?}");
            assert!((steps[1] - 1.0 / 2.0f32.sqrt()).abs() < 1e-4, "{steps:?}");
            // uniform above 10: five standard errors
            let error = (1.0 / 12.0 / count).sqrt();
            assert!((x[0] - 10.5).abs() < 5.0 * error && (x[2] / count - 1.0 / 12.0).abs() < 5.0 * error, "{x:?}");
            moments.push(entries);
        }
    }
    assert_ne!(moments[0], moments[1], "agents see numbers of their own");
    // what stood there at the beginning is what the first generation saw by; the host sees by the same
    let policy = ok(manyworlds::Policy::untrained(&env, config));
    assert_eq!(policy.best().map(|best| best.parameters().to_vec()), Some(policy.parameters().to_vec()));
}
