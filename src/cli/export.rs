//! `manyworlds export`

use super::say::{print, reader_left, say};
use manyworlds::curves::Record;
use manyworlds::error::shown;
use manyworlds::{Result, file};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Export {
    /// Run directory, or the folder of one of its seeds
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The lines of metrics.jsonl, one for each update
    #[arg(long, value_enum, value_name = "FORMAT", group = "what")]
    metrics: Option<Format>,
    /// The lines of evaluations.jsonl, one for each evaluation
    #[arg(long, value_enum, value_name = "FORMAT", group = "what")]
    evaluations: Option<Format>,
    /// The file that is written [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Names in the first line, numbers with commas between them in the others; nothing where there is no number
    Csv,
}

impl Export {
    pub fn run(self) -> Result<ExitCode> {
        self.out.iter().try_for_each(|out| file::check_folder(out))?;
        let record = match (self.metrics, self.evaluations) {
            (Some(Format::Csv), _) => Record::metrics(&self.run)?,
            (None, _) => Record::evaluations(&self.run)?,
        };
        if let Some(out) = &self.out {
            file::replace(out, record.csv().concat().as_bytes())?;
            say(format_args!("wrote {} lines to {}", record.len(), shown(out.display())));
            return Ok(ExitCode::SUCCESS);
        }
        for line in record.csv() {
            print(format_args!("{}", line.trim_end()))?;
            if reader_left() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
