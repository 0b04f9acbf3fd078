//! Figures of the textbook, made anew: ascents of the simple regulator's policy by several estimators of its gradient, and by
//! searches without one.
//!
//! After Kochenderfer, Wheeler & Wray, Algorithms for Decision Making (2022), figure 11.3: each gradient comes from six
//! rollouts of depth 10, its norm is limited to 1, the step size is 0.2. Where the textbook draws one path of each
//! estimator, thousands climb here, so that the figure shows what is luck. θ₂ is held to at least 0.05, for the score
//! grows like 1/θ₂; the baseline of a rollout comes from the five others.

mod draw;
mod results;
mod search;

pub use results::{ENVIRONMENTS, Row, row};
pub use search::regulator_of_theta;

use crate::config::Algo;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::estimate::{Estimator, GradientAscent, Path, Textbook, ascend};
use crate::file;
use crate::gpu::Gpu;
use std::fs;
use std::path::{Path as FilePath, PathBuf};

/// Estimators that are shown.
pub const ESTIMATORS: [Estimator; 3] = [Estimator::TotalReturn, Estimator::RewardToGo, Estimator::OptimalBaseline];
/// Searches that are shown.
pub const SEARCHES: [Algo; 3] = [Algo::Cem, Algo::Ga, Algo::Pattern];
/// θ at the start.
const START: [f64; 2] = [-0.2, 0.8];
/// Steps uphill.
const STEPS: u32 = 30;
/// Steps of a rollout.
const DEPTH: u32 = 10;
/// Rollouts of a gradient.
const ROLLOUTS: u32 = 6;
/// Step size.
const RATE: f64 = 0.2;
/// Limit of the gradient's norm.
const LIMIT: f64 = 1.0;
/// θ₂ is held to at least this: scores grow like its inverse.
const LEAST_THETA_2: f64 = 0.05;
/// Most repetitions: agents of a launch.
const MOST: u32 = 65_535;

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regulator {
    /// Seed of all random numbers.
    pub seed: u32,
    /// Paths of each estimator; of each search there are a quarter as many, for its steps are longer work.
    pub repetitions: u32,
}

impl Regulator {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        if (2..=MOST).contains(&self.repetitions) {
            return Ok(());
        }
        let reason = format!("{} is not allowed; it must be from 2 to {MOST}", self.repetitions);
        Err(Error::setting("repetitions", reason))
    }

    /// Paths of each search.
    fn searches(self) -> u32 {
        self.repetitions.div_ceil(4).max(2)
    }
}

/// A number over all repetitions, and in the one that is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, n − 1 in the denominator.
    pub std: f64,
    /// A tenth of the repetitions lies below.
    pub low: f64,
    /// Half of them.
    pub median: f64,
    /// Nine tenths.
    pub high: f64,
    /// Repetition 0.
    pub sample: f64,
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = numbers.collect();
        let (count, sample) = (all.len() as f64, all[0]);
        let mean = all.iter().sum::<f64>() / count;
        let std = (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        all.sort_by(f64::total_cmp);
        let quantile = |share: f64| all[((count - 1.0) * share).round() as usize];
        Self { mean, std, low: quantile(0.1), median: quantile(0.5), high: quantile(0.9), sample }
    }
}

/// Where repetitions stand before a step, or after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// θ₁ and θ₂.
    pub theta: [Spread; 2],
    /// Covariance of θ₁ and θ₂.
    pub covariance: f64,
    /// U(θ), exactly.
    pub utility: Spread,
    /// U of the mean θ, exactly.
    pub utility_of_mean: f64,
}

/// What an ascent follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Gradients by an estimator.
    Gradient(Estimator),
    /// Generations of a search.
    Search(Algo),
}

impl Way {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gradient(estimator) => estimator.name(),
            Self::Search(algo) => algo.name(),
        }
    }
}

/// The ascents in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Ascent {
    /// The way.
    pub way: Way,
    /// One more than steps.
    pub steps: Vec<Standing>,
}

/// The data of the figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Ascents {
    /// What was chosen.
    pub settings: Regulator,
    /// One for each of [`ESTIMATORS`], then one for each of [`SEARCHES`].
    pub ascents: Vec<Ascent>,
    textbook: Textbook,
}

