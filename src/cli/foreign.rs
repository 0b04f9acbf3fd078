//! Environments from elsewhere: what reading one costs, whether the driver's compiler comes to an end with it, and whether one
//! step of it does, is tried out in a process of its own before this one touches it. That process is given the text that this
//! one has read, has a limit on processor time and on memory, and ends with this one.

use super::{AdapterArgument, ExitCode};
use crate::env::Environment;
use crate::gpu::{AdapterChoice, Gpu};
use crate::pool::WorldPool;
use crate::render::Show;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Variable and default of the processor time that the trial may take, in seconds.
const SECONDS: (&str, u64) = ("MANYWORLDS_TRIAL_SECONDS", 10);
/// Variable and default of the memory that it may hold, in GiB.
const MEMORY: (&str, u64) = ("MANYWORLDS_TRIAL_MEMORY", 4);
/// How long it may take by the clock, in seconds for each of processor time: a busy machine gives it a hundredth of a core.
/// Where processor time has no limit, this is the only one.
const PATIENCE: u64 = if cfg!(unix) { 120 } else { 6 };
/// After how long a person is told that it goes on.
const QUIET: Duration = Duration::from_secs(20);
/// Bytes of what is handed over at most, and of what comes back.
const LONGEST: u64 = 8 << 20;
/// Exit code where this process will find the same fault: no adapter, or no device.
const NO_DEVICE: u8 = 3;

/// What is tried out, under which limits.
#[derive(Serialize, Deserialize)]
struct Trial {
    /// The process that waits for the result.
    parent: u32,
    name: String,
    path: String,
    text: String,
    /// `name=value`
    overrides: Vec<String>,
    adapter: String,
    seconds: u64,
    bytes: u64,
    /// Whether its picture is drawn too.
    draws: bool,
}

/// Tries out the environment that stands on standard input: the process that other commands start.
pub fn probe() -> Result<ExitCode> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_line(&mut line);
    let trial = read.ok().and_then(|_| serde_json::from_str::<Trial>(&line).ok());
    let trial = trial.ok_or_else(|| Error::Environment {
        name: String::new(),
        reason: "this command is started by others, which hand an environment over on standard input".to_owned(),
    })?;
    end_with_parent(trial.parent);
    limit(&trial);
    match trial.run() {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Error::NoAdapter { .. } | Error::AdapterNotFound { .. } | Error::Device { .. }) => {
            Ok(ExitCode::from(NO_DEVICE))
        }
        Err(error) => {
            let _ = write!(std::io::stdout(), "{}", super::one_error(&error));
            Ok(ExitCode::from(error.exit_code().max(1)))
        }
    }
}

impl Trial {
    fn run(&self) -> Result<()> {
        // first, so that no environment can be what keeps the device from opening
        let choice: AdapterChoice = self.adapter.parse().unwrap_or_default();
        let gpu = Gpu::new(&choice, 0)?;
        let mut env = Environment::from_source(&self.name, &self.path, &self.text)?;
        set(&mut env, &self.overrides)?;
        let pool = WorldPool::new(&gpu, &env, 64, 1)?;
        pool.step_on_device()?;
        pool.check_loops()?;
        if self.draws && env.draws() {
            Show::of_random(&gpu, &env, 1, 1, 64)?.picture()?.wait(&gpu)?;
        }
        Ok(())
    }

    /// What has become of the trial.
    fn judge(&self, status: ExitStatus, largest: u64, out: &str, err: &str) -> Result<()> {
        if status.success() || status.code() == Some(NO_DEVICE.into()) {
            return Ok(());
        }
        if !out.is_empty() {
            // it has its place and says whose it is
            return Err(Error::EnvironmentFile(out.to_owned()));
        }
        let last = err.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let reason = if took_too_long(status) {
            format!(
                "compiling it and one step took more than {} s of processor time; make it smaller, or allow more: {}={}",
                self.seconds,
                SECONDS.0,
                self.seconds.saturating_mul(6)
            )
        } else {
            // compilers die of it in many ways
            let words = ["memory allocation", "out of memory", "bad_alloc", "Cannot allocate"];
            let gib = self.bytes >> 30;
            if largest > self.bytes / 8 * 7 || words.iter().any(|word| err.contains(word)) {
                let more = gib.saturating_mul(2);
                format!(
                    "compiling it and one step took more than {gib} GiB of memory; make it smaller, or allow more: {}={more}",
                    MEMORY.0
                )
            } else {
                let colon = if last.is_empty() { "" } else { ": " };
                format!("a process that compiled it and made one step ended with {status}{colon}{last}")
            }
        };
        Err(self.complaint(reason))
    }

