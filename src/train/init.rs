//! What a run begins with in place of its seed's first parameters: the tensors of a checkpoint, or of a file with PyTorch's names.

mod foreign;

use super::tensors::complaint;
use super::{CHECKPOINT_FILE, Policy, Trainer, checkpoints};
use crate::algo::{Learning, networks};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::file;
use crate::gpu::Gpu;
use crate::nn::{Activation, Tensor};
use std::path::{Path, PathBuf};

/// Name of the copy in a run directory.
pub const INIT_FILE: &str = "init.safetensors";
/// Most bytes of a file that is read.
const MOST_BYTES: u64 = 1 << 30;

/// Tensors that a run begins with.
#[derive(Clone, Debug)]
pub struct Init {
    path: PathBuf,
    /// The file as it was read: a run keeps a copy.
    bytes: Vec<u8>,
    tensors: Vec<Given>,
    /// Which newer checkpoints of a run were broken, a sentence each.
    notes: Vec<String>,
    /// What is known of the policy besides, where the file is a checkpoint.
    made_by: Option<Box<(Environment, Config)>>,
}

/// A tensor of the file.
#[derive(Clone, Debug)]
struct Given {
    /// As the file has it.
    name: String,
    /// As a checkpoint has it: `actor.0.weight`, ….
    meaning: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Tensors in the places of a run's own.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// One for each tensor of the run's networks in table order: the values that it begins with, or none where its seed decides.
    values: Vec<Option<Vec<f32>>>,
    /// What was taken and what was not, in a sentence.
    pub told: String,
}

