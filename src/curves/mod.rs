//! Learning curves: what run directories say of how runs went, and pictures of it; and pictures of throughput.

mod compare;
mod draw;
mod record;
mod throughput;

pub use compare::{Across, Comparison};
pub use record::Record;
pub use throughput::{OneCore, draw_throughput};

use crate::config::ConfigFile;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::figure::Figure;
use crate::file;
use crate::train::{CONFIG_FILE, EVALUATIONS_FILE, Evaluated, METRICS_FILE};
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Names of a run's own picture.
pub const CURVE_FILES: [&str; 2] = ["curve.svg", "curve.png"];
/// How the folders of several seeds begin.
const SEED: &str = "seed-";

/// How one seed of a run went.
#[derive(Clone, Debug)]
pub struct Run {
    /// The run directory, or its folder of the seed.
    pub folder: PathBuf,
    /// Name of the environment.
    pub env: String,
    /// Mean return from which on it counts as solved.
    pub threshold: Option<f32>,
    /// The algorithm.
    pub algo: String,
    /// Seed of the run.
    pub seed: u64,
    /// Its settings, by name.
    pub settings: Map<String, Value>,
    /// Lines of `metrics.jsonl`.
    metrics: Vec<Map<String, Value>>,
    evaluations: Vec<Evaluated>,
}

/// A number of a run, at a step and a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Steps of all worlds.
    pub step: f64,
    /// Wall seconds of the run.
    pub seconds: f64,
    /// The number, and its standard error where it is a mean that has one.
    pub value: f64,
    /// Standard error.
    pub error: Option<f64>,
}

impl Run {
    /// The runs of a directory: one, or one for each seed that was trained side by side.
    ///
    /// # Errors
    /// [`Error::File`] where it is no run directory, or a file of it cannot be read.
    pub fn read(path: &Path) -> Result<Vec<Self>> {
        let refuse = |reason: &str| Error::File { action: "read", path: path.to_owned(), reason: reason.to_owned() };
        if !path.is_dir() {
            return Err(refuse(if path.exists() {
                "it is not a directory; name a run directory"
            } else {
                "there is no such run directory"
            }));
        }
        if path.join(METRICS_FILE).exists() {
            // a seed's folder has its settings above it
            let own = path.join(CONFIG_FILE);
            let above = path.canonicalize().ok().and_then(|path| Some(path.parent()?.join(CONFIG_FILE)));
            let config = if own.exists() { Some(own) } else { above.filter(|path| path.exists()) };
            let config = config.ok_or_else(|| refuse(&format!("it holds no {CONFIG_FILE}; name a run directory")))?;
            return Ok(vec![Self::of(path, &ConfigFile::read(&config)?)?]);
        }
        let mut seeds: Vec<(u64, PathBuf)> = std::fs::read_dir(path)
            .map_err(|error| Error::file("read", path, &error))?
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.strip_prefix(SEED)?.parse().ok()?, entry.path())))
            .collect();
        if seeds.is_empty() {
            return Err(refuse(&format!("it holds neither {METRICS_FILE} nor folders of seeds; name a run directory")));
        }
        seeds.sort();
        let config = ConfigFile::read(&path.join(CONFIG_FILE))?;
        seeds.iter().map(|(_, folder)| Self::of(folder, &config)).collect()
    }

    fn of(folder: &Path, config: &ConfigFile) -> Result<Self> {
        let threshold = config.env_name().and_then(|env| Environment::load(&env).ok()?.spec().reward_threshold);
        let env = config.env.as_ref().map(|env| env.name.clone()).unwrap_or_default();
        let settings: Map<String, Value> = config
            .settings()
            .filter_map(|(name, value)| Some((name.clone(), serde_json::to_value(value).ok()?)))
            .collect();
        let name = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(SEED));
        let seed = name.and_then(|seed| seed.parse().ok());
        let path = |name: &str| folder.join(name);
        Ok(Self {
            folder: folder.to_owned(),
            env,
            threshold,
            algo: config.algo().unwrap_or("ppo").to_owned(),
            seed: seed.or_else(|| settings.get("seed")?.as_u64()).unwrap_or(0),
            settings,
            metrics: lines(&path(METRICS_FILE))?,
            evaluations: if path(EVALUATIONS_FILE).exists() { lines(&path(EVALUATIONS_FILE))? } else { Vec::new() },
        })
    }

    /// How a seed went whose lines are in no directory: those of `metrics.jsonl` and of `evaluations.jsonl`, as JSON.
    ///
    /// # Errors
    /// [`Error::Setting`] where a line is not one of theirs.
    pub fn of_lines(
        env: &Environment,
        algo: &str,
        seed: u32,
        metrics: &[String],
        evaluations: &[String],
    ) -> Result<Self> {
        fn read<T: serde::de::DeserializeOwned>(name: &str, lines: &[String]) -> Result<Vec<T>> {
            let line = |text: &String| {
                serde_json::from_str(text).map_err(|error| Error::setting(name, format!("{error} in the line {text}")))
            };
            lines.iter().map(line).collect()
        }
        Ok(Self {
            folder: PathBuf::new(),
            env: env.name().to_owned(),
            threshold: env.spec().reward_threshold,
            algo: algo.to_owned(),
            seed: seed.into(),
            settings: Map::new(),
            metrics: read("metrics", metrics)?,
            evaluations: read("evaluations", evaluations)?,
        })
    }

    /// A number of every update that has it, by its name in `metrics.jsonl`; or `evaluation`, the mean returns of evaluations.
    pub fn points(&self, name: &str) -> Vec<Point> {
        if name == "evaluation" {
            let point = |of: &Evaluated| Point {
                step: of.step as f64,
                seconds: of.seconds,
                value: of.returns.mean,
                error: of.returns.standard_error,
            };
            return self.evaluations.iter().map(point).collect();
        }
        let point = |line: &Map<String, Value>| {
            let number = |name: &str| line.get(name)?.as_f64();
            Some(Point { step: number("step")?, seconds: number("seconds")?, value: number(name)?, error: None })
        };
        self.metrics.iter().filter_map(point).collect()
    }

    /// Names of numbers that its lines have.
    pub fn names(&self) -> Vec<String> {
        let numbers =
            self.metrics.last().into_iter().flatten().filter(|(_, value)| value.is_number() || value.is_null());
        numbers.map(|(name, _)| name.clone()).filter(|name| !["update", "step", "seconds"].contains(&&**name)).collect()
    }
}

