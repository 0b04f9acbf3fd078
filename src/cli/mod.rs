//! The command line: one file for each command, all of them thin.

// what stands above arguments is what --help says of them
#![allow(rustdoc::invalid_html_tags, rustdoc::bare_urls, rustdoc::broken_intra_doc_links)]

mod bench;
mod check_env;
mod checkpoint;
mod choice;
mod doctor;
pub mod drivers;
mod envs;
mod eval;
mod export;
mod foreign;
mod gradient;
mod help;
mod new_env;
mod plan;
mod plot;
mod progress;
#[cfg(all(feature = "mpi", not(unix)))]
compile_error!(
    "the command line goes over several processes on Linux and macOS; leave the feature `mpi` out elsewhere"
);
#[cfg(feature = "mpi")]
mod ranks;
#[cfg(not(feature = "mpi"))]
#[path = "alone.rs"]
mod ranks;
mod render;
mod reproduce;
mod say;
mod seeds;
mod settings;
mod signals;
mod standing;
mod sweep;
mod tensorboard;
mod text;
mod trace;
mod train;
mod tui;
mod watch;

use crate::gpu::{AdapterChoice, Gpu};
use crate::{Error, Result};
use clap::error::ErrorKind;
use clap::{FromArgMatches, Parser, Subcommand};
use say::{print, say};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::{Command as Process, Termination};
use std::sync::OnceLock;
use std::time::Instant;

/// How this program was started, but for a command's own arguments: the program, and what stands behind it, such as
/// `-m manyworlds` behind an interpreter of Python.
static STARTED: OnceLock<Vec<OsString>> = OnceLock::new();

/// What a command ends with (`docs/exit_codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode(pub u8);

impl ExitCode {
    /// All went well.
    pub const SUCCESS: Self = Self(0);
    /// A check failed.
    pub const FAILURE: Self = Self(1);
}

impl From<u8> for ExitCode {
    fn from(code: u8) -> Self {
        Self(code)
    }
}

impl Termination for ExitCode {
    fn report(self) -> std::process::ExitCode {
        self.0.into()
    }
}

/// Massively parallel reinforcement learning in WGSL compute shaders, on any Vulkan, Metal or DX12 GPU.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes (docs/exit_codes.md):
  0              done, and where standard output is a pipe that its reader closed early
  1              failure at run time: the device, a disk or standard output that is full, training that diverged;
                 a check that failed; not solved with --until-solved
  2              bad usage, configuration, environment, adapter or input file
  3              no GPU adapter at all
  5              a process of a run over several has died
  129, 130, 143  training that SIGHUP, SIGINT or SIGTERM ended, its state saved"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a policy and write it, its metrics and its configuration to a run directory
    Train(train::Train),
    /// Try many settings side by side, the better ones for longer, and the best with fresh seeds
    Sweep(sweep::SweepArguments),
    /// Play whole episodes with a trained policy
    Eval(eval::Eval),
    /// Write a run's policy, or what it has recorded, for other programs
    Export(export::Export),
    /// Draw the learning curves of runs, side by side
    Plot(plot::Plot),
    /// List the built-in environments
    Envs(envs::Envs),
    /// Write a commented environment of your own that trains as it is
    NewEnv(new_env::NewEnv),
    /// Test an environment: repeatability, independence of worlds, finite numbers, endings
    CheckEnv(check_env::CheckEnv),
    /// Show one world step by step
    Trace(trace::Trace),
    /// Film worlds that a trained policy plays, or that take random actions, or watch them in a window
    Render(render::Render),
    #[command(hide = true)]
    Probe,
    /// Estimate the policy gradient of a textbook policy in many ways, beside the exact one
    Gradient(gradient::Gradient),
    /// Make a figure of the textbook anew, with its data
    Reproduce(reproduce::Reproduce),
    /// Measure steps per second, or what each kernel reaches
    Bench(bench::Bench),
    /// Show adapters, drivers and limits, what would be chosen and why, and test the chosen one
    Doctor(doctor::Doctor),
    /// Show what a run would do, without a device: buffers, kernels, and every pass of an update
    Plan(plan::Plan),
    /// List the settings of `train --set` with their defaults
    Settings(settings::Settings),
    /// Print what a shell completes commands and options by
    Completions(help::Completions),
    /// Print the manual page, or write those of all commands
    Man(help::Man),
}

impl Command {
    /// Whether it may open one.
    fn needs_a_device(&self) -> bool {
        !matches!(
            self,
            Self::Settings(_)
                | Self::Plot(_)
                | Self::Export(_)
                | Self::Envs(_)
                | Self::NewEnv(_)
                | Self::Plan(_)
                | Self::Completions(_)
                | Self::Man(_)
        )
    }
}

/// Which GPU does the work.
#[derive(clap::Args)]
struct AdapterArgument {
    /// auto, the index that `manyworlds doctor` shows, or part of a name
    #[arg(long, value_name = "auto|INDEX|NAME", default_value = "auto")]
    adapter: AdapterChoice,
}

