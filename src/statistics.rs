//! What several runs say together, as rliable has it (Agarwal et al. 2021).

use crate::reference::philox::philox4x32_10;
use serde::Serialize;

/// Resamples of a bootstrap.
const RESAMPLES: u32 = 50_000;
/// What random words of a bootstrap are for; other purposes are in `shaders/part/random_words.wgsl`.
const PURPOSE_BOOTSTRAP: u32 = 8;

/// The interquartile mean of scores, and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interquartile {
    /// Mean of the scores but the lowest and the highest quarter of them, both rounded down.
    pub mean: f64,
    /// Lower end of the percentile bootstrap's interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interquartile {
    /// Of these scores, of one environment: a stratum. The interval is the same for the same scores.
    pub fn of(scores: &[f64]) -> Self {
        Self::with(scores, RESAMPLES)
    }

    /// The same by so many resamples, of which the interval gets its precision.
    pub fn with(scores: &[f64], resamples: u32) -> Self {
        let mut drawn = Vec::with_capacity(scores.len());
        let mut means: Vec<f64> = (0..resamples)
            .map(|resample| {
                drawn.clear();
                drawn.extend((0..scores.len() as u32).map(|n| scores[below(scores.len(), resample, n)]));
                interquartile_mean(&mut drawn)
            })
            .collect();
        means.sort_by(f64::total_cmp);
        let (low, high) = (quantile(&means, 0.025), quantile(&means, 0.975));
        Self { mean: interquartile_mean(&mut scores.to_vec()), low, high }
    }
}

/// Uniform among 0, 1, …, count − 1.
fn below(count: usize, resample: u32, n: u32) -> usize {
    let word = philox4x32_10([n, resample, PURPOSE_BOOTSTRAP, 0], [0, 0])[0];
    ((u64::from(word) * count as u64) >> 32) as usize
}

/// Mean without the lowest and the highest quarter.
fn interquartile_mean(scores: &mut [f64]) -> f64 {
    scores.sort_by(f64::total_cmp);
    let cut = scores.len() / 4;
    let middle = &scores[cut..scores.len() - cut];
    middle.iter().sum::<f64>() / middle.len().max(1) as f64
}

/// A quantile of sorted numbers, of which there is at least one, between neighbours as NumPy has it.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let Some((&here, next)) = sorted.get(below).zip(sorted.get(below + 1).or(sorted.last())) else { return f64::NAN };
    here + part * (next - here)
}

#[cfg(test)]
mod tests {
    use super::{Interquartile, interquartile_mean, quantile};

    #[test]
    fn quarters_are_left_out() {
        // SciPy's trim_mean(x, 0.25)
        for (scores, expected) in [
            (&[5.0][..], 5.0),
            (&[9.0, 1.0, 2.0], 4.0),
            (&[100.0, 1.0, 2.0, 4.0], 3.0),
            (&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1000.0], 4.5),
        ] {
            assert!((interquartile_mean(&mut scores.to_vec()) - expected).abs() < 1e-12, "{scores:?}");
        }
        let quantiles = [0.0, 0.5, 0.9, 1.0].map(|share| quantile(&[1.0, 2.0, 4.0], share));
        assert!(quantiles.iter().zip([1.0, 2.0, 3.6, 4.0]).all(|(got, expected)| (got - expected).abs() < 1e-12));
    }

    #[test]
    fn intervals_hold_what_resamples_say() {
        assert_eq!(Interquartile::of(&[3.0; 5]), Interquartile { mean: 3.0, low: 3.0, high: 3.0 });
        // of 20 scores 0 and 20 scores 1, the 20 in the middle: their mean is (ones − 10)/20 of Binomial(40, ½) ones, held
        // to 0 … 1; the 2.5 % quantile of the ones is 14, the 97.5 % quantile 26
        let scores: Vec<f64> = (0..40).map(|n| f64::from(n % 2)).collect();
        let found = Interquartile::of(&scores);
        assert_eq!((found.mean, found.low, found.high), (0.5, 0.2, 0.8));
    }
}
