//! Where a recording pauses, and what ranks have of some buffers becomes what all of them have.

use super::{Gpu, Memory, Ranks};
use crate::error::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// How numbers of several ranks become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The mean, of `f32`.
    Mean,
    /// (count, mean, squared deviations, 0) of a set of numbers on each rank: of all of them together.
    Moments,
    /// The sum, of `u32`.
    Sum,
    /// The largest, of `u32`.
    Largest,
    /// Each rank has a share of the words, in the order of ranks, and gets the others'.
    Shares,
    /// What the first rank has.
    First,
}

/// Words of a buffer that are exchanged: `count` from the `first` on, and so on every `stride` words, for each of `agents`.
#[derive(Clone, Debug)]
pub struct Exchanged {
    memory: Memory,
    joined: Joined,
    first: u64,
    count: u64,
    stride: u64,
    agents: u64,
}

impl Exchanged {
    /// All words of a buffer of so many.
    pub fn whole<T>(buffer: &super::Buffer<T>, joined: Joined) -> Self {
        let words = buffer.len() as u64 * size_of::<T>() as u64 / 4;
        Self { memory: buffer.memory().clone(), joined, first: 0, count: words, stride: words, agents: 1 }
    }

    /// All words of each of so many agents, for shares of them.
    pub fn whole_of_agents<T>(buffer: &super::Buffer<T>, joined: Joined, agents: u32) -> Self {
        let all = buffer.len() as u64 * size_of::<T>() as u64 / 4;
        Self::of_agents(buffer, joined, 0..all / u64::from(agents), agents)
    }

    /// Some words of each agent: `words` of its `stride`.
    pub fn of_agents<T>(buffer: &super::Buffer<T>, joined: Joined, words: Range<u64>, agents: u32) -> Self {
        let all = buffer.len() as u64 * size_of::<T>() as u64 / 4;
        let stride = all / u64::from(agents);
        let (first, count) = (words.start, words.end - words.start);
        Self { memory: buffer.memory().clone(), joined, first, count, stride, agents: agents.into() }
    }

    /// Ranges of words in the buffer, one for each agent.
    fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        (0..self.agents).map(|agent| {
            let first = agent * self.stride + self.first;
            first..first + self.count
        })
    }

    /// What this rank gives of a range.
    fn given(&self, range: Range<u64>, ranks: &Ranks) -> Range<u64> {
        let rank = ranks.rank();
        match self.joined {
            Joined::Shares => {
                let share = (range.end - range.start) / u64::from(rank.count);
                let first = range.start + u64::from(rank.index) * share;
                first..first + share
            }
            _ => range,
        }
    }
}

/// The buffer of a plan that was built.
fn raw(memory: &Memory) -> Result<&wgpu::Buffer> {
    let bug = || Error::Gpu(format!("an exchange of '{}', of a plan that was not built", memory.label()));
    memory.raw().ok_or_else(bug)
}

/// Squares of a gradient that was exchanged, which have to be those of what came of it.
#[derive(Clone, Debug)]
struct Squares {
    memory: Memory,
    blocks: u64,
    stride: u64,
}

/// The order of scores that were exchanged (`shaders/rank.wgsl`): sorted here, since a kernel that compares each with every other would do
/// so on every rank.
#[derive(Clone, Debug)]
struct Order {
    memory: Memory,
    /// Whether neighbours are a pair, whose score is the better one.
    pairs: bool,
}

/// What follows from the first of the parts that were exchanged.
#[derive(Clone, Debug)]
enum Follows {
    Nothing,
    Squares(Squares),
    Order(Order),
}

/// A pause of a recording: some buffers become the same on all ranks. Clones share it.
#[derive(Clone, Debug)]
pub struct Exchange(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    parts: Vec<Exchanged>,
    follows: Follows,
}

impl Exchange {
    /// An exchange of these.
    pub fn new(parts: Vec<Exchanged>) -> Self {
        Self(Arc::new(Parts { parts, follows: Follows::Nothing }))
    }

    /// An exchange of a gradient, and of `means` beside it. The first `blocks` words of each agent in `sums` hold sums of the
    /// gradient's squares: all of them are in the first of those then.
    pub fn of_gradient(gradient: Exchanged, sums: &super::Buffer<f32>, blocks: u32, means: Vec<Exchanged>) -> Self {
        let squares = Squares {
            memory: sums.memory().clone(),
            blocks: blocks.into(),
            stride: sums.len() as u64 / gradient.agents,
        };
        let parts = std::iter::once(gradient).chain(means).collect();
        Self(Arc::new(Parts { parts, follows: Follows::Squares(squares) }))
    }

