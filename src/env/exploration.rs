//! How a policy over real numbers explores, and what follows from it for kernels.

use super::ActionSpace;
use crate::error::{Error, Result};
use crate::shader::Constants;
use serde::Serialize;

/// How a policy over real numbers explores. Choices have nothing of it: [`Exploration::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exploration {
    /// Whether what is drawn goes into the bounds by tanh, instead of being clipped to them.
    pub squash: bool,
    /// Where its deviations come from.
    pub deviation: Deviation,
}

/// Where the deviations of a policy over real numbers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Deviation {
    /// They are parameters of their own, the same for every observation: logarithms.
    #[default]
    Free,
    /// They are outputs of the network: logarithms, held to bounds.
    Clamped {
        /// Least and greatest.
        log_std: [f32; 2],
    },
    /// They depend on the state, by parameters of their own.
    StateDependent(StateDependent),
    /// There are none: the policy is deterministic.
    None,
}

/// Exploration by a random matrix times the observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateDependent {
    /// Features that the matrix is multiplied with: the numbers of an observation, and 1.
    pub features: u32,
    /// Steps of an episode for which a matrix is kept.
    pub steps: u32,
}

/// Bounds that the first policy hardly reaches: it draws from N(0, σ²) and clips.
///
/// ```text
///   clipped = 1 − ∫ N(x; 0, σ²) dx from low to high              share of its draws that end at a bound
///   reached = |[−3σ, 3σ] ∩ [low, high]| / (high − low)           share of the range that the others come from
/// ```
///
/// They do not fit where more than [`MOST_CLIPPED`] is clipped or less than [`LEAST_REACHED`] is reached: nothing is learned
/// from draws that all do the same, and what is never tried is found by small steps of the mean only.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Misfit {
    /// Which number of an action, from 0: the one that fits least.
    pub number: usize,
    /// Its lower bound.
    pub low: f32,
    /// Its upper bound.
    pub high: f32,
    /// Deviation σ of the first policy.
    pub std: f64,
    /// Share of its draws that are clipped.
    pub clipped: f64,
    /// Share of the range within three deviations.
    pub reached: f64,
    /// Whether `squash=true` is possible: it needs bounds less than 10⁶ apart.
    pub can_squash: bool,
}

/// Largest share of the first draws that may be clipped; from 0 to 1 it is 0.66, which is learned from.
pub const MOST_CLIPPED: f64 = 0.75;
/// Least share of a range that the first draws must reach.
pub const LEAST_REACHED: f64 = 0.1;

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, low, high, std, .. } = self;
        let (clipped, reached) = (100.0 * self.clipped, 100.0 * self.reached);
        let remedy = if self.can_squash {
            "set squash=true, which draws between the bounds"
        } else {
            "let the environment scale actions that are between -1 and 1"
        };
        write!(
            f,
            "number {number} of an action is from {low} to {high}, but the first policy draws from N(0, {std}²): {clipped:.0} % \
             of its draws are clipped to a bound, and they reach {reached:.0} % of the range; {remedy}"
        )
    }
}

/// Most outputs of a policy with state-dependent deviations: its network and its kernels stay in registers then.
const MOST_OUTPUTS: u32 = 128;
/// Bounds this far apart mean that there are none.
pub(crate) const UNBOUNDED: f32 = 1e6;

impl Exploration {
    /// The random matrix by which it explores, if it does so.
    pub fn state_dependent(&self) -> Option<StateDependent> {
        match self.deviation {
            Deviation::StateDependent(state) => Some(state),
            Deviation::Free | Deviation::Clamped { .. } | Deviation::None => None,
        }
    }

    /// Logarithms of deviations that a policy has for each number of an action.
    pub(super) fn deviations(&self) -> u32 {
        self.state_dependent().map_or(1, |state| state.features)
    }

    /// Refuses what these actions cannot have.
    ///
    /// # Errors
    /// [`Error::Setting`] with the actions, the arithmetic and the remedy.
    pub fn check(&self, env: &str, space: &ActionSpace) -> Result<()> {
        let asked = [("squash", self.squash), ("use_sde", self.state_dependent().is_some())];
        let ActionSpace::Box { low, high } = space else {
            return match asked.into_iter().find(|(_, asked)| *asked) {
                Some((name, _)) => {
                    let reason =
                        format!("{env} has {space} actions, and this is for real numbers only; leave it false");
                    Err(Error::setting(name, reason))
                }
                None => Ok(()),
            };
        };
        if let Some(i) = (0..low.len()).find(|&i| self.squash && high[i] - low[i] >= UNBOUNDED) {
            let reason = format!(
                "number {i} of an action of {env} goes from {:e} to {:e}, which is no bound to squash it into; leave it \
                 false, or give the environment bounds less than {UNBOUNDED:e} apart",
                low[i], high[i]
            );
            return Err(Error::setting("squash", reason));
        }
        let outputs = space.outputs(*self);
        if let Some(state) = self.state_dependent()
            && outputs > MOST_OUTPUTS
        {
            let (features, numbers) = (state.features, space.words());
            let reason = format!(
                "{numbers} means + {features} features (the observation and 1) × {numbers} numbers = {outputs} outputs of \
                 the policy, at most {MOST_OUTPUTS} are possible; leave it false for {env}"
            );
            return Err(Error::setting("use_sde", reason));
        }
        Ok(())
    }

