//! `manyworlds plot`

use super::say::say;
use crate::Result;
use crate::cli::ExitCode;
use crate::curves::{Across, Comparison, Run};
use crate::error::shown;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Plot {
    /// Run directories; one of several seeds counts as that many runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// What runs are grouped by, each group being one curve: algo, env, seed, run or a setting [default: what differs, but the seed]
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// What is drawn: evaluation, or a name in metrics.jsonl, such as mean_return or entropy
    #[arg(long, value_name = "NAME", default_value = "evaluation")]
    number: String,
    /// What it is drawn against
    #[arg(long, value_enum, default_value_t = X::Steps)]
    x: X,
    /// Points of a run that are averaged into one
    #[arg(long, value_name = "POINTS", default_value_t = 1, default_missing_value = "5", num_args = 0..=1,
          value_parser = clap::value_parser!(u16).range(1..))]
    smooth: u16,
    /// The picture, .svg or .png [default: plot.svg and plot.png]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum X {
    /// Steps of all worlds
    Steps,
    /// Wall seconds
    Seconds,
}

impl Plot {
    pub fn run(self) -> Result<ExitCode> {
        let runs = self.runs.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>>>()?.concat();
        let across = match self.x {
            X::Steps => Across::Steps,
            X::Seconds => Across::Seconds,
        };
        let comparison = Comparison { runs, number: self.number, by: self.by, smooth: self.smooth.into(), across };
        let paths = match &self.out {
            Some(path) => vec![path.as_path()],
            None => vec![Path::new("plot.svg"), Path::new("plot.png")],
        };
        comparison.draw(&paths)?;
        let names: Vec<String> = paths.iter().map(|path| shown(path.display())).collect();
        say(format_args!("wrote {}", names.join(" and ")));
        Ok(ExitCode::SUCCESS)
    }
}
