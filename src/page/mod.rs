//! A page for a browser: one file that plays worlds, trains, and measures, by the same shaders.
//!
//! What runs in it is a plan, replayed by JavaScript: no kernel is written for it, and nothing is left to a server. Its modules stand
//! beside this file and are joined into one script, in which all that they name outermost is named once.

use crate::bench::{self, Case, Mode};
use crate::config::Config;
use crate::env::{ActionSpace, Environment};
use crate::error::{Error, Result};
use crate::layout::{Metrics, RING, STRUCTS};
use crate::plan::{Description, Target};
use crate::train::{Bounds, Dense, Layer, MOST_NORMALISED, Policy, fault_names};
use crate::{algo, render};
use base64::prelude::{BASE64_STANDARD as BASE64, Engine};
use serde_json::{Value, json};

/// The page, with a place for everything that is put in.
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// Modules of the page, each behind those that it takes something from.
const MODULES: [&str; 12] = [
    include_str!("replay.mjs"),
    include_str!("blake3.mjs"),
    include_str!("checkpoint.mjs"),
    include_str!("chart.mjs"),
    include_str!("measure.mjs"),
    include_str!("play.mjs"),
    include_str!("policy.mjs"),
    include_str!("train.mjs"),
    include_str!("say.mjs"),
    include_str!("stage.mjs"),
    include_str!("training.mjs"),
    include_str!("page.mjs"),
];
/// Bytes that every browser's WebGPU binds.
const BOUND_EVERYWHERE: u64 = 128 << 20;
/// Worlds and steps that are measured, by mode.
const MEASURED: [(Mode, u32, u32); 3] = [(Mode::Step, 65_536, 128), (Mode::Rollout, 4096, 32), (Mode::Train, 4096, 32)];

/// What a page shows.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Worlds that are drawn.
    pub worlds: u32,
    /// Pixels of a side of their picture, at most.
    pub size: u32,
    /// Seed of their first states and of sampled actions.
    pub seed: u32,
    /// Whether actions are samples at first.
    pub sampled: bool,
    /// Whether it can train, from the seed of the policy's configuration on.
    pub train: bool,
    /// Whether it can measure the visitor's GPU.
    pub bench: bool,
}

impl Page {
    /// The page of a policy: HTML that needs nothing but itself.
    ///
    /// # Errors
    /// [`Error::Setting`] where `worlds` or `size` is not allowed, and those of [`render::describe`], [`algo::describe`] and
    /// [`bench::describe`].
    pub fn html(&self, policy: &Policy) -> Result<String> {
        let data = json!({
            "program": PROGRAM,
            "environment": environment(&policy.env),
            "policy": network(policy)?,
            "play": self.play(policy)?,
            "train": if self.train { train(policy)? } else { Value::Null },
            "bench": if self.bench { measurements(&policy.env)? } else { json!([]) },
        });
        Ok(filled(&[
            ("title", &escaped(&title(&policy.env))),
            ("style", STYLE),
            ("program", PROGRAM),
            ("data", &in_script(&data.to_string())),
            ("code", &MODULES.map(inlined).join("\n")),
        ]))
    }

    fn play(&self, policy: &Policy) -> Result<Value> {
        let describe = |target| render::describe(target, policy, self.worlds, self.seed, self.size);
        let (plan, grid) = planned(describe)?;
        let space = &policy.env.spec().action_space;
        let (low, high) = match space {
            ActionSpace::Box { low, high } => (low.clone(), high.clone()),
            _ => (Vec::new(), Vec::new()),
        };
        Ok(json!({
            "plan": written(&plan)?,
            "worlds": self.worlds,
            "columns": grid.columns,
            "tile": grid.tile,
            "width": grid.width(),
            "height": grid.height(),
            "sampled": self.sampled,
            "features": policy.env.spec().observation_dim,
            "components": space.words(),
            "real": space.is_box(),
            "counts": space.counts(),
            "choices": space.choices(),
            "mask_words": if space.masked() { space.mask_words() } else { 0 },
            "low": low,
            "high": high,
        }))
    }
}

const PROGRAM: &str = concat!("manyworlds ", env!("CARGO_PKG_VERSION"));

/// A plan for as little as every browser binds, or for whatever it takes: the page then asks for more.
fn planned<T>(describe: impl Fn(Target) -> Result<T>) -> Result<T> {
    match describe(Target { largest_binding: BOUND_EVERYWHERE, ..Target::GPU }) {
        Err(Error::TooLarge { .. }) => describe(Target::GPU),
        other => other,
    }
}

/// A plan whose words are base64.
fn written(plan: &Description) -> Result<Value> {
    let mut written = to_json(plan)?;
    let buffers = written["buffers"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    for (written, buffer) in buffers.iter_mut().zip(&plan.buffers) {
        let words = buffer.words.as_deref().map(bytemuck::cast_slice::<u32, u8>);
        written["words"] = words.map(|bytes| BASE64.encode(bytes)).into();
    }
    Ok(written)
}

fn to_json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::Gpu(format!("a plan cannot be written down: {error}")))
}

fn environment(env: &Environment) -> Value {
    let spec = env.spec();
    json!({
        "name": title(env),
        "about": env.about(),
        "observations": env.observation_names(),
        "actions": actions(env),
        "threshold": spec.reward_threshold,
    })
}

