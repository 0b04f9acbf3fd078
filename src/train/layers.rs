//! The deterministic policy as one list of layers: what acts on the host, and what every export is made of.

use crate::algo::ACTOR;
use crate::config::Config;
use crate::env::{ActionSpace, Environment};
use crate::nn::{Activation, Parameters, Tensor};

/// What an observation is held to once it is normalised: −10 to 10.
pub const MOST_NORMALISED: f32 = 10.0;

/// A layer of a policy: what becomes of the numbers x that the one before has made. The first gets the observation; the last, the
/// head, makes the action a.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Running moments of each number of an observation, `[d]` each.
    Normalise {
        /// Mean.
        mean: Vec<f32>,
        /// 1 / deviation.
        scale: Vec<f32>,
    },
    /// A matrix and a bias.
    Dense(Dense),
    /// Hyperbolic tangent of each number.
    Tanh,
    /// The positive part of each number.
    Relu,
    /// The head of choices, whose numbers x are logits.
    Argmax {
        /// Number of actions of each choice.
        counts: Vec<u32>,
        /// Whether the environment says which of them are allowed: logits of the others count as −∞.
        masked: bool,
    },
    /// The head of real numbers that are held to their bounds.
    Clip(Bounds),
    /// The head of real numbers that are squashed into their bounds.
    Squash(Bounds),
}

/// A layer that multiplies by a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Its number among the layers with weights, from 0: `actor.<number>.weight` in files.
    pub number: usize,
    /// Numbers that it takes.
    pub inputs: usize,
    /// Numbers that it makes.
    pub outputs: usize,
    /// W `[outputs][inputs]`.
    pub weight: Vec<f32>,
    /// b `[outputs]`.
    pub bias: Vec<f32>,
}

/// Bounds of real numbers, `[numbers]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// Lower ones.
    pub low: Vec<f32>,
    /// Upper ones.
    pub high: Vec<f32>,
}

impl Layer {
    /// What it computes, as `docs/checkpoint.md` has it.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Normalise { .. } => "x ← clip((x − mean) · scale, −10, 10)",
            Self::Dense(_) => "x ← W x + b",
            Self::Tanh => "x ← tanh x",
            Self::Relu => "x ← max(x, 0)",
            Self::Argmax { .. } => "a = the place of the largest x of each choice, the first of equals",
            Self::Clip(_) => "a = clip(x, low, high)",
            Self::Squash(_) => "a = low + (high − low)(tanh x + 1)/2",
        }
    }

    /// What a head is called in files: `argmax`, `clip` or `tanh`; nothing where it is no head.
    pub fn head_name(&self) -> Option<&'static str> {
        match self {
            Self::Argmax { .. } => Some("argmax"),
            Self::Clip(_) => Some("clip"),
            Self::Squash(_) => Some("tanh"),
            Self::Normalise { .. } | Self::Dense(_) | Self::Tanh | Self::Relu => None,
        }
    }
}

/// The layers of a policy but for its head. A policy whose network makes deviations too (`sac`) has only the rows of the means.
pub(super) fn hidden(env: &Environment, config: &Config, layout: &Parameters, parameters: &[f32]) -> Vec<Layer> {
    let mut layers = of_network(config, layout, parameters, ACTOR);
    let space = &env.spec().action_space;
    if let (true, Some(Layer::Dense(last))) = (space.is_box(), layers.last_mut()) {
        last.outputs = last.outputs.min(space.words() as usize);
        last.weight.truncate(last.outputs * last.inputs);
        last.bias.truncate(last.outputs);
    }
    layers
}

/// All layers of one of the networks, without a head. Parameters have no padding; the layout is that of the configuration.
pub(super) fn of_network(config: &Config, layout: &Parameters, parameters: &[f32], network: usize) -> Vec<Layer> {
    let (mut layers, mut first) = (Vec::new(), 0);
    let prefix = format!("{}.", layout.networks()[network].name());
    let mut rest: Vec<(Tensor, &[f32])> = Vec::new();
    for tensor in layout.tensors() {
        let values = &parameters[first..first + tensor.len()];
        first += tensor.len();
        if tensor.name == "normaliser.observation" && config.norm_obs {
            // (mean, scale, M2, count) of each number
            let column = |of: usize| values.iter().skip(of).step_by(4).copied().collect();
            layers.push(Layer::Normalise { mean: column(0), scale: column(1) });
        } else if tensor.name.starts_with(&prefix) {
            rest.push((tensor, values));
        }
    }
    // weights, biases; behind the last, logarithms of deviations that do not depend on the observation
    let (mut weight, mut number) = (None, 0);
    let last = layout.networks()[network].widths().len() - 2;
    for (tensor, values) in rest {
        match (tensor.name.ends_with(".weight"), weight.take()) {
            (true, _) => weight = Some((tensor.shape, values)),
            (false, Some((shape, matrix))) => {
                let (outputs, inputs) = (shape[0], shape[1]);
                let (weight, bias) = (matrix.to_vec(), values.to_vec());
                layers.push(Layer::Dense(Dense { number, inputs, outputs, weight, bias }));
                if number < last {
                    layers.push(match config.activation {
                        Activation::Tanh => Layer::Tanh,
                        Activation::Relu => Layer::Relu,
                    });
                }
                number += 1;
            }
            (false, None) => {}
        }
    }
    layers
}

/// The head of a policy.
pub(super) fn head(env: &Environment, config: &Config) -> Layer {
    let space = &env.spec().action_space;
    let ActionSpace::Box { low, high } = space else {
        return Layer::Argmax { counts: space.counts(), masked: space.masked() };
    };
    let bounds = Bounds { low: low.clone(), high: high.clone() };
    if config.exploration(env).squash { Layer::Squash(bounds) } else { Layer::Clip(bounds) }
}
