//! A trained policy: its parameters, and what is needed to use it again. It is what a checkpoint holds.

use super::checkpoints;
use super::tensors::{self, Array, Fault, Whole, complaint};
use super::{Actor, Layer, Returns, fault, layers};
use crate::algo::{CRITIC, first_words, networks};
use crate::batch::Agents;
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result, shown};
use crate::file;
use crate::gpu::{Gpu, Recording};
use crate::kernels::Kernels;
use crate::layout::{Progress, Run};
use crate::nn::{Parameters, Tensor, check_numbers};
use crate::plan::{Plan, Target};
use crate::stage::Evaluation;
use safetensors::Dtype;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

/// The policy and value networks of one agent, with the environment and the configuration that they were made by.
///
/// ```no_run
/// # fn main() -> manyworlds::Result<()> {
/// use manyworlds::{AdapterChoice, Gpu, Policy};
///
/// let policy = Policy::load("runs/cartpole".as_ref())?; // a run directory, or a checkpoint
/// let action = policy.act(&[0.0, 0.1, 0.0, -0.1])?; // on the host, without a device
/// let gpu = Gpu::new(&AdapterChoice::Auto, 0)?;
/// println!("{}", policy.evaluate(&gpu, 100, 1, false)?); // 100 episodes of seed 1, most likely actions
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    /// The environment, overrides included.
    pub env: Environment,
    /// The configuration; `seed` is the agent's.
    pub config: Config,
    /// Updates that made it.
    pub updates: u32,
    /// How it fared, where it was evaluated when it was made.
    pub evaluation: Option<Returns>,
    /// How the best member that a search ever had fared then.
    pub evaluation_of_best: Option<Returns>,
    /// All tensors in table order, without padding.
    parameters: Vec<f32>,
    /// What acts on the host, once it was asked for.
    actor: OnceLock<Actor>,
}

/// What the metadata of a checkpoint call its layout (`docs/checkpoint.md`).
const FORMAT: &str = "manyworlds-2";
/// Most bytes of a checkpoint that are read.
const MOST_BYTES: u64 = 1 << 30;

impl Policy {
    pub(crate) fn new(env: &Environment, config: Config, updates: u32, parameters: Vec<f32>) -> Self {
        let (evaluation, evaluation_of_best) = (None, None);
        Self { env: env.clone(), config, updates, evaluation, evaluation_of_best, parameters, actor: OnceLock::new() }
    }

    /// A policy at the start of training, for the configuration's seed.
    ///
    /// # Errors
    /// [`Error::Setting`] where a value is not allowed, or the environment cannot have it.
    pub fn untrained(env: &Environment, config: Config) -> Result<Self> {
        config.check_for(env)?;
        let layout = networks(&config, env);
        let parameters = layout.compact(&first_words(&config, &layout, config.seed));
        Ok(Self::new(env, config, 0, parameters))
    }

    /// All parameters: tensors in table order (`actor.0.weight` `[out][in]`, `actor.0.bias`, …, `critic.…`).
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// The policy whose actor is the best member that its search ever had; none where there was no search.
    pub fn best(&self) -> Option<Self> {
        if !self.config.algo.is_search() {
            return None;
        }
        let layout = networks(&self.config, &self.env);
        let actor: usize = layout.tensors().iter().filter(|of| of.name.starts_with("actor.")).map(Tensor::len).sum();
        let mut parameters = self.parameters.clone();
        parameters.copy_within(actor..2 * actor, 0);
        let policy = Self::new(&self.env, self.config.clone(), self.updates, parameters);
        let evaluation = self.evaluation_of_best;
        Some(Self { evaluation, evaluation_of_best: evaluation, ..policy })
    }

