//! What a kernel can be linked for: the alternatives behind the slots that algorithms choose.

use serde::{Deserialize, Serialize};

/// What a reduction combines, and from where: slots `element` and `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Moments of the advantages of each minibatch of an update.
    Advantages,
    /// Moments of the value targets of the batch, and of target − value.
    Targets,
    /// Moments of earlier moments.
    Moments,
    /// Moments of each feature of the batch's observations.
    Observations,
    /// Moments of the batch's discounted rewards.
    Discounted,
    /// Sums of what worlds counted of their episodes.
    Episodes,
    /// Sums of earlier sums.
    Sums,
    /// Sums of surrogate and divergence over the batch.
    Measures,
    /// Sums of importance weights and of their squares.
    Importance,
    /// Moments of each row that rollouts left.
    Rollouts,
    /// Moments of the differences of returns between pairs of agents.
    Differences,
}

impl Reduction {
    /// Every reduction.
    pub const ALL: [Self; 11] = [
        Self::Advantages,
        Self::Targets,
        Self::Observations,
        Self::Discounted,
        Self::Moments,
        Self::Episodes,
        Self::Sums,
        Self::Measures,
        Self::Importance,
        Self::Rollouts,
        Self::Differences,
    ];

    pub(super) fn parts(self) -> (&'static str, &'static [&'static str]) {
        const MINIBATCH: [&str; 3] = ["part/random_words.wgsl", "part/permute.wgsl", "part/minibatch.wgsl"];
        const ADVANTAGES: &[&str] =
            &["slot/element/moments.wgsl", "slot/source/advantages.wgsl", MINIBATCH[0], MINIBATCH[1], MINIBATCH[2]];
        match self {
            Self::Advantages => ("reduce advantages", ADVANTAGES),
            Self::Targets => ("reduce targets", &["slot/element/moments.wgsl", "slot/source/targets.wgsl"]),
            Self::Observations => {
                ("reduce observations", &["slot/element/moments.wgsl", "slot/source/observations.wgsl"])
            }
            Self::Discounted => ("reduce discounted", &["slot/element/moments.wgsl", "slot/source/discounted.wgsl"]),
            Self::Moments => ("reduce moments", &["slot/element/moments.wgsl", "slot/source/partials.wgsl"]),
            Self::Episodes => ("reduce episodes", &["slot/element/sum.wgsl", "slot/source/episodes.wgsl"]),
            Self::Sums => ("reduce sums", &["slot/element/sum.wgsl", "slot/source/partials.wgsl"]),
            Self::Importance => ("reduce importance", &["slot/element/sum.wgsl", "slot/source/importance.wgsl"]),
            Self::Measures => ("reduce measures", &["slot/element/sum.wgsl", "slot/source/measures.wgsl"]),
            Self::Rollouts => ("reduce rollouts", &["slot/element/moments.wgsl", "slot/source/rollouts.wgsl"]),
            Self::Differences => ("reduce differences", &["slot/element/moments.wgsl", "slot/source/differences.wgsl"]),
        }
    }
}

/// What a network is trained for: slot `objective`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// The clipped surrogate with an entropy bonus, for a policy.
    PpoClip,
    /// The surrogate with a penalty on the divergence from the rollout's policy.
    PpoKl,
    /// −log π Φ with an entropy bonus, for a policy.
    PolicyGradient,
    /// Squared error of the value.
    Value,
    /// Not a loss: the sum of ∇ log π.
    Score,
    /// Not a loss: the sum of the squares of ∇ log π.
    Squares {
        /// Whether each is multiplied by Φ.
        weighted: bool,
    },
    /// Not a loss: the product of the policy's Fisher matrix with a direction.
    Fisher,
}

/// What the policy gradient weighs ∇log π with: Φ. In the order of the ladder that leads from Williams (1992) to
/// Schulman et al. (2016).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Estimator {
    /// The discounted return of the whole episode.
    TotalReturn,
    /// The discounted return from the step on.
    RewardToGo,
    /// The return from the step on, less its mean over the batch.
    MeanBaseline,
    /// The return from the step on, less the baseline that makes the variance smallest, for each parameter.
    OptimalBaseline,
    /// The return from the step on, less V(o).
    ValueBaseline,
    /// The return from the step on, with V(o) for what comes after the rollout.
    Q,
    /// r + γ V(o') − V(o).
    TdResidual,
    /// The exponentially weighted sum of residuals.
    #[default]
    Gae,
}

