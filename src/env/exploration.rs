//! How a policy over real numbers explores, and what follows from it for kernels.

use super::ActionSpace;
use crate::error::{Error, Result};
use crate::shader::Constants;

/// How a policy over real numbers explores. Choices have nothing of it: [`Exploration::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exploration {
    /// Whether what is drawn goes into the bounds by tanh, instead of being clipped to them.
    pub squash: bool,
    /// Deviations that depend on the state; none = they are the same for every observation.
    pub state_dependent: Option<StateDependent>,
    /// Where deviations come from, where they are not state-dependent.
    pub spread: Spread,
}

/// Where the deviations of a policy over real numbers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Spread {
    /// They are parameters of their own: logarithms.
    #[default]
    Free,
    /// They are outputs of the network: logarithms, held to bounds.
    Clamped {
        /// Least and greatest.
        log_std: [f32; 2],
    },
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

/// Most outputs of a policy with state-dependent deviations: its network and its kernels stay in registers then.
const MOST_OUTPUTS: u32 = 128;
/// Bounds this far apart mean that there are none.
const UNBOUNDED: f32 = 1e6;

impl Exploration {
    /// Logarithms of deviations that a policy has for each number of an action.
    pub(super) fn deviations(&self) -> u32 {
        self.state_dependent.map_or(1, |state| state.features)
    }

    /// Refuses what these actions cannot have.
    ///
    /// # Errors
    /// [`Error::Setting`] with the actions, the arithmetic and the remedy.
    pub fn check(&self, env: &str, space: &ActionSpace) -> Result<()> {
        let asked = [("squash", self.squash), ("use_sde", self.state_dependent.is_some())];
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
        if let Some(state) = self.state_dependent
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

    /// Logarithm of each deviation at the start, where that of an action is to be `log_std`: the features of a matrix add
    /// up, each being 1 in the mean of squares.
    pub fn first(&self, log_std: f64) -> f64 {
        log_std - 0.5 * f64::from(self.deviations()).ln()
    }

    /// Constants of kernels in which a policy acts or learns.
    pub(crate) fn constants(&self, space: &ActionSpace) -> Constants {
        let mut constants = Constants::default();
        let noise = match space {
            ActionSpace::Box { .. } => (self.deviations() * space.words()).next_multiple_of(2),
            _ => space.words(),
        };
        constants.word("MW_NOISE", noise);
        if let Some(state) = self.state_dependent {
            constants.word("MW_SDE_FEATURES", state.features);
            constants.word("MW_SDE_STEPS", state.steps);
        }
        if let (ActionSpace::Box { low, high }, true) = (space, self.squash) {
            let widths = low.iter().zip(high).map(|(low, high)| f64::from(*high) - f64::from(*low));
            constants.number("MW_LOG_HALF_WIDTHS", widths.map(|width| (0.5 * width).ln()).sum::<f64>() as f32);
        }
        if let Spread::Clamped { log_std: [least, most] } = self.spread {
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
        let deviation = match self.spread {
            _ if self.state_dependent.is_some() => "slot/deviation/state.wgsl",
            Spread::Free => "slot/deviation/constant.wgsl",
            Spread::Clamped { .. } => "slot/deviation/clamped.wgsl",
            Spread::None => return vec!["slot/distribution/deterministic.wgsl"],
        };
        vec![
            "slot/distribution/gaussian.wgsl",
            deviation,
            if self.squash { "slot/squash/tanh.wgsl" } else { "slot/squash/none.wgsl" },
        ]
    }

    /// Slots `noise` and `bounded`.
    pub(crate) fn acting_parts(&self, space: &ActionSpace) -> [&'static str; 2] {
        let windows = self.state_dependent.is_some();
        let bounded = match (space, self.squash) {
            (ActionSpace::Box { .. }, true) => "slot/bounded/tanh.wgsl",
            (ActionSpace::Box { .. }, false) => "slot/bounded/clip.wgsl",
            _ => "slot/bounded/choice.wgsl",
        };
        [if windows { "slot/noise/window.wgsl" } else { "slot/noise/step.wgsl" }, bounded]
    }
}