    /// An exchange of scores, of which each rank has a share, and of others beside them. `order` gets what `rank.wgsl` would make of
    /// them: `[agent][order, twice the mean rank][number]`.
    pub fn of_scores(scores: Exchanged, order: &super::Buffer<u32>, pairs: bool, others: Vec<Exchanged>) -> Self {
        let order = Order { memory: order.memory().clone(), pairs };
        let parts = std::iter::once(scores).chain(others).collect();
        Self(Arc::new(Parts { parts, follows: Follows::Order(order) }))
    }

    /// What is to be read of the device for it.
    pub(super) fn sources(&self, ranks: &Ranks) -> Result<Vec<(&wgpu::Buffer, Range<u64>)>> {
        let mut sources = Vec::new();
        for part in &self.0.parts {
            let buffer = raw(&part.memory)?;
            for range in part.ranges() {
                let given = part.given(range, ranks);
                sources.push((buffer, 4 * given.start..4 * given.end));
            }
        }
        Ok(sources)
    }

    /// Gives what was read of these sources to the others, and writes what comes of all of them.
    pub(super) fn run(&self, gpu: &Gpu, ranks: &Ranks, sources: &[Vec<u32>]) -> Result<()> {
        let mut next = sources.iter();
        let mut own: Vec<Vec<u32>> = Vec::with_capacity(self.0.parts.len());
        for part in &self.0.parts {
            own.push(next.by_ref().take(part.agents as usize).flatten().copied().collect());
        }
        // means in one message, all else in another
        let of = |mean: bool| {
            let parts = self.0.parts.iter().zip(&own).filter(move |(part, _)| (part.joined == Joined::Mean) == mean);
            parts.flat_map(|(_, words)| words).copied().collect::<Vec<u32>>()
        };
        let mut means: Vec<f32> = bytemuck::cast_vec(of(true));
        if !means.is_empty() {
            ranks.mean(&mut means)?;
        }
        let others = of(false);
        let all: Vec<u32> = if others.is_empty() {
            Vec::new()
        } else {
            bytemuck::pod_collect_to_vec(&ranks.gather(bytemuck::cast_slice(&others))?)
        };
        let (mut mean_at, mut other_at) = (0, 0);
        let mut first = None;
        for (part, own) in self.0.parts.iter().zip(&own) {
            let words: Vec<u32> = if part.joined == Joined::Mean {
                mean_at += own.len();
                bytemuck::cast_slice(&means[mean_at - own.len()..mean_at]).to_vec()
            } else {
                let of_ranks: Vec<&[u32]> =
                    all.chunks_exact(others.len()).map(|words| &words[other_at..other_at + own.len()]).collect();
                other_at += own.len();
                joined(part, &of_ranks)
            };
            let buffer = raw(&part.memory)?;
            let each = part.count as usize;
            for (range, words) in part.ranges().zip(words.chunks_exact(each.max(1))) {
                gpu.queue().write_buffer(buffer, 4 * range.start, bytemuck::cast_slice(words));
            }
            first.get_or_insert((part, words));
        }
        match (&self.0.follows, first) {
            (Follows::Squares(squares), Some((part, words))) => squares.write(gpu, part, bytemuck::cast_slice(&words)),
            (Follows::Order(order), Some((part, words))) => order.write(gpu, part, bytemuck::cast_slice(&words)),
            _ => Ok(()),
        }
    }
}

impl Squares {
    fn write(&self, gpu: &Gpu, gradient: &Exchanged, means: &[f32]) -> Result<()> {
        let buffer = raw(&self.memory)?;
        let each = gradient.count as usize;
        for (agent, gradient) in means.chunks_exact(each).take(gradient.agents as usize).enumerate() {
            let mut sums = vec![0.0f32; self.blocks as usize];
            sums[0] = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>() as f32;
            gpu.queue().write_buffer(buffer, 4 * agent as u64 * self.stride, bytemuck::cast_slice(&sums));
        }
        Ok(())
    }
}

impl Order {
    fn write(&self, gpu: &Gpu, scores: &Exchanged, words: &[f32]) -> Result<()> {
        let buffer = raw(&self.memory)?;
        for (agent, scores) in words.chunks_exact(scores.count as usize).enumerate() {
            let ordered = if self.pairs {
                order(&scores.chunks_exact(2).map(|pair| pair[0].max(pair[1])).collect::<Vec<_>>())
            } else {
                order(scores)
            };
            for (row, words) in ordered.iter().enumerate() {
                let at = (2 * agent + row) * scores.len();
                gpu.queue().write_buffer(buffer, 4 * at as u64, bytemuck::cast_slice(words));
            }
        }
        Ok(())
    }
}

