//! Policies for other programs: an ONNX graph, a C header, a WGSL function. All are made from [`Policy::layers`], and a checkpoint
//! is safetensors already ([`Policy::save`]).
//!
//! ```
//! use manyworlds::{Config, Environment, Policy, export};
//!
//! let policy = Policy::untrained(&Environment::load("CartPole-v1")?, Config::default())?;
//! let header: String = export::c(&policy)?;
//! assert!(header.contains("cartpole_v1_act(const float observation[4], int action[1])"));
//! # Ok::<(), manyworlds::Error>(())
//! ```

mod c;
mod onnx;
mod trial;
mod wgsl;

pub use c::c;
pub use onnx::onnx;
pub use wgsl::wgsl;

use crate::env::ActionSpace;
use crate::error::{Result, shown};
use crate::train::{Dense, Layer, Policy, run_name};

/// A text that grows by lines.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: &str) {
        self.0 += line;
        self.0.push('\n');
    }
}

/// What every export is made of.
struct Exported<'a> {
    policy: &'a Policy,
    /// What names begin with: lower-case letters, digits and underscores, a letter first.
    prefix: String,
    /// Layers but for the head.
    network: Vec<Layer>,
    head: Layer,
    /// Numbers of an observation.
    features: usize,
    /// Numbers that the network makes.
    outputs: usize,
}

impl<'a> Exported<'a> {
    fn new(policy: &'a Policy) -> Result<Self> {
        let mut network = policy.layers()?;
        // a policy has a head
        let head = network.pop().unwrap_or(Layer::Relu);
        let spec = policy.env.spec();
        let features = spec.observation_dim as usize;
        let space = &spec.action_space;
        let outputs = if space.is_box() { space.words() } else { space.choices() } as usize;
        Ok(Self { policy, prefix: prefix(policy.env.name()), network, head, features, outputs })
    }

    /// A name of its own for something in it.
    fn name(&self, of: &str) -> String {
        format!("{}_{of}", self.prefix)
    }

