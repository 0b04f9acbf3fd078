//! How often worlds took which action.

use crate::env::ActionSpace;

/// Bins of a real number.
const BINS: usize = 16;

/// A histogram for each choice or number of an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Bins {
    /// For each choice the shares of its actions.
    Choices(Vec<Vec<f64>>),
    /// For each real number its histogram.
    Numbers(Vec<Numbers>),
}

/// A real number of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// Ends of the histogram.
    pub ends: [f64; 2],
    /// Shares of its bins.
    pub shares: Vec<f64>,
    /// Mean and standard deviation.
    pub mean: f64,
    /// As above.
    pub std: f64,
}

impl Bins {
    /// Of actions `[word][action]`. Real numbers are shown as the environment gets them: within its bounds.
    pub fn of(words: &[Vec<u32>], space: &ActionSpace, squashed: bool) -> Option<Self> {
        if words.iter().any(Vec::is_empty) || words.is_empty() {
            return None;
        }
        if let ActionSpace::Box { low, high } = space {
            let number = |(word, (low, high)): (&Vec<u32>, (&f32, &f32))| {
                Numbers::of(word, f64::from(*low), f64::from(*high), squashed)
            };
            return Some(Self::Numbers(words.iter().zip(low.iter().zip(high)).map(number).collect()));
        }
        let choice = |(word, count): (&Vec<u32>, u32)| {
            let mut shares = vec![0.0; count as usize];
            let share = 1.0 / word.len() as f64;
            for &action in word {
                if let Some(bin) = shares.get_mut(action as usize) {
                    *bin += share;
                }
            }
            shares
        };
        Some(Self::Choices(words.iter().zip(space.counts()).map(choice).collect()))
    }
}

impl Numbers {
    fn of(word: &[u32], low: f64, high: f64, squashed: bool) -> Self {
        let bounded = |bits: &u32| {
            let number = f64::from(f32::from_bits(*bits));
            if squashed { low + (high - low) * (number.tanh() + 1.0) / 2.0 } else { number.clamp(low, high) }
        };
        let numbers: Vec<f64> = word.iter().map(bounded).filter(|number| number.is_finite()).collect();
        let count = numbers.len().max(1) as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let std = (numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt();
        let seen = numbers.iter().fold([f64::MAX, f64::MIN], |[a, b], &x| [a.min(x), b.max(x)]);
        // where there are no bounds to show, what was seen
        let narrow = [low, high].iter().all(|bound| bound.abs() < 1e6);
        let ends = match (narrow, numbers.is_empty()) {
            (true, _) => [low, high],
            (false, false) => seen,
            (false, true) => [0.0, 0.0],
        };
        let mut shares = vec![0.0; BINS];
        for number in &numbers {
            let place = (number - ends[0]) / (ends[1] - ends[0]).max(f64::MIN_POSITIVE) * BINS as f64;
            shares[(place.max(0.0) as usize).min(BINS - 1)] += 1.0 / count;
        }
        Self { ends, shares, mean, std }
    }
}

#[cfg(test)]
mod tests {
    use super::Bins;
    use crate::env::ActionSpace;

    #[test]
    fn choices_are_counted() {
        let space = ActionSpace::MultiDiscrete { counts: vec![2, 3], masked: false };
        let bins = Bins::of(&[vec![0, 1, 1, 1], vec![2, 2, 0, 0]], &space, false);
        assert_eq!(bins, Some(Bins::Choices(vec![vec![0.25, 0.75], vec![0.5, 0.0, 0.5]])));
        assert_eq!(Bins::of(&[], &space, false), None);
    }

    #[test]
    fn numbers_are_shown_as_the_environment_gets_them() {
        let space = ActionSpace::Box { low: vec![-2.0], high: vec![2.0] };
        let words: Vec<u32> = [-9.0f32, -2.0, 0.0, 9.0].map(f32::to_bits).to_vec();
        let Some(Bins::Numbers(numbers)) = Bins::of(&[words], &space, false) else { panic!("no numbers") };
        let number = &numbers[0];
        assert_eq!(
            (number.ends, number.shares[0], number.shares[8], number.shares[15]),
            ([-2.0, 2.0], 0.5, 0.25, 0.25)
        );
        assert!((number.mean + 0.5).abs() < 1e-12 && (number.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let drawn = vec![0.5f32.atanh().to_bits(); 4];
        let Some(Bins::Numbers(numbers)) = Bins::of(&[drawn], &space, true) else { panic!("no numbers") };
        assert!((numbers[0].mean - 1.0).abs() < 1e-6, "{}", numbers[0].mean);
        // without bounds what was seen
        let space = ActionSpace::Box { low: vec![f32::MIN], high: vec![f32::MAX] };
        let Some(Bins::Numbers(numbers)) = Bins::of(&[[1.0f32, 5.0].map(f32::to_bits).to_vec()], &space, false) else {
            panic!("no numbers")
        };
        assert_eq!((numbers[0].ends, numbers[0].std), ([1.0, 5.0], 2.0));
    }
}
