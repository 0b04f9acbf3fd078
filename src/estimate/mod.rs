//! Estimates of the policy gradient ∇U(θ), U(θ) = E Σ_{k<D} γ^k r_k, for policies of the textbook whose gradient is known.
//!
//! A rollout is a thread (`shaders/estimate.wgsl`) and leaves one estimate; the device reduces them to mean and deviation.
//! What an estimator needs beforehand, a baseline or fitted values, comes from a batch of its own (stream 1), never from
//! the rollouts that it is applied to (stream 0).

mod ascent;
mod fit;
mod network;
mod textbook;

pub use ascent::{GradientAscent, Path, ascend};
pub use network::{NETWORK_ESTIMATORS, NetworkSettings, estimate_network};
pub use textbook::Textbook;

use crate::env::Environment;
use crate::error::{Error, Result, did_you_mean};
use crate::gpu::{Buffer, Buffers, Gpu, LOOP_BUDGET, Recording};
use crate::kernels::{Kernels, Sums};
use crate::layout::{self, OWN_ROWS};
use crate::plan::{Plan, Target};
use crate::reference::philox::{philox4x32_10, uniform};
use crate::stage::Estimates;
use serde::Serialize;

/// How a gradient is estimated. ℓ_k = γ^k ∇ log π(a_k | s_k), R_k = Σ_{j≥k} γ^{j−k} r_j.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// (Σ_k ∇ log π_k) · R_0
    TotalReturn,
    /// Σ_k ℓ_k R_k
    RewardToGo,
    /// Σ_k ℓ_k (R_k − b), b the mean of R_k over steps and rollouts.
    MeanBaseline,
    /// Σ_k ℓ_k (R_k − b), b_i the mean over rollouts of Σ_k ℓ_ki² R_k / Σ_k ℓ_ki²: the textbook's program.
    OptimalBaseline,
    /// The same with the ratio of the means: the textbook's formula.
    PooledBaseline,
    /// Σ_k ℓ_k (R_k − V_k(s_k))
    ValueBaseline,
    /// Σ_k ℓ_k (r_k + γ V_{k+1}(s_{k+1}))
    Q,
    /// Σ_k ℓ_k δ_k, δ_k = r_k + γ V_{k+1}(s_{k+1}) − V_k(s_k)
    TdResidual,
    /// Σ_k ℓ_k Σ_{j≥k} (γλ)^{j−k} δ_j
    Gae,
    /// (R_0 at θ + h e_i − R_0 at θ − h e_i) / 2h, with the same random numbers.
    FiniteDifference,
    /// Slopes of the mean return over random θ near by, by least squares.
    Regression,
    /// (R_0 at θ + h ε − R_0 at θ − h ε)/2h · ε, ε ~ N(0, 1), with the same random numbers: the gradient of the mean return
    /// under perturbed θ.
    EvolutionStrategies,
    /// (R_0 at θ + h Δ − R_0 at θ − h Δ)/2h · Δ, Δ_i = ±1, with the same random numbers (Spall 1992).
    Spsa,
}

