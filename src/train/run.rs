//! A run with a directory: configuration, metrics, checkpoints and summary.

use super::checkpoints::{Checkpoints, newest_pair};
use super::record::Record;
use super::summary::{Summary, peak_rss_mb};
use super::{CONFIG_FILE, Evaluated, INIT_FILE, Init, Line, Policy, Report, Returns, RunDirectory, State, Trainer};
use crate::config::{Config, ConfigFile, RunTable};
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::file;
use crate::gpu::{Gpu, Ranks};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a checkpoint that could not be written waits for the next try, at most.
const RETRY: Duration = Duration::from_mins(1);
/// Most bytes of an environment's file that is compared with the text in a checkpoint.
const MOST_TEXT: u64 = 16 << 20;

/// What is wanted of a run besides its configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keep the transitions of ddpg, td3 and sac with the state too.
    pub save_replay: bool,
    /// Stop at the first evaluation that passes the environment's threshold.
    pub until_solved: bool,
    /// Tell every few seconds where the time goes and what worlds do ([`Trainer::watching`]), which is never written down.
    pub watching: bool,
    /// What the run begins with in place of its seed's first parameters; of one that goes on it is not looked at.
    pub init: Option<Init>,
    /// When the process began: `solved_at_s` counts from then.
    pub started: Instant,
}

impl Options {
    /// What `config.toml` says of them; where several seeds are trained side by side, of these too. A run that goes on repeats
    /// what it has said of its beginning: the copy may have been altered since.
    pub(super) fn table(&self, seeds: &[u32], resumed: Option<&Resumed>) -> RunTable {
        let Self { save_replay, until_solved, watching: _, ref init, started: _ } = *self;
        let (init, init_blake3) = match resumed {
            Some(Resumed { run, .. }) => (run.init.clone(), run.init_blake3.clone()),
            None => init.as_ref().map(|init| (INIT_FILE.to_owned(), init.hash())).unzip(),
        };
        RunTable { until_solved, save_replay, seeds: seeds.to_vec(), init, init_blake3 }
    }

    /// Puts a copy of what the run begins with into its directory.
    pub(super) fn keep_init(&self, directory: &RunDirectory) -> Result<()> {
        let Some(init) = &self.init else { return Ok(()) };
        file::replace(&directory.path().join(INIT_FILE), init.bytes())
    }

    /// Refuses to wait for what cannot be.
    pub(super) fn check(&self, env: &Environment, config: &Config) -> Result<()> {
        if self.until_solved && env.spec().reward_threshold.is_none() {
            let reason = "it declares no REWARD_THRESHOLD, so --until-solved has nothing to reach".to_owned();
            return Err(Error::Environment { name: env.name().to_owned(), reason });
        }
        if self.until_solved && config.eval_episodes < 2 {
            let reason = "one episode never counts as solved, so --until-solved needs at least 2".to_owned();
            return Err(Error::setting("eval_episodes", reason));
        }
        Ok(())
    }
}

/// Where a run that goes on stands.
#[derive(Debug)]
pub struct Resumed {
    /// The policy, with environment and configuration.
    pub policy: Policy,
    /// The state that goes with it.
    pub state: State,
    /// What its `config.toml` says was asked of it; nothing where that cannot be read.
    pub run: RunTable,
    /// What somebody should know, a sentence each: which newer checkpoints were broken, that the environment has changed since, and
    /// that `config.toml` cannot be read.
    pub notes: Vec<String>,
}

impl Resumed {
    /// The newest checkpoint of a run whose files are whole.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where none is whole, or one was altered, is of another program or of a newer version;
    /// [`Error::File`] where one cannot be read.
    pub fn load(directory: &RunDirectory) -> Result<Self> {
        Self::read(directory.path())
    }

    /// The same of a directory that somebody else writes into: the first of several ranks.
    ///
    /// # Errors
    /// Those of [`Resumed::load`].
    pub fn read(directory: &Path) -> Result<Self> {
        let found = newest_pair(directory)?;
        let ((policy, state), mut notes) = (found.contents, found.notes);
        notes.extend(policy.note_on_env());
        let path = Path::new(policy.env.name());
        let is_file = path.extension().is_some_and(|extension| extension == "wgsl");
        if is_file && file::read_text(path, MOST_TEXT).is_ok_and(|text| text != policy.env.text()) {
            notes
                .push(format!("{} has changed since; the run goes on with the text in its checkpoint", path.display()));
        }
        // all that training needs is in the checkpoint
        let run = match ConfigFile::read(&directory.join(CONFIG_FILE)) {
            Ok(file) => file.run,
            Err(error) => {
                notes.push(format!("{error}; it is written anew, and does not name what the run began with (--init)"));
                RunTable::default()
            }
        };
        Ok(Self { policy, state, run, notes })
    }