    /// The bounds that fit least a first policy whose deviations have the logarithm `log_std`, if there are such. What is
    /// squashed always fits, and so does what has no bounds.
    pub fn misfit(&self, space: &ActionSpace, log_std: f64) -> Option<Misfit> {
        let ActionSpace::Box { low, high } = space else { return None };
        if self.squash || self.deviation == Deviation::None {
            return None;
        }
        let std = log_std.exp();
        let can_squash = low.iter().zip(high).all(|(low, high)| high - low < UNBOUNDED);
        let of = |(number, (&low, &high)): (usize, (&f32, &f32))| {
            let (from, to) = (f64::from(low).max(-3.0 * std), f64::from(high).min(3.0 * std));
            let clipped = 1.0 - normal_between(f64::from(low) / std, f64::from(high) / std);
            let reached = (to - from).max(0.0) / (f64::from(high) - f64::from(low)).max(f64::MIN_POSITIVE);
            Misfit { number, low, high, std, clipped, reached: reached.min(1.0), can_squash }
        };
        let misfits = low.iter().zip(high).enumerate().map(of).filter(|found| {
            let bounded = found.high - found.low < UNBOUNDED;
            found.clipped > MOST_CLIPPED || bounded && found.reached < LEAST_REACHED
        });
        misfits.max_by(|a, b| (a.clipped - a.reached).total_cmp(&(b.clipped - b.reached)))
    }

    /// Logarithm of each deviation at the start, where that of an action is to be `log_std`: the features of a matrix add
    /// up, each being 1 in the mean of squares.
    pub fn first(&self, log_std: f64) -> f64 {
        log_std - 0.5 * f64::from(self.deviations()).ln()
    }

    /// Constants of kernels in which a policy acts or learns.
    pub(crate) fn constants(&self, space: &ActionSpace) -> Constants {
        let mut constants = Constants::default();
        // numbers of noise of which an action is a function, and uniforms of which it is drawn: a pair makes two normals
        let (noise, uniforms) = match space {
            ActionSpace::Box { .. } => {
                let normals = self.deviations() * space.words();
                (normals, normals.next_multiple_of(2))
            }
            _ => (space.choices(), space.words()),
        };
        constants.word("MW_NOISE", noise);
        constants.word("MW_UNIFORMS", uniforms);
        if let Some(state) = self.state_dependent() {
            constants.word("MW_SDE_FEATURES", state.features);
            constants.word("MW_SDE_STEPS", state.steps);
        }
        if let ActionSpace::Box { low, high } = space {
            let middle_and_half = |(low, high): (&f32, &f32)| {
                let (low, high) = (f64::from(*low), f64::from(*high));
                (0.5 * (low + high), 0.5 * (high - low))
            };
            let (centres, halves): (Vec<f64>, Vec<f64>) = low.iter().zip(high).map(middle_and_half).unzip();
            let narrowed = |numbers: &[f64]| numbers.iter().map(|&number| number as f32).collect::<Vec<f32>>();
            constants.numbers("MW_LOW", low.clone());
            constants.numbers("MW_HIGH", high.clone());
            if self.squash {
                constants.numbers("MW_CENTRES", narrowed(&centres));
                constants.numbers("MW_HALVES", narrowed(&halves));
                constants.number("MW_LOG_HALF_WIDTHS", halves.iter().map(|half| half.ln()).sum::<f64>() as f32);
            }
        }
        if let Deviation::Clamped { log_std: [least, most] } = self.deviation {
            constants.number("MW_LOG_STD_MIN", least);
            constants.number("MW_LOG_STD_MAX", most);
        }
        constants
    }

