//! Processes with limits, what became of them, and the score.

use std::fmt::Write as _;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_manyworlds");
/// How long anything may take before it counts as hanging: on a busy machine a process gets a hundredth of a core.
pub const PATIENCE: Duration = Duration::from_mins(15);

/// How much is to be done.
pub struct Plan {
    pub full: bool,
    pub seed: u64,
    /// Seconds of a soak.
    pub soak: u64,
}

impl Plan {
    pub fn pick<T>(&self, short: T, full: T) -> T {
        if self.full { full } else { short }
    }

    /// So many of these, drawn with the seed, in their order; all of them in full.
    pub fn some<T>(&self, few: usize, mut all: Vec<T>) -> Vec<T> {
        let mut draw = Draw(self.seed);
        while !self.full && all.len() > few {
            all.remove(draw.below(all.len() as u64) as usize);
        }
        all
    }
}

/// What a fault has led to, where that is not what was promised.
pub enum Failure {
    /// It was not survived, and was to be seen.
    Seen(String),
    /// A wrong result, and no word about it.
    Silent(String),
}

pub type Verdict = Result<(), Failure>;

pub fn ensure(holds: bool, story: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Failure::Seen(story())) }
}

pub fn ensure_no_silence(holds: bool, story: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Failure::Silent(story())) }
}

#[derive(Default)]
pub struct Score {
    pub loud: bool,
    pub injections: u32,
    pub faults: u32,
    pub survived: u32,
    pub silent: u32,
    pub failures: Vec<String>,
}

impl Score {
    /// Counts one injection.
    pub fn judge(&mut self, fault: impl Into<String>, verdict: Verdict) {
        self.injections += 1;
        self.faults += 1;
        let (kind, story) = match verdict {
            Ok(()) => {
                self.survived += 1;
                return;
            }
            Err(Failure::Seen(story)) => ("", story),
            Err(Failure::Silent(story)) => {
                self.silent += 1;
                ("SILENT: ", story)
            }
        };
        let text = format!("{kind}{}: {story}", fault.into());
        if self.loud {
            eprintln!("{text}\n");
        }
        self.failures.push(text);
    }

    pub fn add(&mut self, other: Self) {
        self.injections += other.injections;
        self.faults += other.faults;
        self.survived += other.survived;
        self.silent += other.silent;
        self.failures.extend(other.failures);
    }

    pub fn line(&self) -> String {
        let Self { injections, faults, survived, silent, .. } = self;
        format!("faults survived {survived}/{faults} · injections {injections} · silent wrong results {silent}")
    }
}

/// Numbers from a seed: SplitMix64.
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The program with these arguments.
pub fn manyworlds<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The same behind a line of a shell that ends in `exec "$@"`.
pub fn behind(script: &str, inner: &Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    if let Some(folder) = inner.get_current_dir() {
        command.current_dir(folder);
    }
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

/// A process that runs.
pub struct Running {
    child: Child,
    began: Instant,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<String>>,
    ended: Option<(ExitStatus, libc::rusage)>,
}

/// What became of a process.
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out: String,
    pub err: String,
    /// Bytes that it, or a process that it has waited for, held at most.
    pub peak: u64,
    /// Processor time of all of them.
    pub processor: Duration,
    pub hung: bool,
}