    /// Refuses a run without updates left to do.
    fn check(&self, config: &Config) -> Result<()> {
        let (done, total) = (self.state.updates, config.num_updates());
        if done < total {
            return Ok(());
        }
        let (name, value) = config.length();
        let reason = format!("{done} updates are done, of {total}; raise {name} ({value}) to go on");
        Err(Error::setting("resume", reason))
    }
}

/// What a run tells while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Everything is compiled; updates begin after this many.
    Begins {
        /// Updates that are done.
        updates: u32,
        /// Steps that all worlds have made.
        env_steps: u64,
    },
    /// Some updates are finished.
    Report(Progress<'a>),
    /// A checkpoint was written, of so many updates.
    Saved(u32),
    /// Something could not be written, and the run goes on.
    Trouble(&'a str),
}

/// What an agent did in some updates.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The agent's number, from 0.
    pub agent: usize,
    /// What all agents did.
    pub report: &'a Report,
    /// A line for each update, as `metrics.jsonl` has it.
    pub lines: &'a [Line],
    /// The evaluation at their end, if there was one, as `evaluations.jsonl` has it.
    pub evaluated: Option<&'a Evaluated>,
}

/// Why a run is to end before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is to be saved, and can go on later.
    Save,
    /// Nobody wants it any more.
    Drop,
}

/// What is wanted of a run that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// A checkpoint as soon as the next updates are finished; several seeds side by side have none between evaluations.
    pub checkpoint: bool,
    /// How long the caller has held the run: it does not count as its time.
    pub held: Duration,
}

/// Nothing.
impl From<()> for Wish {
    fn from((): ()) -> Self {
        Self::default()
    }
}

/// What its watcher wants of a run.
#[derive(Debug, Default)]
pub(super) struct Wished {
    /// An end, for the first reason that was given.
    pub stop: Option<Stop>,
    checkpoint: bool,
    held: Duration,
}

impl Wished {
    /// Takes an answer.
    pub fn add(&mut self, answer: ControlFlow<Stop, impl Into<Wish>>) {
        match answer {
            ControlFlow::Break(stop) => self.stop = self.stop.or(Some(stop)),
            ControlFlow::Continue(wish) => {
                let Wish { checkpoint, held } = wish.into();
                self.checkpoint |= checkpoint;
                self.held += held;
            }
        }
    }

    /// How long the run was held since this was last asked.
    pub fn held(&mut self) -> Option<Duration> {
        let held = std::mem::take(&mut self.held);
        (held > Duration::ZERO).then_some(held)
    }
}

/// How a run has ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// After its last update, or solved.
    Finished(Box<Summary>),
    /// At the caller's wish, after this many updates; saved then if that was wished.
    Stopped {
        /// Updates that are done.
        updates: u32,
        /// Steps that all worlds have made.
        env_steps: u64,
    },
}