/// Numbers of scores, the best first and of equals the first, and twice the mean rank of each and its equals. What is no number comes
/// last: it ends a run.
fn order(scores: &[f32]) -> [Vec<u32>; 2] {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    let score =
        |number: u32| if scores[number as usize].is_nan() { f32::NEG_INFINITY } else { scores[number as usize] };
    order.sort_by(|&a, &b| score(b).partial_cmp(&score(a)).unwrap_or(std::cmp::Ordering::Equal));
    let mut twice = vec![0; scores.len()];
    let mut first = 0;
    while first < order.len() {
        let equals = order[first..].iter().take_while(|&&other| score(other) >= score(order[first])).count();
        for &number in &order[first..first + equals] {
            twice[number as usize] = (2 * first + equals - 1) as u32;
        }
        first += equals;
    }
    [order, twice]
}

/// What the words of ranks, `[rank][agent][word]`, come to: `[agent][word]`.
fn joined(part: &Exchanged, ranks: &[&[u32]]) -> Vec<u32> {
    let fold = |join: fn(u32, u32) -> u32| -> Vec<u32> {
        let count = ranks.first().map_or(0, |words| words.len());
        (0..count).map(|i| ranks.iter().map(|words| words[i]).reduce(join).unwrap_or_default()).collect()
    };
    match part.joined {
        Joined::Mean => Vec::new(), // not by this way
        Joined::Sum => fold(u32::wrapping_add),
        Joined::Largest => fold(u32::max),
        Joined::First => ranks.first().map_or_else(Vec::new, |words| words.to_vec()),
        Joined::Moments => {
            let sets: Vec<&[[f32; 4]]> = ranks.iter().map(|words| bytemuck::cast_slice(words)).collect();
            let count = sets.first().map_or(0, |sets| sets.len());
            (0..count).flat_map(|i| moments(sets.iter().map(|sets| sets[i])).map(f32::to_bits)).collect()
        }
        Joined::Shares => {
            let agents = part.agents as usize;
            let share = part.count as usize / ranks.len();
            (0..agents)
                .flat_map(|agent| ranks.iter().flat_map(move |words| &words[agent * share..(agent + 1) * share]))
                .copied()
                .collect()
        }
    }
}

/// Moments of several sets together (Chan, Golub & LeVeque 1979).
fn moments(sets: impl Iterator<Item = [f32; 4]>) -> [f32; 4] {
    let [mut count, mut mean, mut deviations] = [0.0f64; 3];
    for [n, of, squares, _] in sets {
        let (n, of) = (f64::from(n), f64::from(of));
        let total = count + n;
        if total > 0.0 {
            let apart = of - mean;
            mean += apart * n / total;
            deviations += f64::from(squares) + apart * apart * count * n / total;
        }
        count = total;
    }
    [count as f32, mean as f32, deviations as f32, 0.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(joined: Joined, agents: u64, count: u64) -> Exchanged {
        let buffer = super::super::Buffer::<u32>::declared("test", agents * count);
        Exchanged { memory: buffer.memory().clone(), joined, first: 0, count, stride: count, agents }
    }

    #[test]
    fn shares_lie_in_the_order_of_ranks_within_each_agent() {
        let own = part(Joined::Shares, 2, 4);
        assert_eq!(joined(&own, &[&[1, 2, 5, 6], &[3, 4, 7, 8]]), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn counts_add_and_the_largest_stays() {
        assert_eq!(joined(&part(Joined::Sum, 1, 2), &[&[1, 2], &[10, 20], &[100, 200]]), [111, 222]);
        assert_eq!(joined(&part(Joined::Largest, 1, 2), &[&[1, 9], &[10, 2]]), [10, 9]);
    }

    #[test]
    fn scores_are_ordered_and_equals_share_their_rank() {
        let [order, twice] = order(&[1.0, 3.0, 3.0, -2.0, 3.0, 0.0, -0.0]);
        assert_eq!(order, [1, 2, 4, 0, 5, 6, 3]);
        assert_eq!(twice, [6, 2, 2, 12, 2, 9, 9]);
    }

    #[test]
    fn moments_are_those_of_all_numbers() {
        let of = |numbers: &[f64]| {
            let n = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / n;
            let squares = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            [n as f32, mean as f32, squares as f32, 0.0]
        };
        let (a, b, c) = ([1.0, 2.0, 4.5], [-3.0, 0.25], [8.0]);
        let all: Vec<f64> = a.iter().chain(&b).chain(&c).copied().collect();
        let together = moments([of(&a), [0.0; 4], of(&b), of(&c)].into_iter());
        for (got, want) in together.iter().zip(of(&all)) {
            assert!((got - want).abs() <= 1e-6 * want.abs(), "{together:?}");
        }
        assert_eq!(moments([[0.0; 4], [0.0; 4]].into_iter()).map(f32::to_bits), [0; 4]);
    }
}
