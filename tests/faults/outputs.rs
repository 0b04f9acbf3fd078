//! Outputs that are closed, full, or a pipe whose reader leaves, for every command.

use super::harness::{Ended, Plan, Running, Score, Verdict, behind, ensure, manyworlds, run};
use super::reference::Reference;
use std::io::Read;
use std::process::{Command, Stdio};

/// What becomes of the outputs, as a shell says it; whether results are lost without being missed, and whether the loss of a
/// result is an error.
const WAYS: [(&str, bool); 8] = [
    ("exec \"$@\" >&-", false),
    ("exec \"$@\" 2>&-", false),
    ("exec \"$@\" >&- 2>&-", false),
    ("exec \"$@\" <&- >&- 2>&-", false),
    ("exec \"$@\" > /dev/full", true),
    ("exec \"$@\" 2> /dev/full", false),
    ("exec \"$@\" > /dev/full 2>&1", true),
    ("exec \"$@\" <&-", false),
];

pub fn inject(plan: &Plan, score: &mut Score) {
    let reference = Reference::new(2, &["eval_every=1"]);
    let policy = reference.out.to_str().unwrap().to_owned();
    let commands: Vec<Vec<&str>> = vec![
        vec!["settings"],
        vec!["envs"],
        vec!["envs", "CartPole-v1"],
        vec!["envs", "--json"],
        vec!["trace", "CartPole-v1", "--steps", "1500", "--json"],
        vec!["eval", &policy, "--episodes", "8", "--json"],
        vec!["--help"],
        vec!["--version"],
        vec!["new-env", "mine"],
        vec!["check-env", "TwoAction"],
        vec!["doctor"],
        vec!["gradient", "SimpleRegulator", "--rollouts", "1000", "--json"],
        vec!["reproduce", "--help"],
        vec![
            "bench",
            "--num-envs",
            "8",
            "--num-steps",
            "8",
            "--net",
            "8",
            "--seconds",
            "0.1",
            "--modes",
            "step",
            "--json",
        ],
    ];
    // those that compile nothing are enough for a start
    let few = 5;
    for arguments in commands.into_iter().take(plan.pick(few, usize::MAX)) {
        let folder = reference.path("scratch");
        let make = || {
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir(&folder).unwrap();
            let mut command = manyworlds(&arguments);
            command.current_dir(&folder);
            command
        };
        let whole = run(make());
        for (way, is_missed) in WAYS {
            let ended = run(behind(way, &make()));
            let verdict = judge(&whole, &ended, is_missed);
            score.judge(format!("{arguments:?} {way}"), verdict);
        }
        let ended = left_by_its_reader(make());
        score.judge(format!("{arguments:?} | head"), judge(&whole, &ended, false));
    }

    // training, whose directory must not take what was meant for the outputs
    for (way, is_missed) in plan.some(2, WAYS.to_vec()) {
        let out = reference.path("lost");
        let _ = std::fs::remove_dir_all(&out);
        let ended = run(behind(way, &reference.train(&out)));
        let code = i32::from(is_missed);
        let verdict = ensure(ended.code == Some(code), || ended.shown()).and_then(|()| reference.is_equal(&out, true));
        score.judge(format!("train {way}"), verdict);
    }
    let out = reference.path("headless");
    let ended = left_by_its_reader(reference.train(&out));
    let verdict = ensure(ended.code == Some(0), || ended.shown()).and_then(|()| reference.is_equal(&out, true));
    score.judge("train | head", verdict);
    let out = reference.path("unheard");
    let ended = unheard(reference.train(&out));
    score.judge("train 2>&1 | head", reference.is_the_end(&out, &ended, true));
}

fn judge(whole: &Ended, ended: &Ended, is_missed: bool) -> Verdict {
    let code = if is_missed && whole.code == Some(0) && !whole.out.is_empty() { Some(1) } else { whole.code };
    ensure(ended.code == code && !ended.err.contains("panicked"), || format!("{code:?} expected: {}", ended.shown()))?;
    let lost = is_missed && !ended.err.is_empty() && code == Some(1);
    ensure(!lost || ended.err.contains("error: cannot write 'standard output'"), || ended.shown())
}

/// Reads one byte of its result, and no more.
fn left_by_its_reader(mut command: Command) -> Ended {
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.stdout(writer).stderr(Stdio::piped());
    let child = Running::start_as_is(command);
    let _ = reader.read(&mut [0]);
    drop(reader);
    child.end()
}

/// The same of its messages.
fn unheard(mut command: Command) -> Ended {
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.stderr(writer).stdout(Stdio::piped());
    let child = Running::start_as_is(command);
    let _ = reader.read(&mut [0]);
    drop(reader);
    child.end()
}
