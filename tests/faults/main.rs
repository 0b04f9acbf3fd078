//! Faults on purpose: processes killed, disks full, bits flipped, outputs closed, files that are none. Each is judged from
//! outside, by exit code, what was said, and what is left: a fault is survived where the program ended in a documented way and
//! the run goes on to the very bytes of one that nobody disturbed. The worst is a wrong result without a word, and is counted
//! apart.
//!
//! `cargo test` does a few of every kind. `tests/faults/run` does them all, and prints the score as its last line.

#![cfg(target_os = "linux")]
// a test may panic, and this one reports
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod calls;
mod damage;
mod harness;
mod hostile;
mod kills;
mod memory;
mod no_files;
mod numbers;
mod outputs;
mod reference;
mod signals;
mod soak;
mod two;

use harness::{Plan, Score};

/// A kind of fault: its name, and what does it.
type Kind = (&'static str, fn(&Plan, &mut Score));

const KINDS: [Kind; 12] = [
    ("kill", kills::inject),
    ("calls", calls::kill),
    ("disk", calls::fail),
    ("damage", damage::inject),
    ("signals", signals::inject),
    ("outputs", outputs::inject),
    ("two", two::inject),
    ("numbers", numbers::inject),
    ("hostile", hostile::inject),
    ("no-files", no_files::inject),
    ("memory", memory::inject),
    ("soak", soak::inject),
];

/// A few faults of one kind.
#[track_caller]
fn some(kind: &str) {
    let (_, inject) = KINDS.iter().find(|(name, _)| *name == kind).unwrap();
    let mut score = Score::default();
    inject(&Plan { full: false, seed: 1, soak: 4 }, &mut score);
    assert!(score.injections > 0, "nothing was done");
    assert!(score.failures.is_empty(), "{}\n{}", score.line(), score.failures.join("\n\n"));
}

#[test]
fn kills_at_any_moment() {
    some("kill");
}

#[test]
fn kills_at_system_calls() {
    some("calls");
}

#[test]
fn disks_that_fail() {
    some("disk");
}

#[test]
fn damaged_files() {
    some("damage");
}

#[test]
fn signals() {
    some("signals");
}

#[test]
fn outputs_closed_and_full() {
    some("outputs");
}

#[test]
fn two_processes() {
    some("two");
}

#[test]
fn numbers_that_are_none() {
    some("numbers");
}

#[test]
fn hostile_environments() {
    some("hostile");
}

#[test]
fn files_that_are_none() {
    some("no-files");
}

#[test]
fn memory_that_is_not_to_be_had() {
    some("memory");
}

#[test]
fn a_soak() {
    some("soak");
}

/// All of them, or the kinds in `MANYWORLDS_FAULTS`; the line with the score goes to the file `MANYWORLDS_FAULTS_SCORE`.
#[test]
#[ignore = "takes the better part of an hour: tests/faults/run runs it"]
fn all_of_them() {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let number = |name: &str, default: u64| variable(name).map_or(default, |text| text.parse().unwrap());
    let plan =
        Plan { full: true, seed: number("MANYWORLDS_FAULTS_SEED", 1), soak: number("MANYWORLDS_FAULTS_SOAK", 60) };
    let wanted = variable("MANYWORLDS_FAULTS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    for name in &wanted {
        assert!(names.contains(name), "there is no kind '{name}'; there are {}", names.join(", "));
    }
    let mut all = Score::default();
    for (name, inject) in KINDS.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        let began = std::time::Instant::now();
        let mut score = Score { loud: true, ..Score::default() };
        inject(&plan, &mut score);
        assert!(score.injections > 0, "{name}: nothing was done");
        eprintln!("{name}: {}, {:.0} s", score.line(), began.elapsed().as_secs_f64());
        all.add(score);
    }
    if let Some(file) = variable("MANYWORLDS_FAULTS_SCORE") {
        std::fs::write(file, format!("{}\n", all.line())).unwrap();
    }
    assert!(all.failures.is_empty(), "{}", all.line());
}
