//! `manyworlds train`

use super::drivers::Work;
use super::say::{print_json, say};
use super::watch::Watched;
use super::{AdapterArgument, checkpoint, foreign, seeds, signals};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use manyworlds::algo;
use manyworlds::config::{Algo, Config};
use manyworlds::env::Environment;
use manyworlds::error::shown;
use manyworlds::train::{self, Event, Line, Options, Outcome, Policy, Report, Resumed, RunDirectory, Stop};
use manyworlds::{Error, Gpu, Result};
use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools)] // flags of a command line
pub struct Train {
    /// Name of a built-in environment, or path of a .wgsl file
    #[arg(required_unless_present = "resume", default_value = "", hide_default_value = true)]
    env: String,
    /// Go on with the run in this directory, from its newest whole checkpoint; --set can raise total_timesteps or generations
    #[arg(long, value_name = "DIR", conflicts_with_all = ["env", "algo", "config", "set_env", "seed", "watch", "out"])]
    resume: Option<PathBuf>,
    /// Keep the ring of transitions too, so that --resume goes on bit for bit (ddpg, td3, sac)
    #[arg(long)]
    save_replay: bool,
    #[arg(long, default_value = "ppo", help = format!("Algorithm: {}", Algo::names()))]
    algo: String,
    /// TOML file with settings; it goes over the preset of the environment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, such as learning_rate=0.001; goes over the file (see `manyworlds settings`)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// An override of the environment, such as gravity=3.7
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Seed of the run
    #[arg(long)]
    seed: Option<u32>,
    /// Seeds that are trained side by side, such as 1..10 or 1,2,5; each gives what it gives alone
    #[arg(long, value_name = "SEEDS", conflicts_with_all = ["seed", "agents", "resume", "watch", "save_replay"])]
    seeds: Option<String>,
    /// Number of agents that are trained side by side, with the seeds from --seed on
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["resume", "watch", "save_replay"])]
    agents: Option<u32>,
    /// Stop at the first evaluation that solves the environment; exit with 1 if none does
    #[arg(long)]
    pub(super) until_solved: bool,
    /// Begin anew, with a run directory of its own, whenever the environment's file changes
    #[arg(long, conflicts_with = "out")]
    watch: bool,
    /// Directory for the results; must be empty or not there [default: runs/<env>-<algo>-<seed>-<time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Train {
    pub fn run(self, started: Instant) -> Result<ExitCode> {
        signals::listen();
        let seeds = match (&self.seeds, self.agents) {
            (Some(seeds), _) => Some(seeds::parse(seeds)?),
            (None, Some(agents)) => Some(seeds::from(self.seed.unwrap_or(1), agents)?),
            (None, None) => None,
        };
        if let Some(seeds) = seeds {
            return self.train_seeds(started, &seeds);
        }
        if !self.watch {
            return self.train(started, || false);
        }
        let watched = RefCell::new(Watched::new(&self.env)?);
        loop {
            // an error is shown and waits for the next change
            if let Err(error) = self.train(Instant::now(), || watched.borrow_mut().changed()) {
                say(format_args!("error: {}", super::one_error(&error)));
            }
            signals::done();
            if let Some(code) = signals::code() {
                return Ok(ExitCode::from(code));
            }
            if !watched.borrow_mut().fresh() {
                watched.borrow_mut().wait();
            }
        }
    }

    /// What it asks a processor for.
    pub fn work(&self) -> Work {
        let config = match &self.resume {
            Some(directory) => Policy::load(directory).and_then(|policy| policy.config.with(&self.set)),
            None => Config::resolve(&self.env, &self.algo, self.config.as_deref(), &self.set),
        };
        // what is wrong is said later
        config.map_or(Work::default(), |config| Work::from(&config))
    }

    /// The run's directory, its environment and its settings: of a new run, or of one that goes on.
    pub(super) fn resolve(&self) -> Result<(RunDirectory, Option<Resumed>, Environment, Config)> {
        if let Some(path) = &self.resume {
            let directory = signals::prepare(|| RunDirectory::reopen(path))?;
            let resumed = Resumed::load(&directory)?;
            checkpoint::say_all(&resumed.notes);
            check_resumed(&self.set)?;
            let config = resumed.policy.config.with(&self.set)?;
            let env = resumed.policy.env.clone();
            foreign::probe_checkpoint(&env, &self.adapter)?;
            return Ok((directory, Some(resumed), env, config));
        }
        let mut pairs = self.set.clone();
        pairs.extend(self.seed.map(|seed| format!("seed={seed}")));
        let resolve = |env: &Environment| Config::resolve(env.name(), &self.algo, self.config.as_deref(), &pairs);
        let env = foreign::load(&self.env, &self.set_env, &self.adapter)?;
        let config = resolve(&env)?;
        let directory = signals::prepare(|| match &self.out {
            Some(out) => RunDirectory::claim(out),
            None => RunDirectory::claim_default(env.name(), config.algo.name(), config.seed),
        })?;
        Ok((directory, None, env, config))
    }

    /// A device on which buffers of so many bytes can be bound.
    pub(super) fn open(&self, bytes: u64) -> Result<Gpu> {
        self.adapter.open(bytes)
    }

    /// One run, which is broken off as soon as the environment has changed.
    fn train(&self, started: Instant, changed: impl Fn() -> bool) -> Result<ExitCode> {
        let (directory, resumed, env, config) = self.resolve()?;
        let out = directory.path().display().to_string();
        match &resumed {
            Some(resumed) => {
                let done = resumed.state.updates;
                say(format_args!("resuming {out} from step {} (update {done})", HumanCount(resumed.state.env_steps)));
            }
            None => say(format_args!("run directory: {out}")),
        }
        let gpu = self.adapter.open(algo::sizes(&config, &env, 1)?.largest())?;

        if let Some(misfit) = config.misfit(&env) {
            say(format_args!("warning: {}: {misfit}", shown(env.name())));
        }
        let progress = Progress::new(&config);
        let options = Options { save_replay: self.save_replay, until_solved: self.until_solved, started };
        let saved = Cell::new(None);
        let outcome = train::run(&gpu, &env, &config, &directory, resumed.as_ref(), &options, |event| {
            match event {
                Event::Begins { updates, env_steps } => {
                    signals::train();
                    saved.set((updates > 0).then_some(updates));
                    progress.begin(updates, env_steps);
                }
                Event::Report(report, line) => progress.show(report, line),
                Event::Saved(updates) => saved.set(Some(updates)),
                Event::Trouble(trouble) => progress.above(&format!("warning: {trouble}")),
            }
            match signals::code() {
                Some(_) => ControlFlow::Break(Stop::Save),
                None if changed() => ControlFlow::Break(Stop::Drop),
                None => ControlFlow::Continue(()),
            }
        });
        progress.bar.finish_and_clear();
        let resume = || say(format_args!("resume with: manyworlds train --resume {}", quoted(&out)));
        let summary = match outcome {
            Ok(Outcome::Finished(summary)) => summary,
            Ok(Outcome::Stopped { updates, env_steps }) => {
                if let Some(code) = signals::code() {
                    say(format_args!(
                        "interrupted at step {} (update {updates}), saved to {out}",
                        HumanCount(env_steps)
                    ));
                    resume();
                    return Ok(ExitCode::from(code));
                }
                say(format_args!("{} has changed", shown(&self.env)));
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => {
                // the error comes last, in its one line
                if let Some(updates) = saved.get() {
                    say(format_args!("the checkpoint of update {updates} in {out} is whole"));
                    resume();
                }
                return Err(error);
            }
        };
        say(format_args!(
            "{} {} in {} steps and {:.1} s: return {:#}",
            shown(&summary.env),
            if summary.solved { "solved" } else { "trained" },
            HumanCount(summary.env_steps),
            summary.wall_s,
            summary.eval,
        ));
        if let Some(best) = &summary.eval_of_best {
            say(format_args!("its best member: return {best:#}"));
        }
        say(format_args!("saved to {out}; play it with: manyworlds eval {}", quoted(&out)));
        if self.json {
            print_json(&summary)?;
        }
        if summary.metrics_lost > 0 {
            let reason = format!("{} lines are lost; policy and state are saved", summary.metrics_lost);
            return Err(Error::File { action: "write", path: directory.path().join("metrics.jsonl"), reason });
        }
        if let Some(code) = signals::code() {
            return Ok(ExitCode::from(code));
        }
        let failed = options.until_solved && !summary.solved;
        if failed {
            let (name, value) = config.length();
            say(format_args!("not solved within {name} = {value}"));
        }
        Ok(ExitCode::from(u8::from(failed)))
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+=:@%".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// What a run that goes on may have set anew: how long it goes, and how it is looked at.
const RESUMED: [&str; 6] =
    ["total_timesteps", "generations", "eval_every", "eval_episodes", "checkpoint_every", "keep_checkpoints"];

/// Refuses other settings: the state would mean something else under them.
fn check_resumed(pairs: &[String]) -> Result<()> {
    let name = |pair: &String| pair.split('=').next().unwrap_or_default().trim().to_owned();
    match pairs.iter().map(name).find(|name| !RESUMED.contains(&name.as_str())) {
        Some(name) => {
            let reason = format!("it stays as it was in a run that goes on; {} can be set anew", RESUMED.join(", "));
            Err(Error::Setting { name, reason })
        }
        None => Ok(()),
    }
}

/// A bar where a person is watching, a line for each evaluation elsewhere.
pub(super) struct Progress {
    pub(super) bar: ProgressBar,
    terminal: bool,
    /// Whether it counts generations: how many steps those will have nobody knows.
    generations: bool,
}

impl Progress {
    pub(super) fn new(config: &Config) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let generations = config.algo.is_search();
        let steps = config.env_steps(config.num_updates());
        let (total, unit) = if generations { (config.generations.into(), "generations") } else { (steps, "steps") };
        let bar = if terminal { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let style =
            format!("{{bar:30}} {{human_pos}}/{{human_len}} {unit} · {{msg}} · {{elapsed}}, at most {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        bar.set_message("compiling shaders");
        bar.tick();
        Self { bar, terminal, generations }
    }

    /// Training begins, or goes on, after so many updates and steps.
    pub(super) fn begin(&self, updates: u32, env_steps: u64) {
        self.bar.reset();
        self.bar.set_position(if self.generations { updates.into() } else { env_steps });
        self.bar.reset_eta();
    }

    /// A line above the bar.
    pub(super) fn above(&self, text: &str) {
        self.bar.suspend(|| say(format_args!("{text}")));
    }

    pub(super) fn show(&self, report: &Report, line: &Line) {
        let returns = line.mean_return.map_or("no episode ended".to_owned(), |mean| format!("mean return {mean:.1}"));
        let speed = format!("{} steps/s", HumanCount(line.steps_per_s as u64));
        let evaluation = report.evaluation.as_ref().and_then(|agents| agents.first());
        if self.terminal {
            self.bar.set_position(if self.generations { report.updates.into() } else { report.env_steps });
            self.bar.set_message(format!("{speed} · {returns}"));
        } else if let Some((eval, policy)) = evaluation {
            let steps = HumanCount(report.env_steps);
            let best = policy.evaluation_of_best.map_or(String::new(), |best| format!(", best member {best}"));
            say(format_args!("{steps} steps, {speed}, {returns}, evaluation {eval}{best}"));
        }
    }
}
