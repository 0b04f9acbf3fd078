//! Actions as differentiable functions of a network's outputs and of noise that does not depend on them.
//!
//! ```text
//!   deterministic      a = mid + half tanh(out)                        (low + high)/2, (high − low)/2
//!
//!   squashed Gaussian  log σ = clamp(raw, min, max)     u = mean + σ z     a = tanh u     Haarnoja et al. (2018)
//!     log π = Σ −½ z² − log σ − ½ log 2π − log(1 − a²)
//!     d a / d mean     = 1 − a²             d log π / d mean  = 2 a
//!     d a / d log σ    = (1 − a²) σ z       d log π / d log σ = 2 a σ z − 1
//!     d log σ / d raw  = [min ≤ raw ≤ max]
//!
//!   straight-through Gumbel-softmax                                    Jang, Gu & Poole (2017)
//!     soft = softmax((logits + g) / temperature)     hard = argmax soft     a = one_hot(hard)
//!     d a_j / d logit_i := d soft_j / d logit_i = soft_j ([i = j] − soft_i) / temperature
//!     log π := Σ p log p,  p = softmax(logits)      the expectation itself in place of a sample of it
//! ```
//!
//! z is standard normal and g standard Gumbel noise; with either held, the gradients are those along the sample's path.
//! log π is the density of tanh u, in [−1, 1] and not in the environment's units: log |half| is left out, so that the
//! entropy one aims at does not depend on units. For a fixed action see [`super::squashed`].

use super::{categorical, squashed};
use std::f64::consts::PI;

/// What a policy's outputs mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// One output for each number of an action; no noise, and log π counts as 0.
    Deterministic {
        /// Middle of the bounds, `[number]`.
        mid: Vec<f64>,
        /// Half the distance between the bounds, `[number]`.
        half: Vec<f64>,
    },
    /// All means, then all raw logarithms of deviations; normal noise `[number]`.
    Squashed {
        /// Least and greatest log σ.
        log_std: (f64, f64),
        /// Middle of the bounds, `[number]`.
        mid: Vec<f64>,
        /// Half the distance between the bounds, `[number]`.
        half: Vec<f64>,
    },
    /// Logits; Gumbel noise `[choice]`. The action is a one-hot vector.
    OneHot {
        /// Of the softmax whose gradient is taken.
        temperature: f64,
    },
}

/// An action and how likely it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// What a critic is shown: numbers in the environment's units, or a one-hot vector.
    pub numbers: Vec<f64>,
    /// log π, nats; Σ p log p of a one-hot vector, 0 of a deterministic action.
    pub log_prob: f64,
}

impl Head {
    /// The action that `outputs` and `noise` give.
    pub fn action(&self, outputs: &[f64], noise: &[f64]) -> Action {
        match self {
            Self::Deterministic { mid, half } => Action { numbers: deterministic(outputs, mid, half), log_prob: 0.0 },
            Self::Squashed { log_std, mid, half } => {
                let (a, log_prob) = squashed_gaussian(outputs, noise, *log_std);
                Action { numbers: scaled(&a, mid, half), log_prob }
            }
            Self::OneHot { temperature } => {
                let soft = gumbel_softmax(outputs, noise, *temperature);
                Action { numbers: one_hot(&soft), log_prob: expected_log_prob(outputs) }
            }
        }
    }

    /// The gradient of a loss by the outputs, from those by [`Action::numbers`] and by [`Action::log_prob`].
    pub fn d_loss_d_outputs(
        &self,
        outputs: &[f64],
        noise: &[f64],
        d_loss_d_numbers: &[f64],
        d_loss_d_log_prob: f64,
    ) -> Vec<f64> {
        match self {
            Self::Deterministic { half, .. } => {
                let slope = d_deterministic_d_outputs(outputs, half);
                slope.iter().zip(d_loss_d_numbers).map(|(s, d)| s * d).collect()
            }
            Self::Squashed { log_std, half, .. } => {
                let d_loss_d_a: Vec<f64> = d_loss_d_numbers.iter().zip(half).map(|(d, half)| d * half).collect();
                d_loss_d_squashed_outputs(outputs, noise, *log_std, &d_loss_d_a, d_loss_d_log_prob)
            }
            Self::OneHot { temperature } => {
                let soft = gumbel_softmax(outputs, noise, *temperature);
                let through = d_loss_d_logits(&soft, *temperature, d_loss_d_numbers);
                let d_log_prob = d_expected_log_prob_d_logits(outputs);
                through.iter().zip(&d_log_prob).map(|(t, l)| t + d_loss_d_log_prob * l).collect()
            }
        }
    }
}

// ---------------------------------------------------------------- deterministic

/// mid + half tanh(out), `[number]`.
pub fn deterministic(outputs: &[f64], mid: &[f64], half: &[f64]) -> Vec<f64> {
    let a: Vec<f64> = outputs.iter().map(|x| x.tanh()).collect();
    scaled(&a, mid, half)
}

/// d a / d out = half (1 − tanh² out), `[number]`.
pub fn d_deterministic_d_outputs(outputs: &[f64], half: &[f64]) -> Vec<f64> {
    outputs.iter().zip(half).map(|(x, half)| half * d_tanh(*x)).collect()
}

