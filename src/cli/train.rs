//! `manyworlds train`

use super::watch::Watched;
use super::{AdapterArgument, foreign};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use manyworlds::algo;
use manyworlds::env::Environment;
use manyworlds::gpu::Form;
use manyworlds::train::{self, Config, Line, Options, Policy, Report};
use manyworlds::{Error, Result};
use std::cell::RefCell;
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
    /// Go on with the run in this directory, from its last evaluation; --set can raise total_timesteps
    #[arg(long, value_name = "DIR", conflicts_with_all = ["env", "algo", "config", "set_env", "seed", "watch", "out"])]
    resume: Option<PathBuf>,
    /// Keep the ring of transitions too, so that --resume goes on bit for bit (ddpg, td3, sac)
    #[arg(long)]
    save_replay: bool,
    /// Algorithm: ppo, a2c, reinforce, npg, trpo, ddpg, td3 or sac
    #[arg(long, default_value = "ppo")]
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
    /// Stop at the first evaluation that solves the environment; exit with 1 if none does
    #[arg(long)]
    until_solved: bool,
    /// Begin anew, with a run directory of its own, whenever the environment's file changes
    #[arg(long, conflicts_with = "out")]
    watch: bool,
    /// Directory for the results; must be empty or not there [default: runs/<env>-<algo>-<seed>-<time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Train {
    pub fn run(self, started: Instant) -> Result<ExitCode> {
        if !self.watch {
            return self.train(started, || false);
        }
        let watched = RefCell::new(Watched::new(&self.env)?);
        loop {
            // an error is shown and waits for the next change
            if let Err(error) = self.train(Instant::now(), || watched.borrow_mut().changed()) {
                eprintln!("error: {}", super::one_error(&error));
            }
            if !watched.borrow_mut().fresh() {
                watched.borrow_mut().wait();
            }
        }
    }

    /// Whether the device gets its work in small pieces.
    pub fn is_small(&self) -> bool {
        let config = match &self.resume {
            Some(directory) => Policy::load(directory).and_then(|policy| policy.config.with(&self.set)),
            None => Config::resolve(&self.env, &self.algo, self.config.as_deref(), &self.set),
        };
        // what is wrong is said later
        config.is_ok_and(|config| config.is_small())
    }

    /// The environment and its settings, or those of the run that goes on.
    fn resolve(&self) -> Result<(Environment, Config)> {
        if let Some(directory) = &self.resume {
            let policy = Policy::load(directory)?;
            check_resumed(&self.set)?;
            foreign::probe_checkpoint(&policy.env, &self.adapter)?;
            let config = policy.config.with(&self.set)?;
            return Ok((policy.env, config));
        }
        let env = foreign::load(&self.env, &self.set_env, &self.adapter)?;
        let mut pairs = self.set.clone();
        pairs.extend(self.seed.map(|seed| format!("seed={seed}")));
        let config = Config::resolve(env.name(), &self.algo, self.config.as_deref(), &pairs)?;
        Ok((env, config))
    }

    /// One run, which is broken off as soon as the environment has changed.
    fn train(&self, started: Instant, changed: impl Fn() -> bool) -> Result<ExitCode> {
        let (env, config) = self.resolve()?;
        if let Some(out) = &self.out {
            train::check_out(out)?;
        }
        let gpu = self.adapter.open(algo::sizes(&config, &env, 1, Form::WIDE).largest())?;

        let progress = Progress::new(&config);
        let options = Options {
            out: self.out.clone(),
            resume: self.resume.clone(),
            save_replay: self.save_replay,
            until_solved: self.until_solved,
            started,
        };
        let summary = train::run(&gpu, &env, &config, &options, |report, line| {
            progress.show(report, line);
            if changed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        progress.bar.finish_and_clear();
        let Some(summary) = summary else {
            eprintln!("{} has changed", self.env);
            return Ok(ExitCode::SUCCESS);
        };
        eprintln!(
            "{} {} in {} steps and {:.1} s: return {:#}",
            summary.env,
            if summary.solved { "solved" } else { "trained" },
            HumanCount(summary.env_steps),
            summary.wall_s,
            summary.eval,
        );
        eprintln!("saved to {}; play it with: manyworlds eval {0}", summary.run_dir.display());
        if self.json {
            println!("{}", serde_json::to_string(&summary).unwrap_or_default());
        }
        let failed = options.until_solved && !summary.solved;
        if failed {
            eprintln!("not solved within total_timesteps = {}", config.total_timesteps);
        }
        Ok(ExitCode::from(u8::from(failed)))
    }
}

/// What a run that goes on may have set anew: how long it goes, and how it is looked at.
const RESUMED: [&str; 3] = ["total_timesteps", "eval_every", "eval_episodes"];

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
struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    fn new(config: &Config) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let total = config.env_steps(config.num_updates());
        let bar = if terminal { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let style = "{bar:30} {human_pos}/{human_len} steps · {msg} · {elapsed}, at most {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message("compiling shaders");
        bar.tick();
        Self { bar, terminal }
    }

    fn show(&self, report: &Report, line: &Line) {
        let returns = line.mean_return.map_or("no episode ended".to_owned(), |mean| format!("mean return {mean:.1}"));
        let speed = format!("{} steps/s", HumanCount(line.steps_per_s as u64));
        let evaluation = report.evaluation.as_ref().and_then(|agents| agents.first());
        if self.terminal {
            self.bar.set_position(report.env_steps);
            self.bar.set_message(format!("{speed} · {returns}"));
        } else if let Some((eval, _)) = evaluation {
            let steps = HumanCount(report.env_steps);
            eprintln!("{steps} steps, {speed}, {returns}, evaluation {eval}");
        }
    }
}
