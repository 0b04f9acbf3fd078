//! A policy that acts on the host.

use super::layers::{Bounds, Dense, Layer, MOST_NORMALISED};
use crate::config::Config;
use crate::env::{ActionSpace, Environment};
use crate::error::{Error, Result};
use crate::reference::{categorical, squashed};

/// What the deterministic policy does, computed on the host in f64: for programs that have no GPU where the policy is used.
///
/// [`crate::train::Policy::actor`] makes one; it holds the network, widened once, and is shared among threads as it is.
///
/// ```
/// use manyworlds::Environment;
/// use manyworlds::Config;
/// use manyworlds::Policy;
///
/// let policy = Policy::untrained(&Environment::load("CartPole-v1")?, Config::default())?;
/// let actor = policy.actor()?;
/// let action = actor.act(&[0.0, 0.1, 0.0, -0.1])?; // the number of an action, 0.0 or 1.0
/// # assert_eq!(action.len(), 1);
/// # Ok::<(), manyworlds::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Actor {
    env: String,
    space: ActionSpace,
    /// Numbers of an observation.
    features: usize,
    network: Vec<Wide>,
    head: Layer,
    /// What it was made of, but for the parameters.
    config: Config,
}

/// A layer that computes in f64.
#[derive(Clone, Debug)]
enum Wide {
    /// (mean, scale) of each feature.
    Normalise(Vec<[f64; 2]>),
    Dense {
        /// `[in][out]`, so that the units of a layer are summed side by side, each in the order of its inputs.
        weights: Vec<f64>,
        bias: Vec<f64>,
    },
    Each(fn(f64) -> f64),
}

impl Wide {
    fn of(layer: &Layer) -> Option<Self> {
        match layer {
            Layer::Normalise { mean, scale } => {
                let pair = |(mean, scale): (&f32, &f32)| [f64::from(*mean), f64::from(*scale)];
                Some(Self::Normalise(mean.iter().zip(scale).map(pair).collect()))
            }
            Layer::Dense(Dense { inputs, outputs, weight, bias, .. }) => Some(Self::Dense {
                weights: (0..inputs * outputs).map(|i| f64::from(weight[i % outputs * inputs + i / outputs])).collect(),
                bias: bias.iter().copied().map(f64::from).collect(),
            }),
            Layer::Tanh => Some(Self::Each(f64::tanh)),
            Layer::Relu => Some(Self::Each(|x| x.max(0.0))),
            Layer::Argmax { .. } | Layer::Clip(_) | Layer::Squash(_) => None,
        }
    }

    fn apply(&self, mut x: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Normalise(moments) => {
                let most = f64::from(MOST_NORMALISED);
                for (x, [mean, scale]) in x.iter_mut().zip(moments) {
                    *x = ((*x - mean) * scale).clamp(-most, most);
                }
                x
            }
            Self::Dense { weights, bias } => {
                let mut above = vec![0.0; bias.len()];
                for (a, weights) in x.iter().zip(weights.chunks_exact(bias.len())) {
                    above.iter_mut().zip(weights).for_each(|(z, w)| *z += w * a);
                }
                above.iter_mut().zip(bias).for_each(|(z, b)| *z += b);
                above
            }
            Self::Each(activate) => {
                for x in &mut x {
                    *x = activate(*x);
                }
                x
            }
        }
    }
}

impl Actor {
    /// The actor of a network and a head.
    pub(super) fn new(env: &Environment, config: &Config, network: &[Layer], head: Layer) -> Self {
        let spec = env.spec();
        Self {
            env: env.name().to_owned(),
            space: spec.action_space.clone(),
            features: spec.observation_dim as usize,
            network: network.iter().filter_map(Wide::of).collect(),
            head,
            config: config.clone(),
        }
    }

    /// Name of its environment.
    pub(super) fn env(&self) -> &str {
        &self.env
    }

    /// Whether it is still that of a policy whose environment and configuration may have been changed since.
    pub(super) fn is_of(&self, env: &Environment, config: &Config) -> bool {
        let spec = env.spec();
        self.features == spec.observation_dim as usize && self.space == spec.action_space && self.config == *config
    }

