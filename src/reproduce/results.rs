//! The table of algorithms and environments: seeds side by side, whole episodes of the deterministic policy.

use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::train::Trainer;
use serde::Serialize;

/// The environments of the table.
pub const ENVIRONMENTS: [&str; 5] =
    ["CartPole-v1", "Acrobot-v1", "Pendulum-v1", "MountainCarContinuous-v0", "QuadrotorHover"];

/// How an algorithm fared.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name of the environment.
    pub env: String,
    /// Name of the algorithm.
    pub algo: &'static str,
    /// Mean return after the last update, `[seed]`.
    pub returns: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Half the width of its 95 % interval over seeds (Student's t); infinite for one seed.
    pub interval: f64,
    /// Steps at the first evaluation that passed the environment's threshold, of the seeds that had one.
    pub solved_at_steps: Vec<u64>,
    /// Steps of each seed.
    pub env_steps: u64,
}

/// Trains all seeds in one launch, each as if it were alone.
///
/// # Errors
/// As [`Trainer::new`] and [`Trainer::next`].
pub fn row(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32]) -> Result<Row> {
    let threshold = env.spec().reward_threshold.map(f64::from);
    let mut solved = vec![None; seeds.len()];
    let mut last = None;
    for report in Trainer::new(gpu, env, config, seeds)? {
        let report = report?;
        let Some(agents) = report.evaluation else { continue };
        for (solved, (returns, _)) in solved.iter_mut().zip(&agents) {
            if solved.is_none() && threshold.is_some_and(|threshold| returns.passes(threshold)) {
                *solved = Some(report.env_steps);
            }
        }
        last = Some((agents, report.env_steps));
    }
    let (agents, env_steps) = last.ok_or_else(|| Error::Gpu("a run ended without an evaluation".to_owned()))?;
    let returns: Vec<f64> = agents.iter().map(|(returns, _)| returns.mean).collect();
    let (mean, interval) = interval(&returns);
    Ok(Row {
        env: env.name().to_owned(),
        algo: config.algo.name(),
        returns,
        mean,
        interval,
        solved_at_steps: solved.into_iter().flatten().collect(),
        env_steps,
    })
}

impl Row {
    /// Names of the columns and the rule below them, in Markdown.
    pub const HEAD: [&str; 2] =
        ["| environment | algorithm | mean return ± 95 % | each seed | solved | steps |", "|---|---|---|---|---|---|"];
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each: Vec<String> = self.returns.iter().map(|mean| format!("{mean:.1}")).collect();
        let millions = |steps: u64| steps as f64 / 1e6;
        let solved = match (self.solved_at_steps.iter().min(), self.solved_at_steps.iter().max()) {
            (Some(&least), Some(&most)) => {
                let (count, of) = (self.solved_at_steps.len(), self.returns.len());
                format!("{count} of {of}, after {:.2} to {:.2} M", millions(least), millions(most))
            }
            _ => "–".to_owned(),
        };
        let Self { env, algo, mean, interval, env_steps, .. } = self;
        let steps = millions(*env_steps);
        let interval = if interval.is_finite() { format!(" ± {interval:.1}") } else { String::new() };
        write!(f, "| {env} | {algo} | {mean:.1}{interval} | {} | {solved} | {steps:.2} M |", each.join(", "))
    }
}

/// Mean, and half the width of its 95 % interval.
fn interval(values: &[f64]) -> (f64, f64) {
    /// Quantiles of Student's distribution at 97.5 %, by degrees of freedom.
    const T: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return (mean, f64::INFINITY);
    }
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // above 30 degrees of freedom the quantile falls like this, within 0.001
    let t = T.get(values.len() - 2).copied().unwrap_or(1.96 + 2.4 / (n - 1.0));
    (mean, t * (variance / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn intervals_are_students() {
        // 1, 2, 3: deviation 1, t(2) = 4.303
        let (mean, half) = interval(&[1.0, 2.0, 3.0]);
        assert!((mean - 2.0).abs() < 1e-12 && (half - 4.303 / 3.0_f64.sqrt()).abs() < 1e-12, "{mean} ± {half}");
        assert_eq!(interval(&[5.0; 4]), (5.0, 0.0));
        assert_eq!(interval(&[7.0]), (7.0, f64::INFINITY));
        // 1 to 11: deviation √11, t(10) = 2.228
        let eleven: Vec<f64> = (1..=11).map(f64::from).collect();
        assert!((interval(&eleven).1 - 2.228).abs() < 1e-12);
        // 1 to 61: variance 61 · 62/12, t(60) = 2.000
        let many: Vec<f64> = (1..=61).map(f64::from).collect();
        assert!((interval(&many).1 - 2.0 * (62.0_f64 / 12.0).sqrt()).abs() < 0.003);
    }
}
