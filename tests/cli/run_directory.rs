//! Run directories as a user meets them: claimed by one process, saved when it is told to end, loaded after whatever a crash can
//! leave, and refused where something was altered.

// a test may panic
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const SMALL: [&str; 8] =
    ["--set", "num_envs=64", "--set", "num_steps=8", "--set", "hidden=[8]", "--set", "eval_episodes=16"];
/// Steps of an update.
const STEPS: u32 = 64 * 8;
/// How long anything here may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(2);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manyworlds"));
    command.args(arguments);
    command
}

/// A command that heeds signals, whatever those who started the tests ignore: children inherit that.
#[cfg(unix)]
fn heeding(command: Command) -> Command {
    if !cfg!(target_os = "linux") {
        return command;
    }
    let mut heeding = Command::new("env");
    heeding.arg("--default-signal=HUP,INT,TERM").arg(command.get_program()).args(command.get_args());
    heeding
}

/// `train TwoAction` with so many updates into `out`.
fn train(out: &Path, updates: u32, more: &[&str]) -> Command {
    let total = format!("total_timesteps={}", updates * STEPS);
    let mut command = command(&["train", "TwoAction", "--json", "--out", out.to_str().unwrap(), "--set", &total]);
    command.args(SMALL).args(more);
    if !more.contains(&"--algo") {
        // those of ppo are many without a preset, for rollouts that are larger
        command.args(["--set", "num_minibatches=4"]);
    }
    command
}

fn resume(run: &Path, more: &[&str]) -> Command {
    let mut command = command(&["train", "--json", "--resume", run.to_str().unwrap()]);
    command.args(more);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Exit code, standard error, and the hash of the parameters where the run has come to its end.
fn done(output: &Output) -> (Option<i32>, String, Option<String>) {
    let last: Option<Value> = text(&output.stdout).lines().last().and_then(|line| serde_json::from_str(line).ok());
    let hash = last.and_then(|summary| summary["params_hash"].as_str().map(str::to_owned));
    (output.status.code(), text(&output.stderr), hash)
}

fn run(mut command: Command) -> (Option<i32>, String, Option<String>) {
    done(&command.output().unwrap())
}

fn wait_for(what: &str, child: &mut Child, there: impl Fn() -> bool) {
    let started = Instant::now();
    while !there() {
        assert!(started.elapsed() < PATIENCE, "{what} took too long");
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the run ended with {status} before {what}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A run of six updates with an evaluation after every second, and its hash.
fn finished() -> &'static (tempfile::TempDir, PathBuf, String) {
    static RUN: OnceLock<(tempfile::TempDir, PathBuf, String)> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let (code, err, hash) = run(train(&out, 6, &["--set", "eval_every=2"]));
        assert_eq!(code, Some(0), "{err}");
        (folder, out, hash.unwrap())
    })
}

/// The hash that ten updates end with, whether or not they were broken off.
fn ten_updates() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let (code, err, hash) = run(train(&out, 10, &["--set", "eval_every=2", "--set", "anneal_lr=false"]));
        assert_eq!(code, Some(0), "{err}");
        hash.unwrap()
    })
}

#[test]
fn a_run_leaves_the_newest_checkpoints_the_best_one_and_names_for_the_newest() {
    let (_, out, _) = finished();
    assert_eq!(super::record::files(out), super::record::FILES);
    assert_eq!(names(&out.join("checkpoints")), ["0000000004", "0000000006"], "the newest two");
    let newest = out.join("checkpoints/0000000006");
    for name in ["checkpoint.safetensors", "state.safetensors"] {
        assert_eq!(fs::read(out.join(name)).unwrap(), fs::read(newest.join(name)).unwrap(), "{name}");
    }
    assert_eq!(names(&out.join("best")), ["checkpoint.safetensors", "state.safetensors"]);
    for place in ["", "best", "checkpoints/0000000004", "checkpoints/0000000004/checkpoint.safetensors"] {
        let place = out.join(place);
        let (code, err, _) = run(command(&["eval", place.to_str().unwrap(), "--episodes", "8"]));
        assert_eq!(code, Some(0), "{}: {err}", place.display());
    }
    // equal runs, equal bytes
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("run");
    let (code, err, _) = run(train(&again, 6, &["--set", "eval_every=2"]));
    assert_eq!(code, Some(0), "{err}");
    for name in ["checkpoint.safetensors", "state.safetensors", "config.toml", "best/checkpoint.safetensors"] {
        assert!(
            fs::read(out.join(name)).unwrap() == fs::read(again.join(name)).unwrap(),
            "{name} of an equal run differs"
        );
    }
}

