//! `manyworlds export`

mod page;
mod source;

use super::say::{print, reader_left, say};
use crate::cli::ExitCode;
use crate::curves::Record;
use crate::error::shown;
use crate::train::{Policy, run_name};
use crate::{Result, export, file};
use clap::ValueEnum;
use indicatif::HumanBytes;
use page::PageOptions;
use source::Which;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true),
    after_help = "Examples:
  manyworlds export runs/cartpole --format onnx          CartPole-v1.onnx, for onnxruntime
  manyworlds export runs/cartpole --format c -o pole.h   a header without dependencies, for a microcontroller
  manyworlds export runs/cartpole --format html          a page that plays it, in any browser with WebGPU
  manyworlds export Breakout --format html --train       a page that learns it
  manyworlds export runs/cartpole --metrics csv          its numbers as a table

Of a run directory the policy is that of the best evaluation. docs/export.md
has inputs, outputs and a program for each format."
)]
pub struct Export {
    /// Run directory, or the folder of one of its seeds; with --format a checkpoint, and with --format html an environment too
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The deterministic policy, for another program
    #[arg(long, value_enum, value_name = "FORMAT", group = "what")]
    format: Option<Kind>,
    /// The lines of metrics.jsonl, one for each update
    #[arg(long, value_enum, value_name = "FORMAT", group = "what")]
    metrics: Option<Format>,
    /// The lines of evaluations.jsonl, one for each evaluation
    #[arg(long, value_enum, value_name = "FORMAT", group = "what")]
    evaluations: Option<Format>,
    /// Which policy of a run [default: best, or last where it was never evaluated]
    #[arg(long, value_enum, value_name = "WHICH", conflicts_with_all = ["metrics", "evaluations"])]
    which: Option<Which>,
    /// Export the policy also where its environment has changed since
    #[arg(long, conflicts_with_all = ["metrics", "evaluations"])]
    as_trained: bool,
    /// The file that is written [default: the environment's name and .safetensors, .onnx, .h, _policy.wgsl or .html; of a table
    /// standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    page: PageOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Names in the first line, numbers with commas between them in the others; nothing where there is no number
    Csv,
}

/// What a policy is written as.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The checkpoint itself, whole: docs/checkpoint.md
    Safetensors,
    /// A graph for onnxruntime and others, normalisation and bounds included
    Onnx,
    /// A header of C99 with nothing but the policy
    C,
    /// A function for a shader of another program
    Wgsl,
    /// A page that plays the policy in a browser with WebGPU, and trains
    Html,
}

impl Kind {
    /// What the name of its file ends with.
    fn ending(self) -> &'static str {
        match self {
            Self::Safetensors => ".safetensors",
            Self::Onnx => ".onnx",
            Self::C => ".h",
            // the environment's own file is called NAME.wgsl
            Self::Wgsl => "_policy.wgsl",
            Self::Html => ".html",
        }
    }

    fn bytes(self, policy: &Policy, page: &PageOptions) -> Result<Vec<u8>> {
        match self {
            Self::Safetensors => policy.to_bytes(),
            Self::Onnx => export::onnx(policy),
            Self::C => export::c(policy).map(String::into_bytes),
            Self::Wgsl => export::wgsl(policy).map(String::into_bytes),
            Self::Html => page.html(policy).map(String::into_bytes),
        }
    }
}

impl Export {
    pub fn run(self) -> Result<ExitCode> {
        self.out.iter().try_for_each(|out| file::check_target(out))?;
        if !matches!(self.format, Some(Kind::Html)) {
            self.page.check_unused()?;
        }
        match self.format {
            Some(kind) => self.policy(kind),
            None => self.table(),
        }
    }

    fn policy(&self, kind: Kind) -> Result<ExitCode> {
        let (policy, files) = match kind {
            Kind::Html => self.page.policy(&self.run, self.which, self.as_trained)?,
            _ => source::load(&self.run, self.which, self.as_trained)?,
        };
        let name = || PathBuf::from(run_name(policy.env.name()) + kind.ending());
        let out = self.out.clone().unwrap_or_else(name);
        file::check_target(&out)?;
        source::check_apart(&out, &files)?;
        let bytes = kind.bytes(&policy, &self.page)?;
        file::replace(&out, &bytes)?;
        let evaluated = policy.evaluation.map(|returns| format!(", whose return was {returns}")).unwrap_or_default();
        say(format_args!(
            "{}: policy of {} {}{evaluated}, {}",
            shown(out.display()),
            shown(policy.env.name()),
            match policy.updates {
                0 => "before its first update".to_owned(),
                1 => "after 1 update".to_owned(),
                updates => format!("after {updates} updates"),
            },
            HumanBytes(bytes.len() as u64)
        ));
        Ok(ExitCode::SUCCESS)
    }

    fn table(&self) -> Result<ExitCode> {
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
