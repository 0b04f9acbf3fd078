//! A policy that acts on the host.

use crate::algo::ACTOR;
use crate::config::Config;
use crate::env::{ActionSpace, Environment};
use crate::error::{Error, Result};
use crate::nn::{Activation, Parameters, Tensor};
use crate::reference::mlp::{self, Mlp};
use crate::reference::{categorical, squashed};
use std::ops::Range;

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
    /// (mean, scale) of each feature; empty where observations are taken as they are.
    moments: Vec<[f64; 2]>,
    layers: Vec<Layer>,
    activation: mlp::Activation,
    squash: bool,
    /// What it was made of, but for the parameters.
    config: Config,
}

#[derive(Clone, Debug)]
struct Layer {
    /// `[in][out]`, so that the units of a layer are summed side by side, each in the order of its inputs.
    weights: Vec<f64>,
    bias: Vec<f64>,
}

impl Actor {
    /// The actor of a policy's parameters, which have no padding. The layout is that of the configuration.
    pub(super) fn new(env: &Environment, config: &Config, layout: &Parameters, parameters: &[f32]) -> Self {
        Self::of_network(env, config, layout, parameters, ACTOR)
    }

    /// The same of one of the networks.
    pub(super) fn of_network(
        env: &Environment,
        config: &Config,
        layout: &Parameters,
        parameters: &[f32],
        network: usize,
    ) -> Self {
        let spec = env.spec();
        let before: Vec<String> = layout.networks()[..network].iter().map(|of| format!("{}.", of.name())).collect();
        let is_before = |name: &str| before.iter().any(|network| name.starts_with(network.as_str()));
        let first: usize = layout.tensors().iter().filter(|of| is_before(&of.name)).map(Tensor::len).sum();
        let parameters = &parameters[first..];
        let exploration = config.exploration(env);
        let features = spec.observation_dim as usize;
        let wide = |range: Range<usize>| parameters[range].iter().copied().map(f64::from);
        // the logarithms of deviations, outputs without weights, lie behind the network and are not needed
        let mut widths: Vec<usize> = layout.networks()[network].widths().iter().map(|&width| width as usize).collect();
        if let Some(last) = widths.last_mut().filter(|_| network == ACTOR) {
            *last -= spec.action_space.free_outputs(exploration) as usize;
        }
        let layer = |mlp::Layer { inputs, outputs, weight, bias }| Layer {
            weights: (0..inputs * outputs)
                .map(|i| f64::from(parameters[weight + i % outputs * inputs + i / outputs]))
                .collect(),
            bias: wide(bias..bias + outputs).collect(),
        };
        // (mean, scale, M2, count) of each feature, then of the reward, are the last tensors
        let first = parameters.len() - if config.norm_obs { 4 * (features + 1) } else { 0 };
        let moments = |f: usize| [parameters[first + 4 * f], parameters[first + 4 * f + 1]].map(f64::from);
        Self {
            env: env.name().to_owned(),
            space: spec.action_space.clone(),
            features,
            moments: (0..if config.norm_obs { features } else { 0 }).map(moments).collect(),
            layers: Mlp::layers(&widths).into_iter().map(layer).collect(),
            activation: match config.activation {
                Activation::Tanh => mlp::Activation::Tanh,
                Activation::Relu => mlp::Activation::Relu,
            },
            squash: exploration.squash,
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
        if let ActionSpace::Box { low, high } = &self.space {
            let held = |(x, (low, high)): (&f64, (&f32, &f32))| {
                let (low, high) = (f64::from(*low), f64::from(*high));
                if self.squash { squashed::action(*x, low, high) } else { x.clamp(low, high) }
            };
            return outputs.iter().zip(low.iter().zip(high)).map(held).collect();
        }
        let mut logits = outputs;
        if let Some(allowed) = allowed {
            // finite outputs are above
            logits.iter_mut().zip(allowed).filter(|(_, allowed)| !**allowed).for_each(|(z, _)| *z = f64::NEG_INFINITY);
        }
        let mut first = 0;
        let choice = |count: u32| {
            let end = first + count as usize;
            let best = categorical::argmax(&logits[first..end]);
            first = end;
            best as f64
        };
        self.space.counts().into_iter().map(choice).collect()
    }

    /// An observation as the network sees it.
    pub(super) fn normalised(&self, observation: &[f64]) -> Vec<f64> {
        let mut seen = observation.to_vec();
        for (x, [mean, scale]) in seen.iter_mut().zip(&self.moments) {
            *x = ((*x - mean) * scale).clamp(-10.0, 10.0);
        }
        seen
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
        let mut below = self.normalised(observation);
        for (l, layer) in self.layers.iter().enumerate() {
            let outputs = layer.bias.len();
            let mut above = vec![0.0; outputs];
            for (a, weights) in below.iter().zip(layer.weights.chunks_exact(outputs)) {
                above.iter_mut().zip(weights).for_each(|(z, w)| *z += w * a);
            }
            let hidden = l + 1 < self.layers.len();
            for (z, b) in above.iter_mut().zip(&layer.bias) {
                *z = if hidden { self.activation.apply(b + *z) } else { b + *z };
            }
            below = above;
        }
        if let Some(place) = below.iter().position(|z| !z.is_finite()) {
            return complain(format!(
                "the policy makes {} of it (output {place}); its parameters overflow",
                below[place]
            ));
        }
        Ok(below)
    }
}
