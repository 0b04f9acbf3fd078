//! `manyworlds sweep`

use super::say::{print, print_json, say};
use super::{AdapterArgument, foreign};
use manyworlds::algo;
use manyworlds::config::{Algo, Config};
use manyworlds::error::shown;
use manyworlds::sweep::{Draws, Found, Sweep, Trial, Vary};
use manyworlds::{Error, Result};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// A line for each trial of each round, as it ends: what a sweep goes on from.
const TRIALS_FILE: &str = "trials.jsonl";
/// What was found.
const SWEEP_FILE: &str = "sweep.json";
/// The settings of the winner.
const WINNER_FILE: &str = "config.toml";

#[derive(clap::Args)]
pub struct SweepArguments {
    /// Name of a built-in environment, or path of a .wgsl file
    env: String,
    #[arg(long, default_value = "ppo", help = format!("Algorithm: {}", Algo::names()))]
    algo: String,
    /// What varies: NAME=LOW..HIGH, NAME=log:LOW..HIGH or NAME=A,B,C
    #[arg(long, value_name = "NAME=VALUES", required = true)]
    vary: Vec<String>,
    /// Number of trials
    #[arg(long, default_value_t = 64)]
    trials: u32,
    /// Rounds: each has half the trials of the one before, and twice its length; the last has the length that is set
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// The best trials, which are made again with fresh seeds
    #[arg(long, default_value_t = 4)]
    finalists: u32,
    /// Number of fresh seeds
    #[arg(long, default_value_t = 5)]
    seeds: u32,
    /// Draw trials independently, not from a Sobol sequence
    #[arg(long)]
    random: bool,
    /// A setting of all trials, such as total_timesteps=500000
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// An override of the environment
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    /// Seed of trials and of what they draw
    #[arg(long)]
    seed: Option<u32>,
    /// Directory for the results; what an earlier call with the same arguments has left there is not made again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl SweepArguments {
    pub fn run(self, started: Instant) -> Result<ExitCode> {
        let vary = self.vary.iter().map(|text| Vary::parse(text)).collect::<Result<Vec<_>>>()?;
        let mut pairs = self.set.clone();
        pairs.extend(self.seed.map(|seed| format!("seed={seed}")));
        let env = foreign::load(&self.env, &self.set_env, &self.adapter)?;
        let base = Config::resolve(env.name(), &self.algo, None, &[pairs, vec!["eval_every=0".to_owned()]].concat())?;
        let (trials, rounds, finalists, seeds) = (self.trials, self.rounds, self.finalists, self.seeds);
        let draws = if self.random { Draws::Random } else { Draws::Sobol };
        let sweep = Sweep { base, vary, trials, rounds, finalists, seeds, draws };
        sweep.check(&env)?;
        fs::create_dir_all(&self.out).map_err(|error| Error::file("write", &self.out, &error))?;
        let known = read(&self.out, &format!("{:?}", (&sweep, env.text())))?;
        if !known.is_empty() {
            say(format_args!("{} trials are known from {}", known.len(), self.out.display()));
        }
        let agents = trials.max(finalists * seeds).min(256);
        let gpu = self.adapter.open(algo::sizes(&sweep.base, &env, agents)?.largest())?;
        let file = self.out.join(TRIALS_FILE);
        let mut done = 0;
        let found = sweep.run(&gpu, &env, &known, |trials| {
            done += trials.len();
            let best = trials.iter().filter_map(|trial| trial.score).fold(f64::NEG_INFINITY, f64::max);
            let round = trials.first().map_or(0, |trial| trial.round);
            say(format_args!("round {}: {} trials, the best returns {best:.1}", round + 1, trials.len()));
            append(&file, trials)
        })?;
        self.told(&sweep, &found, started)
    }

    fn told(&self, sweep: &Sweep, found: &Found, started: Instant) -> Result<ExitCode> {
        let names: Vec<&str> = sweep.vary.iter().map(|vary| vary.name.as_str()).collect();
        print(format_args!(
            "{:>5}  {:>28}  {:>6}  {}",
            "trial",
            "interquartile mean (95 %)",
            "solved",
            names.join("  ")
        ))?;
        for finalist in &found.finalists {
            let mean = finalist
                .interquartile_mean
                .map_or("not finite".to_owned(), |of| format!("{:.1} ({:.1} to {:.1})", of.mean, of.low, of.high));
            let values: Vec<&str> = names.iter().map(|&name| finalist.trial.values[name].as_str()).collect();
            let solved = format!("{}/{}", finalist.solved, finalist.returns.len());
            print(format_args!("{:>5}  {mean:>28}  {solved:>6}  {}", finalist.trial.number, values.join("  ")))?;
        }
        let write = |name: &str, text: &str| -> Result<()> {
            let path = self.out.join(name);
            manyworlds::file::replace(&path, text.as_bytes())
        };
        write(SWEEP_FILE, &(serde_json::to_string_pretty(found).unwrap_or_default() + "\n"))?;
        if let Some(winner) = found.finalists.first() {
            write(WINNER_FILE, &winner.config().to_toml())?;
            say(format_args!(
                "{} trials in {} launches and {:.1} s; train the winner with: manyworlds train {} --algo {} --config {}",
                found.trials.len(),
                found.launches,
                started.elapsed().as_secs_f64(),
                shown(&self.env),
                self.algo,
                self.out.join(WINNER_FILE).display()
            ));
        }
        if self.json {
            print_json(found)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Trials of an earlier call with the same arguments.
fn read(out: &Path, arguments: &str) -> Result<Vec<Trial>> {
    let (own, trials) = (out.join("arguments.txt"), out.join(TRIALS_FILE));
    if !own.exists() && !trials.exists() {
        manyworlds::file::replace(&own, arguments.as_bytes())?;
        return Ok(Vec::new());
    }
    if manyworlds::file::read_text(&own, 64 << 20)? != arguments {
        let reason = "it holds a sweep with other arguments; name another directory with --out".to_owned();
        return Err(Error::File { action: "write into", path: out.to_owned(), reason });
    }
    if !trials.exists() {
        return Ok(Vec::new());
    }
    let text = manyworlds::file::read_text(&trials, 1 << 30)?;
    // what was being written when a process died is made again
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn append(path: &Path, trials: &[Trial]) -> Result<()> {
    let failed = |error: std::io::Error| Error::file("write", path, &error);
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    let text: String = trials.iter().map(|trial| serde_json::to_string(trial).unwrap_or_default() + "\n").collect();
    file.write_all(text.as_bytes()).map_err(failed)
}