/// Climbs with every estimator and every search.
///
/// # Errors
/// As [`Regulator::check`], [`ascend`] and [`Trainer::new`](crate::Trainer::new).
pub fn regulator(gpu: &Gpu, settings: &Regulator) -> Result<Ascents> {
    settings.check()?;
    let env = Environment::load("SimpleRegulator")?;
    let textbook = Textbook::of(&env)?;
    let ascent = |estimator: Estimator| {
        let path = ascend(
            gpu,
            &env,
            &GradientAscent {
                estimator,
                theta: START.to_vec(),
                rollouts: ROLLOUTS,
                depth: DEPTH,
                steps: STEPS,
                rate: RATE,
                limit: LIMIT,
                least: LEAST_THETA_2,
                repetitions: settings.repetitions,
                seed: settings.seed,
            },
        )?;
        let steps = (0..path.points()).map(|step| standing(&textbook, &theta(&path, step))).collect();
        Ok(Ascent { way: Way::Gradient(estimator), steps })
    };
    let generations = |algo: Algo| {
        let path = search::search(gpu, algo, settings.seed, settings.searches())?;
        Ok(Ascent { way: Way::Search(algo), steps: path.iter().map(|theta| standing(&textbook, theta)).collect() })
    };
    let ascents = ESTIMATORS.into_iter().map(ascent).chain(SEARCHES.into_iter().map(generations));
    let ascents = ascents.collect::<Result<_>>()?;
    Ok(Ascents { settings: *settings, ascents, textbook })
}

/// θ of all repetitions before a step, `[parameter][repetition]`.
fn theta(path: &Path, step: usize) -> [Vec<f64>; 2] {
    [0, 1].map(|parameter| path.at(step, parameter).collect())
}

/// Where they stand. θ₂ and −θ₂ are the same policy; the one that is not negative is counted.
fn standing(textbook: &Textbook, [theta_1, theta_2]: &[Vec<f64>; 2]) -> Standing {
    let utility = |theta: [f64; 2]| textbook.unbounded(&theta, 1.0, DEPTH).0;
    let pairs = || theta_1.iter().copied().zip(theta_2.iter().map(|theta| theta.abs()));
    let theta = [Spread::of(pairs().map(|(a, _)| a)), Spread::of(pairs().map(|(_, b)| b))];
    let products = pairs().map(|(a, b)| (a - theta[0].mean) * (b - theta[1].mean));
    Standing {
        covariance: products.sum::<f64>() / (theta_1.len() as f64 - 1.0),
        utility: Spread::of(pairs().map(|(a, b)| utility([a, b]))),
        utility_of_mean: utility(theta.map(|theta| theta.mean)),
        theta,
    }
}

impl Ascents {
    /// Those by gradients, then those by searches.
    fn parts(&self) -> [&[Ascent]; 2] {
        let (gradients, searches) = self.ascents.split_at(ESTIMATORS.len());
        [gradients, searches]
    }

    /// The data as CSV, a line for each way and step; columns are named in the first line.
    pub fn to_csv(&self) -> String {
        let spread =
            |name: &str| ["mean", "std", "q10", "median", "q90", "sample"].map(|part| format!("{name}_{part}"));
        let names = ["theta1", "theta2", "utility"].map(spread).concat().join(",");
        let mut text = format!("way,step,{names},theta_covariance,utility_of_mean\n");
        for ascent in &self.ascents {
            for (step, at) in ascent.steps.iter().enumerate() {
                let numbers = [at.theta[0], at.theta[1], at.utility].map(|spread| {
                    let Spread { mean, std, low, median, high, sample } = spread;
                    format!("{mean},{std},{low},{median},{high},{sample}")
                });
                let (name, numbers) = (ascent.way.name(), numbers.join(","));
                text += &format!("{name},{step},{numbers},{},{}\n", at.covariance, at.utility_of_mean);
            }
        }
        text
    }

    /// Writes regulator.png, .svg and .csv, and `regulator_search.png` and .svg into a directory; each appears whole or not at
    /// all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, out: &FilePath) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(out).map_err(|error| Error::file("create", out, &error))?;
        let (gradients, searches) = self.draw();
        let files = [
            ("regulator.png", gradients.to_png()?),
            ("regulator.svg", gradients.to_svg().into_bytes()),
            ("regulator_search.png", searches.to_png()?),
            ("regulator_search.svg", searches.to_svg().into_bytes()),
            ("regulator.csv", self.to_csv().into_bytes()),
        ];
        let write = |(name, bytes): (&str, Vec<u8>)| {
            let path = out.join(name);
            file::replace(&path, &bytes)?;
            Ok(path)
        };
        files.into_iter().map(write).collect()
    }
}