impl Estimator {
    /// Every estimator, in the order in which the textbook comes to them.
    pub const ALL: [Self; 13] = [
        Self::TotalReturn,
        Self::RewardToGo,
        Self::MeanBaseline,
        Self::OptimalBaseline,
        Self::PooledBaseline,
        Self::ValueBaseline,
        Self::Q,
        Self::TdResidual,
        Self::Gae,
        Self::FiniteDifference,
        Self::Regression,
        Self::EvolutionStrategies,
        Self::Spsa,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TotalReturn => "total-return",
            Self::RewardToGo => "reward-to-go",
            Self::MeanBaseline => "mean-baseline",
            Self::OptimalBaseline => "optimal-baseline",
            Self::PooledBaseline => "pooled-baseline",
            Self::ValueBaseline => "value-baseline",
            Self::Q => "q",
            Self::TdResidual => "td-residual",
            Self::Gae => "gae",
            Self::FiniteDifference => "finite-difference",
            Self::Regression => "regression",
            Self::EvolutionStrategies => "evolution-strategies",
            Self::Spsa => "spsa",
        }
    }

    /// The estimator of this name.
    ///
    /// # Errors
    /// [`Error::Setting`] with the nearest name where there is none.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|estimator| estimator.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let (near, all) = (did_you_mean(name, names), names.join(", "));
            Error::setting("estimator", format!("there is no '{name}'{near} there are {all}"))
        })
    }

    /// Slot `estimator` of the rollouts that leave the estimates.
    fn sums(self) -> Sums {
        match self {
            Self::TotalReturn => Sums::TotalReturn,
            Self::RewardToGo => Sums::RewardToGo,
            Self::MeanBaseline | Self::OptimalBaseline | Self::PooledBaseline => Sums::Baseline,
            Self::ValueBaseline => Sums::ValueBaseline,
            Self::Q => Sums::Q,
            Self::TdResidual => Sums::TdResidual,
            Self::Gae => Sums::Gae,
            Self::FiniteDifference | Self::Regression | Self::EvolutionStrategies | Self::Spsa => Sums::Utility,
        }
    }

    /// Whether it asks for values of states.
    pub fn needs_values(self) -> bool {
        matches!(self, Self::ValueBaseline | Self::Q | Self::TdResidual | Self::Gae)
    }
}

/// Where values of states come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Values {
    /// The closed form of [`Textbook::values`].
    #[default]
    Exact,
    /// A quadratic for each step, fitted to R_k by least squares.
    Learned,
}

impl Values {
    /// The values of this name.
    ///
    /// # Errors
    /// [`Error::Setting`] where there are none.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "exact" => Ok(Self::Exact),
            "learned" => Ok(Self::Learned),
            _ => Err(Error::setting("values", format!("'{name}' is not allowed; it is exact or learned"))),
        }
    }
}

/// What is estimated, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The estimator.
    pub estimator: Estimator,
    /// Parameters θ of the policy.
    pub theta: Vec<f64>,
    /// Rollouts M that each leave an estimate.
    pub rollouts: u32,
    /// Steps D of a rollout.
    pub depth: u32,
    /// Discount γ, from 0 to 1.
    pub gamma: f64,
    /// Trace decay λ of `gae`, from 0 to 1.
    pub lambda: f64,
    /// Whether ℓ_k has its factor γ^k. Most practice leaves it out; the estimate is not of ∇U then, unless γ is 1.
    pub discount_gradient: bool,
    /// Where values of states come from.
    pub values: Values,
    /// How far θ is moved: h of `finite-difference`, the length of a perturbation of `regression`.
    pub delta: f64,
    /// Seed of all random numbers.
    pub seed: u32,
}

impl Settings {
    /// Defaults for an environment's textbook policy: 400,000 rollouts of depth 10, γ = 1, λ = 0.95, θ moved
    /// by 0.01 (finite-difference: the same random numbers) or 0.05 (regression: others).
    pub fn new(textbook: &Textbook, estimator: Estimator) -> Self {
        Self {
            estimator,
            theta: textbook.default_theta(),
            rollouts: 400_000,
            depth: 10,
            gamma: 1.0,
            lambda: 0.95,
            discount_gradient: true,
            values: Values::Exact,
            delta: match estimator {
                Estimator::Regression | Estimator::EvolutionStrategies => 0.05,
                _ => 0.01,
            },
            seed: 1,
        }
    }

    /// Bytes of the largest buffer, for [`Gpu::new`].
    pub fn largest_buffer(&self) -> u64 {
        let n = self.theta.len() as u64;
        let rows = match self.estimator {
            Estimator::FiniteDifference => 2 * n * u64::from(OWN_ROWS),
            _ => u64::from(OWN_ROWS) + n,
        };
        4 * rows * u64::from(self.rollouts)
    }

