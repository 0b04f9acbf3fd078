//! Two processes and one directory.

use super::harness::{Plan, Running, Score, Verdict, ensure, names, run};
use super::reference::{Reference, resume};
use std::time::Duration;

pub fn inject(plan: &Plan, score: &mut Score) {
    let reference = Reference::new(100, &["eval_every=10"]);
    for round in 0..plan.pick(1, 20) {
        score.judge("the same --out twice", same_out(&reference, &format!("same {round}")));
        score.judge("--resume of a run that runs", resume_of_a_running_run(&reference, &format!("running {round}")));
        score.judge("the lock of a dead process", dead_lock(&reference, &format!("dead {round}")));
    }
    for round in 0..plan.pick(1, 5) {
        score.judge("four default names at once", default_names(&reference, &format!("four {round}")));
        score.judge("two resumptions at once", two_resumptions(&reference, &format!("resumed {round}")));
    }
}

/// Of so many that begin at once, one trains, and all others end with exit code 2.
fn one_wins(reference: &Reference, out: &std::path::Path, children: Vec<Running>) -> Verdict {
    let ended: Vec<_> = children.into_iter().map(Running::end).collect();
    let winners: Vec<_> = ended.iter().filter(|ended| ended.code == Some(0)).collect();
    ensure(winners.len() == 1, || ended.iter().map(|ended| ended.shown() + "\n").collect())?;
    for loser in ended.iter().filter(|ended| ended.code != Some(0)) {
        loser.is_sound(&[2])?;
    }
    reference.is_the_end(out, winners[0], true)
}

fn same_out(reference: &Reference, name: &str) -> Verdict {
    let out = reference.path(name);
    let children = (0..3).map(|_| Running::start(reference.train(&out))).collect();
    one_wins(reference, &out, children)
}

fn resume_of_a_running_run(reference: &Reference, name: &str) -> Verdict {
    let out = reference.path(name);
    let mut child = Running::start(reference.train(&out));
    child.wait_until(|| out.join("metrics.jsonl").exists());
    let other = run(resume(&out));
    let still = !child.has_ended();
    let ended = child.end();
    // on a machine that is quicker than this test it has ended, and there is nothing left to do
    other.is_sound(&[2])?;
    let words = if still { "writes into it" } else { "" };
    ensure(other.err.contains(words), || other.shown())?;
    reference.is_the_end(&out, &ended, true)
}

fn dead_lock(reference: &Reference, name: &str) -> Verdict {
    let out = reference.path(name);
    let mut child = Running::start(reference.train(&out));
    child.wait_until(|| out.join("checkpoint.safetensors").exists());
    child.kill();
    child.end();
    let left = out.join("run.lock");
    if !left.exists() {
        // it was done before
        std::fs::write(left, "1\n").unwrap();
    }
    reference.goes_on(&out)
}

fn two_resumptions(reference: &Reference, name: &str) -> Verdict {
    let out = reference.path(name);
    let mut child = Running::start(reference.train(&out));
    child.wait_until(|| out.join("checkpoint.safetensors").exists());
    child.kill();
    if child.end().signal.is_none() {
        return Ok(());
    }
    one_wins(reference, &out, (0..3).map(|_| Running::start(resume(&out))).collect())
}

fn default_names(reference: &Reference, name: &str) -> Verdict {
    let folder = reference.path(name);
    std::fs::create_dir(&folder).unwrap();
    let start = |_| {
        let mut command = reference.train(std::path::Path::new(""));
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let at = arguments.iter().position(|word| word == "--out").unwrap();
        command = super::harness::manyworlds(
            arguments.iter().enumerate().filter(|(i, _)| *i != at && *i != at + 1).map(|(_, word)| word),
        );
        command.current_dir(&folder);
        std::thread::sleep(Duration::from_millis(1));
        Running::start(command)
    };
    let children: Vec<_> = (0..4).map(start).collect();
    let ended: Vec<_> = children.into_iter().map(Running::end).collect();
    let mut said = Vec::new();
    for ended in &ended {
        ended.is_sound(&[0])?;
        let line = ended.err.lines().find_map(|line| line.strip_prefix("run directory: ")).unwrap_or_default();
        said.push(line.to_owned());
        reference.is_the_end(&folder.join(line), ended, true)?;
    }
    said.sort();
    let found: Vec<String> = names(&folder.join("runs")).iter().map(|name| format!("runs/{name}")).collect();
    ensure(said == found, || format!("{said:?} were said, {found:?} are there"))
}