impl Init {
    /// Reads a checkpoint, the newest policy of a run directory, or safetensors with PyTorch's names: `0.weight`, `0.bias`, `2.weight`, …
    /// of `nn.Sequential`, also behind a prefix (`actor.`, `policy.`, `critic.`, …). Numbers of 16 and 64 bits become f32.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Checkpoint`] where it is neither, or a number is not finite.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let (policy, notes) = checkpoints::newest_policy(path)?;
            return Ok(Self { notes, ..Self::of_policy(&policy, &path.join(CHECKPOINT_FILE))? });
        }
        Self::from_bytes(path, file::read(path, MOST_BYTES)?)
    }

    /// What a file holds that was read once: a training may put another one in its place at any time, and the copy that is kept is
    /// that of the tensors that are taken.
    fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        if foreign::is_checkpoint(&bytes) {
            let policy = Policy::from_bytes(path, &bytes).map_err(|fault| fault.into_error(path))?;
            return Ok(Self { bytes, ..Self::of_policy(&policy, path)? });
        }
        let tensors = foreign::tensors(path, &bytes)?;
        Ok(Self { path: path.to_owned(), bytes, tensors, notes: Vec::new(), made_by: None })
    }

    /// The tensors of a policy; `path` is what it is called in errors.
    ///
    /// # Errors
    /// Those of [`Policy::actor`].
    pub fn of_policy(policy: &Policy, path: &Path) -> Result<Self> {
        let (mut tensors, mut first) = (Vec::new(), 0);
        for Tensor { name, shape, .. } in policy.layout()?.tensors() {
            let count: usize = shape.iter().product();
            let values = policy.parameters()[first..first + count].to_vec();
            first += count;
            tensors.push(Given { meaning: name.clone(), name, shape, values });
        }
        let made_by = Some(Box::new((policy.env.clone(), policy.config.clone())));
        Ok(Self { path: path.to_owned(), bytes: policy.to_bytes()?, tensors, notes: Vec::new(), made_by })
    }

    /// The file that was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which newer checkpoints of its run were broken and passed over, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// BLAKE3 of its bytes, in hexadecimal.
    pub fn hash(&self) -> String {
        blake3::hash(&self.bytes).to_hex().to_string()
    }

    /// What of it a run takes. All of the actor must be there; of the critics, the deviations and the moments those are taken that fit.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with a tensor's name and both shapes where the actor is another network, [`Error::Setting`] where it was
    /// made with another activation.
    pub fn fit(&self, env: &Environment, config: &Config) -> Result<Fitted> {
        config.check_for(env)?;
        if let Some((_, other)) = self.made_by.as_deref()
            && other.activation != config.activation
        {
            let name = |activation: Activation| format!("{activation:?}").to_lowercase();
            let (made, wanted) = (name(other.activation), name(config.activation));
            let reason = format!(
                "the policy in {} was made with {made}, this run has {wanted}; set activation={made}",
                self.path.display()
            );
            return Err(Error::setting("activation", reason));
        }
        let table = networks(config, env).tensors();
        self.check_actor(&table, env)?;
        let network = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let fits = |tensor: &Tensor| self.find(&tensor.name).is_some_and(|given| given.shape == tensor.shape);
        // a critic is taken whole or not at all, and so are the moments
        let whole = |name: &str| {
            let mut of_network = table.iter().filter(|tensor| network(&tensor.name) == name);
            of_network.all(&fits)
        };
        let wants = |tensor: &Tensor| match network(&tensor.name).as_str() {
            // log σ stands beside the actor's network
            "actor" => fits(tensor),
            "normaliser" => fits(tensor) && self.is_of_use(&tensor.name, config),
            // the best member of a search that has seen none is its actor
            "best" => self.find(&tensor.name.replacen("best.", "actor.", 1)).is_some(),
            name => whole(name),
        };
        let mut values = Vec::new();
        let (mut taken, mut own): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for tensor in &table {
            let meaning = if network(&tensor.name) == "best" {
                tensor.name.replacen("best.", "actor.", 1)
            } else {
                tensor.name.clone()
            };
            let given = Some(tensor).filter(|tensor| wants(tensor)).and_then(|_| self.find(&meaning));
            let list = if given.is_some() { &mut taken } else { &mut own };
            if meaning == tensor.name {
                list.push(shortly(&tensor.name));
            }
            values.push(given.map(|given| given.values.clone()));
        }
        let left = self.tensors.iter().filter(|given| {
            given.meaning.starts_with("best.")
                || !table.iter().zip(&values).any(|(tensor, values)| tensor.name == given.meaning && values.is_some())
        });
        let left: Vec<String> = left.map(|given| shortly(&given.name)).collect();
        let list = |mut names: Vec<String>| {
            names.dedup();
            names.join(", ")
        };
        let mut told = format!("begins with {} of {}", list(taken), self.path.display());
        if !left.is_empty() {
            told += &format!("; not taken: {}", list(left));
        }
        if !own.is_empty() {
            told += &format!("; by its seed: {}", list(own));
        }
        if let Some(other) = self.sees_otherwise(config) {
            told += &format!("; {other}");
        }
        Ok(Fitted { values, told })
    }

    fn find(&self, meaning: &str) -> Option<&Given> {
        self.tensors.iter().find(|given| given.meaning == meaning)
    }

    /// Whether moments say something: those of numbers that were normalised, and are.
    fn is_of_use(&self, name: &str, config: &Config) -> bool {
        let both = |of: fn(&Config) -> bool| of(config) && self.made_by.as_deref().is_none_or(|(_, other)| of(other));
        if name == "normaliser.reward" { both(|config| config.norm_reward) } else { both(|config| config.norm_obs) }
    }

    /// Where the actor saw other numbers when it was made than it will see.
    fn sees_otherwise(&self, config: &Config) -> Option<&'static str> {
        let (_, other) = self.made_by.as_deref()?;
        match (other.norm_obs, config.norm_obs) {
            (true, false) => {
                Some("its actor has learned from normalised observations, and sees them as they are: set norm_obs=true")
            }
            (false, true) => Some(
                "its actor has learned from observations as they are, and sees them normalised: set norm_obs=false",
            ),
            _ => None,
        }
    }

    /// Refuses an actor that is another network.
    fn check_actor(&self, table: &[Tensor], env: &Environment) -> Result<()> {
        let is_layer = |name: &str| {
            let kind = name.rsplit('.').next().unwrap_or_default();
            name.starts_with("actor.") && ["weight", "bias"].contains(&kind)
        };
        let own: Vec<&Tensor> = table.iter().filter(|tensor| is_layer(&tensor.name)).collect();
        let given: Vec<&Given> = self.tensors.iter().filter(|given| is_layer(&given.meaning)).collect();
        let number = |given: &Given| given.meaning.split('.').nth(1).and_then(|number| number.parse::<u32>().ok());
        let mut weights: Vec<&&Given> = given.iter().filter(|given| given.meaning.ends_with(".weight")).collect();
        weights.sort_by_key(|given| number(given));
        let spec = env.spec();
        let outputs = own.last().map_or(0, |bias| bias.shape[0]);
        let remedy = || {
            let numbers = |count: usize, name: &str| format!("{count} {name}");
            let (Some(first), Some(last)) = (weights.first(), weights.last()) else {
                return "name its layers actor.0.weight, actor.0.bias, …".to_owned();
            };
            let (features, made) = (first.shape[1], last.shape[0]);
            if features != spec.observation_dim as usize {
                let wanted = numbers(spec.observation_dim as usize, "numbers");
                return format!(
                    "{} observes {wanted}, and that policy {features}: take another environment or file",
                    env.name()
                );
            }
            if made != outputs {
                return format!(
                    "the actor of this run makes {outputs} numbers, and that policy {made}: take another environment, algo or file"
                );
            }
            let hidden: Vec<usize> = weights[..weights.len() - 1].iter().map(|given| given.shape[0]).collect();
            format!("set hidden={hidden:?}")
        };
        for tensor in &own {
            let Some(found) = given.iter().find(|given| given.meaning == tensor.name) else {
                let reason = format!("it lacks '{}' {:?}; {}", tensor.name, tensor.shape, remedy());
                return Err(complaint(&self.path, &reason));
            };
            if found.shape != tensor.shape {
                let (name, other) = (&found.name, &tensor.shape);
                let reason = format!("'{name}' is {:?}, and {other:?} in this run; {}", found.shape, remedy());
                return Err(complaint(&self.path, &reason));
            }
        }
        match given.iter().find(|given| own.iter().all(|tensor| tensor.name != given.meaning)) {
            Some(more) => {
                let reason =
                    format!("'{}' {:?} is one layer more than this run has; {}", more.name, more.shape, remedy());
                Err(complaint(&self.path, &reason))
            }
            None => Ok(()),
        }
    }
}