/// Reads all of a pipe in a thread of its own.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> Option<JoinHandle<String>> {
    let mut pipe = pipe?;
    Some(std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }))
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::start_as_is(command)
    }

    /// With the outputs that the command has been given. It heeds signals, whatever those who started the tests ignore.
    #[allow(unsafe_code)]
    pub fn start_as_is(mut command: Command) -> Self {
        let heed = || {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
                // SAFETY: signal() may be called between fork and exec, and sets nothing of this process
                unsafe { libc::signal(signal, libc::SIG_DFL) };
            }
            Ok(())
        };
        // SAFETY: it calls nothing but signal()
        unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, heed) };
        let began = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let (out, err) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
        Self { child, began, out, err, ended: None }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    #[allow(unsafe_code)]
    pub fn has_ended(&mut self) -> bool {
        if self.ended.is_some() {
            return true;
        }
        let id = self.child.id().cast_signed();
        let mut status = 0;
        // SAFETY: numbers, of which any bits are values
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both places are this function's own, and nothing else waits for this process
        let found = unsafe { libc::wait4(id, &raw mut status, libc::WNOHANG, &raw mut usage) };
        if found == id {
            self.ended = Some((ExitStatus::from_raw(status), usage));
        }
        found == id
    }

    pub fn signal(&mut self, signal: rustix::process::Signal) {
        // a number that was waited for may be another process's by now
        if !self.has_ended() {
            let id = rustix::process::Pid::from_child(&self.child);
            rustix::process::kill_process(id, signal).unwrap();
        }
    }

    pub fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }

    /// Waits until something is so; false where the process ends before, or patience does.
    pub fn wait_until(&mut self, there: impl Fn() -> bool) -> bool {
        let began = Instant::now();
        while !there() {
            if self.has_ended() || began.elapsed() > PATIENCE {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Lets it go on for so long, or until it ends: whether it still runs.
    pub fn sleep(&mut self, time: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < time && !self.has_ended() {
            std::thread::sleep(Duration::from_micros(500).min(time));
        }
        !self.has_ended()
    }

    pub fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    /// Waits for its end, and makes one after so long.
    pub fn end_within(mut self, patience: Duration) -> Ended {
        let mut hung = false;
        while !self.has_ended() {
            if self.began.elapsed() > patience && !hung {
                hung = true;
                self.kill();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let (status, usage) = self.ended.take().unwrap();
        let text = |thread: Option<JoinHandle<String>>| thread.map(|t| t.join().unwrap()).unwrap_or_default();
        let time = |t: libc::timeval| Duration::from_micros(t.tv_sec as u64 * 1_000_000 + t.tv_usec as u64);
        Ended {
            code: status.code(),
            signal: status.signal(),
            out: text(self.out.take()),
            err: text(self.err.take()),
            peak: usage.ru_maxrss as u64 * 1024,
            processor: time(usage.ru_utime) + time(usage.ru_stime),
            hung,
        }
    }
}

pub fn run(command: Command) -> Ended {
    Running::start(command).end()
}

impl Ended {
    /// In words, for a story.
    pub fn shown(&self) -> String {
        let mut text = match (self.hung, self.code, self.signal) {
            (true, ..) => "it hung".to_owned(),
            (_, Some(code), _) => format!("exit code {code}"),
            (_, _, signal) => format!("signal {}", signal.unwrap_or_default()),
        };
        let (mega, seconds) = (self.peak >> 20, self.processor.as_secs_f64());
        let _ = write!(text, ", {mega} MiB, {seconds:.2} s of processor time, said:\n{}", self.err.trim_end());
        text.chars().take(3000).collect()
    }

    /// It ended by itself, in a documented way, and said what was wrong in one line where something was.
    pub fn is_sound(&self, codes: &[i32]) -> Verdict {
        ensure(self.code.is_some_and(|code| codes.contains(&code)), || {
            format!("{codes:?} expected: {}", self.shown())
        })?;
        ensure(!self.err.contains("panicked at"), || format!("a panic: {}", self.shown()))?;
        let hidden = |c: char| c.is_control() && c != '\n';
        ensure(!self.err.contains(hidden), || format!("control characters: {:?}", self.err))?;
        let errors = self.err.lines().filter(|line| line.starts_with("error: ")).count();
        let wanted = usize::from(self.code.is_some_and(|code| (1..=3).contains(&code)));
        ensure(errors == wanted, || format!("{wanted} lines of error expected: {}", self.shown()))
    }

    /// The hash of the parameters where the run has come to its end and said so.
    pub fn hash(&self) -> Option<String> {
        let last: Option<serde_json::Value> = self.out.lines().last().and_then(|line| serde_json::from_str(line).ok());
        last.and_then(|summary| summary["params_hash"].as_str().map(str::to_owned))
    }
}

/// Names in a folder but for events, in order; none where there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // each process of a run has a file of its own, called by time and number
    names.retain(|name| !name.starts_with("events.out.tfevents."));
    names.sort();
    names
}

/// All plain files below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Copies a folder; one that is there goes.
pub fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(source, target).unwrap();
        }
    }
}