#[test]
fn a_directory_belongs_to_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/run");
    let mut first = train(&out, 1_000_000, &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // from the moment on in which the directory is there, long before anything is compiled
    wait_for("its directory", &mut first, || out.exists());
    let (code, err, _) = run(train(&out, 1, &[]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("a/run': it exists and is not empty"), "{err}");
    wait_for("a checkpoint", &mut first, || out.join("checkpoint.safetensors").exists());
    let (code, err, _) = run(resume(&out, &[]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains(&format!("process {} writes into it", first.id())), "{err}");
    // a lock of a dead process does not count
    first.kill().unwrap();
    first.wait().unwrap();
    let (code, err, _) = run(resume(&out, &["--set", "total_timesteps=1"]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("raise total_timesteps"), "{err}");
    // nothing is left in a directory that was there, where nothing was trained
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let (code, err, _) = run(train(&empty, 1, &["--set", "num_envs=1000000000", "--set", "num_steps=1"]));
    assert_ne!(code, Some(0), "{err}");
    assert_eq!(names(&empty), [""; 0], "{err}");
    let (code, err, _) = run(train(&empty, 1, &[]));
    assert_eq!(code, Some(0), "an empty directory may be used: {err}");
    let (code, err, _) = run(resume(folder.path(), &[]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("it holds no run"), "{err}");
    assert_eq!(names(folder.path()), ["a", "empty"], "a look at what is no run leaves nothing");
    // a run that is just beginning, or died then, has a lock and no more
    let early = folder.path().join("early");
    fs::create_dir(&early).unwrap();
    let lock = fs::File::create(early.join("run.lock")).unwrap();
    lock.lock().unwrap();
    let (code, err, _) = run(resume(&early, &[]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("another process writes into it"), "{err}");
    drop(lock);
    let (code, err, _) = run(resume(&early, &[]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("it holds no run"), "{err}");
}

#[test]
fn default_names_are_taken_once_and_bear_the_name_of_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    let file = "mine/windy.wgsl";
    fs::write(folder.path().join(file), manyworlds::shader::built_in_text("env/two_action.wgsl").unwrap()).unwrap();
    let total = format!("total_timesteps={STEPS}");
    let start = || {
        let mut command = command(&["train", file, "--set", &total]);
        command.args(SMALL).current_dir(folder.path()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children = [start(), start(), start()];
    let mut named: Vec<String> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{err}");
        named.push(err.lines().find_map(|line| line.strip_prefix("run directory: ")).unwrap().to_owned());
    }
    named.sort();
    let mut found: Vec<String> = names(&folder.path().join("runs")).iter().map(|name| format!("runs/{name}")).collect();
    found.sort();
    assert_eq!(named, found, "three runs, three directories");
    assert_eq!(named.len(), 3);
    assert!(named.iter().all(|name| name.starts_with("runs/windy-ppo-1-")), "{named:?}");
}

#[cfg(unix)]
#[test]
fn a_signal_saves_and_the_run_goes_on_as_if_nothing_had_been() {
    let folder = tempfile::tempdir().unwrap();
    // without evaluations nothing else saves
    let more = ["--set", "eval_every=0", "--set", "checkpoint_every=0"];
    let updates = 1000;
    let (_, err, undisturbed) = run(train(&folder.path().join("whole"), updates, &more));
    assert!(undisturbed.is_some(), "{err}");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let out = folder.path().join(signal);
        let mut child = heeding(train(&out, updates, &more));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = out.join("metrics.jsonl");
        wait_for("a line of metrics", &mut child, || fs::metadata(&lines).is_ok_and(|file| file.len() > 0));
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{signal}: {err}");
        let name = out.to_str().unwrap();
        assert!(err.contains(&format!("run directory: {name}")), "{err}");
        assert!(err.lines().any(|line| line == format!("resume with: manyworlds train --resume {name}")), "{err}");
        let stopped: u32 = names(&out.join("checkpoints")).last().unwrap().parse().unwrap();
        assert!(stopped < updates, "{signal}: it was to stop before its end");
        assert_eq!(fs::read_to_string(&lines).unwrap().lines().count() as u32, stopped, "{signal}: one line an update");
        let (code, err, hash) = run(resume(&out, &[]));
        assert_eq!(code, Some(0), "{signal}: {err}");
        assert!(err.contains(&format!("(update {stopped})")), "{err}");
        assert_eq!(hash, undisturbed, "{signal}: behind update {stopped}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_before_training_leaves_nothing_and_one_that_was_ignored_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/run");
    // kernels of a width of their own, so that no cache knows them
    let wide = ["--set", "hidden=[61, 59]", "--algo", "trpo"];
    let mut child = train(&out, 10, &wide).env("MESA_SHADER_CACHE_DISABLE", "true").spawn().unwrap();
    wait_for("its directory", &mut child, || out.join("run.lock").exists());
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(names(folder.path()), [""; 0], "a run that never trained has left something");

    let out = folder.path().join("ignoring");
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_manyworlds")]);
    let inner = train(&out, 200, &[]);
    let mut child = ignoring.args(inner.get_args()).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    wait_for("a line of metrics", &mut child, || {
        fs::metadata(out.join("metrics.jsonl")).is_ok_and(|file| file.len() > 0)
    });
    Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "SIGHUP was ignored when the run began");
}

/// Something that happens to the files of a run.
type Damage<'a> = &'a dyn Fn(&Path);

/// Writes what a crash can leave over the files of a finished run, and resumes it to the tenth update.
#[test]
fn what_a_crash_leaves_is_passed_over_and_what_was_altered_is_refused() {
    let more = ["--set", "eval_every=2", "--set", "anneal_lr=false"];
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good");
    let (code, err, _) = run(train(&good, 6, &more));
    assert_eq!(code, Some(0), "{err}");
    let cut = |path: PathBuf, share: f64| {
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
    };
    let newest = |run: &Path, name: &str| run.join("checkpoints/0000000006").join(name);
    let cases: [(&str, &str, u32, Damage); 8] = [
        ("nothing", "", 6, &|_| {}),
        ("no short names", "it is missing", 6, &|run| fs::remove_file(run.join("checkpoint.safetensors")).unwrap()),
        ("an empty state", "it is empty", 6, &|run| fs::write(run.join("state.safetensors"), "").unwrap()),
        ("a state cut short", "it ends too soon", 6, &|run| cut(run.join("state.safetensors"), 0.7)),
        ("a checkpoint cut within its header", "it ends too soon", 6, &|run| {
            cut(run.join("checkpoint.safetensors"), 0.1);
        }),
        ("short names of two checkpoints", "is of update 6", 6, &|run| {
            let old = run.join("checkpoints/0000000004/state.safetensors");
            fs::copy(old, run.join("state.safetensors")).unwrap();
        }),
        ("the newest is not whole", "ends too soon", 4, &|run| {
            cut(run.join("checkpoint.safetensors"), 0.9);
            cut(newest(run, "state.safetensors"), 0.5);
        }),
        ("a newer one that was being written", "", 6, &|run| {
            fs::create_dir(run.join("checkpoints/.tmp-8")).unwrap();
            fs::write(run.join("checkpoints/.tmp-8/checkpoint.safetensors"), "half").unwrap();
            fs::write(run.join(".tmpAbCdEf"), "half").unwrap();
        }),
    ];
    let total = format!("total_timesteps={}", 10 * STEPS);
    for (what, words, from, damage) in cases {
        let case = folder.path().join(what.replace(' ', "_"));
        copy(&good, &case);
        damage(&case);
        let (code, err, hash) = run(resume(&case, &["--set", &total]));
        assert_eq!(code, Some(0), "{what}: {err}");
        assert!(err.contains(words) && err.contains(&format!("(update {from})")), "{what}: {err}");
        assert_eq!(words.is_empty(), !err.contains("instead"), "{what} is said: {err}");
        assert_eq!(hash.as_deref(), Some(ten_updates()), "{what}");
        assert_eq!(
            fs::read_to_string(case.join("metrics.jsonl")).unwrap().lines().count(),
            10,
            "{what}: a line an update"
        );
        let drafts = [names(&case), names(&case.join("checkpoints"))].concat();
        assert!(drafts.iter().all(|name| !name.starts_with(".tmp")), "{what}: {drafts:?}");
        let (code, err, _) = run(command(&["eval", case.to_str().unwrap(), "--episodes", "8"]));
        assert_eq!(code, Some(0), "{what}: {err}");
    }

    // a bit here and there, the eight bytes of the header's length included; all bits are tried on a small file elsewhere
    for name in ["checkpoint.safetensors", "state.safetensors"] {
        let bytes = fs::read(good.join(name)).unwrap();
        let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        for (place, bit) in [(0, 0), (1, 3), (6, 7), (40, 1), (header / 2, 5), (header + 9, 2), (bytes.len() - 1, 7)] {
            let case = folder.path().join("flipped");
            let _ = fs::remove_dir_all(&case);
            copy(&good, &case);
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            fs::write(case.join(name), &flipped).unwrap();
            let (code, err, _) = run(resume(&case, &["--set", &total]));
            assert_eq!(code, Some(2), "bit {bit} of byte {place} of {name}: {err}");
            assert!(err.contains(name) && err.contains("0000000006 instead"), "{err}");
        }
    }
    // what the message says helps
    let case = folder.path().join("flipped");
    let (code, err, _) =
        run(command(&["eval", case.join("checkpoints/0000000006").to_str().unwrap(), "--episodes", "8"]));
    assert_eq!(code, Some(0), "{err}");
    fs::remove_file(case.join("state.safetensors")).unwrap();
    let (code, err, hash) = run(resume(&case, &["--set", &total]));
    assert_eq!((code, hash.as_deref()), (Some(0), Some(ten_updates())), "{err}");
    let (code, err, _) = run(resume(&case.join("checkpoints/0000000010"), &[]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("resume the run's directory"), "{err}");
}

/// A file with other words of the same length in its header, and a digest that fits.
fn rewritten(file: &Path, words: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = fs::read(file).unwrap();
    for (from, to) in words {
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes[35..99].fill(b'0');
    let digest = blake3::hash(&bytes).to_hex();
    bytes[35..99].copy_from_slice(digest.as_bytes());
    bytes
}

/// Words in the place of others, the exit code of `eval`, and what it says.
type Rewriting<'a> = (&'a [(&'a str, &'a str)], i32, &'a [&'a str]);

#[test]
fn newer_files_unknown_tensors_and_other_environments_are_named() {
    let (_, out, _) = finished();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.safetensors");
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let newer = format!("\"version\":\"{}\"", "9".repeat(env!("CARGO_PKG_VERSION").len()));
    let cases: [Rewriting; 5] = [
        (
            &[("manyworlds-2", "manyworlds-3"), (&version, &newer)],
            2,
            &["in format manyworlds-3", "reads manyworlds-2", "newer"],
        ),
        (&[(&version, &newer)], 2, &["manyworlds 9999", "this is manyworlds", "newer"]),
        (&[("\"actor.0.bias\"", "\"actor.9.bias\"")], 2, &["it has 'actor.9.bias'"]),
        (
            &[("TwoAction: one state", "TwoAction: two state")],
            0,
            &["an environment of its own under the name TwoAction"],
        ),
        (&[("\"env\":\"TwoAction\"", "\"env\":\"\\u001bAct\"")], 0, &["\\u{1b}Act: mean length"]),
    ];
    let text = manyworlds::shader::built_in_text("env/two_action.wgsl").unwrap();
    assert!(text.contains("TwoAction: one state"), "the words that are changed above");
    for (words, code, said) in cases {
        fs::write(&file, rewritten(&out.join("checkpoint.safetensors"), words)).unwrap();
        let (found, err, _) = run(command(&["eval", file.to_str().unwrap(), "--episodes", "8"]));
        assert_eq!(found, Some(code), "{words:?}: {err}");
        assert!(said.iter().all(|said| err.contains(said)), "{said:?} is missing in {err}");
        assert!(!err.contains('\u{1b}'), "a control character from a file: {err:?}");
    }
}

#[test]
fn a_changed_environment_file_is_said_and_the_checkpoints_text_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.wgsl");
    let text = manyworlds::shader::built_in_text("env/two_action.wgsl").unwrap();
    fs::write(&file, text).unwrap();
    let out = folder.path().join("run");
    let total = |updates: u32| format!("total_timesteps={}", updates * STEPS);
    let mut first = command(&["train", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "--set", &total(1)]);
    first.args(SMALL);
    let (code, err, _) = run(first);
    assert_eq!(code, Some(0), "{err}");
    let (_, err, _) = run(resume(&out, &["--set", &total(2)]));
    assert!(!err.contains("has changed since"), "{err}");
    fs::write(&file, format!("{text}// another line\n")).unwrap();
    let (code, err, _) = run(resume(&out, &["--set", &total(3)]));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("mine.wgsl has changed since"), "{err}");
}

/// Output that cannot be written, and a disk that takes no more: files may have so many bytes, and writing more is an error.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_nothing_ends_no_run_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    let out = folder.path().join("lost stderr");
    let status = train(&out, 20, &[]).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0), "lost messages end nothing");
    let lines = |run: &Path| fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count();
    assert_eq!(lines(&out), 20);
    let output =
        train(&folder.path().join("lost result"), 1, &[]).stdout(full()).stderr(Stdio::piped()).output().unwrap();
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("error: cannot write 'standard output'"), "{err}");

    // blocks of 512 bytes
    let limited = |out: &Path, updates: u32, blocks: u64| {
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_manyworlds")]);
        run({
            command.args(train(out, updates, &["--set", "eval_every=20"]).get_args());
            command
        })
    };
    let size = |name: &str| fs::metadata(out.join(name)).unwrap().len();
    let checkpoint = size("checkpoint.safetensors").max(size("state.safetensors"));
    let settings = size("config.toml");
    assert!(settings + 1024 < checkpoint, "{settings} and {checkpoint} bytes: a limit must fit between them");
    // no checkpoint fits: the run makes all its updates, and then says so
    let none = folder.path().join("no checkpoint");
    let (code, err, _) = limited(&none, 20, settings.div_ceil(512));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("training goes on, and tries again"), "{err}");
    assert!(err.lines().last().unwrap().starts_with("error: cannot write"), "{err}");
    assert!(err.lines().last().unwrap().contains("File too large"), "{err}");
    // lines of metrics do not fit, checkpoints do
    let some = folder.path().join("no lines");
    let (code, err, hash) = limited(&some, 200, checkpoint.div_ceil(512));
    assert_eq!(code, Some(1), "{err}");
    assert!(hash.is_some(), "the result is there: {err}");
    assert_eq!(err.matches("tries again with every update").count(), 1, "it is said once: {err}");
    assert!(err.matches("TensorBoard").count() <= 1, "and that of the events too: {err}");
    let kept = lines(&some);
    assert!(kept > 0 && err.contains(&format!("{} lines are lost", 200 - kept)), "{kept} lines: {err}");
    assert!(some.join("checkpoints/0000000200/state.safetensors").exists(), "{err}");
    let (code, err, _) = run(command(&["eval", some.to_str().unwrap(), "--episodes", "8"]));
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn checkpoints_by_time_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hash = |name: &str, every: &str| {
        let out = folder.path().join(name);
        let more = ["--set", "eval_every=0", "--set", every, "--set", "keep_checkpoints=100000"];
        let (code, err, hash) = run(train(&out, 2000, &more));
        assert_eq!(code, Some(0), "{err}");
        (names(&out.join("checkpoints")).len(), hash.unwrap())
    };
    let (many, with) = hash("every second", "checkpoint_every=1");
    let (one, without) = hash("never", "checkpoint_every=0");
    assert!(many > one && one == 1, "{many} and {one} checkpoints");
    assert_eq!(with, without);
}