impl Estimator {
    /// Every estimator, in the order of the ladder.
    pub const ALL: [Self; 8] = [
        Self::TotalReturn,
        Self::RewardToGo,
        Self::MeanBaseline,
        Self::OptimalBaseline,
        Self::ValueBaseline,
        Self::Q,
        Self::TdResidual,
        Self::Gae,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TotalReturn => "total-return",
            Self::RewardToGo => "reward-to-go",
            Self::MeanBaseline => "mean-baseline",
            Self::OptimalBaseline => "optimal-baseline",
            Self::ValueBaseline => "value-baseline",
            Self::Q => "q",
            Self::TdResidual => "td-residual",
            Self::Gae => "gae",
        }
    }

    /// Whether it needs a value network.
    pub fn has_critic(self) -> bool {
        matches!(self, Self::ValueBaseline | Self::Q | Self::TdResidual | Self::Gae)
    }

    /// What is computed along time, one after the other. `discounted` = with the factor γᵏ of the policy-gradient
    /// theorem, k steps after the episode's first; the total return has it by itself. `first` = of each world's first
    /// episode only.
    pub fn recursions(self, discounted: bool, first: bool) -> Vec<Recursion> {
        let returns = |phi: Phi, bootstraps: bool| Recursion::Returns { phi, bootstraps, critic: self.has_critic() };
        let weight = match self {
            Self::TotalReturn | Self::RewardToGo | Self::MeanBaseline | Self::OptimalBaseline => {
                returns(Phi::Return, false)
            }
            Self::ValueBaseline => returns(Phi::Advantage, false),
            Self::Q => returns(Phi::Return, true),
            Self::TdResidual => returns(Phi::Residual, true),
            Self::Gae => Recursion::Gae,
        };
        let total = self == Self::TotalReturn;
        let segment = Recursion::Segment { total, discounted: discounted && !total, first };
        let segment = (total || discounted || first).then_some(segment);
        [weight].into_iter().chain(segment).collect()
    }
}

/// How samples of older policies are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Importance {
    /// Samples weigh the ratio of the whole trajectory's probabilities.
    Full,
    /// Samples weigh the ratio of the trajectory up to the step.
    #[default]
    Causal,
    /// Samples weigh the step's own ratio.
    FirstOrder,
    /// Each reward by the ratio of the trajectory up to it.
    PerDecision,
}

impl Importance {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Causal => "causal",
            Self::FirstOrder => "first-order",
            Self::PerDecision => "per-decision",
        }
    }

    /// What turns log ρ and Φ into weighted Φ, one after the other.
    pub fn recursions(self) -> &'static [Recursion] {
        match self {
            Self::Full => &[Recursion::Ratio { product: true, weighs: false }, Recursion::Whole],
            Self::Causal => &[Recursion::Ratio { product: true, weighs: true }],
            Self::FirstOrder => &[Recursion::Ratio { product: false, weighs: true }],
            Self::PerDecision => &[Recursion::Ratio { product: true, weighs: false }, Recursion::PerDecision],
        }
    }
}

/// What is computed along the steps of a world: slot `recursion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursion {
    /// Generalised advantages, and their sums with the values as targets.
    Gae,
    /// Returns as targets, and a weight that follows from them.
    Returns {
        /// Φ.
        phi: Phi,
        /// Whether V stands for what comes after a truncation or the rollout.
        bootstraps: bool,
        /// Whether there are values.
        critic: bool,
    },
    /// What steps have from the beginning of their segment.
    Segment {
        /// Whether Φ becomes the segment's whole return.
        total: bool,
        /// Whether Φ is multiplied by γᵏ.
        discounted: bool,
        /// Whether Φ is 0 behind the first segment.
        first: bool,
    },
    /// Importance weights up to a step.
    Ratio {
        /// Whether they are products along the segment.
        product: bool,
        /// Whether Φ is weighted with them.
        weighs: bool,
    },
    /// The weight of a whole segment for all its steps.
    Whole,
    /// Returns of weighted rewards as Φ.
    PerDecision,
}

/// Φ of [`Recursion::Returns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phi {
    /// G.
    Return,
    /// G − V.
    Advantage,
    /// r + γV' − V.
    Residual,
}

/// How a recursion goes along time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverTime {
    /// A thread walks through the steps of a world.
    Serial,
    /// A workgroup scans the steps of a world.
    Scan,
}

/// What makes a step of a gradient: slot `optimizer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Optimizer {
    /// Kingma & Ba (2015).
    #[default]
    Adam,
    /// Tieleman & Hinton (2012), as `PyTorch` has it.
    RmsProp,
    /// Plain gradient descent.
    Sgd,
}

impl Optimizer {
    /// Its name, which is that of its kernel.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::RmsProp => "rmsprop",
            Self::Sgd => "sgd",
        }
    }

    pub(super) fn part(self) -> &'static str {
        match self {
            Self::Adam => "slot/optimizer/adam.wgsl",
            Self::RmsProp => "slot/optimizer/rmsprop.wgsl",
            Self::Sgd => "slot/optimizer/sgd.wgsl",
        }
    }
}
