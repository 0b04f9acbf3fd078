//! A trained policy: its parameters, and what is needed to use it again. It is what a checkpoint holds.

use super::{Config, Returns, fault};
use crate::algo::{ACTOR, HEAD_GAINS, networks};
use crate::batch::Agents;
use crate::env::{ActionSpace, Environment};
use crate::error::{Error, Result};
use crate::file;
use crate::gpu::{Gpu, Recording};
use crate::kernels::Kernels;
use crate::layout::Run;
use crate::nn::Activation;
use crate::reference::mlp::{self, Mlp};
use crate::reference::{categorical, squashed};
use crate::stage::Evaluation;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::Path;

/// The policy and value networks of one agent, with the environment and the configuration that they were made by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The environment, overrides included.
    pub env: Environment,
    /// The configuration; `seed` is the agent's.
    pub config: Config,
    /// Updates that made it.
    pub updates: u32,
    /// All tensors in table order, without padding.
    parameters: Vec<f32>,
}

/// What the metadata of a checkpoint calls its layout.
const FORMAT: &str = "manyworlds-1";

impl Policy {
    pub(crate) fn new(env: &Environment, config: Config, updates: u32, parameters: Vec<f32>) -> Self {
        Self { env: env.clone(), config, updates, parameters }
    }

    /// A policy at the start of training, for the configuration's seed.
    ///
    /// # Errors
    /// As [`Config::check`].
    pub fn untrained(env: &Environment, config: Config) -> Result<Self> {
        config.check_for(env)?;
        let layout = networks(&config, env);
        let parameters = layout.compact(&layout.initial(config.seed, &HEAD_GAINS));
        Ok(Self::new(env, config, 0, parameters))
    }