impl AdapterArgument {
    /// Opens the adapter.
    fn quietly(&self, largest_binding: u64) -> Result<Gpu> {
        let Some(ranks) = ranks::joined() else { return Gpu::new(&self.adapter, largest_binding) };
        Ok(Gpu::of_rank(&self.adapter, ranks::local(), largest_binding)?.with_ranks(ranks.clone()))
    }

    /// The same with a note if it is a software one.
    fn open(&self, largest_binding: u64) -> Result<Gpu> {
        let gpu = self.quietly(largest_binding)?;
        if gpu.is_software() {
            say(format_args!("note: {} is a software adapter; a GPU would be much faster", gpu.info().name));
        }
        Ok(gpu)
    }
}

/// This program again, for a process of its own.
fn again() -> std::io::Result<Process> {
    let own = || std::env::current_exe().map(|program| vec![program.into_os_string()]);
    let started = STARTED.get().cloned().map_or_else(own, Ok)?;
    let [program, behind @ ..] = &started[..] else { return Err(std::io::ErrorKind::NotFound.into()) };
    let mut process = Process::new(program);
    process.args(behind);
    Ok(process)
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    run(std::env::args_os().skip(1).collect())
}

/// Runs the command of these arguments in a process that is no program of ours: `started` is how that was started, but for the
/// arguments.
pub fn main_of(started: Vec<OsString>, arguments: Vec<OsString>) -> ExitCode {
    STARTED.get_or_init(|| started);
    run(arguments)
}

fn run(arguments: Vec<OsString>) -> ExitCode {
    let started = Instant::now();
    let line = std::iter::once(OsString::from("manyworlds")).chain(arguments.iter().cloned());
    let parsed = help::command().try_get_matches_from(line).and_then(|matches| Arguments::from_arg_matches(&matches));
    let own_arguments = arguments;
    let arguments = match parsed {
        Ok(arguments) => arguments,
        // one of several ranks tells
        Err(shown) if ranks::is_quiet() => return ExitCode::from(if shown.use_stderr() { 2 } else { 0 }),
        Err(shown) => return show(&shown),
    };
    let over_ranks = matches!(arguments.command, Command::Train(_) | Command::Sweep(_));
    // what tries out an environment for a rank is none
    if !over_ranks && !matches!(arguments.command, Command::Probe) && ranks::are_several() {
        if !ranks::is_quiet() {
            say(format_args!(
                "error: only train and sweep go over several processes; start this command in one process"
            ));
        }
        return ExitCode(2);
    }
    if arguments.command.needs_a_device() {
        let work = match &arguments.command {
            Command::Train(command) => command.work(),
            Command::Bench(command) => command.work(),
            Command::Sweep(command) => command.work(),
            Command::Eval(command) => command.work(),
            Command::Render(command) => command.work(),
            _ => drivers::Work::default(),
        };
        let remedy = match &arguments.command {
            Command::Sweep(_) => "the same command goes on from its finished launches",
            _ => "go on from its last checkpoint with --resume",
        };
        if over_ranks && let Some(code) = ranks::guard(work, &own_arguments, remedy) {
            return code;
        }
        drivers::prepare(work, &own_arguments);
        if over_ranks && let Err(error) = ranks::join() {
            return failed(&error);
        }
    }
    let done = match arguments.command {
        Command::Train(command) => command.run(started),
        Command::Sweep(command) => command.run(started),
        Command::Eval(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Plot(command) => command.run(),
        Command::Envs(command) => command.run(),
        Command::NewEnv(command) => command.run(),
        Command::CheckEnv(command) => command.run(),
        Command::Trace(command) => command.run(),
        Command::Render(command) => command.run(),
        Command::Probe => foreign::probe(),
        Command::Gradient(command) => command.run(),
        Command::Reproduce(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Settings(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    let code = match done {
        Ok(code) => code,
        Err(error) => failed(&error),
    };
    ranks::leave();
    code
}

/// Says what went wrong.
fn failed(error: &Error) -> ExitCode {
    say(format_args!("error: {}", one_error(error)));
    ranks::abort_after(error);
    ExitCode::from(error.exit_code())
}

/// Shows what `--help` and `--version` ask for, or what is wrong with the arguments.
fn show(shown: &clap::Error) -> ExitCode {
    if shown.use_stderr() && shown.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        say(format_args!("{}", help::one_line(shown)));
        return ExitCode::from(2);
    }
    // with colours where a terminal has them
    let text = |terminal: bool| {
        let rendered = shown.render();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let text = if terminal && !plain { rendered.ansi().to_string() } else { rendered.to_string() };
        text.trim_end().to_owned()
    };
    if shown.use_stderr() {
        say(format_args!("{}", text(std::io::stderr().is_terminal())));
        return ExitCode::from(2);
    }
    match print(format_args!("{}", text(std::io::stdout().is_terminal()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Shader errors bring their own `error:`.
fn one_error(error: &Error) -> String {
    let text = error.to_string();
    text.strip_prefix("error: ").map(str::to_owned).unwrap_or(text)
}