impl Fitted {
    /// One for each tensor of the run's networks in table order: the values that it begins with, or none where its seed decides.
    pub fn values(&self) -> &[Option<Vec<f32>>] {
        &self.values
    }

    /// Puts them into every agent of a run that has not begun.
    pub(super) fn put_into(&self, gpu: &Gpu, learning: &Learning) -> Result<()> {
        let table = learning.layout.tensors();
        learning.begin_with(gpu, |own| {
            let (mut all, mut first) = (Vec::with_capacity(own.len()), 0);
            for (tensor, values) in table.iter().zip(&self.values) {
                let own = &own[first..first + tensor.len()];
                first += tensor.len();
                all.extend_from_slice(values.as_deref().unwrap_or(own));
            }
            all
        })
    }
}

impl Trainer {
    /// Agents with these seeds that begin with the networks of a policy, of other settings or another environment: its actor, and of
    /// its critics, deviations and moments those that fit. Their seeds decide all else.
    ///
    /// # Errors
    /// Those of [`Trainer::new`] and [`Init::fit`].
    pub fn from_policy(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32], policy: &Policy) -> Result<Self> {
        Self::from_init(gpu, env, config, seeds, &Init::of_policy(policy, Path::new(policy.env.name()))?)
    }

    /// The same of a file that was read.
    ///
    /// # Errors
    /// Those of [`Trainer::new`] and [`Init::fit`].
    pub fn from_init(gpu: &Gpu, env: &Environment, config: &Config, seeds: &[u32], init: &Init) -> Result<Self> {
        let fitted = init.fit(env, config)?;
        let trainer = Self::new(gpu, env, config, seeds)?;
        fitted.put_into(gpu, trainer.learning())?;
        Ok(trainer)
    }
}

/// A tensor's name in a list: layers of a network by the network's.
fn shortly(name: &str) -> String {
    let network = name.rsplit_once('.').and_then(|(layer, _)| layer.rsplit_once('.'));
    match network {
        Some((network, number)) if number.parse::<u32>().is_ok() => network.to_owned(),
        _ if name.split('.').next().is_some_and(|first| first.parse::<u32>().is_ok()) => "layers".to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Init;
    use crate::config::Config;
    use crate::env::Environment;
    use crate::train::Policy;

    /// As when another training has put its own in the place of a checkpoint that was just read, or has taken it away.
    #[test]
    fn tensors_are_those_of_the_bytes_that_are_kept_whatever_becomes_of_the_file() {
        let env = Environment::load("CartPole-v1").expect("built in");
        let policy = |seed: u32| {
            let config = Config { hidden: vec![3], seed, ..Config::default() };
            Policy::untrained(&env, config).expect("a policy")
        };
        let (read, put) = (policy(1), policy(2));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("checkpoint.safetensors");
        let bytes = read.to_bytes().expect("bytes");
        for there in [None, Some(&put)] {
            if let Some(other) = there {
                other.save(&path).expect("written");
            }
            let init = Init::from_bytes(&path, bytes.clone()).expect("whole");
            let taken: Vec<f32> = init.tensors.iter().flat_map(|given| given.values.iter().copied()).collect();
            assert_eq!(taken, read.parameters(), "with another one there: {}", there.is_some());
            assert_eq!((init.bytes(), init.path()), (&bytes[..], path.as_path()));
        }
        // and what is torn is told as of a file
        let error = Init::from_bytes(&path, bytes[..bytes.len() - 1].to_vec()).expect_err("cut").to_string();
        assert!(error.contains("it ends too soon") && error.contains("checkpoint.safetensors"), "{error}");
    }
}