    /// The action for an observation. Real numbers are clipped to their bounds, or squashed into them where the policy
    /// squashes; choices are numbers of actions, the first of equals.
    ///
    /// # Errors
    /// [`Error::Observation`] where it has another length, or a number that is not finite in f32; [`Error::Mask`] where the
    /// environment says which actions are allowed: [`Actor::act_masked`] takes that.
    pub fn act(&self, observation: &[f64]) -> Result<Vec<f64>> {
        if self.space.masked() {
            let reason =
                format!("{} actions need one: call act_masked, with true for every allowed action", self.space);
            return Err(Error::Mask { env: self.env.clone(), reason });
        }
        self.actions(observation, None)
    }

    /// The action for an observation where only some are allowed, whether or not the environment has masks: a flag for each action, those
    /// of one choice after those of the other. What is not allowed is never taken.
    ///
    /// # Errors
    /// [`Error::Observation`] as above; [`Error::Mask`] where there are more or fewer flags than actions, or a choice has no
    /// action that is allowed.
    pub fn act_masked(&self, observation: &[f64], allowed: &[bool]) -> Result<Vec<f64>> {
        let complain = |reason| Err(Error::Mask { env: self.env.clone(), reason });
        let choices = self.space.choices() as usize;
        if allowed.len() != choices {
            return complain(format!("{} flags were given, {} has {choices} actions", allowed.len(), self.space));
        }
        let mut first = 0;
        for (choice, count) in self.space.counts().into_iter().enumerate() {
            let end = first + count as usize;
            if !allowed[first..end].contains(&true) {
                return complain(format!("none of the {count} actions of choice {choice} is allowed"));
            }
            first = end;
        }
        self.actions(observation, Some(allowed))
    }

    fn actions(&self, observation: &[f64], allowed: Option<&[bool]>) -> Result<Vec<f64>> {
        Ok(self.chosen(self.outputs(observation)?, allowed))
    }

    /// The action that outputs of the network stand for.
    pub(super) fn chosen(&self, outputs: Vec<f64>, allowed: Option<&[bool]>) -> Vec<f64> {
        let held = |bounds: &Bounds, hold: fn(f64, f64, f64) -> f64| {
            let each = outputs.iter().zip(bounds.low.iter().zip(&bounds.high));
            each.map(|(x, (low, high))| hold(*x, f64::from(*low), f64::from(*high))).collect()
        };
        let counts = match &self.head {
            Layer::Clip(bounds) => return held(bounds, f64::clamp),
            Layer::Squash(bounds) => return held(bounds, squashed::action),
            Layer::Argmax { counts, .. } => counts,
            Layer::Normalise { .. } | Layer::Dense(_) | Layer::Tanh | Layer::Relu => return outputs,
        };
        let mut logits = outputs;
        if let Some(allowed) = allowed {
            // finite outputs are above
            logits.iter_mut().zip(allowed).filter(|(_, allowed)| !**allowed).for_each(|(z, _)| *z = f64::NEG_INFINITY);
        }
        let mut first = 0;
        let choice = |count: &u32| {
            let end = first + *count as usize;
            let best = categorical::argmax(&logits[first..end]);
            first = end;
            best as f64
        };
        counts.iter().map(choice).collect()
    }

    /// An observation as the network sees it.
    pub(super) fn normalised(&self, observation: &[f64]) -> Vec<f64> {
        match self.network.first() {
            Some(normalise @ Wide::Normalise(_)) => normalise.apply(observation.to_vec()),
            _ => observation.to_vec(),
        }
    }

    /// What the network makes of an observation, all finite.
    pub(super) fn outputs(&self, observation: &[f64]) -> Result<Vec<f64>> {
        let complain = |reason| Err(Error::Observation { env: self.env.clone(), reason });
        if observation.len() != self.features {
            return complain(format!("{} numbers were given where it has {}", observation.len(), self.features));
        }
        if let Some(place) = observation.iter().position(|x| !(*x as f32).is_finite()) {
            let value = observation[place];
            return complain(format!("number {place} is {value}; it must be a finite number that f32 can hold"));
        }
        let outputs = self.network.iter().fold(observation.to_vec(), |x, layer| layer.apply(x));
        if let Some(place) = outputs.iter().position(|z| !z.is_finite()) {
            return complain(format!(
                "the policy makes {} of it (output {place}); its parameters overflow",
                outputs[place]
            ));
        }
        Ok(outputs)
    }
}
