//! Death, and a disk that fails, at every system call that changes the files of a run, one after the other (`strace`).

use super::harness::{Ended, Plan, Score, Verdict, behind, ensure, run};
use super::reference::{Reference, STEPS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// System calls that change files, in all the forms that libraries have of them.
const CHANGING: &str = "write,pwrite64,writev,copy_file_range,ftruncate,fsync,fdatasync,openat,rename,renameat,renameat2,\
                        link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir";
/// Those that a full disk can refuse.
const GROWING: [&str; 6] = ["write", "mkdir", "linkat", "rename", "ftruncate", "fsync"];

/// The nth call of its name that a run makes.
struct Call {
    name: String,
    n: usize,
    /// Its line in the log.
    line: String,
}

impl Call {
    fn shown(&self) -> String {
        format!("{} ({})", self.n, self.line.chars().take(120).collect::<String>())
    }
}

/// A run whose best evaluation is not its first one, and its calls.
struct Traced {
    reference: Reference,
    out: PathBuf,
    log: PathBuf,
}

impl Traced {
    fn new() -> Self {
        let there = Command::new("strace").arg("-V").output();
        assert!(there.is_ok(), "strace is needed to fail single system calls: apt-get install strace");
        let reference = Reference::new(6, &["eval_every=3", "learning_rate=0.0005"]);
        let (out, log) = (reference.path("run"), reference.path("log"));
        Self { reference, out, log }
    }

    /// The run under strace, from nothing.
    fn run(&self, more: &[String]) -> (Ended, String) {
        let _ = fs::remove_dir_all(&self.out);
        let mut command = Command::new("strace");
        command.args(["-y", "-s", "4096", "-o"]).arg(&self.log).args(more);
        let inner = self.reference.train(&self.out);
        command.arg(inner.get_program()).args(inner.get_args());
        (run(command), fs::read_to_string(&self.log).unwrap_or_default())
    }

    /// The calls of the thread that writes, and those among them that change the run's files. `paths` limit what is looked
    /// at, as they do with injections.
    fn calls(&self, paths: &[String]) -> Vec<Call> {
        let (ended, log) = self.run(&[paths, &["-e".to_owned(), format!("trace={CHANGING}")]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        let mut counts = std::collections::HashMap::new();
        let mut found = Vec::new();
        for line in log.lines() {
            let Some((name, _)) = line.split_once('(') else { continue };
            let n = counts.entry(name.to_owned()).or_insert(0);
            *n += 1;
            if is_ours(line, &self.out) {
                found.push(Call { name: name.to_owned(), n: *n, line: line.to_owned() });
            }
        }
        assert!(found.len() > 50, "a run writes: {log}");
        found
    }

    /// Injects into one call, and makes sure that it was one of the run's files.
    fn inject(&self, call: &Call, what: &str) -> Result<Ended, String> {
        let mut log = String::new();
        for _ in 0..3 {
            let arguments = ["-e".to_owned(), format!("trace={}", call.name)];
            let injection = ["-e".to_owned(), format!("inject={}:{what}:when={}", call.name, call.n)];
            let ended;
            (ended, log) = self.run(&[arguments, injection].concat());
            let hit = log.lines().filter(|line| line.starts_with(&call.name)).nth(call.n - 1);
            if hit.is_some_and(|line| is_ours(line, &self.out)) {
                return Ok(ended);
            }
        }
        let count = log.lines().filter(|line| line.starts_with(&call.name)).count();
        Err(format!("the call was not met: {count} calls of that name"))
    }
}

/// Whether a line of the log changes a file of the run.
fn is_ours(line: &str, out: &Path) -> bool {
    let out = out.to_str().unwrap();
    // messages name the directory too
    let said = line.starts_with("write(") && !line.split_once(',').is_some_and(|(file, _)| file.contains(out));
    let opened = line.starts_with("openat(") && !line.contains("O_CREAT");
    line.contains(out) && !said && !opened
}

pub fn kill(plan: &Plan, score: &mut Score) {
    let traced = Traced::new();
    for call in plan.some(6, traced.calls(&[])) {
        let verdict = match traced.inject(&call, "signal=SIGKILL") {
            Ok(ended) => {
                ensure(ended.signal == Some(9), || ended.shown()).and_then(|()| traced.reference.goes_on(&traced.out))
            }
            Err(story) => ensure(false, || story),
        };
        score.judge(format!("kill -9 at {}", call.shown()), verdict);
    }
}

pub fn fail(plan: &Plan, score: &mut Score) {
    let traced = Traced::new();
    let calls = traced.calls(&[]);
    let cases = calls.iter().flat_map(|call| ["ENOSPC", "EIO"].map(|error| (call, error))).collect();
    for (call, error) in plan.some(6, cases) {
        let verdict = match traced.inject(call, &format!("error={error}")) {
            Ok(ended) => judge(&traced, &ended),
            Err(story) => ensure(false, || story),
        };
        score.judge(format!("{error} at {}", call.shown()), verdict);
    }

    // a disk that is full from some call on, and stays so; messages still come through
    let out = traced.out.to_str().unwrap();
    let mut paths: Vec<&str> = calls.iter().flat_map(|call| call.line.split(['"', '<', '>'])).collect();
    paths.retain(|path| path.starts_with(out));
    paths.sort_unstable();
    paths.dedup();
    let paths: Vec<String> = paths.into_iter().flat_map(|path| ["-P".to_owned(), path.to_owned()]).collect();
    let limited = traced.calls(&paths);
    let places = (0..limited.len()).filter(|&at| GROWING.contains(&limited[at].name.as_str())).collect();
    for at in plan.some(3, places) {
        let mut arguments = [&paths[..], &["-e".to_owned(), format!("trace={CHANGING}")]].concat();
        for name in GROWING {
            let before = limited[..at].iter().filter(|call| call.name == name).count();
            arguments.extend(["-e".to_owned(), format!("inject={name}:error=ENOSPC:when={}+", before + 1)]);
        }
        let (ended, log) = traced.run(&arguments);
        let verdict = ensure(log.contains("(INJECTED)"), || "nothing was injected".to_owned());
        score.judge(format!("ENOSPC from {} on", limited[at].shown()), verdict.and_then(|()| judge(&traced, &ended)));
    }

    let checkpoint = fs::metadata(traced.reference.out.join("checkpoint.safetensors")).unwrap().len();
    let kilobytes = plan.some(2, vec![0, 4, 8, checkpoint / 1024, 16, 20, 24, 32, 40, 48, 64, 96]);
    for size in kilobytes {
        let (kind, ended) = small_disk(&traced, size, plan.full);
        score.judge(format!("{kind} of {size} KiB"), judge(&traced, &ended));
        let _ = Command::new("umount").arg(traced.reference.path("disk")).output();
    }
}

/// A run on a disk of so many KiB, where this process may make one; else one whose files have at most that size.
fn small_disk(traced: &Traced, size: u64, mount: bool) -> (&'static str, Ended) {
    let _ = fs::remove_dir_all(&traced.out);
    let disk = traced.reference.path("disk");
    fs::create_dir_all(&disk).unwrap();
    // the directory itself takes a page
    let options = format!("size={}k", size.next_multiple_of(4) + 4);
    let mounted = mount && {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&disk).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !mounted {
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", size * 2);
        return ("a limit on files", run(behind(&script, &traced.reference.train(&traced.out))));
    }
    let out = disk.join("run");
    let ended = run(traced.reference.train(&out));
    // looked at where there is room again
    if out.exists() {
        super::harness::copy(&out, &traced.out);
    }
    ("a disk", ended)
}

/// A run whose disk has failed: it ended well, or said what it could not do, and what was whole before is.
fn judge(traced: &Traced, ended: &Ended) -> Verdict {
    let Traced { reference, out, .. } = traced;
    if ended.code == Some(0) {
        return reference.is_the_end(out, ended, false);
    }
    ended.is_sound(&[1])?;
    if let Some(hash) = ended.hash() {
        super::harness::ensure_no_silence(hash == reference.hash, || format!("{hash} after {} steps", 6 * STEPS))?;
    }
    reference.goes_on(out)
}