    /// Refuses what cannot be.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self, textbook: &Textbook) -> Result<()> {
        textbook.check(&self.theta)?;
        let share = |name: &str, x: f64| {
            let wrong = || Error::setting(name, format!("{x} is not allowed; it must be from 0 to 1"));
            if (0.0..=1.0).contains(&x) { Ok(()) } else { Err(wrong()) }
        };
        share("gamma", self.gamma)?;
        share("lambda", self.lambda)?;
        let least = if self.estimator == Estimator::Regression { self.theta.len() as u32 + 2 } else { 2 };
        if self.rollouts < least {
            let reason = format!("{} is not allowed; it must be at least {least} for a deviation", self.rollouts);
            return Err(Error::setting("rollouts", reason));
        }
        if self.depth == 0 || u64::from(self.depth) > LOOP_BUDGET {
            let reason = format!("{} is not allowed; it must be at least 1, at most {LOOP_BUDGET}", self.depth);
            return Err(Error::setting("depth", reason));
        }
        if !(1e-4..=1e3).contains(&self.delta) {
            let reason = format!("{} is not allowed; it must be from 0.0001 to 1000", self.delta);
            return Err(Error::setting("delta", reason));
        }
        Ok(())
    }
}

/// An estimate of a gradient. Lists are `[parameter]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The environment.
    pub env: String,
    /// The policy.
    pub policy: &'static str,
    /// The estimator.
    pub estimator: Estimator,
    /// Parameters θ of the policy.
    pub theta: Vec<f64>,
    /// Estimates M; each comes from one rollout, but 2 n of `finite-difference`.
    pub rollouts: u32,
    /// Rollouts in all, those of the independent batch included.
    pub simulated: u64,
    /// Steps D of a rollout.
    pub depth: u32,
    /// Discount γ.
    pub gamma: f64,
    /// Trace decay λ; `gae` only.
    pub lambda: Option<f64>,
    /// Whether ℓ_k has its factor γ^k.
    pub discount_gradient: bool,
    /// Where values come from, if any are used.
    pub values: Option<Values>,
    /// The seed.
    pub seed: u32,
    /// Mean of the estimates.
    pub gradient: Vec<f64>,
    /// Standard deviation of one estimate, n − 1 in the denominator; √M times the standard error for `regression`.
    pub std: Vec<f64>,
    /// Standard error of the mean: std / √M.
    pub stderr: Vec<f64>,
    /// ∇U(θ), where a closed form holds.
    pub exact: Option<Vec<f64>>,
    /// gradient − exact.
    pub bias: Option<Vec<f64>>,
    /// The baseline that was subtracted.
    pub baseline: Option<Vec<f64>>,
    /// Mean return Σ γ^k r_k of the rollouts, around θ where the estimator moves it.
    pub utility: f64,
    /// U(θ), where a closed form holds.
    pub utility_exact: Option<f64>,
}

/// Most rollouts of the independent batch.
const BATCH: u32 = 1 << 16;
/// Most words that the independent batch may leave.
const BATCH_WORDS: u32 = 1 << 24;
/// Most θ of a regression.
const PERTURBATIONS: u32 = 1024;
/// Random stream of the estimates.
const STREAM: u32 = 0;
/// Random stream of the independent batch.
const STREAM_BATCH: u32 = 1;
/// Purpose of the random numbers that perturb θ.
const PURPOSE_PERTURBATION: u32 = 6;

/// Estimates the gradient.
///
/// # Errors
/// [`Error::Environment`] where the textbook has no policy for `env`, [`Error::Setting`] as [`Settings::check`] and where
/// exact values are asked for that do not exist, and as [`Estimates::new`].
pub fn estimate(gpu: &Gpu, env: &Environment, settings: &Settings) -> Result<Estimate> {
    let textbook = Textbook::of(env)?;
    settings.check(&textbook)?;
    let work = Work { gpu, env, textbook, settings };
    let exact = textbook.utility(&settings.theta, settings.gamma, settings.depth);
    let found = match settings.estimator {
        Estimator::FiniteDifference => work.finite_difference()?,
        Estimator::Regression => work.regression()?,
        Estimator::EvolutionStrategies => work.directions(normal)?,
        Estimator::Spsa => work.directions(sign)?,
        _ => work.scored()?,
    };
    let (utility_exact, exact) = exact.unzip();
    let settings = settings.clone();
    let root = f64::from(found.rollouts).sqrt();
    Ok(Estimate {
        env: env.name().to_owned(),
        policy: textbook.name(),
        estimator: settings.estimator,
        theta: settings.theta,
        rollouts: found.rollouts,
        simulated: found.simulated,
        depth: settings.depth,
        gamma: settings.gamma,
        lambda: (settings.estimator == Estimator::Gae).then_some(settings.lambda),
        discount_gradient: settings.discount_gradient,
        values: settings.estimator.needs_values().then_some(settings.values),
        seed: settings.seed,
        bias: exact.as_ref().map(|exact| found.gradient.iter().zip(exact).map(|(g, e)| g - e).collect()),
        gradient: found.gradient,
        std: found.stderr.iter().map(|error| error * root).collect(),
        stderr: found.stderr,
        exact,
        baseline: found.baseline,
        utility: found.utility,
        utility_exact,
    })
}