    /// What the outputs of the network are called.
    fn outputs_name(&self) -> &'static str {
        if self.space().is_box() { "mean" } else { "logits" }
    }

    fn space(&self) -> &ActionSpace {
        &self.policy.env.spec().action_space
    }

    /// Numbers of an action.
    fn action_words(&self) -> usize {
        self.space().words() as usize
    }

    fn masked(&self) -> bool {
        matches!(self.head, Layer::Argmax { masked: true, .. })
    }

    fn dense(&self) -> impl Iterator<Item = &Dense> {
        self.network.iter().filter_map(|layer| if let Layer::Dense(dense) = layer { Some(dense) } else { None })
    }

    /// The most numbers that a layer takes or makes.
    fn widest(&self) -> usize {
        self.dense().map(|dense| dense.inputs.max(dense.outputs)).max().unwrap_or(0).max(self.features)
    }

    /// First output of each choice, and their number behind them; nothing for real numbers.
    fn starts(&self) -> Vec<u32> {
        let Layer::Argmax { counts, .. } = &self.head else { return Vec::new() };
        let mut starts = vec![0];
        for count in counts {
            starts.push(starts[starts.len() - 1] + count);
        }
        starts
    }

    /// What somebody who gets the file should know, each with a name: texts of one line.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let Policy { env, config, updates, evaluation, .. } = self.policy;
        let mut facts = vec![
            ("environment", shown(env.name())),
            ("algo", config.algo.name().to_owned()),
            ("updates", updates.to_string()),
            ("params_hash", self.policy.hash()),
            ("action_space", json(self.space())),
            ("action_bounds", self.head.head_name().unwrap_or_default().to_owned()),
        ];
        for (name, names) in [("observation_names", env.observation_names()), ("action_names", env.action_names())] {
            // what the environment gives no names is only numbered
            if names.iter().enumerate().any(|(i, name)| *name != i.to_string()) {
                facts.push((name, json(&names.iter().map(shown).collect::<Vec<_>>())));
            }
        }
        if let Some(returns) = evaluation {
            facts.push(("evaluation_mean", returns.mean.to_string()));
            facts.push(("evaluation_episodes", returns.episodes.to_string()));
        }
        facts.push(("manyworlds", env!("CARGO_PKG_VERSION").to_owned()));
        facts
    }

    /// The lines of a comment at the head of a source: what it is, its facts, its layers.
    fn about(&self, what: &str) -> Vec<String> {
        let Policy { env, config, .. } = self.policy;
        let mut lines =
            vec![format!("{what} of {}, learned by {}.", shown(env.name()), config.algo.name()), String::new()];
        lines.extend(self.facts().into_iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(String::new());
        lines.extend(self.network.iter().chain([&self.head]).map(|layer| match layer {
            Layer::Dense(dense) => format!("{}    W is [{}][{}]", layer.rule(), dense.outputs, dense.inputs),
            Layer::Argmax { counts, .. } => format!("{}    actions of each: {counts:?}", layer.rule()),
            _ => layer.rule().to_owned(),
        }));
        lines
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What names begin with in sources: an environment's name in lower case, without its folder, and underscores for all that is no
/// letter or digit of ASCII.
fn prefix(env: &str) -> String {
    let name = run_name(env).to_lowercase();
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut words = name.chars().map(word).collect::<String>();
    // two in a row are reserved in C++, and names that begin with a digit are none
    while words.contains("__") {
        words = words.replace("__", "_");
    }
    let words = words.trim_matches('_');
    if words.starts_with(|c: char| c.is_ascii_alphabetic()) {
        words.to_owned()
    } else {
        format!("policy_{words}").trim_end_matches('_').to_owned()
    }
}

/// A number as C and WGSL read it: nine digits, of which there is one f32.
fn number(x: f32) -> String {
    format!("{x:.8e}f")
}

/// Numbers as they stand in a list, eight in a line.
fn numbers(values: &[f32]) -> String {
    let lines: Vec<String> =
        values.chunks(8).map(|line| line.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", ")).collect();
    lines.join(",\n    ")
}

#[cfg(test)]
mod tests {
    use super::{c, number, onnx, prefix, wgsl};
    use crate::config::Config;
    use crate::env::Environment;
    use crate::train::Policy;

    #[test]
    fn weights_that_are_not_finite_are_refused_by_the_name_of_their_tensor() {
        let env = Environment::load("CartPole-v1").expect("built in");
        let config = Config { hidden: vec![4], ..Config::default() };
        let whole = Policy::untrained(&env, config.clone()).expect("a policy");
        for (place, value, words) in [
            (6, f32::NAN, "'actor.0.weight': number [1][2] is NaN"),
            (17, f32::INFINITY, "'actor.0.bias': number [1] is inf"),
        ] {
            let mut parameters = whole.parameters().to_vec();
            parameters[place] = value;
            let broken = Policy::new(&env, config.clone(), 0, parameters);
            let errors = [onnx(&broken).err(), c(&broken).err(), wgsl(&broken).err()];
            for error in errors.map(|error| error.expect("refused").to_string()) {
                assert!(error.contains(words) && error.contains("take another checkpoint"), "{error}");
            }
        }
    }

    #[test]
    fn names_are_made_of_what_c_and_wgsl_take() {
        for (env, name) in [
            ("CartPole-v1", "cartpole_v1"),
            ("/home/me/My Env.wgsl", "my_env"),
            ("2048.wgsl", "policy_2048"),
            ("環境.wgsl", "policy"),
            ("__a--b__.wgsl", "a_b"),
            ("*/ evil", "evil"),
        ] {
            assert_eq!(prefix(env), name, "{env}");
        }
    }

    #[test]
    fn numbers_are_read_back_as_they_were() {
        for bits in (0..0x7f80_0000_u32).step_by(1_048_573) {
            for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
                let text = number(x);
                let read: f32 = text.trim_end_matches('f').parse().expect("a number");
                assert_eq!(read.to_bits(), x.to_bits(), "{text}");
            }
        }
    }
}