    /// All parameters: tensors in table order (`actor.0.weight` `[out][in]`, `actor.0.bias`, …, `critic.…`).
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// BLAKE3 of the parameters' little-endian bytes in table order, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.parameters.iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        });
        hasher.finalize().to_hex().to_string()
    }

    /// What the deterministic policy does, computed here in f64: for programs that have no GPU where the policy is used.
    /// Real numbers are clipped to their bounds, or squashed into them where the policy squashes; choices are numbers of actions, all of them taken for allowed.
    ///
    /// # Panics
    /// Where the observation has another length.
    pub fn act(&self, observation: &[f64]) -> Vec<f64> {
        let layout = networks(&self.config, &self.env);
        let space = &self.env.spec().action_space;
        let wide =
            |range: std::ops::Range<usize>| self.parameters[range].iter().copied().map(f64::from).collect::<Vec<_>>();
        let widths: Vec<usize> = layout.networks()[ACTOR].widths().iter().map(|&width| width as usize).collect();
        let exploration = self.config.exploration(&self.env);
        let free = space.free_outputs(exploration) as usize;
        let widths = [&widths[..widths.len() - 1], &[widths[widths.len() - 1] - free]].concat();
        let count = Mlp::parameter_count(&widths);
        let activation = match self.config.activation {
            Activation::Tanh => mlp::Activation::Tanh,
            Activation::Relu => mlp::Activation::Relu,
        };
        let network = Mlp { widths, activation, parameters: wide(0..count) };
        let mut seen = observation.to_vec();
        if self.config.norm_obs {
            // (mean, scale, M2, count) of each feature, then of the reward, are the last tensors
            let first = self.parameters.len() - 4 * (seen.len() + 1);
            for (f, x) in seen.iter_mut().enumerate() {
                let moments = wide(first + 4 * f..first + 4 * f + 2);
                *x = ((*x - moments[0]) * moments[1]).clamp(-10.0, 10.0);
            }
        }
        let outputs = network.output(&seen);
        match space {
            ActionSpace::Box { low, high } => {
                let held = |(x, (low, high)): (&f64, (&f32, &f32))| {
                    let (low, high) = (f64::from(*low), f64::from(*high));
                    if exploration.squash { squashed::action(*x, low, high) } else { x.clamp(low, high) }
                };
                outputs.iter().zip(low.iter().zip(high)).map(held).collect()
            }
            _ => {
                let mut first = 0;
                let choice = |count: u32| {
                    let logits = &outputs[first..first + count as usize];
                    first += count as usize;
                    categorical::argmax(logits) as f64
                };
                space.counts().into_iter().map(choice).collect()
            }
        }
    }

    /// Plays whole episodes on the device.
    ///
    /// # Errors
    /// [`Error::EpisodeNotFinite`] and [`Error::LoopCut`] where an episode means nothing, and as [`Gpu::kernel`],
    /// [`Gpu::buffer`] and [`Gpu::check`].
    pub fn evaluate(&self, gpu: &Gpu, episodes: u32, seed: u32, sampled: bool) -> Result<Returns> {
        if episodes == 0 {
            return Err(Error::setting("episodes", "0 is not allowed; it must be at least 1"));
        }
        let layout = networks(&self.config, &self.env);
        let kernels = Kernels {
            form: gpu.form_for(0),
            parameters: &layout,
            space: &self.env.spec().action_space,
            exploration: self.config.exploration(&self.env),
            keeps: false,
            agents: 1,
        };
        let agents = Agents::new(gpu, Run::default(), &[seed], &layout.expand(&self.parameters), 0.0)?;
        let evaluation = Evaluation::new(gpu, &kernels, &self.env, 0, &agents, episodes, sampled)?;
        let mut work = Recording::default();
        evaluation.record(&mut work);
        let arrived = gpu.submit_and_read(&work, &[evaluation.outcomes.raw()])?.wait(gpu)?;
        let outcomes = &arrived.take::<[f32; 4]>(0)[..episodes as usize];
        fault::check_outcomes(outcomes, &self.env, seed, self.updates)?;
        Ok(Returns::of(outcomes))
    }

    /// Writes a checkpoint; an existing file is replaced as a whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<()> {
        file::replace(path, &self.serialize(path)?)
    }

    /// The bytes of a checkpoint that goes to `path`.
    pub(super) fn serialize(&self, path: &Path) -> Result<Vec<u8>> {
        let failed = |error: &std::io::Error| Error::file("write", path, error);
        let tensors = networks(&self.config, &self.env).tensors();
        let bytes: Vec<u8> = self.parameters.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut views = Vec::new();
        let mut at = 0;
        for tensor in &tensors {
            let data = &bytes[at..at + 4 * tensor.len()];
            at += data.len();
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), data);
            views.push((tensor.name.clone(), view.map_err(|error| failed(&std::io::Error::other(error.to_string())))?));
        }
        let overrides: HashMap<&str, f64> =
            self.env.overrides().iter().map(|known| (known.name.as_str(), known.value)).collect();
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("algo".to_owned(), self.config.algo.name().to_owned()),
            ("env".to_owned(), self.env.name().to_owned()),
            ("env_source".to_owned(), self.env.text().to_owned()),
            ("env_overrides".to_owned(), serde_json::to_string(&overrides).unwrap_or_default()),
            ("config".to_owned(), self.config.to_toml()),
            ("updates".to_owned(), self.updates.to_string()),
        ]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| failed(&std::io::Error::other(error.to_string())))
    }

    /// Reads a checkpoint, or the one in a run directory. Everything needed is inside: the environment's text too.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Checkpoint`] where it is not one of ours or is damaged.
    pub fn load(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join("checkpoint.safetensors") } else { path.to_owned() };
        let complain = |reason: String| Error::Checkpoint { path: path.clone(), reason };
        let data = std::fs::read(&path).map_err(|error| Error::file("read", &path, &error))?;
        let damaged =
            |error: safetensors::SafeTensorError| complain(format!("it is damaged or no checkpoint: {error}"));
        let (_, header) = SafeTensors::read_metadata(&data).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(&data).map_err(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let field = |name: &str| {
            metadata
                .get(name)
                .cloned()
                .ok_or_else(|| complain(format!("its metadata lack '{name}'; it was not made by manyworlds")))
        };
        let format = field("format")?;
        if format != FORMAT {
            return Err(complain(format!("its format is '{format}', this version reads '{FORMAT}'")));
        }
        let name = field("env")?;
        let mut env =
            Environment::from_source(&name, &format!("environment in {}", path.display()), &field("env_source")?)?;
        let overrides: HashMap<String, f64> = serde_json::from_str(&field("env_overrides")?)
            .map_err(|error| complain(format!("its overrides cannot be read: {error}")))?;
        for (name, value) in overrides {
            env.set(&name, value)?;
        }
        let config: Config = toml::from_str(&field("config")?)
            .map_err(|error| complain(format!("its configuration cannot be read: {}", error.message())))?;
        config.check_for(&env)?;
        let updates =
            field("updates")?.parse().map_err(|_| complain("its number of updates cannot be read".to_owned()))?;

        let mut parameters = Vec::new();
        for expected in networks(&config, &env).tensors() {
            let tensor =
                tensors.tensor(&expected.name).map_err(|_| complain(format!("it lacks '{}'", expected.name)))?;
            if tensor.shape() != expected.shape || tensor.dtype() != Dtype::F32 {
                return Err(complain(format!(
                    "'{}' is {:?} {:?}, expected F32 {:?}",
                    expected.name,
                    tensor.dtype(),
                    tensor.shape(),
                    expected.shape
                )));
            }
            let values = tensor.data().as_chunks::<4>().0;
            parameters.extend(values.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        }
        if let Some(place) = parameters.iter().position(|value| !value.is_finite()) {
            return Err(complain(format!("parameter {place} is {}", parameters[place])));
        }
        Ok(Self { env, config, updates, parameters })
    }
}
