//! Searches without gradients, generation by generation.
//!
//! Parameters are `[word]` with their padding, which never moves. A fitness of a member is better the higher it is.

use super::philox::{philox4x32_10, uniform};
use std::f64::consts::TAU;

/// What random words of a search are for.
const PURPOSE: u32 = 6;

/// Where a search takes its random words from.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Seed of the agent.
    pub seed: u32,
    /// The generation, from 0.
    pub generation: u32,
}

impl Words {
    /// Four words for something with a number, at one vec4 of the parameters.
    pub fn at(self, n: u32, vector: u32) -> [u32; 4] {
        philox4x32_10([n, vector, PURPOSE, self.generation], [self.seed, 0])
    }

    /// Perturbation n: standard normal numbers where the mask is 1.
    pub fn perturbation(self, n: u32, mask: &[f64]) -> Vec<f64> {
        let normals = (0..mask.len() as u32 / 4).flat_map(|vector| normals(self.at(n, vector)));
        normals.zip(mask).map(|(normal, mask)| normal * mask).collect()
    }

    /// The perturbation of a member of a mirrored pair.
    pub fn mirrored(self, member: u32, mask: &[f64]) -> Vec<f64> {
        let sign = if member % 2 == 1 { -1.0 } else { 1.0 };
        self.perturbation(member / 2, mask).into_iter().map(|x| sign * x).collect()
    }
}

/// Four standard normal numbers (Box & Muller 1958).
fn normals(words: [u32; 4]) -> [f64; 4] {
    let [a, b, c, d] = words.map(uniform);
    let pair = |u: f64, v: f64| {
        let radius = (-2.0 * u.ln()).sqrt();
        [radius * (TAU * v).cos(), radius * (TAU * v).sin()]
    };
    let ([x, y], [z, w]) = (pair(a, b), pair(c, d));
    [x, y, z, w]
}

/// Numbers in the order of their scores, best first, of equals the first first; and twice the mean rank of each and its equals.
pub fn ranks(scores: &[f64]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let twice = |own: &f64| {
        let better = scores.iter().filter(|score| *score > own).count();
        let equal = scores.iter().filter(|score| score.total_cmp(own).is_eq()).count();
        2 * better + equal - 1
    };
    let ranks = scores.iter().map(twice).collect();
    (order, ranks)
}

/// x + scale · y.
pub fn moved(x: &[f64], scale: f64, y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| x + scale * y).collect()
}

/// Mean and deviation of an elite `[member][word]`, and `extra` added to the variances where the mask is 1.
pub fn cem(elite: &[&[f64]], mask: &[f64], extra: f64) -> (Vec<f64>, Vec<f64>) {
    let count = elite.len() as f64;
    let of_words = |value: &dyn Fn(usize) -> f64| (0..mask.len()).map(value).collect::<Vec<f64>>();
    let mean = of_words(&|word| elite.iter().map(|member| member[word]).sum::<f64>() / count);
    let variance = |word: usize| elite.iter().map(|member| (member[word] - mean[word]).powi(2)).sum::<f64>() / count;
    let spread = of_words(&|word| (variance(word) + extra * mask[word]).sqrt());
    (mean, spread)
}

/// The gradient of the mean utility by μ, from twice the mean ranks of mirrored members: u = ½ − rank/(population − 1).
pub fn es_gradient(words: Words, mask: &[f64], sigma: f64, twice: &[usize]) -> Vec<f64> {
    let population = twice.len() as f64;
    let utility = |member: usize| 0.5 - 0.5 * twice[member] as f64 / (population - 1.0);
    (0..twice.len()).fold(vec![0.0; mask.len()], |sum, member| {
        moved(&sum, utility(member) / (population * sigma), &words.mirrored(member as u32, mask))
    })
}

/// The step of augmented random search with the `count` best pairs, at rate 1.
pub fn ars_step(words: Words, mask: &[f64], count: usize, fitness: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = fitness.chunks_exact(2).map(|pair| pair[0].max(pair[1])).collect();
    let best = &ranks(&scores).0[..count];
    let counted: Vec<f64> = best.iter().flat_map(|&pair| [fitness[2 * pair], fitness[2 * pair + 1]]).collect();
    let mean = counted.iter().sum::<f64>() / counted.len() as f64;
    let deviation = (counted.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / counted.len() as f64).sqrt();
    best.iter().fold(vec![0.0; mask.len()], |step, &pair| {
        let apart = (fitness[2 * pair] - fitness[2 * pair + 1]) / (count as f64 * deviation);
        moved(&step, apart, &words.perturbation(pair as u32, mask))
    })
}

/// The member `m` of a genetic algorithm: one of the first parents as it is, or a child.
pub fn child(
    words: Words,
    mask: &[f64],
    parents: &[Vec<f64>],
    m: usize,
    unchanged: usize,
    crossed: bool,
    sigma: f64,
) -> Vec<f64> {
    if m < unchanged {
        return parents[m].clone();
    }
    let vectors = mask.len() as u32 / 4;
    let [first, second, ..] = words.at(m as u32, vectors);
    let chosen = |word: u32| &parents[((u64::from(word) * parents.len() as u64) >> 32) as usize];
    let mut child = chosen(first).clone();
    if crossed {
        for (word, number) in child.iter_mut().enumerate() {
            let sides = words.at(m as u32, vectors + 1 + word as u32 / 4);
            if sides[word % 4] & 1 == 1 {
                *number = chosen(second)[word];
            }
        }
    }
    moved(&child, sigma, &words.perturbation(m as u32, mask))
}
