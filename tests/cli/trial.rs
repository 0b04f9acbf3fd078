//! Files of strangers on the command line: what is tried out in a process of its own, under which limits, and what is no file.

// a test may panic
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_manyworlds");

fn manyworlds(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must be refused with exit code 2 and these words, within seconds.
fn refused(arguments: &[&str], words: &str) {
    let started = Instant::now();
    let output = manyworlds(arguments);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(said.contains(words), "{arguments:?}: '{words}' expected in {said}");
    assert!(started.elapsed() < Duration::from_secs(10), "{arguments:?}: it took {:?}", started.elapsed());
}

/// An environment whose step does this, with a state of so many words.
fn environment(words: u32, step: &str) -> String {
    format!(
        "const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 10u;
struct State {{ x: array<f32, {words}> }}
fn env_reset(rng: ptr<function, Rng>) -> State {{ var s: State; s.x[0] = rng_uniform(rng); return s; }}
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {{
    {step}
    return Outcome((*s).x[0], false);
}}
fn env_observe(s: State) -> Observation {{ return Observation(s.x[0]); }}
"
    )
}

/// One that the driver's compiler needs many seconds for, in a file.
fn large(folder: &Path) -> PathBuf {
    let path = folder.join("large.wgsl");
    std::fs::write(&path, environment(4000, "(*s).x[u32((*s).x[1])] += (*s).x[3999];")).unwrap();
    path
}

/// The command, whose driver has compiled nothing before.
fn fresh(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env("MESA_SHADER_CACHE_DIR", folder.join("cache")).stdin(Stdio::null());
    command
}

#[test]
fn what_is_tried_out_is_what_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.wgsl");
    let (good, endless) = (
        environment(1, "(*s).x[0] = 1.0;"),
        environment(1, "loop { (*s).x[0] += 1.0; if (*s).x[0] < 0.0 { break; } }"),
    );
    std::fs::write(&file, &good).unwrap();
    let ended = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                for text in [&good, &endless] {
                    let other = folder.path().join("y");
                    std::fs::write(&other, text).unwrap();
                    std::fs::rename(&other, &file).unwrap();
                    std::thread::sleep(Duration::from_millis(7));
                }
            }
        });
        for _ in 0..12 {
            let output = manyworlds(&["trace", file.to_str().unwrap(), "--steps", "1", "--json"]);
            let out = String::from_utf8_lossy(&output.stdout).into_owned();
            let as_tried = match output.status.code() {
                Some(0) => out.contains("\"observation\":[1]"),
                Some(2) => err(&output).contains("its loops do not end"),
                _ => false,
            };
            if !as_tried {
                ended.store(true, std::sync::atomic::Ordering::Relaxed);
                panic!("{}: {out}{}", output.status, err(&output));
            }
        }
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn limits_of_the_trial_are_said_and_can_be_raised() {
    let folder = tempfile::tempdir().unwrap();
    let file = large(folder.path());
    let trace = |variable: &str, value: &str| {
        let mut command = fresh(folder.path());
        command.arg("trace").arg(&file).args(["--steps", "1"]).env(variable, value);
        command.output().unwrap()
    };
    let output = trace("MANYWORLDS_TRIAL_SECONDS", "1");
    let said = err(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("more than 1 s of processor time") && said.contains("MANYWORLDS_TRIAL_SECONDS=6"), "{said}");
    for (variable, value) in [("MANYWORLDS_TRIAL_SECONDS", "soon"), ("MANYWORLDS_TRIAL_MEMORY", "0")] {
        let output = trace(variable, value);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(variable) && said.contains(&format!("'{value}' is not allowed")), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_that_the_trial_may_not_hold_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = large(folder.path());
    let mut command = fresh(folder.path());
    command.arg("trace").arg(&file).env("MANYWORLDS_TRIAL_SECONDS", "100").env("MANYWORLDS_TRIAL_MEMORY", "1");
    let output = command.current_dir(folder.path()).output().unwrap();
    let said = err(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("more than 1 GiB of memory") && said.contains("MANYWORLDS_TRIAL_MEMORY=2"), "{said}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "large.wgsl" || name == "cache"), "a core file was left: {left:?}");
}

/// Of a process in /proc: whether it is there and no zombie.
#[cfg(target_os = "linux")]
fn lives(process: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[cfg(target_os = "linux")]
#[test]
fn the_trial_ends_with_the_process_that_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = large(folder.path());
    let mut command = fresh(folder.path());
    command.arg("check-env").arg(&file).env("MANYWORLDS_TRIAL_SECONDS", "100");
    let mut parent = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", parent.id());
    let started = Instant::now();
    let child = loop {
        let found = std::fs::read_to_string(&children).unwrap_or_default();
        if let Some(child) = found.split_whitespace().next() {
            break child.to_owned();
        }
        assert!(started.elapsed() < Duration::from_mins(1), "no trial was begun");
        std::thread::sleep(Duration::from_millis(5));
    };
    std::thread::sleep(Duration::from_millis(200));
    assert!(lives(&child), "the trial was over too soon for this test");
    parent.kill().unwrap();
    parent.wait().unwrap();
    let started = Instant::now();
    while lives(&child) {
        assert!(started.elapsed() < Duration::from_secs(20), "the trial outlives its parent");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where the system does not say that a parent is gone, the end of standard input does.
#[test]
fn a_trial_without_a_parent_is_none() {
    let mut child = Command::new(PROGRAM).arg("probe").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"not\": \"a trial\"}\n").unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{said}");
    assert!(said.contains("started by others"), "{said}");
}

#[cfg(unix)]
#[test]
fn names_of_what_is_no_file_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::os::unix::fs::symlink("/dev/zero", path("zero.wgsl")).unwrap();
    std::fs::create_dir(path("folder.wgsl")).unwrap();
    for name in ["pipe.wgsl", "pipe.toml", "pipe.json"] {
        assert!(Command::new("mkfifo").arg(path(name)).status().unwrap().success());
    }
    std::fs::File::create(path("sparse.json")).unwrap().set_len(10 << 30).unwrap();
    std::fs::File::create(path("sparse.toml")).unwrap().set_len(10 << 30).unwrap();
    std::fs::File::create(path("sparse.wgsl")).unwrap().set_len(10 << 30).unwrap();
    let out = path("out");
    let no_file = "it is not a file but";
    for command in ["trace", "check-env", "train"] {
        for (name, words) in [
            ("zero.wgsl", no_file),
            ("pipe.wgsl", no_file),
            ("folder.wgsl", no_file),
            ("sparse.wgsl", "bytes; at most 262144 are allowed"),
            ("missing.wgsl", "cannot read"),
        ] {
            let given = path(name);
            let arguments: &[&str] =
                if command == "train" { &[command, &given, "--out", &out] } else { &[command, &given] };
            refused(arguments, words);
        }
    }
    for (command, flag) in [("bench", "--env"), ("gradient", "")] {
        let given = path("pipe.wgsl");
        let arguments: Vec<&str> = [command, flag, &given].into_iter().filter(|word| !word.is_empty()).collect();
        refused(&arguments, no_file);
    }
    for (name, words) in [("pipe.toml", no_file), ("sparse.toml", "bytes; at most 1048576 are allowed")] {
        refused(&["train", "TwoAction", "--config", &path(name), "--out", &out], words);
    }
    refused(&["train", "TwoAction", "--config", "/dev/zero", "--out", &out], no_file);
    for (name, words) in [("pipe.json", no_file), ("sparse.json", "bytes; at most 268435456 are allowed")] {
        refused(&["trace", "TwoAction", "--transitions", &path(name)], words);
    }
    refused(&["trace", "TwoAction", "--transitions", "/dev/zero"], no_file);
    for command in ["train", "check-env"] {
        refused(&[command, &path("pipe.wgsl"), "--watch"], "needs a file that can change");
    }
    assert!(!Path::new(&out).exists());
}

#[test]
fn names_are_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("a\u{1b}[31m\nerror: b.wgsl").to_str().unwrap().to_owned();
    std::fs::write(&name, "const x = 1 \u{1b}[2J").unwrap();
    let missing = format!("{name}.wgsl");
    for arguments in [
        &["trace", name.as_str()][..],
        &["trace", &missing],
        &["check-env", "Cart\u{1b}[31mPole\n"],
        &["train", "TwoAction", "--set", "a\u{1b}[31m=1"],
        &["train", "TwoAction", "--config", &missing],
        &["eval", &missing],
        &["trace", "TwoAction", "--set-env", "a\u{1b}[31m=1"],
        &["new-env", &name],
    ] {
        let output = manyworlds(arguments);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(!said.contains('\u{1b}') && said.contains("\\u{1b}"), "{arguments:?}: {said:?}");
        assert!(said.lines().filter(|line| line.starts_with("error:")).count() == 1, "{arguments:?}: {said:?}");
    }
}

#[test]
fn overrides_that_no_environment_takes_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.wgsl").to_str().unwrap().to_owned();
    let text = "override n: u32 = 4u;\noverride f: f32 = 1.0;\n".to_owned();
    let step = "for (var i = 0u; i < n; i += 1u) { (*s).x[0] += f; }";
    std::fs::write(&file, text + &environment(1, step)).unwrap();
    for (given, words) in [
        ("f=nan", "'f' must be a finite number that f32 can hold, not NaN"),
        ("f=inf", "'f' must be"),
        ("f=1e400", "'f' must be"),
        ("f=-1e39", "'f' must be"),
        ("n=-1", "'n' must be a whole number from 0 to 4294967295, not -1"),
        ("n=0.5", "'n' must be"),
        ("n=1e20", "'n' must be"),
        ("n", "expected a name and a number"),
        ("n=x", "expected a name and a number"),
        ("m=1", "there is no override 'm'; there are: n, f, MAX_EPISODE_STEPS"),
        ("n=4000000000", "its loops do not end"),
    ] {
        refused(&["trace", &file, "--set-env", given, "--steps", "1"], words);
    }
}

#[test]
fn a_new_environment_takes_no_place_and_no_odd_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("there.wgsl"), "mine").unwrap();
    std::fs::create_dir(path("folder.wgsl")).unwrap();
    for (name, words) in [
        (path("there"), "exists"),
        (path("folder"), "exists"),
        (path("no/such/folder/x"), "cannot create"),
        (path("two\nlines"), "cannot be printed"),
        (path(&"long".repeat(200)), "cannot create"),
        (String::new(), "value is required"),
        (path(".."), "it is empty"),
    ] {
        refused(&["new-env", &name], words);
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(path("nowhere"), path("link.wgsl")).unwrap();
        refused(&["new-env", &path("link")], "exists");
    }
    assert_eq!(std::fs::read_to_string(path("there.wgsl")).unwrap(), "mine");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, if cfg!(unix) { 3 } else { 2 }, "something was left");
}
