//! What random actions make of an environment: moments of every number, and how episodes go.

use crate::env::{Environment, world_word};
use crate::layout::{TERMINATED, TRUNCATED};
use serde::Serialize;

/// Numbers of an observation that are looked at in every step; of more, in every so many steps fewer.
const EVERY_STEP: u32 = 64;

/// Smallest, mean, deviation and largest of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moments {
    /// What the numbers are.
    pub name: String,
    /// The smallest.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// The largest.
    pub max: f64,
    /// Whether all are the same.
    pub constant: bool,
}

/// Whole episodes of random actions: the first one of every world.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Episodes {
    /// How many came to an end.
    pub count: usize,
    /// Mean of their returns.
    pub mean_return: f64,
    /// Half the width of the 95 % interval of that mean.
    pub interval: f64,
    /// Standard deviation of their returns.
    pub std: f64,
    /// Mean, least and most steps.
    pub mean_length: f64,
    /// The shortest.
    pub min_length: u32,
    /// The longest.
    pub max_length: u32,
    /// Those that the environment ended.
    pub terminated: usize,
    /// Those that the step limit ended.
    pub truncated: usize,
    /// Those that had not ended when the check did.
    pub running: usize,
    /// Mean return of those that the environment ended.
    pub return_of_terminated: Option<f64>,
    /// Mean return of those that the limit ended.
    pub return_of_truncated: Option<f64>,
    /// Mean reward of the steps with which the environment ended them.
    pub last_reward_of_terminated: Option<f64>,
}

/// What was seen of an environment under uniformly random actions.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Worlds that played.
    pub worlds: u32,
    /// Steps of each.
    pub steps: u32,
    /// Of each number of the observation.
    pub observations: Vec<Moments>,
    /// Of the rewards.
    pub reward: Moments,
    /// Its episodes.
    pub episodes: Episodes,
    /// What warnings follow from.
    #[serde(skip)]
    pub(super) traits: Traits,
}

/// What warnings follow from.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    /// Of each word of the state: its number where it never changes.
    pub fixed_words: Vec<Option<f64>>,
    /// Whether a step ever changed a state, and whether there was one after which an episode went on.
    pub state_moves: bool,
    pub goes_on: bool,
    /// For each number of the observation, an earlier one that is always the same.
    pub twins: Vec<Option<usize>>,
    /// For each number of the observation, the word of the state that it is.
    pub words: Vec<Option<usize>>,
    /// For each number of the observation, whether it changes from state to state, whatever random actions reach.
    pub reachable: Vec<bool>,
    /// Whether a reward other than 0 came in a step that ended no episode.
    pub rewarded_on_the_way: bool,
}

/// Sums over one number.
#[derive(Clone)]
struct Column {
    first: f32,
    min: f32,
    max: f32,
    sum: f64,
    squares: f64,
    /// Of all its values in order.
    digest: u64,
}

impl Column {
    fn new() -> Self {
        Self { first: f32::NAN, min: f32::INFINITY, max: f32::NEG_INFINITY, sum: 0.0, squares: 0.0, digest: 0 }
    }

    fn add(&mut self, values: impl Iterator<Item = f32>) {
        for value in values {
            if self.first.is_nan() {
                self.first = value;
            }
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            let off = f64::from(value) - f64::from(self.first);
            self.sum += off;
            self.squares += off * off;
            // −0 and 0 are the same
            self.digest = digest(self.digest, (value + 0.0).to_bits());
        }
    }

    fn moments(&self, name: String, count: u64) -> Moments {
        let (n, first) = (count.max(1) as f64, f64::from(self.first));
        let mean = self.sum / n;
        let std = (self.squares / n - mean * mean).max(0.0).sqrt();
        let constant = self.min >= self.max;
        let (min, max) = (f64::from(self.min), f64::from(self.max));
        Moments { name, min, mean: first + mean, std: if constant { 0.0 } else { std }, max, constant }
    }
}