/// Trains one agent and writes into its directory: `config.toml`, `metrics.jsonl`, `evaluations.jsonl`, and checkpoints at every evaluation, every
/// `checkpoint_every` seconds and after the last update. `watch` sees what happens as it happens, and answers what it wants: an end, or of a run that goes on
/// a [`Wish`] or nothing, `()`. While it does not answer the run waits, once what was submitted is done.
///
/// The result is the policy of the first evaluation that passes (`until_solved`), or of the last update. When something is
/// written never changes it.
///
/// A line of metrics or a checkpoint that the disk does not take ends nothing: `watch` is told, both are tried again, and the
/// last checkpoint that is whole stays so.
///
/// # Errors
/// As [`Trainer::new`]. [`Error::File`] where the directory cannot be written into at the start, or the last checkpoint not at
/// the end; [`Error::NotFinite`] and its like where numbers are not finite any more, which is never saved.
pub fn run<W: Into<Wish>>(
    gpu: &Gpu,
    env: &Environment,
    config: &Config,
    directory: &RunDirectory,
    resumed: Option<&Resumed>,
    options: &Options,
    mut watch: impl FnMut(Event) -> ControlFlow<Stop, W>,
) -> Result<Outcome> {
    let threshold = env.spec().reward_threshold.map(f64::from);
    let done = resumed.map_or(0, |resumed| resumed.state.updates);
    let mut trainer = prepare(gpu, env, config, &[config.seed], resumed, options)?;
    if resumed.is_none() {
        options.keep_init(directory)?;
    }
    let mut saver = Saver::new(directory, config, done);
    let begun = resumed.map_or_else(|| config.env_steps(0), |resumed| resumed.state.env_steps);
    let mut record = Record::open(directory.path(), config.seed, done, begun, options.started)?;
    directory.write_config(env, config, &options.table(&[], resumed))?;
    directory.keep();

    let setup_s = options.started.elapsed().as_secs_f64();
    record.begin();
    let mut complained = false;
    let mut solved_at = None;
    let mut result: Option<(Returns, Policy, u64)> = None;
    let mut reached = (done, begun);
    let (mut wished, mut held_s) = (Wished::default(), 0.0);
    wished.add(watch(Event::Begins { updates: done, env_steps: reached.1 }));
    while wished.stop != Some(Stop::Drop) {
        if let Some(held) = wished.held() {
            let idle = trainer.held(held);
            record.held(idle);
            held_s += idle.as_secs_f64();
        }
        if std::mem::take(&mut wished.checkpoint) {
            trainer.ask();
        }
        if wished.stop.is_some() {
            trainer.stop();
        }
        let Some(report) = trainer.next().transpose()? else { break };
        let (lines, evaluated) = record.add(&report, 0, config);
        reached = (report.updates, report.env_steps);
        if let Err(error) = record.write(&lines, evaluated.as_ref())
            && !std::mem::replace(&mut complained, true)
        {
            let trouble = format!("{error}; training goes on, and tries again with every update");
            wished.add(watch(Event::Trouble(&trouble)));
        }
        if let Some(policy) = report.policies.as_ref().and_then(|agents| agents.first()) {
            saver.save(policy, report.state.as_ref(), &mut |event| wished.add(watch(event)));
        }
        if !lines.is_empty() {
            let progress = Progress { agent: 0, report: &report, lines: &lines, evaluated: evaluated.as_ref() };
            wished.add(watch(Event::Report(progress)));
        }
        if let Some((returns, policy)) = report.evaluation.and_then(|mut agents| agents.pop()) {
            let passed = threshold.is_some_and(|threshold| returns.passes(threshold));
            if passed && solved_at.is_none() {
                solved_at = Some((report.env_steps, options.started.elapsed().as_secs_f64()));
            }
            result = Some((returns, policy, report.env_steps));
            if passed && options.until_solved {
                break;
            }
        }
        if saver.is_due() {
            trainer.ask();
        }
    }
    let finished = reached.0 == config.num_updates() || options.until_solved && solved_at.is_some();
    if wished.stop == Some(Stop::Drop) {
        return Ok(Outcome::Stopped { updates: reached.0, env_steps: reached.1 });
    }
    saver.finish()?;
    if wished.stop.is_some() && !finished {
        return Ok(Outcome::Stopped { updates: reached.0, env_steps: reached.1 });
    }
    let wall_s = options.started.elapsed().as_secs_f64();
    let (eval, policy, env_steps) = result.ok_or_else(|| Error::Gpu("a run ended without an evaluation".to_owned()))?;
    Ok(Outcome::Finished(Box::new(Summary {
        env: env.name().to_owned(),
        algo: config.algo.name(),
        seed: config.seed,
        num_envs: config.num_envs,
        env_steps,
        updates: policy.updates,
        setup_s,
        wall_s,
        steps_per_s: (env_steps - begun) as f64 / (wall_s - setup_s - held_s).max(1e-9),
        solved: solved_at.is_some(),
        solved_at_steps: solved_at.map(|(steps, _)| steps),
        solved_at_s: solved_at.map(|(_, seconds)| seconds),
        eval,
        eval_of_best: policy.evaluation_of_best,
        params_hash: policy.hash(),
        adapter: gpu.info().name.clone(),
        backend: gpu.info().backend.to_str().to_owned(),
        driver: gpu.driver(),
        run_dir: directory.path().to_owned(),
        metrics_lost: record.missing(),
        peak_rss_mb: peak_rss_mb(),
        misfit: config.misfit(env),
    })))
}

