//! `manyworlds reproduce`

use super::say::{print, print_json, reader_left, say};
use super::{AdapterArgument, foreign};
use crate::algo::{self};
use crate::cli::ExitCode;
use crate::config::{Algo, Config};
use crate::reproduce::{ENVIRONMENTS, Regulator, Row, regulator, row};
use crate::train::{self};
use crate::{Error, Result};
use clap::Subcommand;
use std::path::PathBuf;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Reproduce {
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Subcommand)]
enum Figure {
    /// The README's table: every algorithm on the classic environments, with its presets
    Results(ResultsArguments),
    /// Paths of policy gradients of the simple regulator, after Kochenderfer et al. (2022), figure 11.3, and of searches
    Regulator(RegulatorArguments),
}

#[derive(clap::Args)]
struct RegulatorArguments {
    /// Directory for regulator.png, .svg and .csv and regulator_search.png and .svg; must be empty or not there
    #[arg(long, value_name = "DIR", default_value = "regulator")]
    out: PathBuf,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Paths of each estimator and each search, side by side on the device
    #[arg(long, default_value_t = 4096)]
    repetitions: u32,
    #[command(flatten)]
    adapter: AdapterArgument,
}

#[derive(clap::Args)]
struct ResultsArguments {
    /// An algorithm, or several of them; all if none is named
    #[arg(long)]
    algo: Vec<String>,
    /// An environment, or several of them; the classics with presets if none is named
    #[arg(long)]
    env: Vec<String>,
    /// Seeds 1 to this number, in one launch
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// A setting that goes over the presets, such as learning_rate=0.001
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print each row as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Reproduce {
    pub fn run(self) -> Result<ExitCode> {
        match self.figure {
            Figure::Results(arguments) => arguments.run(),
            Figure::Regulator(arguments) => arguments.run(),
        }
    }
}

impl ResultsArguments {
    fn run(self) -> Result<ExitCode> {
        let named = |names: &[String], all: Vec<&str>| -> Vec<String> {
            if names.is_empty() { all.into_iter().map(str::to_owned).collect() } else { names.to_vec() }
        };
        // all names and settings first: nobody wants to learn of a wrong one half an hour later
        for algo in &self.algo {
            Config::preset("", algo)?;
        }
        let mut planned = Vec::new();
        for name in named(&self.env, ENVIRONMENTS.to_vec()) {
            let env = foreign::load(&name, &[], &self.adapter)?;
            for algo in named(&self.algo, Algo::ALL.map(Algo::name).to_vec()) {
                // who names neither, or one of them, gets what there are presets for
                let asked = !self.env.is_empty() && !self.algo.is_empty();
                if !asked && !Config::has_preset(env.name(), &algo) {
                    continue;
                }
                let config = Config::resolve(env.name(), &algo, None, &self.set)?;
                config.check_for(&env)?;
                planned.push((env.clone(), config));
            }
        }
        if planned.is_empty() {
            let reason =
                "no preset is for what is named; name an algorithm and an environment (--algo, --env)".to_owned();
            return Err(Error::Setting { name: "algo".to_owned(), reason });
        }
        let seeds: Vec<u32> = (1..=self.seeds).collect();
        if !self.json {
            let [names, rule] = Row::HEAD;
            print(format_args!("{names} seconds |\n{rule}---|"))?;
        }
        for (env, config) in planned {
            let started = Instant::now();
            let gpu = self.adapter.open(algo::sizes(&config, &env, self.seeds)?.largest())?;
            let row = row(&gpu, &env, &config, &seeds)?;
            let seconds = started.elapsed().as_secs_f64();
            if self.json {
                print_json(&row)?;
            } else {
                print(format_args!("{row} {seconds:.0} |"))?;
            }
            if reader_left() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl RegulatorArguments {
    fn run(self) -> Result<ExitCode> {
        train::check_out(&self.out)?;
        let settings = Regulator { seed: self.seed, repetitions: self.repetitions };
        settings.check()?;
        let gpu = self.adapter.open(0)?;
        let found = regulator(&gpu, &settings)?;
        for ascent in &found.ascents {
            let last = &ascent.steps[ascent.steps.len() - 1];
            let theta: Vec<String> =
                last.theta.iter().map(|theta| format!("{:.3} ± {:.3}", theta.mean, theta.std)).collect();
            say(format_args!(
                "{}: θ ends at ({}), U at {:.3}",
                ascent.way.name(),
                theta.join(", "),
                last.utility.median
            ));
        }
        for path in found.write(&self.out)? {
            say(format_args!("wrote {}", crate::error::shown(path.display())));
        }
        Ok(ExitCode::SUCCESS)
    }
}
