//! `manyworlds sweep`

use super::choice::{Choice, Chosen};
use super::drivers::Work;
use super::say::{print, print_json, say};
use super::train::{dealing, quoted, writes};
use super::{AdapterArgument, ranks};
use crate::cli::ExitCode;
use crate::config::RunTable;
use crate::error::shown;
use crate::sweep::{Event, Finalist, Found, Records, SWEEP_FILE, Sampler, Sweep, Vary, short};
use crate::train::{CONFIG_FILE, RESULTS_FILE, RunDirectory, run_name};
use crate::{Environment, Result, file};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(clap::Args)]
pub struct SweepArguments {
    #[command(flatten)]
    choice: Choice,
    /// What varies, once for each setting: learning_rate=log:1e-4..1e-2, clip_coef=0.1..0.3, num_minibatches=2,4,8
    #[arg(long, value_name = "NAME=VALUES", required = true)]
    vary: Vec<String>,
    /// Number of trials
    #[arg(long, default_value_t = 64)]
    trials: u32,
    /// Rounds of successive halving: each has the better half of the trials before, for twice as long; the last is as long as
    /// is set
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Best trials that are made again with fresh seeds, to be compared by
    #[arg(long, default_value_t = 4)]
    finalists: u32,
    /// Number of fresh seeds of each finalist
    #[arg(long, default_value_t = 5)]
    seeds: u32,
    /// Where values come from: a scrambled Sobol sequence, or independent random numbers
    #[arg(long, default_value = "sobol", value_parser = sampler())]
    sampler: Sampler,
    /// Seed of the samples and of all trials; those behind it are the fresh ones
    #[arg(long)]
    seed: Option<u32>,
    /// Directory for the results; a sweep that was broken off goes on there [default: sweeps/<env>-<algo>-<seed>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl SweepArguments {
    pub fn run(self, started: Instant) -> Result<ExitCode> {
        let (env, sweep) = ranks::agree(self.resolve())?;
        ranks::same("what is to be tried", format!("{sweep:?} {:?} {}", env.overrides(), env.text()).as_bytes())?;
        if !writes() {
            return self.follow(&env, &sweep);
        }
        let name = format!("{}-{}-{}", run_name(env.name()), sweep.base.algo.name(), sweep.base.seed);
        let out = self.out.clone().unwrap_or_else(|| Path::new("sweeps").join(name));
        let opened = RunDirectory::claim_or_reopen(&out, SWEEP_FILE)
            .and_then(|directory| Records::open(&directory, &sweep, &env).map(|records| (directory, records)));
        let (directory, mut records) = ranks::agree(opened)?;
        ranks::of_first(&records.lines())?;
        let shown_out = shown(out.display());
        if records.is_empty() {
            say(format_args!("sweep directory: {shown_out}"));
        } else {
            say(format_args!("going on in {shown_out}: {} agents were trained before", records.len()));
        }
        let gpu = dealing(ranks::agree(self.adapter.open(sweep.largest_binding(&env)))?);
        let progress = Progress::new();
        let found = sweep.run(&gpu, &env, &mut records, |event| progress.show(event));
        progress.bar.finish_and_clear();
        let found = found?;

        let text = serde_json::to_string_pretty(&found).unwrap_or_default() + "\n";
        file::replace(&out.join(RESULTS_FILE), text.as_bytes())?;
        found.write_picture(&out)?;
        for line in table(&sweep, &found) {
            // of the JSON, standard output has nothing else
            if self.json { say(format_args!("{line}")) } else { print(format_args!("{line}"))? }
        }
        if let Some(winner) = found.finalists.first() {
            directory.write_config(&env, winner.config(), &RunTable::default())?;
            let config = quoted(&out.join(CONFIG_FILE).display().to_string());
            say(format_args!(
                "{} trials in {} launches and {:.1} s; all results in {shown_out}, seen in sweep.png; train the winner with: \
                 manyworlds train --config {config}",
                found.trials.len(),
                found.launches,
                started.elapsed().as_secs_f64(),
            ));
        }
        if self.json {
            print_json(&found)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What any rank does but the first, which prints and writes: it trains the agents that it is dealt.
    fn follow(&self, env: &Environment, sweep: &Sweep) -> Result<ExitCode> {
        ranks::agree(Ok(()))?; // the first one has its directory
        let mut records = Records::of_lines(&ranks::of_first("")?)?;
        let gpu = dealing(ranks::agree(self.adapter.open(sweep.largest_binding(env)))?);
        sweep.run(&gpu, env, &mut records, |_| ())?;
        Ok(ExitCode::SUCCESS)
    }

    /// What it asks a processor for; settings that vary do not count.
    pub fn work(&self) -> Work {
        Work { small: false, ..self.choice.work() }
    }

    /// What is asked for.
    fn resolve(&self) -> Result<(Environment, Sweep)> {
        let vary = self.vary.iter().map(|text| Vary::parse(text)).collect::<Result<Vec<_>>>()?;
        let Chosen { env, config: base, .. } =
            self.choice.resolve_from_seed(self.seed, &self.adapter, "a trial of a sweep")?;
        let (trials, rounds, finalists, seeds) = (self.trials, self.rounds, self.finalists, self.seeds);
        let sweep = Sweep { base, vary, trials, rounds, finalists, seeds, sampler: self.sampler };
        sweep.check(&env)?;
        Ok((env, sweep))
    }
}

fn sampler() -> impl TypedValueParser<Value = Sampler> {
    PossibleValuesParser::new(Sampler::NAMES).map(|name| Sampler::named(&name).unwrap_or_default())
}

/// A line for each finalist below those of the columns' names, the best first.
fn table(sweep: &Sweep, found: &Found) -> Vec<String> {
    let names: Vec<&str> = sweep.vary.iter().map(|vary| vary.name.as_str()).collect();
    let mut rows = vec![["trial", "return (95 %)", "solved"].map(str::to_owned).to_vec()];
    rows[0].extend(names.iter().map(|name| (*name).to_owned()));
    let row = |of: &Finalist| {
        let mean = of
            .interquartile_mean
            .map_or("not finite".to_owned(), |mean| format!("{:.1} ({:.1} to {:.1})", mean.mean, mean.low, mean.high));
        let mut row = vec![of.trial.number.to_string(), mean, format!("{} of {}", of.solved, of.seeds.len())];
        row.extend(names.iter().map(|name| of.trial.values.get(*name).map_or(String::new(), |value| short(value))));
        row
    };
    rows.extend(found.finalists.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| -> String {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        cells.join("  ")
    };
    rows.iter().map(line).collect()
}

/// A bar where a person is watching, a line for each launch elsewhere.
struct Progress {
    bar: ProgressBar,
    terminal: bool,
    finals: Cell<bool>,
}

impl Progress {
    fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} updates · {msg} · {elapsed}") {
            bar.set_style(style);
        }
        Self { bar, terminal, finals: Cell::new(false) }
    }