    fn complaint(&self, reason: String) -> Error {
        Error::Environment { name: self.name.clone(), reason }
    }
}

/// An environment for a command: built in by name, or a file that a process of its own has tried out. Where an optional part
/// of it is misspelt it is refused: it would be another one than its author thinks.
pub fn load(name: &str, overrides: &[String], adapter: &AdapterArgument) -> Result<Environment> {
    load_and_try(name, overrides, adapter, false).and_then(refuse_misspelt)
}

/// The same with whatever is misspelt.
pub fn load_as_it_is(name: &str, overrides: &[String], adapter: &AdapterArgument) -> Result<Environment> {
    load_and_try(name, overrides, adapter, false)
}

/// The same for a command that draws its worlds.
pub fn load_to_draw(name: &str, overrides: &[String], adapter: &AdapterArgument) -> Result<Environment> {
    load_and_try(name, overrides, adapter, true).and_then(refuse_misspelt)
}

/// The same where no driver will see it: built in by name, or a file.
pub fn load_unseen(name: &str, overrides: &[String]) -> Result<Environment> {
    let mut env = Environment::load(name)?;
    set(&mut env, overrides)?;
    refuse_misspelt(env)
}

fn refuse_misspelt(env: Environment) -> Result<Environment> {
    match env.remarks().into_iter().find(|remark| remark.misspelt) {
        Some(remark) => Err(Error::EnvironmentFile(format!("{}:{}: {}", env.path(), remark.line, remark.text))),
        None => Ok(env),
    }
}

fn load_and_try(name: &str, overrides: &[String], adapter: &AdapterArgument, draws: bool) -> Result<Environment> {
    let mut env = if Environment::is_file_name(name) {
        // read once: what is tried out is what is used, whatever becomes of the file
        let text = Environment::read_text(Path::new(name))?;
        try_out(name, name, &text, overrides, adapter, draws)?;
        Environment::from_source(name, name, &text)?
    } else {
        Environment::load(name)?
    };
    set(&mut env, overrides)?;
    Ok(env)
}

/// Tries out the environment that a checkpoint brings.
pub fn probe_checkpoint(env: &Environment, adapter: &AdapterArgument) -> Result<()> {
    probe_again(env, adapter, false)
}

/// The same for a command that draws its worlds.
pub fn probe_checkpoint_to_draw(env: &Environment, adapter: &AdapterArgument) -> Result<()> {
    probe_again(env, adapter, true)
}

fn probe_again(env: &Environment, adapter: &AdapterArgument, draws: bool) -> Result<()> {
    if env.is_built_in() {
        return Ok(());
    }
    let overrides: Vec<String> = env.overrides().iter().map(|o| format!("{}={}", o.name, o.value)).collect();
    try_out(env.name(), env.path(), env.text(), &overrides, adapter, draws)
}

/// Sets overrides from `name=value`.
pub fn set(env: &mut Environment, pairs: &[String]) -> Result<()> {
    let number = |pair: &'_ String| {
        let parsed =
            pair.split_once('=').and_then(|(name, value)| Some((name.trim().to_owned(), value.trim().parse().ok()?)));
        parsed.ok_or_else(|| Error::Environment {
            name: env.name().to_owned(),
            reason: format!("--set-env {pair}: expected a name and a number, such as gravity=3.7"),
        })
    };
    let values = pairs.iter().map(number).collect::<Result<Vec<(String, f64)>>>()?;
    env.set_all(values.iter().map(|(name, value)| (name.as_str(), *value)))
}