/// A name for every action of every choice, or for every real number.
fn actions(env: &Environment) -> Vec<String> {
    let names = env.action_names();
    let ActionSpace::MultiDiscrete { counts, .. } = &env.spec().action_space else { return names };
    names.iter().zip(counts).flat_map(|(name, count)| (0..*count).map(move |i| format!("{name} {i}"))).collect()
}

/// The environment's name, or that of its file without folders and ending.
fn title(env: &Environment) -> String {
    let name = std::path::Path::new(env.name());
    let stem = name.file_stem().filter(|_| Environment::is_file_name(env.name()));
    stem.map_or_else(|| env.name().to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The tensors of a policy as they lie in its padded parameters, and what its network does.
fn network(policy: &Policy) -> Result<Value> {
    let layout = policy.layout()?;
    let tensors: Vec<Value> = layout
        .tensors()
        .iter()
        .map(|of| json!({"name": of.name, "shape": of.shape, "offset": of.offset, "stride": of.stride}))
        .collect();
    let config = &policy.config;
    let about = match policy.updates {
        0 => format!("a policy of {} before its first update", config.algo.name()),
        updates => format!("a policy of {} after {updates} updates", config.algo.name()),
    };
    Ok(json!({"about": about, "tensors": tensors, "steps": steps(policy)?}))
}

/// The layers of a policy, weights by the names of their tensors.
fn steps(policy: &Policy) -> Result<Vec<Value>> {
    let step = |layer: Layer| match layer {
        Layer::Normalise { .. } => {
            json!({"op": "normalise", "moments": "normaliser.observation", "limit": MOST_NORMALISED})
        }
        Layer::Dense(Dense { number, outputs, .. }) => {
            let (weight, bias) = (format!("actor.{number}.weight"), format!("actor.{number}.bias"));
            json!({"op": "dense", "weight": weight, "bias": bias, "outputs": outputs})
        }
        Layer::Tanh => json!({"op": "tanh"}),
        Layer::Relu => json!({"op": "relu"}),
        Layer::Argmax { .. } => json!({"op": "argmax"}),
        Layer::Clip(Bounds { low, high }) => json!({"op": "clip", "low": low, "high": high}),
        Layer::Squash(Bounds { low, high }) => json!({"op": "squash", "low": low, "high": high}),
    };
    Ok(policy.layers()?.into_iter().map(step).collect())
}

/// What the page's trainer knows beside the plan.
fn train(policy: &Policy) -> Result<Value> {
    let (env, config) = (&policy.env, &policy.config);
    let plan = planned(|target| algo::describe(target, config, env, &[config.seed]))?;
    let fields = STRUCTS.iter().find(|of| of.name == "MwMetrics").map_or(&[][..], |of| of.fields);
    let fields: serde_json::Map<String, Value> =
        fields.iter().map(|(name, kind, offset)| ((*name).to_owned(), json!([kind, offset]))).collect();
    let faults: serde_json::Map<String, Value> =
        fault_names().map(|(number, name)| (number.to_string(), name.into())).collect();
    let beginning = Policy::untrained(env, config.clone())?;
    Ok(json!({
        "plan": written(&plan)?,
        "algo": config.algo.name(),
        "seed": config.seed,
        "total_timesteps": config.total_timesteps,
        "num_updates": config.num_updates(),
        "eval_every": config.eval_every,
        "eval_episodes": config.eval_episodes,
        "first_steps": config.env_steps(0),
        // a search tells of its own
        "steps_of_updates": (!config.algo.is_search()).then(|| config.env_steps(1) - config.env_steps(0)),
        "ring": RING,
        "metrics": {"bytes": size_of::<Metrics>(), "fields": fields},
        "faults": faults,
        "metadata": beginning.metadata().map_err(|error| Error::Gpu(format!("metadata cannot be written: {error}")))?,
    }))
}

/// What the page measures: PPO's shapes, as `manyworlds bench` has them.
fn measurements(env: &Environment) -> Result<Value> {
    let cases = MEASURED.into_iter().map(|(mode, num_envs, num_steps)| {
        let case = Case { mode, num_envs, num_steps, net: Config::default().hidden };
        let plan = planned(|target| bench::describe(target, env, &case))?;
        Ok(json!({"mode": mode, "num_envs": num_envs, "num_steps": num_steps, "plan": written(&plan)?}))
    });
    Ok(Value::Array(cases.collect::<Result<Vec<_>>>()?))
}

/// The page with these texts in its places, each of which is filled once: a text that looks like a place stays a text.
fn filled(texts: &[(&str, &str)]) -> String {
    let mut page = String::new();
    for (n, piece) in PAGE.split("{{").enumerate() {
        let known = piece.split_once("}}").filter(|_| n > 0);
        match known.and_then(|(name, rest)| Some((texts.iter().find(|(known, _)| *known == name)?.1, rest))) {
            Some((text, rest)) => page.extend([text, rest]),
            None => page.push_str(piece),
        }
    }
    page
}

/// A module without its words of import and export, as part of one script.
fn inlined(module: &str) -> String {
    let lines = module.lines().filter(|line| !line.starts_with("import "));
    lines.map(|line| format!("{}\n", line.strip_prefix("export ").unwrap_or(line))).collect()
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// JSON that cannot end the element that it stands in, or begin a comment there.
fn in_script(json: &str) -> String {
    json.replace("</", "<\\/").replace("<!", "\\u003c!")
}