/// What the other ranks do while the first one is in [`run`], or with several seeds in [`run_seeds`](super::run_seeds): they train
/// with it, and write nothing. `tell` hears of every report.
///
/// # Errors
/// Those of [`run`] that are not of files, and [`Error::Rank`].
pub fn follow(
    gpu: &Gpu,
    env: &Environment,
    config: &Config,
    seeds: &[u32],
    resumed: Option<&Resumed>,
    options: &Options,
    mut tell: impl FnMut(&Report),
) -> Result<()> {
    let mut trainer = prepare(gpu, env, config, seeds, resumed, options)?;
    trainer.try_for_each(|report| report.map(|report| tell(&report)))
}

/// A trainer that stands where the run begins, or goes on. Of several ranks all have one, or none.
pub(super) fn prepare(
    gpu: &Gpu,
    env: &Environment,
    config: &Config,
    seeds: &[u32],
    resumed: Option<&Resumed>,
    options: &Options,
) -> Result<Trainer> {
    let own = || {
        options.check(env, config)?;
        resumed.map_or(Ok(()), |resumed| resumed.check(config))?;
        let trainer = Trainer::new(gpu, env, config, seeds)?;
        // several seeds keep no state
        let alone = seeds == [config.seed] && !gpu.ranks().is_some_and(Ranks::deals);
        let trainer = if alone { trainer.keeping(options.save_replay) } else { trainer };
        let trainer = if options.until_solved { trainer.until_solved() } else { trainer };
        let trainer = if options.watching { trainer.watching() } else { trainer };
        trainer.check_state(gpu)?;
        match resumed {
            Some(resumed) => trainer.resume(&resumed.state),
            None => {
                options
                    .init
                    .as_ref()
                    .map_or(Ok(()), |init| init.fit(env, config)?.put_into(gpu, trainer.learning()))?;
                Ok(trainer)
            }
        }
    };
    let Some(ranks) = gpu.ranks() else { return own() };
    let mut trainer = ranks.agree(own())?;
    trainer.begin();
    Ok(trainer)
}

/// Writes checkpoints, and knows when the next one is due.
struct Saver {
    checkpoints: Checkpoints,
    run: PathBuf,
    every: Option<Duration>,
    /// When the next one is due.
    due: Option<Instant>,
    /// Updates of the last one that is whole.
    saved: Option<u32>,
    /// Why the last one could not be written.
    failed: Option<Error>,
}

impl Saver {
    fn new(directory: &RunDirectory, config: &Config, done: u32) -> Self {
        let run = directory.path().to_owned();
        let checkpoints = Checkpoints::new(&run, config.keep_checkpoints, done);
        let every = (config.checkpoint_every > 0).then(|| Duration::from_secs(config.checkpoint_every));
        let mut saver = Self { checkpoints, run, every, due: None, saved: None, failed: None };
        saver.wait(None);
        saver
    }

    /// The next one is due after the usual time, or after less.
    fn wait(&mut self, most: Option<Duration>) {
        let time = self.every.map(|every| most.map_or(every, |most| every.min(most)));
        self.due = time.and_then(|time| Instant::now().checked_add(time));
    }

    /// Whether it is time. It is then until one was tried.
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| Instant::now() >= due)
    }

    /// Tries to write a checkpoint; what goes wrong is said, and tried again.
    fn save(&mut self, policy: &Policy, state: Option<&State>, tell: &mut dyn FnMut(Event)) {
        let Some(state) = state else { return };
        match self.checkpoints.commit(policy, state) {
            Ok(()) => {
                self.saved = Some(policy.updates);
                self.failed = None;
                self.wait(None);
                tell(Event::Saved(policy.updates));
            }
            Err(error) => {
                self.wait(Some(RETRY));
                tell(Event::Trouble(&format!("{error}; {}; training goes on, and tries again", self.whole())));
                self.failed = Some(error);
            }
        }
    }

    /// Which checkpoint is whole, in words.
    fn whole(&self) -> String {
        match self.saved {
            Some(updates) => format!("the checkpoint of update {updates} in {} is whole", self.run.display()),
            None => format!("what {} held before is as it was", self.run.display()),
        }
    }

    /// Fails if the last checkpoint could not be written.
    fn finish(&mut self) -> Result<()> {
        match self.failed.take() {
            Some(Error::File { action, path, reason }) => {
                Err(Error::File { action, path, reason: format!("{reason}; {}", self.whole()) })
            }
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
