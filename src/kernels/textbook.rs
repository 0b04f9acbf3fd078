//! What kernels with a policy of the textbook can be linked for.

use crate::layout::OWN_ROWS;

/// A policy of the textbook, written out: slot `policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextbookPolicy {
    /// a ~ N(θ₁ s, θ₂²)
    LinearGaussian,
    /// π(0) = clamp(θ, 0, 1)
    Clamp,
}

impl TextbookPolicy {
    /// Number of its parameters.
    pub fn parameters(self) -> u32 {
        match self {
            Self::LinearGaussian => 2,
            Self::Clamp => 1,
        }
    }

    pub(super) fn part(self) -> &'static str {
        match self {
            Self::LinearGaussian => "slot/policy/linear_gaussian.wgsl",
            Self::Clamp => "slot/policy/clamp.wgsl",
        }
    }
}

/// What a rollout sums up for an estimate of the policy gradient: slot `estimator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// All scores times the whole return.
    TotalReturn,
    /// Each score times the rewards that follow.
    RewardToGo,
    /// The same less a baseline for each parameter.
    Baseline,
    /// What baselines are made of.
    BaselineTerms,
    /// Each score times the rewards that follow, less the value of its state.
    ValueBaseline,
    /// Each score times one reward and the value of what it led to.
    Q,
    /// Each score times the residual of its step.
    TdResidual,
    /// Each score times the decaying sum of residuals.
    Gae,
    /// Nothing: returns are enough.
    Utility,
    /// Observations and rewards of every step.
    Trajectory,
}

impl Sums {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::TotalReturn,
        Self::RewardToGo,
        Self::Baseline,
        Self::BaselineTerms,
        Self::ValueBaseline,
        Self::Q,
        Self::TdResidual,
        Self::Gae,
        Self::Utility,
        Self::Trajectory,
    ];

    /// Rows that it leaves of a rollout of `depth` steps with so many parameters, [`OWN_ROWS`] before them.
    pub fn rows(self, parameters: u32, depth: u32) -> u32 {
        match self {
            Self::BaselineTerms => OWN_ROWS + 5 * parameters + 1,
            Self::Utility => OWN_ROWS,
            Self::Trajectory => depth.saturating_mul(2).saturating_add(OWN_ROWS),
            _ => OWN_ROWS + parameters,
        }
    }

    pub(super) fn parts(self) -> (&'static str, &'static [&'static str]) {
        const VALUE: &str = "part/state_value.wgsl";
        match self {
            Self::TotalReturn => ("estimate total return", &["slot/estimator/total_return.wgsl"]),
            Self::RewardToGo => ("estimate reward to go", &["slot/estimator/reward_to_go.wgsl"]),
            Self::Baseline => ("estimate baseline", &["slot/estimator/baseline.wgsl"]),
            Self::BaselineTerms => ("estimate baseline terms", &["slot/estimator/baseline_terms.wgsl"]),
            Self::ValueBaseline => ("estimate value baseline", &[VALUE, "slot/estimator/value_baseline.wgsl"]),
            Self::Q => ("estimate q", &[VALUE, "slot/estimator/q.wgsl"]),
            Self::TdResidual => ("estimate td residual", &[VALUE, "slot/estimator/td_residual.wgsl"]),
            Self::Gae => ("estimate gae", &[VALUE, "slot/estimator/gae.wgsl"]),
            Self::Utility => ("estimate utility", &["slot/estimator/utility.wgsl"]),
            Self::Trajectory => ("estimate trajectory", &["slot/estimator/trajectory.wgsl"]),
        }
    }
}

/// How the estimates of a repetition's rollouts become one: slot `combine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// Their mean.
    Mean,
    /// The mean of each less a baseline of the others.
    LeaveOneOut,
}