    /// Slots `distribution`, `deviation` and `squash`, and slot `mask` where there are logits.
    pub(crate) fn distribution_parts(&self, space: &ActionSpace) -> Vec<&'static str> {
        if !space.is_box() {
            let mask = if space.masked() { "slot/mask/words.wgsl" } else { "slot/mask/none.wgsl" };
            return vec!["slot/distribution/categorical.wgsl", mask];
        }
        let deviation = match self.deviation {
            Deviation::Free => "slot/deviation/constant.wgsl",
            Deviation::Clamped { .. } => "slot/deviation/clamped.wgsl",
            Deviation::StateDependent(_) => "slot/deviation/state.wgsl",
            Deviation::None => return vec!["slot/distribution/deterministic.wgsl"],
        };
        let squash: &[_] =
            if self.squash { &["part/squashed.wgsl", "slot/squash/tanh.wgsl"] } else { &["slot/squash/none.wgsl"] };
        [&["slot/distribution/gaussian.wgsl", deviation], squash].concat()
    }

    /// Slot `bounded`.
    pub(crate) fn bounded_part(&self, space: &ActionSpace) -> &'static str {
        match (space, self.squash) {
            (ActionSpace::Box { .. }, true) => "slot/bounded/tanh.wgsl",
            (ActionSpace::Box { .. }, false) => "slot/bounded/clip.wgsl",
            _ => "slot/bounded/choice.wgsl",
        }
    }

    /// Slot `noise`.
    pub(crate) fn noise_part(&self) -> &'static str {
        if self.state_dependent().is_some() { "slot/noise/window.wgsl" } else { "slot/noise/step.wgsl" }
    }

    /// Slot `pathwise`: real numbers are squashed then, and their deviations are no parameters of their own.
    pub(crate) fn pathwise_part(&self, space: &ActionSpace) -> &'static str {
        match self.deviation {
            _ if !space.is_box() => "slot/pathwise/categorical.wgsl",
            Deviation::None => "slot/pathwise/deterministic.wgsl",
            Deviation::Free | Deviation::Clamped { .. } | Deviation::StateDependent(_) => "slot/pathwise/gaussian.wgsl",
        }
    }
}

/// Probability that a standard normal number lies between two others, by Simpson's rule; what is further from 0 than 9
/// deviations does not count.
fn normal_between(low: f64, high: f64) -> f64 {
    const PARTS: u32 = 256;
    let (low, high) = (low.clamp(-9.0, 9.0), high.clamp(-9.0, 9.0));
    let step = (high - low) / f64::from(PARTS);
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let weight = |i: u32| match i {
        0 | PARTS => 1.0,
        _ => 2.0 + 2.0 * f64::from(i % 2),
    };
    (0..=PARTS).map(|i| weight(i) * density(low + f64::from(i) * step)).sum::<f64>() * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::{Exploration, normal_between};
    use crate::env::ActionSpace;

    #[test]
    fn probabilities_of_a_normal_number() {
        // Φ(1) − Φ(−1), Φ(2) − Φ(0) and nearly everything, from tables
        for (low, high, expected) in
            [(-1.0, 1.0, 0.682_689_492_137), (0.0, 2.0, 0.477_249_868_052), (-1e9, 1e9, 1.0), (50.0, 100.0, 0.0)]
        {
            let got = normal_between(low, high);
            assert!((got - expected).abs() < 1e-9, "from {low} to {high}: {got}, expected {expected}");
        }
    }

    #[test]
    fn bounds_fit_a_first_policy_or_do_not() {
        let misfit = |low: f32, high: f32, log_std: f64| {
            Exploration::default().misfit(&ActionSpace::Box { low: vec![low], high: vec![high] }, log_std)
        };
        for (low, high, log_std) in [
            (-1.0, 1.0, 0.0),
            (-2.0, 2.0, 0.0),
            (-30.0, 30.0, 0.0),
            (-1e9, 1e9, 0.0),
            (-200.0, 200.0, 3.0),
            (0.0, 1.0, 0.0),
        ] {
            assert_eq!(misfit(low, high, log_std), None, "from {low} to {high}, log σ {log_std}");
        }
        // (bounds, log σ, least share clipped, most of the range reached)
        for (low, high, log_std, clipped, reached) in [
            (50.0, 100.0, 0.0, 1.0, 0.0),
            (-100.0, 100.0, 0.0, 0.0, 0.03),
            (-0.1, 0.1, 0.0, 0.92, 1.0),
            (1.0, 3.0, 0.0, 0.84, 1.0),
            (1e3, 1e9, 0.0, 1.0, 0.0),
        ] {
            let case = format!("from {low} to {high}, log σ {log_std}");
            let found = misfit(low, high, log_std).expect(&case);
            assert_eq!((found.number, found.can_squash), (0, high < 1e6), "{case}");
            assert!(found.clipped >= clipped && found.reached <= reached + 1e-9, "{case}: {found:?}");
            let text = found.to_string();
            assert!(text.contains(if high < 1e6 { "squash=true" } else { "scale actions" }), "{case}: {text}");
        }
        let two = ActionSpace::Box { low: vec![-1.0, 50.0, -0.1], high: vec![1.0, 100.0, 0.1] };
        let found = Exploration::default().misfit(&two, 0.0).expect("the second and third do not fit");
        assert_eq!((found.number, found.low), (1, 50.0), "the one that fits least: {found:?}");
        let far = ActionSpace::Box { low: vec![50.0], high: vec![100.0] };
        assert_eq!(Exploration { squash: true, ..Exploration::default() }.misfit(&far, 0.0), None, "squashed");
        assert_eq!(Exploration::default().misfit(&ActionSpace::Discrete { count: 2, masked: false }, 0.0), None);
    }
}