/// What an estimator found; lists are `[parameter]`.
struct Found {
    gradient: Vec<f64>,
    stderr: Vec<f64>,
    utility: f64,
    baseline: Option<Vec<f64>>,
    rollouts: u32,
    simulated: u64,
}

/// What the device says of a row: its mean, and the standard error of that.
#[derive(Clone, Copy)]
struct Moments {
    mean: f64,
    error: f64,
}

impl Moments {
    fn of([count, mean, squares, _]: [f32; 4]) -> Self {
        let count = f64::from(count);
        let variance = f64::from(squares) / (count - 1.0).max(1.0);
        Self { mean: f64::from(mean), error: (variance / count).sqrt() }
    }
}

struct Work<'a> {
    gpu: &'a Gpu,
    env: &'a Environment,
    textbook: Textbook,
    settings: &'a Settings,
}

impl Work<'_> {
    fn kernels(&self, agents: u32) -> Kernels<'_> {
        Kernels { agents, ..Kernels::of_worlds(self.gpu.form_for(0), &self.env.spec().action_space) }
    }

    /// Rollouts under each of these θ, `[agent][parameter]`, with what their sums want beside it.
    fn rollouts(
        &self,
        plan: &mut Plan,
        sums: Sums,
        theta: Vec<f32>,
        shape: layout::Estimate,
        buffers: &Buffers,
    ) -> Result<Estimates> {
        let settings = self.settings;
        let (gamma, policy) = (settings.gamma as f32, self.textbook.kind());
        let weighed = settings.discount_gradient && settings.estimator != Estimator::TotalReturn;
        let shape = layout::Estimate {
            seed: settings.seed,
            depth: settings.depth,
            gamma,
            weight_gamma: if weighed { gamma } else { 1.0 },
            lambda: settings.lambda as f32,
            ..shape
        };
        let agents = theta.len() as u32 / policy.parameters();
        let buffers = buffers.with("mw_theta", &list(plan, "theta", theta)?);
        Estimates::new(plan, &self.kernels(agents), self.env, policy, sums, shape, &buffers)
    }

    /// θ as the device has it.
    fn theta(&self) -> Vec<f32> {
        self.settings.theta.iter().map(|x| *x as f32).collect()
    }

    /// Runs rollouts of so many agents; gives the moments of every row, `[agent][row]`.
    fn moments(&self, mut plan: Plan, agents: u32, estimates: &Estimates) -> Result<Vec<Moments>> {
        let reduced = estimates.moments(&mut plan, &self.kernels(agents))?;
        plan.build(self.gpu)?;
        let mut recording = Recording::default();
        estimates.record(&mut recording);
        reduced.record(&mut recording);
        let moments = self.gpu.submit_and_read(&recording, &[reduced.result.raw()])?.wait(self.gpu)?.take(0);
        Ok(moments.into_iter().map(Moments::of).collect())
    }

    fn plan(&self) -> Plan {
        Plan::new(Target::of(self.gpu))
    }

    /// Estimators that multiply scores.
    fn scored(&self) -> Result<Found> {
        let settings = self.settings;
        let parameters = settings.theta.len();
        let (mut plan, mut buffers) = (self.plan(), Buffers::default());
        let mut simulated = u64::from(settings.rollouts);
        let baseline = match settings.estimator.sums() {
            Sums::Baseline => {
                let (baseline, rollouts) = self.baseline()?;
                simulated += u64::from(rollouts);
                let words = baseline.iter().map(|b| *b as f32).collect();
                buffers = buffers.with("mw_baseline", &list(&mut plan, "baseline", words)?);
                Some(baseline)
            }
            _ => None,
        };
        if settings.estimator.needs_values() {
            let (values, rollouts) = self.values()?;
            simulated += u64::from(rollouts);
            let words = values.iter().flatten().map(|c| *c as f32).collect();
            buffers = buffers.with("mw_values", &list(&mut plan, "values", words)?);
        }
        let shape = layout::Estimate { rollouts: settings.rollouts, stream: STREAM, ..layout::Estimate::default() };
        let estimates = self.rollouts(&mut plan, settings.estimator.sums(), self.theta(), shape, &buffers)?;
        let rows = self.moments(plan, 1, &estimates)?;
        let own = &rows[OWN_ROWS as usize..][..parameters];
        Ok(Found {
            gradient: own.iter().map(|row| row.mean).collect(),
            stderr: own.iter().map(|row| row.error).collect(),
            utility: rows[0].mean,
            baseline,
            rollouts: settings.rollouts,
            simulated,
        })
    }

    /// Shape of the independent batch for rows of `sums`.
    fn batch(&self, sums: Sums) -> layout::Estimate {
        let rows = sums.rows(self.settings.theta.len() as u32, self.settings.depth);
        let rollouts = self.settings.rollouts.min(BATCH).min((BATCH_WORDS / rows).max(1));
        layout::Estimate { rollouts, stream: STREAM_BATCH, ..layout::Estimate::default() }
    }

    /// The baseline of each parameter, and the rollouts of the independent batch that it comes from.
    fn baseline(&self) -> Result<(Vec<f64>, u32)> {
        let n = self.settings.theta.len();
        let shape = self.batch(Sums::BaselineTerms);
        let mut plan = self.plan();
        let none = Buffers::default();
        let estimates = self.rollouts(&mut plan, Sums::BaselineTerms, self.theta(), shape, &none)?;
        let rows = self.moments(plan, 1, &estimates)?;
        // g, S, A/B, A, B of each parameter, then T
        let own = |group: usize, i: usize| rows[OWN_ROWS as usize + group * n + i].mean;
        let steps = rows[1].mean;
        let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        let baseline = |i: usize| match self.settings.estimator {
            Estimator::MeanBaseline => own(5, 0) / steps,
            Estimator::OptimalBaseline => own(2, i),
            _ => ratio(own(3, i), own(4, i)),
        };
        Ok(((0..n).map(baseline).collect(), shape.rollouts))
    }

    /// V_k of every step, and the rollouts of the independent batch that it comes from.
    fn values(&self) -> Result<(Vec<[f64; 3]>, u32)> {
        let settings = self.settings;
        if settings.values == Values::Exact {
            let exact = self.textbook.values(&settings.theta, settings.gamma, settings.depth);
            let exact = exact.ok_or_else(|| {
                Error::setting(
                    "values",
                    "under this θ states reach their bounds, where no exact values are known; use learned",
                )
            })?;
            return Ok((exact, 0));
        }
        let shape = self.batch(Sums::Trajectory);
        let mut plan = self.plan();
        let estimates = self.rollouts(&mut plan, Sums::Trajectory, self.theta(), shape, &Buffers::default())?;
        plan.build(self.gpu)?;
        let mut recording = Recording::default();
        estimates.record(&mut recording);
        let rows: Vec<f32> = self.gpu.submit_and_read(&recording, &[estimates.rows.raw()])?.wait(self.gpu)?.take(0);
        let m = shape.rollouts as usize;
        let at = |row: usize, j: usize| f64::from(rows[row * m + j]);
        let (state, reward) = (|k: usize| OWN_ROWS as usize + 2 * k, |k: usize| OWN_ROWS as usize + 2 * k + 1);
        let mut to_go = vec![0.0; m];
        let mut values = vec![[0.0; 3]; settings.depth as usize];
        for (k, value) in values.iter_mut().enumerate().rev() {
            let made: Vec<usize> = (0..m).filter(|&j| at(1, j) > k as f64).collect();
            for &j in &made {
                to_go[j] = at(reward(k), j) + settings.gamma * to_go[j];
            }
            *value = fit::quadratic(made.iter().map(|&j| (at(state(k), j), to_go[j])));
        }
        Ok((values, shape.rollouts))
    }

    /// Central differences; both sides of a difference see the same random numbers.
    fn finite_difference(&self) -> Result<Found> {
        let (settings, n) = (self.settings, self.settings.theta.len());
        // θ + h e_0, θ − h e_0, θ + h e_1, …
        let moved = |agent: usize| {
            let mut theta = settings.theta.clone();
            theta[agent / 2] += if agent.is_multiple_of(2) { settings.delta } else { -settings.delta };
            theta.into_iter().map(|x| x as f32)
        };
        let theta: Vec<f32> = (0..2 * n).flat_map(moved).collect();
        // as far apart as they are in f32
        let apart = |i: usize| f64::from(theta[2 * i * n + i]) - f64::from(theta[(2 * i + 1) * n + i]);
        if let Some(i) = (0..n).find(|&i| apart(i) == 0.0) {
            let (name, theta, h) = (self.textbook.parameters()[i], settings.theta[i], settings.delta);
            return Err(Error::setting("delta", format!("{h} does not move {name} = {theta} in f32; choose more")));
        }
        let agents = 2 * n as u32;
        let shape = layout::Estimate { rollouts: settings.rollouts, stream: STREAM, ..layout::Estimate::default() };
        let mut plan = self.plan();
        let estimates = self.rollouts(&mut plan, Sums::Utility, theta.clone(), shape, &Buffers::default())?;
        let differences = estimates.differences(&mut plan, &self.kernels(agents))?;
        let rows = self.moments(plan, agents, &estimates)?;
        let mut recording = Recording::default();
        differences.record(&mut recording);
        let differences = self.gpu.submit_and_read(&recording, &[differences.result.raw()])?.wait(self.gpu)?.take(0);
        let differences: Vec<Moments> = differences.into_iter().map(Moments::of).collect();
        Ok(Found {
            gradient: (0..n).map(|i| differences[i].mean / apart(i)).collect(),
            stderr: (0..n).map(|i| differences[i].error / apart(i)).collect(),
            utility: mean_return(&rows),
            baseline: None,
            rollouts: settings.rollouts,
            simulated: u64::from(settings.rollouts) * u64::from(agents),
        })
    }

    /// Central differences along random directions, of which the gradient is the mean, each times its direction. Both sides of
    /// a difference see the same random numbers, and every pair its own.
    fn directions(&self, component: fn([u32; 4]) -> f64) -> Result<Found> {
        let (settings, n) = (self.settings, self.settings.theta.len());
        let pairs = (settings.rollouts / 2).clamp(2, PERTURBATIONS);
        let each = settings.rollouts.div_ceil(2 * pairs);
        let direction = |pair: u32| -> Vec<f64> {
            let words = |i: usize| philox4x32_10([pair, i as u32, PURPOSE_PERTURBATION, 1], [settings.seed, STREAM]);
            (0..n).map(|i| component(words(i))).collect()
        };
        let moved = |agent: u32| {
            let side = if agent.is_multiple_of(2) { settings.delta } else { -settings.delta };
            let along = direction(agent / 2);
            settings.theta.iter().zip(along).map(move |(x, d)| (x + side * d) as f32).collect::<Vec<f32>>()
        };
        let agents = 2 * pairs;
        let theta: Vec<f32> = (0..agents).flat_map(moved).collect();
        let shape = layout::Estimate { rollouts: each, apart: each, together: 2, stream: STREAM, ..Default::default() };
        let mut plan = self.plan();
        let estimates = self.rollouts(&mut plan, Sums::Utility, theta, shape, &Buffers::default())?;
        let rows = self.moments(plan, agents, &estimates)?;
        let returns: Vec<f64> = rows.chunks_exact(OWN_ROWS as usize).map(|rows| rows[0].mean).collect();
        let samples: Vec<Vec<f64>> = (0..pairs)
            .map(|pair| {
                let apart = (returns[2 * pair as usize] - returns[2 * pair as usize + 1]) / (2.0 * settings.delta);
                direction(pair).into_iter().map(|d| apart * d).collect()
            })
            .collect();
        let count = f64::from(pairs);
        let mean = |i: usize| samples.iter().map(|sample| sample[i]).sum::<f64>() / count;
        let gradient: Vec<f64> = (0..n).map(mean).collect();
        let squares = |i: usize| samples.iter().map(|sample| (sample[i] - gradient[i]).powi(2)).sum::<f64>();
        let stderr = (0..n).map(|i| (squares(i) / (count - 1.0) / count).sqrt()).collect();
        let rollouts = agents * each;
        Ok(Found {
            gradient,
            stderr,
            utility: mean_return(&rows),
            baseline: None,
            rollouts,
            simulated: u64::from(rollouts),
        })
    }

    /// Least squares over θ that are moved by δ in random directions, rollouts shared out evenly.
    fn regression(&self) -> Result<Found> {
        let (settings, n) = (self.settings, self.settings.theta.len());
        let agents = settings.rollouts.min(PERTURBATIONS);
        let each = settings.rollouts.div_ceil(agents);
        let theta: Vec<f32> =
            (0..agents).flat_map(|agent| perturbed(&settings.theta, settings.delta, agent, settings.seed)).collect();
        let shape = layout::Estimate { rollouts: each, apart: each, stream: STREAM, ..layout::Estimate::default() };
        let mut plan = self.plan();
        let estimates = self.rollouts(&mut plan, Sums::Utility, theta.clone(), shape, &Buffers::default())?;
        let rows = self.moments(plan, agents, &estimates)?;
        let returns: Vec<f64> = rows.chunks_exact(OWN_ROWS as usize).map(|rows| rows[0].mean).collect();
        let points: Vec<Vec<f64>> =
            theta.chunks_exact(n).map(|theta| theta.iter().map(|x| f64::from(*x)).collect()).collect();
        let fit = fit::slopes(&points, &returns);
        let rollouts = agents * each;
        Ok(Found {
            gradient: fit.slopes,
            stderr: fit.errors,
            utility: mean_return(&rows),
            baseline: None,
            rollouts,
            simulated: u64::from(rollouts),
        })
    }
}

