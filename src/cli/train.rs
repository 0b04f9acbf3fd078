//! `manyworlds train`

use super::choice::{Choice, Chosen};
use super::drivers::Work;
use super::say::{print_json, say};
use super::tensorboard::TensorBoard;
use super::tui::{self, Shown};
use super::watch::Watched;
use super::{AdapterArgument, checkpoint, foreign, ranks, seeds, signals};
use crate::cli::ExitCode;
use crate::config::{Config, RunTable};
use crate::env::Environment;
use crate::error::shown;
use crate::train::{self, Event, Init, METRICS_FILE, Options, Outcome, Policy, Resumed, RunDirectory, Stop};
use crate::{Error, Gpu, Result};
use crate::{algo, curves};
use indicatif::{HumanBytes, HumanCount};
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools)] // flags of a command line
pub struct Train {
    #[command(flatten)]
    pub(super) choice: Choice,
    /// Go on with the run in this directory, from its newest whole checkpoint; --set can raise total_timesteps or generations
    #[arg(long, value_name = "DIR", conflicts_with_all = ["env", "algo", "config", "set_env", "seed", "watch", "out"])]
    resume: Option<PathBuf>,
    /// Keep the ring of transitions too, so that --resume goes on bit for bit (ddpg, td3, sac)
    #[arg(long)]
    save_replay: bool,
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
    /// Show a dashboard in the terminal: curves, endings, where the time goes; keys pause, save and stop
    #[arg(long, conflicts_with = "watch")]
    pub(super) tui: bool,
    /// Begin with the networks of a policy: a checkpoint, a run directory, or safetensors with PyTorch's names (docs/export.md)
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Directory for the results; must be empty or not there [default: runs/<env>-<algo>-<seed>-<time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
    /// Write what each of several ranks says into the run directory, ranks/rank-N.log
    #[cfg(feature = "mpi")]
    #[arg(long)]
    rank_logs: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

/// What is to be done.
pub(super) struct Task {
    /// None on any rank but the first, which writes.
    pub directory: Option<RunDirectory>,
    pub resumed: Option<Resumed>,
    pub env: Environment,
    pub config: Config,
    /// What a file asks of the run.
    run: RunTable,
    /// What it begins with in place of its seed's first parameters.
    init: Option<Init>,
}

impl Train {
    pub fn run(self, started: Instant) -> Result<ExitCode> {
        signals::listen();
        let seeds = ranks::agree(self.asked())?;
        if !self.watch {
            return self.train(started, seeds.as_deref(), || false);
        }
        let watched = RefCell::new(Watched::new(&self.choice.watched()?)?);
        loop {
            // an error is shown and waits for the next change
            if let Err(error) = self.train(Instant::now(), None, || watched.borrow_mut().changed()) {
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

    /// The seeds that are asked for, where there are several.
    fn asked(&self) -> Result<Option<Vec<u32>>> {
        if self.tui && writes() {
            tui::check()?;
        }
        if self.watch && ranks::joined().is_some() {
            let reason = "it begins anew by itself, which several processes cannot; start it in one process".to_owned();
            return Err(Error::Setting { name: "watch".to_owned(), reason });
        }
        match (&self.seeds, self.agents) {
            (Some(seeds), _) => seeds::parse(seeds).map(Some),
            (None, Some(agents)) => seeds::from(self.seed.unwrap_or(1), agents).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// What it asks a processor for.
    pub fn work(&self) -> Work {
        let Some(directory) = &self.resume else { return self.choice.work() };
        let config = Policy::load(directory).and_then(|policy| policy.config.with(&self.choice.set));
        // what is wrong is said later
        config.map_or(Work::default(), |config| Work::from(&config))
    }

    /// What is to be done: a new run, or one that goes on.
    fn resolve(&self) -> Result<Task> {
        if let Some(path) = &self.resume {
            let directory = writes().then(|| signals::prepare(|| RunDirectory::reopen(path))).transpose()?;
            let resumed = Resumed::read(path)?;
            checkpoint::say_all(&resumed.notes);
            check_resumed(&self.choice.set)?;
            let config = resumed.policy.config.with(&self.choice.set)?;
            let env = resumed.policy.env.clone();
            foreign::probe_checkpoint(&env, &self.adapter)?;
            // what it has begun with is in its parameters, and stays in its configuration as it was
            return Ok(Task { directory, resumed: Some(resumed), env, config, run: RunTable::default(), init: None });
        }
        let Chosen { env, config, run } = self.choice.resolve(self.seed, &self.adapter)?;
        let init = self.init(&run)?;
        if let Some(init) = &init {
            checkpoint::say_all(init.notes());
            say(format_args!("{}", shown(init.fit(&env, &config)?.told)));
        }
        let claim = || match &self.out {
            Some(out) => RunDirectory::claim(out),
            None => RunDirectory::claim_default(env.name(), config.algo.name(), config.seed),
        };
        let directory = writes().then(|| signals::prepare(claim)).transpose()?;
        Ok(Task { directory, resumed: None, env, config, run, init })
    }

    /// What the run begins with: the command line goes before the file, which has a digest of it.
    fn init(&self, run: &RunTable) -> Result<Option<Init>> {
        let Some(name) = run.init.as_ref().filter(|_| self.init.is_none()) else {
            return self.init.as_deref().map(Init::read).transpose();
        };
        let folder = self.choice.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let init = Init::read(&folder.join(name))?;
        match &run.init_blake3 {
            Some(wanted) if *wanted != init.hash() => {
                let reason = format!(
                    "{} has BLAKE3 {}, and the run began with {wanted}; put that file back, or name another one with --init",
                    init.path().display(),
                    init.hash()
                );
                Err(Error::Setting { name: "run.init".to_owned(), reason })
            }
            _ => Ok(Some(init)),
        }
    }

    /// A device on which buffers of so many bytes can be bound. Of several ranks each has agents of its own where there are several
    /// seeds.
    pub(super) fn open_for(&self, bytes: u64, seeds: Option<&[u32]>) -> Result<Gpu> {
        let gpu = ranks::agree(self.adapter.open(bytes))?;
        Ok(if seeds.is_some() { dealing(gpu) } else { gpu })
    }

    /// Where what this rank says goes into a file, if that is wanted; the first one knows the directory.
    #[cfg(feature = "mpi")]
    pub(super) fn begin_log(&self, directory: Option<&Path>) -> Result<()> {
        let directory = ranks::of_first(&directory.map(|path| path.display().to_string()).unwrap_or_default())?;
        ranks::agree(if self.rank_logs { ranks::log_into(Path::new(&directory)) } else { Ok(()) })
    }

    #[cfg(not(feature = "mpi"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // as the other one
    pub(super) fn begin_log(&self, _: Option<&Path>) -> Result<()> {
        Ok(())
    }

    /// One run, or one of several seeds, which is broken off as soon as the environment has changed.
    fn train(&self, started: Instant, seeds: Option<&[u32]>, changed: impl Fn() -> bool) -> Result<ExitCode> {
        let task = ranks::agree(self.resolve())?;
        let options = Options {
            save_replay: self.save_replay || task.run.save_replay,
            until_solved: self.until_solved || task.run.until_solved,
            watching: self.tui,
            init: task.init.clone(),
            started,
        };
        // what the command line says of seeds goes before the file
        let of_file = Some(&task.run.seeds[..]).filter(|seeds| !seeds.is_empty() && self.seed.is_none());
        let seeds = seeds.or(of_file);
        let Task { env, config, resumed, init, .. } = &task;
        let stands = resumed.as_ref().map(|resumed| (resumed.state.updates, resumed.policy.hash()));
        let init = init.as_ref().map(Init::hash);
        let asked = (seeds, stands, init, options.save_replay, options.until_solved, env.overrides());
        let told = format!("{asked:?} {} {}", env.text(), config.to_toml());
        ranks::same("what is to be trained", told.as_bytes())?;
        match (&task.directory, seeds) {
            (None, _) => self.follow(&task, &options, seeds),
            (Some(directory), Some(seeds)) => self.train_seeds(&task, directory, &options, seeds),
            (Some(directory), None) => self.train_one(&task, directory, &options, changed),
        }
    }

    /// What any rank does but the first, which prints and writes.
    fn follow(&self, task: &Task, options: &Options, seeds: Option<&[u32]>) -> Result<ExitCode> {
        let Task { resumed, env, config, .. } = task;
        self.begin_log(None)?;
        let (config, agents) = (over_ranks(config.clone(), resumed.is_some(), seeds), seeds.map_or(1, <[u32]>::len));
        let sizes = ranks::agree(algo::sizes(&config, env, agents as u32))?;
        let gpu = self.open_for(sizes.largest(), seeds)?;
        let one = [config.seed];
        signals::train();
        train::follow(&gpu, env, &config, seeds.unwrap_or(&one), resumed.as_ref(), options, |report| {
            say(format_args!("update {}, {} steps", report.updates, report.env_steps));
        })?;
        told_of_ranks(&gpu, options.started);
        Ok(ExitCode::SUCCESS)
    }

    fn train_one(
        &self,
        task: &Task,
        directory: &RunDirectory,
        options: &Options,
        changed: impl Fn() -> bool,
    ) -> Result<ExitCode> {
        let Task { resumed, env, config, .. } = task;
        let config = &over_ranks(config.clone(), resumed.is_some(), None);
        self.begin_log(Some(directory.path()))?;
        let out = directory.path().display().to_string();
        match resumed {
            Some(resumed) => {
                let done = resumed.state.updates;
                say(format_args!("resuming {out} from step {} (update {done})", HumanCount(resumed.state.env_steps)));
            }
            None => say(format_args!("run directory: {out}")),
        }
        let gpu = self.open_for(ranks::agree(algo::sizes(config, env, 1))?.largest(), None)?;

        if let Some(misfit) = config.misfit(env) {
            say(format_args!("warning: {}: {misfit}", shown(env.name())));
        }
        let progress = Shown::new(self.tui, env, config, &[config.seed], directory.path(), &gpu)?;
        let mut board = TensorBoard::new(env, config, vec![directory.path().to_owned()]);
        let saved = Cell::new(None);
        let outcome = train::run(&gpu, env, config, directory, resumed.as_ref(), options, |event| {
            match event {
                Event::Begins { updates, .. } => {
                    signals::train();
                    saved.set((updates > 0).then_some(updates));
                }
                Event::Saved(updates) => saved.set(Some(updates)),
                Event::Report(_) | Event::Trouble(_) => {}
            }
            board.event(&event).iter().for_each(|trouble| progress.above(trouble));
            // while a dashboard is paused it does not return
            let wish = progress.event(&event);
            match signals::code() {
                Some(_) => ControlFlow::Break(Stop::Save),
                None if changed() => ControlFlow::Break(Stop::Drop),
                None => ControlFlow::Continue(wish),
            }
        });
        progress.end();
        picture(directory);
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
                say(format_args!("{} has changed", shown(env.name())));
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
        told_of_ranks(&gpu, options.started);
        say(format_args!(
            "saved to {out}; play it with: manyworlds eval {0}, see it with: manyworlds render {0}",
            quoted(&out)
        ));
        if self.json {
            print_json(&summary)?;
        }
        if summary.metrics_lost > 0 {
            let reason = format!("{} lines are lost; policy and state are saved", summary.metrics_lost);
            return Err(Error::File { action: "write", path: directory.path().join(METRICS_FILE), reason });
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

/// Whether this is the process that writes: the only one, or the first of several ranks.
pub(super) fn writes() -> bool {
    ranks::joined().is_none_or(|ranks| ranks.rank().is_first())
}

/// A device whose ranks train whole agents, if there are several.
pub(super) fn dealing(gpu: Gpu) -> Gpu {
    match gpu.ranks().cloned() {
        Some(ranks) => gpu.with_ranks(ranks.dealing()),
        None => gpu,
    }
}

/// A configuration for as many ranks as there are, where they share the worlds of one agent: the number of shards, on which the
/// result depends, is a setting of the run from here on.
fn over_ranks(config: Config, goes_on: bool, seeds: Option<&[u32]>) -> Config {
    let Some(ranks) = ranks::joined().filter(|_| seeds.is_none() && !config.algo.is_search()) else { return config };
    let config = whole_rows(config);
    let count = ranks.rank().count;
    let before = if goes_on { config.shards.max(1) } else { config.shards };
    if before > 0 && (before.is_multiple_of(count) || !goes_on) {
        return config;
    }
    if goes_on {
        say(format_args!(
            "note: from here on minibatches are made of {count} shards of the worlds, one for each rank (before: {before}): the run \
             goes on soundly, to another result than it would have come to before"
        ));
    }
    Config { shards: count, ..config }
}

/// A ring that holds as many transitions of every world.
fn whole_rows(config: Config) -> Config {
    let size = config.buffer_size / config.num_envs.max(1) * config.num_envs;
    if !config.algo.is_off_policy() || size == config.buffer_size || size == 0 {
        return config;
    }
    say(format_args!(
        "note: the ring holds {size} transitions, and not {}: as many of each of {} worlds, which ranks share out",
        config.buffer_size, config.num_envs
    ));
    Config { buffer_size: size, ..config }
}

/// Says what talking to other ranks took.
fn told_of_ranks(gpu: &Gpu, started: Instant) {
    let Some(ranks) = gpu.ranks() else { return };
    let (traffic, took) = (ranks.traffic(), started.elapsed());
    let share = 100.0 * traffic.time.as_secs_f64() / took.as_secs_f64().max(1e-9);
    say(format_args!(
        "{} ranks: {} exchanges, {} sent by each, {share:.1} % of the time",
        ranks.rank().count,
        HumanCount(traffic.exchanges),
        HumanBytes(traffic.bytes),
    ));
}

/// Draws the curve of a run into its directory, if anything was trained; what goes wrong ends nothing.
pub(super) fn picture(directory: &RunDirectory) {
    if directory.is_kept()
        && let Err(error) = curves::draw_run(directory.path())
    {
        say(format_args!("warning: no picture of the curve: {error}"));
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