/// The lines of a file of JSON; one that was cut off by a crash is left out, and so is all behind it.
fn lines<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let (file, _) = file::open(path, u64::MAX)?;
    let mut all = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| Error::file("read", path, &error))?;
        let Ok(value) = serde_json::from_str(&line) else { break };
        all.push(value);
    }
    Ok(all)
}

/// Draws the curve of a run directory into it: returns of training and evaluations, against steps and against seconds.
///
/// # Errors
/// Those of [`Run::read`], and [`Error::File`] where the pictures cannot be written; each is replaced whole or not at all.
pub fn draw_run(path: &Path) -> Result<()> {
    let figure = draw::of_run(&Run::read(path)?);
    let [svg, png] = CURVE_FILES.map(|name| path.join(name));
    write(&figure, &[&svg, &png])
}

/// The curve of one run, or of several seeds, as SVG.
pub fn svg(runs: &[Run]) -> String {
    draw::of_run(runs).to_svg()
}

/// Refuses a picture that could not be written, before the work for it is done.
///
/// # Errors
/// [`Error::File`] where its name ends in neither `.svg` nor `.png`, or there is no such folder.
pub fn check_picture(path: &Path) -> Result<()> {
    let refuse = |reason: String| Err(Error::File { action: "create", path: path.to_owned(), reason });
    if !path.extension().is_some_and(|ending| ["svg", "png"].iter().any(|known| ending == *known)) {
        return refuse("pictures end in .svg or .png; choose one of them".to_owned());
    }
    file::check_folder(path)
}

/// Writes a figure into files that end in `.svg` or `.png`.
fn write(figure: &Figure, paths: &[&Path]) -> Result<()> {
    paths.iter().try_for_each(|path| check_picture(path))?;
    let bytes = |path: &&Path| {
        if path.extension().is_some_and(|ending| ending == "svg") {
            Ok(figure.to_svg().into_bytes())
        } else {
            figure.to_png()
        }
    };
    let made = paths.iter().map(bytes).collect::<Result<Vec<_>>>()?;
    let files: Vec<(&Path, &[u8])> = paths.iter().copied().zip(made.iter().map(Vec::as_slice)).collect();
    file::replace_all(&files)
}
