//! Devices, pipes, sockets, folders and files of nothing but a size, wherever a file is named: refused at once, with little
//! memory.

use super::harness::{Ended, Plan, Running, Score, Verdict, copy, ensure, manyworlds};
use super::reference::Reference;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Processor time and memory that a refusal may take.
const TIME: Duration = Duration::from_secs(1);
const MEMORY: u64 = 50 << 20;
/// Where kernels are compiled before, as with files that are written only.
const COMPILED: (Duration, u64) = (Duration::from_mins(1), 400 << 20);

const SORTS: [&str; 7] = ["pipe", "folder", "socket", "zeros", "random", "sparse", "terminal"];

/// Puts something that is no file there.
fn put(sort: &str, path: &Path) {
    match sort {
        "pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "folder" => fs::create_dir(path).unwrap(),
        // its name stays when it is closed
        "socket" => drop(UnixListener::bind(path).unwrap()),
        "zeros" => symlink("/dev/zero", path).unwrap(),
        "random" => symlink("/dev/urandom", path).unwrap(),
        "terminal" => symlink("/dev/tty", path).unwrap(),
        _ => fs::File::create(path).unwrap().set_len(100 << 30).unwrap(),
    }
}

fn refused(command: Command, (time, memory): (Duration, u64)) -> Verdict {
    let ended = Running::start(command).end();
    ended.is_sound(&[2])?;
    within(&ended, time, memory)
}

fn within(ended: &Ended, time: Duration, memory: u64) -> Verdict {
    ensure(ended.processor <= time, || format!("more than {time:?}: {}", ended.shown()))?;
    // where a process begins as a copy of this one, its peak is at least this one's
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().strip_suffix(" kB").unwrap();
    let own = own.trim().parse::<u64>().unwrap() << 10;
    ensure(ended.peak <= memory.max(own), || {
        format!("more than {memory} bytes ({own} of them this test's): {}", ended.shown())
    })
}

pub fn inject(plan: &Plan, score: &mut Score) {
    let folder = tempfile::tempdir().unwrap();
    let file = |sort: &str, kind: &str| folder.path().join(format!("{sort}.{kind}"));
    for sort in SORTS {
        for kind in ["wgsl", "toml", "json", "safetensors"] {
            put(sort, &file(sort, kind));
        }
    }
    let out = folder.path().join("out");
    let commands: [(&[&str], &str); 9] = [
        (&["trace"], "wgsl"),
        (&["check-env"], "wgsl"),
        (&["envs"], "wgsl"),
        (&["bench", "--env"], "wgsl"),
        (&["gradient"], "wgsl"),
        (&["train", "--out", "OUT"], "wgsl"),
        (&["train", "TwoAction", "--out", "OUT", "--config"], "toml"),
        (&["trace", "TwoAction", "--transitions"], "json"),
        (&["eval"], "safetensors"),
    ];
    let cases = commands.iter().flat_map(|case| SORTS.map(|sort| (case, sort))).collect();
    for ((arguments, kind), sort) in plan.some(12, cases) {
        let given = file(sort, kind);
        let mut command =
            manyworlds(arguments.iter().map(|word| if *word == "OUT" { out.to_str().unwrap() } else { word }));
        command.arg(&given);
        let verdict =
            refused(command, (TIME, MEMORY)).and_then(|()| ensure(!out.exists(), || "a directory was left".to_owned()));
        score.judge(format!("{arguments:?} {}", given.display()), verdict);
    }

    // and in the place of a run's own files
    let reference = Reference::new(2, &["eval_every=1"]);
    let names = ["checkpoint.safetensors", "state.safetensors", "metrics.jsonl", "evaluations.jsonl", "run.lock"];
    let cases = names.iter().flat_map(|name| SORTS.map(|sort| (*name, sort))).collect();
    for (name, sort) in plan.some(4, cases) {
        let run = reference.path("run");
        copy(&reference.out, &run);
        let _ = fs::remove_file(run.join(name));
        put(sort, &run.join(name));
        let mut command = super::reference::resume(&run);
        command.args(["--set", "total_timesteps=2048"]);
        let ended = Running::start(command).end();
        let verdict = match (name, sort) {
            // a file without end is a file: what it holds is not of this run, and lines are written anew; a lock holds nothing
            ("metrics.jsonl" | "evaluations.jsonl" | "run.lock", "sparse") => ended.is_sound(&[0, 2]),
            ("metrics.jsonl" | "evaluations.jsonl", _) => {
                ended.is_sound(&[2]).and_then(|()| within(&ended, COMPILED.0, COMPILED.1))
            }
            ("run.lock", _) => ended.is_sound(&[1, 2]).and_then(|()| within(&ended, TIME, MEMORY)),
            // such as a crash can leave: a file of zeros
            (_, "sparse") => ended.is_sound(&[0, 2]).and_then(|()| ensure(ended.err.contains(name), || ended.shown())),
            _ => ended.is_sound(&[2]).and_then(|()| within(&ended, TIME, MEMORY)),
        };
        score.judge(format!("--resume where {name} is {sort}"), verdict);
    }
}