fn try_out(
    name: &str,
    path: &str,
    text: &str,
    overrides: &[String],
    adapter: &AdapterArgument,
    draws: bool,
) -> Result<()> {
    let trial = Trial {
        parent: std::process::id(),
        name: name.to_owned(),
        path: path.to_owned(),
        text: text.to_owned(),
        overrides: overrides.to_vec(),
        adapter: adapter.adapter.to_string(),
        seconds: limit_of(SECONDS)?,
        bytes: limit_of(MEMORY)? << 30,
        draws,
    };
    let failed = |error: std::io::Error| trial.complaint(format!("it cannot be tried out: {error}"));
    let line = serde_json::to_string(&trial).map_err(|error| failed(error.into()))? + "\n";
    let mut command = super::again().map_err(failed)?;
    command.arg("probe").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let readers = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    // it ends where this pipe does, so that stays open until then; that it is gone already is seen below
    let mut pipe = child.stdin.take();
    let _ = pipe.as_mut().map(|pipe| pipe.write_all(line.as_bytes()));
    let mut largest = 0;
    let status = wait(&mut child, &trial, &mut largest).and_then(|status| {
        status.ok_or_else(|| {
            let seconds = trial.seconds.saturating_mul(PATIENCE);
            trial.complaint(format!(
                "compiling it and one step took more than {seconds} s; make it smaller, or allow more: {}={}",
                SECONDS.0,
                trial.seconds.saturating_mul(2)
            ))
        })
    });
    drop(pipe);
    let status = status?;
    let (out, err) = (readers.0.join().unwrap_or_default(), readers.1.join().unwrap_or_default());
    trial.judge(status, largest, &out, &err)
}

/// Waits for the trial; none where it takes too long by the clock, and then it is ended. `largest` becomes what it held of
/// what is limited, in bytes.
fn wait(child: &mut Child, trial: &Trial, largest: &mut u64) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut quiet = true;
    loop {
        let found = child.try_wait();
        if let Ok(Some(status)) = found {
            return Ok(Some(status));
        }
        *largest = held(child.id()).max(*largest);
        let late = started.elapsed().as_secs() > trial.seconds.saturating_mul(PATIENCE);
        if late || found.is_err() {
            let _ = child.kill();
            let _ = child.wait();
            return found.map_err(|error| trial.complaint(format!("it cannot be tried out: {error}")));
        }
        if quiet && started.elapsed() > QUIET {
            let _ = writeln!(
                std::io::stderr(),
                "note: the trial of the environment goes on: the machine is busy, or the driver hangs"
            );
            quiet = false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Bytes of a process that `RLIMIT_DATA` counts; Linux tells.
fn held(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Reads what a process writes while it runs, since a pipe that is full would stop it; what is past the bound is lost.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.by_ref().take(LONGEST).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A limit from its environment variable.
fn limit_of((name, default): (&str, u64)) -> Result<u64> {
    let Some(given) = std::env::var_os(name) else { return Ok(default) };
    let number =
        given.to_str().and_then(|text| text.trim().parse().ok()).filter(|number| (1..=1 << 20).contains(number));
    number.ok_or_else(|| Error::Setting {
        name: name.to_owned(),
        reason: format!("'{}' is not allowed; it must be a whole number from 1 on", given.to_string_lossy()),
    })
}

/// This process dies as soon as its parent does.
#[cfg(target_os = "linux")]
pub fn die_with(parent: u32) {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // it may have ended before
    if getppid().is_none_or(|found| found.as_raw_nonzero().get().cast_unsigned() != parent) {
        end();
    }
}

/// Ends this process when the one that waits for it ends: its end of standard input closes then, and Linux also says so.
fn end_with_parent(parent: u32) {
    #[cfg(target_os = "linux")]
    die_with(parent);
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        end();
    });
}

/// Ends this process without a word, whatever its threads do.
fn end() -> ! {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Limits this process, which leaves no core file where it breaks one. `RLIMIT_DATA` and not `RLIMIT_AS`, since drivers of GPUs
/// map far more than they hold; on systems that do not count mappings there, memory has no limit.
#[cfg(unix)]
fn limit(trial: &Trial) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let hold = |resource, most: u64, kill: u64| {
        let hard = getrlimit(resource).maximum;
        let least = |most: u64| Some(hard.map_or(most, |hard| hard.min(most)));
        let _ = setrlimit(resource, Rlimit { current: least(most), maximum: least(kill) });
    };
    // a signal first, the end a little later
    hold(Resource::Cpu, trial.seconds, trial.seconds.saturating_add(5));
    hold(Resource::Data, trial.bytes, trial.bytes);
    hold(Resource::Core, 0, 0);
}

#[cfg(not(unix))]
fn limit(_trial: &Trial) {}

/// Whether processor time was what ended it.
#[cfg(unix)]
fn took_too_long(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn took_too_long(_status: ExitStatus) -> bool {
    false
}
