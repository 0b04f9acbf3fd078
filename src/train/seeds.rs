//! Several seeds in one launch: independent agents in the same kernels, each as if it were alone.

use super::record::Record;
use super::run::{Event, Options, Progress, Stop, Wish, Wished, prepare};
use super::{CHECKPOINT_FILE, Policy, Returns, RunDirectory};
use crate::config::Config;
use crate::env::Environment;
use crate::error::{Error, Result, shown};
use crate::file;
use crate::gpu::Gpu;
use crate::statistics::Interquartile;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// Name of the file with the results of all seeds in a run directory.
pub const RESULTS_FILE: &str = "results.json";

/// The seeds of a launch.
#[derive(Clone, Copy, Debug)]
pub struct Seeds<'a> {
    /// Each of them once.
    pub seeds: &'a [u32],
    /// The command that asks for them, for `results.json`.
    pub command: &'a str,
}

/// What one of several seeds came to.
#[derive(Clone, Debug, Serialize)]
pub struct OfSeed {
    /// The seed.
    pub seed: u32,
    /// Its evaluation: the first that passed, where the run was to end there, else the last.
    pub eval: Returns,
    /// That of the best member that its search ever had; absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_of_best: Option<Returns>,
    /// Whether an evaluation has passed the environment's threshold.
    pub solved: bool,
    /// Updates at the first evaluation that passed.
    pub solved_at_update: Option<u32>,
    /// Updates up to the result.
    pub updates: u32,
    /// BLAKE3 of the result's parameters: what a run of this seed alone gives.
    pub params_hash: String,
    /// Where its policy and its metrics are.
    pub run_dir: PathBuf,
}

/// What several seeds came to; the fields of `results.json`.
#[derive(Clone, Debug, Serialize)]
pub struct SeedsSummary {
    /// Name of the environment.
    pub env: String,
    /// The algorithm.
    pub algo: &'static str,
    /// The command that made them.
    pub command: String,
    /// One for each seed.
    pub seeds: Vec<OfSeed>,
    /// How many of them have passed the environment's threshold.
    pub solved: usize,
    /// Interquartile mean of the mean returns, with its 95 % interval (stratified bootstrap, as rliable has it).
    pub interquartile_mean: Interquartile,
    /// Steps that all worlds of the first seed have made.
    pub env_steps: u64,
    /// Seconds from the start of the process to the first submission.
    pub setup_s: f64,
    /// Seconds from the start of the process to the end.
    pub wall_s: f64,
    /// Name of the adapter.
    pub adapter: String,
    /// Driver and version.
    pub driver: String,
    /// Where everything was written.
    pub run_dir: PathBuf,
}

/// How it has ended.
#[derive(Clone, Debug)]
pub enum SeedsOutcome {
    /// With results for every seed.
    Finished(Box<SeedsSummary>),
    /// At the caller's wish, after so many updates; policies were saved if there was an evaluation.
    Stopped {
        /// Updates that are done.
        updates: u32,
    },
}

/// Where one seed stands.
struct Place {
    folder: PathBuf,
    record: Record,
    result: Option<(Returns, Policy)>,
    solved_at: Option<u32>,
}

