//! Environments from files: whether the driver's compiler comes to an end with one, and whether one step of it does, is
//! tried out in a process of its own before this one touches it.

use super::AdapterArgument;
use manyworlds::env::Environment;
use manyworlds::pool::WorldPool;
use manyworlds::{Error, Result};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How long compiling and stepping may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Compiles and steps an environment once; started by other commands.
#[derive(clap::Args)]
pub struct Probe {
    /// Path of a .wgsl file
    path: PathBuf,
    #[arg(long, value_name = "KEY=VALUE")]
    set_env: Vec<String>,
    #[command(flatten)]
    adapter: AdapterArgument,
}

impl Probe {
    pub fn run(self) -> Result<ExitCode> {
        let mut env = Environment::from_file(&self.path)?;
        set(&mut env, &self.set_env)?;
        let gpu = self.adapter.quietly(0)?;
        let pool = WorldPool::new(&gpu, &env, 64, 1)?;
        pool.step_on_device()?;
        pool.check_loops()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// An environment for a command: built in by name, or a file that a process of its own has tried out.
pub fn load(name: &str, overrides: &[String], adapter: &AdapterArgument) -> Result<Environment> {
    let mut env = Environment::load(name)?;
    set(&mut env, overrides)?;
    if !env.is_built_in() {
        probe(&env, Path::new(env.path()), overrides, adapter)?;
    }
    Ok(env)
}

/// Tries out the environment that a checkpoint brings.
pub fn probe_checkpoint(env: &Environment, adapter: &AdapterArgument) -> Result<()> {
    if env.is_built_in() {
        return Ok(());
    }
    let failed = |error: std::io::Error| Error::file("write", "a temporary file", &error);
    let mut file = tempfile::Builder::new().suffix(".wgsl").tempfile().map_err(failed)?;
    file.write_all(env.text().as_bytes()).map_err(failed)?;
    let overrides: Vec<String> = env.overrides().iter().map(|o| format!("{}={}", o.name, o.value)).collect();
    probe(env, file.path(), &overrides, adapter)
}

/// Sets overrides from `name=value`.
pub fn set(env: &mut Environment, pairs: &[String]) -> Result<()> {
    for pair in pairs {
        let number = pair.split_once('=').and_then(|(name, value)| Some((name.trim(), value.trim().parse().ok()?)));
        let (name, value) = number.ok_or_else(|| Error::Environment {
            name: env.name().to_owned(),
            reason: format!("--set-env {pair}: expected a name and a number, such as gravity=3.7"),
        })?;
        env.set(name, value)?;
    }
    Ok(())
}

fn probe(env: &Environment, path: &Path, overrides: &[String], adapter: &AdapterArgument) -> Result<()> {
    let complain = |reason: String| Error::Environment { name: env.name().to_owned(), reason };
    let program = std::env::current_exe().map_err(|error| complain(format!("it cannot be tried out: {error}")))?;
    let mut command = Command::new(program);
    command.arg("probe").arg(path).args(["--adapter", &adapter.adapter.to_string()]);
    command.args(overrides.iter().flat_map(|pair| ["--set-env", pair]));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| complain(format!("it cannot be tried out: {error}")))?;
    // read while it runs: a pipe that is full would stop it
    let pipe = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = pipe.map(|mut pipe| pipe.read_to_string(&mut text));
        text
    });
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            // no adapter: this process says so itself
            Ok(Some(status)) if status.code() == Some(3) => return Ok(()),
            Ok(Some(status)) => {
                let text = reader.join().unwrap_or_default();
                if text.contains("error: no adapter matches") {
                    return Ok(());
                }
                let text = text.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
                let prefix = format!("environment '{}': ", env.name());
                let reason = text.strip_prefix(&prefix).unwrap_or(text).to_owned();
                let crashed = format!("a process that compiled it and made one step ended with {status}");
                return Err(complain(if reason.is_empty() { crashed } else { reason }));
            }
            Ok(None) if started.elapsed() < DEADLINE => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            other => {
                let _ = child.kill();
                let _ = child.wait();
                other.map_err(|error| complain(format!("it cannot be tried out: {error}")))?;
                let seconds = DEADLINE.as_secs();
                return Err(complain(format!("compiling it and one step took more than {seconds} s; make it smaller")));
            }
        }
    }
}