    /// BLAKE3 of the parameters' little-endian bytes in table order, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.parameters.iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        });
        hasher.finalize().to_hex().to_string()
    }

    /// Puts other parameters into it, as [`Policy::parameters`] has them; how the old ones fared is forgotten.
    ///
    /// # Errors
    /// [`Error::Setting`] where their number is another, or one of them is not finite.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<()> {
        check_numbers(parameters, self.parameters.len())?;
        self.parameters = parameters.to_vec();
        self.actor = OnceLock::new();
        (self.evaluation, self.evaluation_of_best) = (None, None);
        Ok(())
    }

    /// Where the parameters lie, if they are those of networks of this configuration: both can be changed.
    pub(crate) fn layout(&self) -> Result<Parameters> {
        self.config.check_for(&self.env)?;
        let layout = networks(&self.config, &self.env);
        let expected: usize = layout.tensors().iter().map(Tensor::len).sum();
        if expected != self.parameters.len() {
            let found = self.parameters.len();
            let reason =
                format!("its networks have {expected} parameters for {}, the policy has {found}", self.env.name());
            return Err(Error::setting("configuration", reason));
        }
        Ok(layout)
    }

    /// The policy as it acts on the host; made once, it acts again and again.
    ///
    /// # Errors
    /// [`Error::Setting`] where environment or configuration were changed so that the parameters are of other networks.
    pub fn actor(&self) -> Result<Actor> {
        let hidden = layers::hidden(&self.env, &self.config, &self.layout()?, &self.parameters);
        Ok(Actor::new(&self.env, &self.config, &hidden, layers::head(&self.env, &self.config)))
    }

    /// The deterministic policy as a list of layers, from the observation to the action; the last is the head.
    ///
    /// # Errors
    /// Those of [`Policy::actor`], and [`Error::Setting`] with the name of a tensor that has a number which is not finite.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let layout = self.layout()?;
        if let Some((tensor, what)) = unsound(&layout.tensors(), &self.parameters) {
            return Err(Error::setting(
                &tensor,
                format!("{what}; it was not trained to an end: take another checkpoint"),
            ));
        }
        let mut layers = layers::hidden(&self.env, &self.config, &layout, &self.parameters);
        layers.push(layers::head(&self.env, &self.config));
        Ok(layers)
    }

    /// V of its critic as a list of layers, from the observation to one number; none where it has no critic that judges observations.
    ///
    /// # Errors
    /// Those of [`Policy::layers`].
    pub fn value_layers(&self) -> Result<Option<Vec<Layer>>> {
        let algo = self.config.algo;
        if !algo.is_on_policy() || !self.config.estimator.has_critic() {
            return Ok(None);
        }
        self.layers()?; // whose numbers are finite
        Ok(Some(layers::of_network(&self.config, &self.layout()?, &self.parameters, CRITIC)))
    }

    /// Names and shapes of its tensors, in the order of [`Policy::parameters`].
    ///
    /// # Errors
    /// Those of [`Policy::actor`].
    pub fn tensors(&self) -> Result<Vec<(String, Vec<usize>)>> {
        Ok(self.layout()?.tensors().into_iter().map(|tensor| (tensor.name, tensor.shape)).collect())
    }

    /// What the deterministic policy does: [`Actor::act`] of an actor that the first call makes.
    ///
    /// # Errors
    /// Those of [`Policy::actor`] and [`Actor::act`].
    pub fn act(&self, observation: &[f64]) -> Result<Vec<f64>> {
        self.with_actor(|actor| actor.act(observation))
    }

    /// What the deterministic policy does where only some actions are allowed: [`Actor::act_masked`].
    ///
    /// # Errors
    /// Those of [`Policy::actor`] and [`Actor::act_masked`].
    pub fn act_masked(&self, observation: &[f64], allowed: &[bool]) -> Result<Vec<f64>> {
        self.with_actor(|actor| actor.act_masked(observation, allowed))
    }

    fn with_actor<T>(&self, act: impl FnOnce(&Actor) -> Result<T>) -> Result<T> {
        let actor = match self.actor.get() {
            Some(actor) => actor,
            None => {
                let actor = self.actor()?;
                self.actor.get_or_init(|| actor)
            }
        };
        // environment and configuration can be changed by anybody
        if actor.is_of(&self.env, &self.config) { act(actor) } else { act(&self.actor()?) }
    }

    /// Plays whole episodes on the device.
    ///
    /// # Errors
    /// [`Error::EpisodeNotFinite`] and [`Error::LoopCut`] where an episode means nothing, and those of [`Plan::build`].
    pub fn evaluate(&self, gpu: &Gpu, episodes: u32, seed: u32, sampled: bool) -> Result<Returns> {
        if episodes == 0 {
            return Err(Error::setting("episodes", "0 is not allowed; it must be at least 1"));
        }
        let layout = self.layout()?;
        let kernels =
            Kernels::new(gpu.form_for(0), &layout, &self.env.spec().action_space, self.config.exploration(&self.env));
        let mut plan = Plan::new(Target::of(gpu));
        let (words, first) = (layout.expand(&self.parameters), Progress::default());
        let parameters = move || words.clone();
        let agents = Agents::new(&mut plan, Run::default(), &[seed], layout.words(), parameters, first)?;
        let evaluation = Evaluation::new(&mut plan, &kernels, &self.env, 0, &agents, episodes, sampled)?;
        plan.build(gpu)?;
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
    /// [`Error::File`], and as [`Policy::actor`].
    pub fn save(&self, path: &Path) -> Result<()> {
        file::replace(path, &self.to_bytes()?)
    }

    /// The bytes of a checkpoint. Equal policies give equal bytes.
    ///
    /// # Errors
    /// Those of [`Policy::actor`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.layout()?;
        let mut bytes = Vec::new();
        self.write(&mut bytes).map_err(|error| Error::Gpu(format!("a checkpoint in memory: {error}")))?;
        Ok(bytes)
    }

    /// Writes a checkpoint. Equal policies give equal bytes.
    pub(super) fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        let tensors = self.layout().map_err(std::io::Error::other)?.tensors();
        let mut rest: &[u8] = bytemuck::cast_slice(&self.parameters);
        let mut arrays = Vec::new();
        for tensor in &tensors {
            let (data, later) = rest.split_at(4 * tensor.len());
            arrays.push(Array { name: &tensor.name, dtype: Dtype::F32, shape: tensor.shape.clone(), data });
            rest = later;
        }
        let metadata = self.metadata().map_err(std::io::Error::other)?;
        tensors::write(&metadata, &arrays, to)
    }

    /// What a checkpoint says beside its tensors, in order.
    pub(crate) fn metadata(&self) -> serde_json::Result<Vec<(&'static str, String)>> {
        let overrides: BTreeMap<&str, f64> =
            self.env.overrides().iter().map(|known| (known.name.as_str(), known.value)).collect();
        let head = layers::head(&self.env, &self.config);
        let mut metadata = vec![
            ("format", FORMAT.to_owned()),
            ("version", tensors::VERSION.to_owned()),
            ("algo", self.config.algo.name().to_owned()),
            ("env", self.env.name().to_owned()),
            ("updates", self.updates.to_string()),
            ("params_hash", self.hash()),
            ("action_space", serde_json::to_string(&self.env.spec().action_space)?),
            ("action_bounds", head.head_name().unwrap_or_default().to_owned()),
        ];
        for (name, returns) in [("evaluation", &self.evaluation), ("evaluation_of_best", &self.evaluation_of_best)] {
            if let Some(returns) = returns {
                metadata.push((name, serde_json::to_string(returns)?));
            }
        }
        metadata.push(("config", self.config.to_toml()));
        metadata.push(("env_overrides", serde_json::to_string(&overrides)?));
        metadata.push(("env_source", self.env.text().to_owned()));
        Ok(metadata)
    }

    /// Reads a checkpoint, or the newest one that is whole in a run directory. Everything needed is inside: the environment's
    /// text too.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Checkpoint`] where it is not one of ours, of a newer version, or
    /// damaged: its BLAKE3 is checked before anything else.
    pub fn load(path: &Path) -> Result<Self> {
        Self::load_with_notes(path).map(|(policy, _)| policy)
    }

    /// Reads a checkpoint from its bytes, as [`Policy::to_bytes`] gives them.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] as [`Policy::load`].
    pub fn from_checkpoint(bytes: &[u8]) -> Result<Self> {
        let name = Path::new("in memory");
        Self::from_bytes(name, bytes).map_err(|fault| fault.into_error(name))
    }

    /// Reads a checkpoint, and gives what somebody should know about it, a sentence each: which newer checkpoints of the run were broken,
    /// and that its environment is not the one that is built in under the same name.
    ///
    /// # Errors
    /// Those of [`Policy::load`].
    pub fn load_with_notes(path: &Path) -> Result<(Self, Vec<String>)> {
        let (policy, mut notes) = if path.is_dir() {
            checkpoints::newest_policy(path)?
        } else {
            (Self::read(path).map_err(|fault| fault.into_error(path))?, Vec::new())
        };
        notes.extend(policy.note_on_env());
        Ok((policy, notes))
    }

    /// A note where an environment has the name of a built-in one and is another.
    pub fn note_on_env(&self) -> Option<String> {
        let name = self.env.name();
        let imitates = !self.env.is_built_in() && Environment::names().any(|known| known == name);
        imitates.then(|| {
            format!("the checkpoint brings an environment of its own under the name {name}; the built-in one differs")
        })
    }

    /// Reads one file.
    pub(super) fn read(path: &Path) -> std::result::Result<Self, Fault> {
        let whole = Whole::read(path, FORMAT, MOST_BYTES)?;
        Self::from_file(&whole, path).map_err(Fault::Refused)
    }

    /// The same of bytes that were read from there before.
    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> std::result::Result<Self, Fault> {
        let whole = Whole::from_bytes(path, FORMAT, bytes)?;
        Self::from_file(&whole, path).map_err(Fault::Refused)
    }

    fn from_file(file: &Whole, path: &Path) -> Result<Self> {
        let complain = |reason: String| complaint(path, &reason);
        // control characters in a name would be obeyed by every terminal that it is shown on
        let name = shown(file.field("env")?);
        let from = format!("environment in {}", path.display());
        let mut env = Environment::from_source(&name, &from, file.field("env_source")?)
            .map_err(|error| complain(format!("its environment cannot be used: {error}")))?;
        let overrides: BTreeMap<String, f64> = serde_json::from_str(file.field("env_overrides")?)
            .map_err(|error| complain(format!("its overrides cannot be read: {error}")))?;
        let names: Vec<(String, f64)> = overrides.iter().map(|(name, value)| (shown(name), *value)).collect();
        env.set_all(names.iter().map(|(name, value)| (name.as_str(), *value)))?;
        let config: Config = toml::from_str(file.field("config")?)
            .map_err(|error| complain(format!("its configuration cannot be read: {}", error.message())))?;
        config.check_for(&env)?;
        let updates =
            file.field("updates")?.parse().map_err(|_| complain("its number of updates cannot be read".to_owned()))?;
        let returns = |name: &str| file.field(name).ok().and_then(|text| serde_json::from_str(text).ok());
        let (evaluation, evaluation_of_best) = (returns("evaluation"), returns("evaluation_of_best"));

        let tensors = file.arrays()?;
        let table = networks(&config, &env).tensors();
        if let Some(unknown) = tensors.names().into_iter().find(|name| table.iter().all(|known| known.name != *name)) {
            return Err(complain(format!(
                "it has '{unknown}', which a policy of {} does not have",
                config.algo.name()
            )));
        }
        let mut parameters = Vec::new();
        for expected in &table {
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
        if let Some((tensor, what)) = unsound(&table, &parameters) {
            return Err(complain(format!("'{tensor}': {what}")));
        }
        Ok(Self { env, config, updates, evaluation, evaluation_of_best, parameters, actor: OnceLock::new() })
    }
}

/// The name of the first tensor with a number that is not finite, and which number that is; none where all are finite.
fn unsound(table: &[Tensor], parameters: &[f32]) -> Option<(String, String)> {
    let place = parameters.iter().position(|value| !value.is_finite())?;
    let mut first = 0;
    for tensor in table {
        let within = place - first;
        if within < tensor.len() {
            let at = match tensor.shape[..] {
                [_, inputs] => format!("[{}][{}]", within / inputs, within % inputs),
                _ => format!("[{within}]"),
            };
            return Some((tensor.name.clone(), format!("number {at} is {}", parameters[place])));
        }
        first += tensor.len();
    }
    None
}