    fn show(&self, event: Event) {
        match event {
            Event::Round { round, trials } => self.bar.set_message(format!("round {}: {trials} trials", round + 1)),
            Event::Finals { trials, seeds } => {
                self.finals.set(true);
                self.bar.set_message(format!("{trials} finalists with {seeds} fresh seeds each"));
            }
            Event::Launch { updates, .. } => {
                self.bar.reset();
                self.bar.set_length(updates.into());
            }
            Event::Updates(updates) => self.bar.set_position(updates.into()),
            Event::Ended(records) => {
                let best = records.iter().filter_map(|record| record.score).max_by(f64::total_cmp);
                let best = best.map_or("none stayed finite".to_owned(), |best| format!("the best returns {best:.1}"));
                let lost = records.iter().filter(|record| record.score.is_none()).count();
                let lost = match lost {
                    0 => String::new(),
                    lost if lost == records.len() => String::new(),
                    lost => format!("; {lost} did not stay finite"),
                };
                let what = if self.finals.get() { "agents of finalists" } else { "trials" };
                let length = records.first().map_or(0, |record| record.length);
                self.above(&format!("{} {what}, length {length}: {best}{lost}", records.len()));
            }
        }
    }

    fn above(&self, text: &str) {
        if self.terminal {
            self.bar.suspend(|| say(format_args!("{text}")));
        } else {
            say(format_args!("{text}"));
        }
    }
}