/// mid + half a, `[number]`: an action in [−1, 1] in the environment's units.
pub fn scaled(a: &[f64], mid: &[f64], half: &[f64]) -> Vec<f64> {
    assert_eq!((mid.len(), half.len()), (a.len(), a.len()), "numbers of an action");
    (0..a.len()).map(|i| mid[i] + half[i] * a[i]).collect()
}

/// 1 − tanh² x = 1 / cosh² x, which does not cancel far out.
fn d_tanh(x: f64) -> f64 {
    x.cosh().powi(2).recip()
}

// ---------------------------------------------------------------- squashed Gaussian

/// (a, log π) of outputs `[mean…, raw…]` and normal noise `[number]`: a in [−1, 1], log π in nats.
pub fn squashed_gaussian(outputs: &[f64], noise: &[f64], log_std: (f64, f64)) -> (Vec<f64>, f64) {
    let (u, log_sigma) = path(outputs, noise, log_std);
    // z is the noise itself: (u − mean)/σ would lose what a small σ adds to a large mean
    let normal: f64 = noise.iter().zip(&log_sigma).map(|(z, l)| -0.5 * z * z - l - 0.5 * (2.0 * PI).ln()).sum();
    let log_prob = normal - squashed::log_stretch(&u, &vec![(-1.0, 1.0); u.len()]);
    (u.iter().map(|u| u.tanh()).collect(), log_prob)
}

/// The gradient of a loss by the outputs `[mean…, raw…]`, from those by a, `[number]`, and by log π.
pub fn d_loss_d_squashed_outputs(
    outputs: &[f64],
    noise: &[f64],
    log_std: (f64, f64),
    d_loss_d_a: &[f64],
    d_loss_d_log_prob: f64,
) -> Vec<f64> {
    let numbers = noise.len();
    assert_eq!(d_loss_d_a.len(), numbers, "numbers of an action");
    let (u, log_sigma) = path(outputs, noise, log_std);
    let d_loss_d_u = |i: usize| d_loss_d_a[i] * d_tanh(u[i]) + d_loss_d_log_prob * 2.0 * u[i].tanh();
    let d_loss_d_raw = |i: usize| {
        let raw = outputs[numbers + i];
        let inside = (log_std.0..=log_std.1).contains(&raw);
        let d_loss_d_log_std = d_loss_d_u(i) * log_sigma[i].exp() * noise[i] - d_loss_d_log_prob;
        if inside { d_loss_d_log_std } else { 0.0 }
    };
    (0..numbers).map(d_loss_d_u).chain((0..numbers).map(d_loss_d_raw)).collect()
}

/// (u, log σ), `[number]` each.
fn path(outputs: &[f64], noise: &[f64], (least, most): (f64, f64)) -> (Vec<f64>, Vec<f64>) {
    assert_eq!(outputs.len(), 2 * noise.len(), "a mean and a raw log σ for each number");
    let (mean, raw) = outputs.split_at(noise.len());
    let log_sigma: Vec<f64> = raw.iter().map(|raw| raw.clamp(least, most)).collect();
    ((0..noise.len()).map(|i| mean[i] + log_sigma[i].exp() * noise[i]).collect(), log_sigma)
}

// ---------------------------------------------------------------- straight-through Gumbel-softmax

/// soft = softmax((logits + g) / temperature), `[choice]`.
pub fn gumbel_softmax(logits: &[f64], noise: &[f64], temperature: f64) -> Vec<f64> {
    assert_eq!(logits.len(), noise.len(), "Gumbel noise for each choice");
    let moved: Vec<f64> = logits.iter().zip(noise).map(|(z, g)| (z + g) / temperature).collect();
    categorical::probs(&moved)
}

/// 1 at the greatest of `soft`, the first of equals, and 0 elsewhere.
pub fn one_hot(soft: &[f64]) -> Vec<f64> {
    let hard = categorical::argmax(soft);
    (0..soft.len()).map(|choice| f64::from(u8::from(choice == hard))).collect()
}

/// The straight-through gradient of a loss by the logits, from that by the one-hot vector: soft_i (d_i − soft · d) /
/// temperature, `[choice]`; sums to 0.
pub fn d_loss_d_logits(soft: &[f64], temperature: f64, d_loss_d_one_hot: &[f64]) -> Vec<f64> {
    assert_eq!(soft.len(), d_loss_d_one_hot.len(), "choices");
    let mean: f64 = soft.iter().zip(d_loss_d_one_hot).map(|(s, d)| s * d).sum();
    soft.iter().zip(d_loss_d_one_hot).map(|(s, d)| s * (d - mean) / temperature).collect()
}

/// Σ p log p, nats: the expectation of log p over the choices, the entropy's negative.
pub fn expected_log_prob(logits: &[f64]) -> f64 {
    -categorical::entropy(logits)
}

/// Its gradient p_i (log p_i − Σ p log p), `[choice]`; sums to 0.
pub fn d_expected_log_prob_d_logits(logits: &[f64]) -> Vec<f64> {
    categorical::d_entropy_d_logits(logits).into_iter().map(|d| -d).collect()
}
