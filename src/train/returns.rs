//! Returns of episodes: what an evaluation says of a policy.

use crate::layout::{TERMINATED, TRUNCATED};
use serde::{Deserialize, Serialize};

/// Returns of episodes under a policy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Returns {
    /// Number of episodes, those included that were cut off.
    pub episodes: u32,
    /// How many of them the environment terminated.
    pub terminated: u32,
    /// How many of them the step limit truncated, and nothing terminated in the same step.
    pub truncated: u32,
    /// How many of them had not ended when the evaluation did: they were neither terminated nor truncated, and count with
    /// the rewards they had by then.
    pub unfinished: u32,
    /// Steps after which those were cut off; none where all have ended.
    pub cut_off_at: Option<u32>,
    /// Mean return.
    pub mean: f64,
    /// Standard deviation of the returns (n − 1); one episode has none.
    pub std: Option<f64>,
    /// Standard error of the mean, std/√episodes; one episode has none.
    pub standard_error: Option<f64>,
    /// Smallest return.
    pub min: f64,
    /// Return that a quarter of the episodes do not exceed; between two of them, as NumPy's `percentile` has it.
    pub lower_quartile: f64,
    /// Median of the returns.
    pub median: f64,
    /// Return that three quarters of the episodes do not exceed.
    pub upper_quartile: f64,
    /// Largest return.
    pub max: f64,
    /// Mean length in steps.
    pub mean_length: f64,
}

impl Returns {
    /// The returns of these (return, length, ending, 0); ending 0 = cut off.
    pub fn of(outcomes: &[[f32; 4]]) -> Self {
        let count = outcomes.len().max(1) as f64;
        let mut returns: Vec<f64> = outcomes.iter().map(|outcome| f64::from(outcome[0])).collect();
        let mean = returns.iter().sum::<f64>() / count;
        let squares = returns.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let std = (outcomes.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        let endings = |wanted: fn(u32) -> bool| outcomes.iter().filter(move |outcome| wanted(outcome[2] as u32));
        returns.sort_by(f64::total_cmp);
        let quantile = |share: f64| crate::statistics::quantile(&returns, share);
        Self {
            episodes: outcomes.len() as u32,
            terminated: endings(|ending| ending & TERMINATED != 0).count() as u32,
            truncated: endings(|ending| ending & (TERMINATED | TRUNCATED) == TRUNCATED).count() as u32,
            unfinished: endings(|ending| ending == 0).count() as u32,
            cut_off_at: endings(|ending| ending == 0).map(|outcome| outcome[1] as u32).max(),
            mean,
            std,
            standard_error: std.map(|std| std / count.sqrt()),
            min: quantile(0.0),
            lower_quartile: quantile(0.25),
            median: quantile(0.5),
            upper_quartile: quantile(0.75),
            max: quantile(1.0),
            mean_length: outcomes.iter().map(|outcome| f64::from(outcome[1])).sum::<f64>() / count,
        }
    }

    /// Whether the mean is at least the threshold with three standard errors to spare. Never of one episode, which has no
    /// standard error, nor where an episode was cut off, whose return nobody knows.
    pub fn passes(&self, threshold: f64) -> bool {
        let spared = |error: f64| self.mean - 3.0 * error >= threshold;
        self.unfinished == 0 && self.standard_error.is_some_and(spared)
    }
}

/// `475.2 ± 0.9 (standard error)`, the mean and its error, and how many episodes had not ended, if any; with `{:#}` also over
/// how many episodes, and how the returns are spread.
impl std::fmt::Display for Returns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", self.mean)?;
        if let Some(error) = self.standard_error {
            let digits = if error < 0.095 && error > 0.0 { 2 } else { 1 };
            write!(f, " ± {error:.digits$} (standard error)")?;
        }
        if f.alternate() {
            let episodes = if self.episodes == 1 { "episode" } else { "episodes" };
            write!(f, " over {} {episodes}", self.episodes)?;
            if let Some(std) = self.std {
                write!(
                    f,
                    ", from {:.1} to {:.1}, median {:.1}, quartiles {:.1} and {:.1}, standard deviation {std:.1}",
                    self.min, self.max, self.median, self.lower_quartile, self.upper_quartile
                )?;
            }
        }
        if let Some(steps) = self.cut_off_at {
            let Self { unfinished, episodes, .. } = self;
            write!(f, "; {unfinished} of {episodes} cut off unfinished after {steps} steps")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Returns;

    /// Outcomes of truncated episodes of 10 steps with these returns.
    fn ended(returns: &[f32]) -> Vec<[f32; 4]> {
        returns.iter().map(|&x| [x, 10.0, 2.0, 0.0]).collect()
    }

    #[test]
    fn three_standard_errors_are_spared() {
        // mean 10, deviation 2, standard error 1
        let returns = Returns::of(&ended(&[9.0, 9.0, 9.0, 13.0]));
        assert_eq!((returns.mean, returns.std, returns.standard_error), (10.0, Some(2.0), Some(1.0)));
        assert!(returns.passes(7.0) && !returns.passes(7.1));
        assert_eq!(returns.to_string(), "10.0 ± 1.0 (standard error)");
        assert_eq!(
            format!("{returns:#}"),
            "10.0 ± 1.0 (standard error) over 4 episodes, from 9.0 to 13.0, median 9.0, quartiles 9.0 and 10.0, standard \
             deviation 2.0"
        );
    }

    #[test]
    fn one_episode_has_no_deviation_and_never_passes() {
        let returns = Returns::of(&ended(&[500.0]));
        assert_eq!((returns.mean, returns.std, returns.standard_error), (500.0, None, None));
        assert!(!returns.passes(-1e30));
        assert_eq!(format!("{returns:#}"), "500.0 over 1 episode");
        let json = serde_json::to_value(returns).unwrap_or_default();
        assert!(json["std"].is_null() && json["cut_off_at"].is_null(), "{json}");
    }

    #[test]
    fn quartiles_and_endings_are_those_of_numpy_and_of_the_worlds() {
        // numpy.percentile([1, 2, 4, 8, 16], [25, 50, 75]); terminated, truncated, both at once, still running
        let mut outcomes = ended(&[16.0, 1.0, 8.0, 2.0, 4.0]);
        for (outcome, ending) in outcomes.iter_mut().zip([1.0, 2.0, 3.0, 0.0, 2.0]) {
            outcome[2] = ending;
        }
        let returns = Returns::of(&outcomes);
        assert_eq!((returns.lower_quartile, returns.median, returns.upper_quartile), (2.0, 4.0, 8.0));
        assert_eq!((returns.min, returns.max, returns.mean), (1.0, 16.0, 6.2));
        assert_eq!((returns.terminated, returns.truncated, returns.unfinished), (2, 2, 1));
        let even = Returns::of(&ended(&[1.0, 2.0, 3.0, 10.0]));
        assert_eq!((even.lower_quartile, even.median, even.upper_quartile), (1.75, 2.5, 4.75));
    }

    #[test]
    fn episodes_that_were_cut_off_are_counted_and_never_pass() {
        let mut outcomes = ended(&[500.0; 9]);
        outcomes[4] = [1e6, 10_000.0, 0.0, 0.0];
        let returns = Returns::of(&outcomes);
        assert_eq!((returns.episodes, returns.unfinished, returns.cut_off_at), (9, 1, Some(10_000)));
        assert!(!returns.passes(-1e30));
        let said = returns.to_string();
        assert!(said.ends_with("; 1 of 9 cut off unfinished after 10000 steps"), "{said}");
    }
}