/// Trains an agent of each seed and writes into the directory: `config.toml`, `results.json`, and for each seed
/// `checkpoint.safetensors`, `metrics.jsonl` and `evaluations.jsonl` in `seed-<seed>/`. `watch` sees what happens, and may end the run.
///
/// With `until_solved` a seed's result is its first evaluation that passes, and the run ends when all have passed.
///
/// # Errors
/// As [`Trainer::new`](super::Trainer::new); [`Error::File`] where something cannot be written.
pub fn run_seeds<W: Into<Wish>>(
    gpu: &Gpu,
    env: &Environment,
    config: &Config,
    seeds: Seeds,
    directory: &RunDirectory,
    options: &Options,
    mut watch: impl FnMut(Event) -> ControlFlow<Stop, W>,
) -> Result<SeedsOutcome> {
    let Seeds { seeds, command } = seeds;
    let threshold = env.spec().reward_threshold.map(f64::from);
    let mut trainer = prepare(gpu, env, config, seeds, None, options)?;
    options.keep_init(directory)?;
    let mut places = seeds
        .iter()
        .map(|seed| Place::new(directory, *seed, config.env_steps(0), options.started))
        .collect::<Result<Vec<_>>>()?;
    directory.write_config(env, config, &options.table(seeds, None))?;
    directory.keep();
    let setup_s = options.started.elapsed().as_secs_f64();
    for place in &mut places {
        place.record.begin();
    }
    let (mut env_steps, mut updates) = (config.env_steps(0), 0);
    let mut wished = Wished::default();
    wished.add(watch(Event::Begins { updates: 0, env_steps: 0 }));
    while wished.stop.is_none() {
        if let Some(held) = wished.held() {
            let idle = trainer.held(held);
            for place in &mut places {
                place.record.held(idle);
            }
        }
        let Some(report) = trainer.next().transpose()? else { break };
        (env_steps, updates) = (report.env_steps, report.updates);
        for (agent, place) in places.iter_mut().enumerate() {
            let (lines, evaluated) = place.record.add(&report, agent, config);
            place.record.write(&lines, evaluated.as_ref())?;
            let progress = Progress { agent, report: &report, lines: &lines, evaluated: evaluated.as_ref() };
            wished.add(watch(Event::Report(progress)));
        }
        let Some(agents) = report.evaluation else { continue };
        for (place, (returns, policy)) in places.iter_mut().zip(agents) {
            let passed = threshold.is_some_and(|threshold| returns.passes(threshold));
            if options.until_solved && place.solved_at.is_some() {
                continue;
            }
            place.solved_at = place.solved_at.or(passed.then_some(policy.updates));
            policy.save(&place.folder.join(CHECKPOINT_FILE))?;
            place.result = Some((returns, policy));
        }
        if options.until_solved && places.iter().all(|place| place.solved_at.is_some()) {
            break;
        }
    }
    if wished.stop.is_some() {
        return Ok(SeedsOutcome::Stopped { updates });
    }
    let of_seeds = places.into_iter().map(Place::summary).collect::<Option<Vec<_>>>();
    let of_seeds = of_seeds.ok_or_else(|| Error::Gpu("a run ended without an evaluation".to_owned()))?;
    let scores: Vec<f64> = of_seeds.iter().map(|seed| seed.eval.mean).collect();
    let summary = SeedsSummary {
        env: shown(env.name()),
        algo: config.algo.name(),
        command: command.to_owned(),
        solved: of_seeds.iter().filter(|seed| seed.solved).count(),
        seeds: of_seeds,
        interquartile_mean: Interquartile::of(&scores),
        env_steps,
        setup_s,
        wall_s: options.started.elapsed().as_secs_f64(),
        adapter: gpu.info().name.clone(),
        driver: gpu.driver(),
        run_dir: directory.path().to_owned(),
    };
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default() + "\n";
    file::replace(&directory.path().join(RESULTS_FILE), text.as_bytes())?;
    Ok(SeedsOutcome::Finished(Box::new(summary)))
}

impl Place {
    /// For a seed whose worlds have made so many steps.
    fn new(directory: &RunDirectory, seed: u32, env_steps: u64, started: Instant) -> Result<Self> {
        let folder = directory.path().join(format!("seed-{seed}"));
        std::fs::create_dir_all(&folder).map_err(|error| Error::file("write", &folder, &error))?;
        Ok(Self { record: Record::open(&folder, seed, 0, env_steps, started)?, folder, result: None, solved_at: None })
    }

    fn summary(self) -> Option<OfSeed> {
        let (eval, policy) = self.result?;
        Some(OfSeed {
            seed: policy.config.seed,
            eval,
            eval_of_best: policy.evaluation_of_best,
            solved: self.solved_at.is_some(),
            solved_at_update: self.solved_at,
            updates: policy.updates,
            params_hash: policy.hash(),
            run_dir: self.folder,
        })
    }
}