/// A standard normal number (Box & Muller 1958).
fn normal(words: [u32; 4]) -> f64 {
    (-2.0 * uniform(words[0]).ln()).sqrt() * (std::f64::consts::TAU * uniform(words[1])).cos()
}

/// 1 or −1, each as likely.
fn sign(words: [u32; 4]) -> f64 {
    if words[0] & 1 == 1 { 1.0 } else { -1.0 }
}

/// A buffer with these numbers.
fn list(plan: &mut Plan, name: &'static str, numbers: Vec<f32>) -> Result<Buffer<f32>> {
    plan.filled(name, &[("numbers", numbers.len() as u64)], "rollouts or depth", move || numbers.clone())
}

/// Mean over agents of their mean returns, the first of their rows.
fn mean_return(rows: &[Moments]) -> f64 {
    let agents = rows.chunks_exact(OWN_ROWS as usize);
    let count = agents.len() as f64;
    agents.map(|rows| rows[0].mean).sum::<f64>() / count
}

/// θ moved by `delta` in the random direction number `agent`.
fn perturbed(theta: &[f64], delta: f64, agent: u32, seed: u32) -> Vec<f32> {
    let normal = |i: usize| {
        let words = philox4x32_10([agent, i as u32 / 2, PURPOSE_PERTURBATION, 0], [seed, STREAM]);
        let (radius, angle) = ((-2.0 * uniform(words[0]).ln()).sqrt(), std::f64::consts::TAU * uniform(words[1]));
        radius * if i.is_multiple_of(2) { angle.cos() } else { angle.sin() }
    };
    let direction: Vec<f64> = (0..theta.len()).map(normal).collect();
    let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    theta.iter().zip(&direction).map(|(x, d)| (x + delta * d / length) as f32).collect()
}