/// A digest with another word.
pub(super) fn digest(digest: u64, word: u32) -> u64 {
    (digest.rotate_left(5) ^ u64::from(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Looks at the first `even` worlds of a pool, step by step.
pub(super) struct Watcher {
    worlds: usize,
    even: usize,
    every: u32,
    steps: u32,
    counted: u64,
    observations: Vec<Column>,
    state: Vec<Column>,
    reward: Column,
    fixed: Vec<Option<u32>>,
    traits: Traits,
    /// Of the first episode of each world.
    returns: Vec<f64>,
    lengths: Vec<u32>,
    endings: Vec<u32>,
    last: Vec<f32>,
}

impl Watcher {
    /// `states` is a pool's buffer of worlds after its reset.
    pub fn new(env: &Environment, worlds: usize, even: usize, states: &[u32], seen: &[f32]) -> Self {
        let spec = env.spec();
        let words = env.state_words() as usize;
        let mut watcher = Self {
            worlds,
            even,
            every: spec.observation_dim.div_ceil(EVERY_STEP),
            steps: 0,
            counted: 0,
            observations: vec![Column::new(); spec.observation_dim as usize],
            state: vec![Column::new(); words],
            reward: Column::new(),
            fixed: (0..words).map(|word| Some(states[world_word(word, 0, worlds)])).collect(),
            traits: Traits::default(),
            returns: vec![0.0; even],
            lengths: vec![0; even],
            endings: vec![0; even],
            last: vec![0.0; even],
        };
        watcher.look(env, states, seen);
        watcher
    }

    /// Counts states and what is observed of them.
    fn look(&mut self, env: &Environment, states: &[u32], seen: &[f32]) {
        let (n, even) = (self.worlds, self.even);
        for (word, fixed) in self.fixed.iter_mut().enumerate() {
            if fixed.is_some_and(|first| (0..n).any(|world| states[world_word(word, world, n)] != first)) {
                *fixed = None;
            }
        }
        if !self.steps.is_multiple_of(self.every) {
            return;
        }
        self.counted += even as u64;
        for (column, row) in self.observations.iter_mut().zip(seen.chunks_exact(n)) {
            column.add(row[..even].iter().copied());
        }
        let fields = env.state_fields();
        for (word, (column, field)) in self.state.iter_mut().zip(fields).enumerate() {
            column.add((0..even).map(|world| field.number(states[world_word(word, world, n)]) as f32));
        }
    }

    /// A step: the states before and after it and any reset, what is observed of the latter, rewards and endings.
    pub fn step(
        &mut self,
        env: &Environment,
        [before, after]: [&[u32]; 2],
        seen: &[f32],
        rewards: &[f32],
        endings: &[u32],
    ) {
        let n = self.worlds;
        self.steps += 1;
        let goes_on = |world: &usize| endings[*world] & (TERMINATED | TRUNCATED) == 0;
        self.traits.goes_on |= (0..n).any(|world| goes_on(&world));
        if !self.traits.state_moves {
            let same =
                |word: usize, world: usize| before[world_word(word, world, n)] == after[world_word(word, world, n)];
            let words = env.state_words() as usize;
            self.traits.state_moves = (0..n).filter(goes_on).any(|world| (0..words).any(|word| !same(word, world)));
        }
        self.reward.add(rewards[..self.even].iter().copied());
        self.traits.rewarded_on_the_way |= (0..self.even).filter(goes_on).any(|world| rewards[world] != 0.0);
        for world in 0..self.even {
            if self.endings[world] == 0 {
                self.returns[world] += f64::from(rewards[world]);
                self.lengths[world] += 1;
                self.endings[world] = endings[world] & (TERMINATED | TRUNCATED);
                self.last[world] = rewards[world];
            }
        }
        self.look(env, after, seen);
    }

    /// All that was seen.
    pub fn seen(mut self, env: &Environment) -> Seen {
        let names = env.observation_names();
        let observations: Vec<Moments> =
            self.observations.iter().zip(names).map(|(column, name)| column.moments(name, self.counted)).collect();
        let fields = env.state_fields();
        let number = |(fixed, field): (&Option<u32>, &crate::env::Field)| fixed.map(|word| field.number(word));
        self.traits.fixed_words = self.fixed.iter().zip(fields).map(number).collect();
        let same = |columns: &[Column], one: &Column| {
            columns.iter().position(|other| other.digest == one.digest && other.min < other.max)
        };
        self.traits.twins =
            (0..observations.len()).map(|i| same(&self.observations[..i], &self.observations[i])).collect();
        self.traits.words = self.observations.iter().map(|column| same(&self.state, column)).collect();
        Seen {
            worlds: self.even as u32,
            steps: self.steps,
            reward: self.reward.moments("reward".to_owned(), u64::from(self.steps) * self.even as u64),
            observations,
            episodes: self.episodes(),
            traits: self.traits,
        }
    }

    fn episodes(&self) -> Episodes {
        let whole: Vec<usize> = (0..self.even).filter(|&world| self.endings[world] != 0).collect();
        let mean = |numbers: &mut dyn Iterator<Item = f64>| {
            let (mut sum, mut count) = (0.0, 0_u32);
            numbers.for_each(|number| (sum, count) = (sum + number, count + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let mean_return = mean(&mut whole.iter().map(|&world| self.returns[world])).unwrap_or_default();
        let square = |&world: &usize| (self.returns[world] - mean_return).powi(2);
        let count = whole.len();
        let std = (whole.iter().map(square).sum::<f64>() / (count.max(2) - 1) as f64).sqrt();
        let terminated = |world: &&usize| self.endings[**world] & TERMINATED != 0;
        let kinds: (Vec<usize>, Vec<usize>) = whole.iter().partition(|world| terminated(world));
        let lengths = || whole.iter().map(|&world| self.lengths[world]);
        Episodes {
            count,
            mean_return,
            interval: 1.96 * std / (count.max(1) as f64).sqrt(),
            std,
            mean_length: mean(&mut lengths().map(f64::from)).unwrap_or_default(),
            min_length: lengths().min().unwrap_or_default(),
            max_length: lengths().max().unwrap_or_default(),
            terminated: kinds.0.len(),
            truncated: kinds.1.len(),
            running: self.even - count,
            return_of_terminated: mean(&mut kinds.0.iter().map(|&world| self.returns[world])),
            return_of_truncated: mean(&mut kinds.1.iter().map(|&world| self.returns[world])),
            last_reward_of_terminated: mean(&mut kinds.0.iter().map(|&world| f64::from(self.last[world]))),
        }
    }
}
