//! A long run: its memory stays, and so does its speed.

use super::harness::{Plan, Running, Score, Verdict, ensure, manyworlds};
use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::time::{Duration, Instant};

/// Updates after which memory has to stay as it is.
const SETTLED: usize = 100;
/// Bytes that it may grow by.
const MOST: u64 = 2_000_000;

pub fn inject(plan: &Plan, score: &mut Score) {
    for worlds in plan.pick(&[64][..], &[64, 4096]) {
        score.judge(format!("{worlds} worlds for {} s", plan.soak), soak(plan, *worlds));
    }
}

/// Bytes that a process holds.
fn resident(id: u32) -> Option<u64> {
    let pages = fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
    Some(pages.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

fn updates(out: &Path) -> usize {
    fs::File::open(out.join("metrics.jsonl")).map_or(0, |file| std::io::BufReader::new(file).lines().count())
}

fn soak(plan: &Plan, worlds: u32) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut command = manyworlds(["train", "TwoAction", "--out", out.to_str().unwrap()]);
    let number = format!("num_envs={worlds}");
    for pair in [
        &number,
        "num_steps=8",
        "num_minibatches=4",
        "hidden=[8]",
        "eval_every=1000",
        "eval_episodes=16",
        "total_timesteps=4000000000",
    ] {
        command.args(["--set", pair]);
    }
    let mut child = Running::start(command);
    let settled = child.wait_until(|| updates(&out) >= SETTLED);
    let Some(before) = resident(child.id()).filter(|_| settled) else {
        return ensure(false, || format!("it ended early: {}", child.end().shown()));
    };
    let (mut most, mut done, mut at) = (before, updates(&out), Instant::now());
    let mut speeds = Vec::new();
    for quarter in 1..=4 {
        let end = at + Duration::from_secs(plan.soak) / 4;
        while Instant::now() < end && child.sleep(Duration::from_millis(100)) {
            most = most.max(resident(child.id()).unwrap_or(0));
        }
        let (now, found) = (Instant::now(), updates(&out));
        let speed = (found - done) as f64 * 8.0 * f64::from(worlds) / (now - at).as_secs_f64();
        if plan.full {
            let grown = most.saturating_sub(before) as f64 / 1e6;
            eprintln!(
                "soak, {worlds} worlds, quarter {quarter}: {found} updates, {speed:.0} steps/s, {grown:.2} MB more"
            );
        }
        speeds.push(speed);
        (done, at) = (found, now);
    }
    let lives = !child.has_ended();
    child.signal(rustix::process::Signal::TERM);
    let ended = child.end();
    ensure(lives, || format!("it ended early: {}", ended.shown()))?;
    ended.is_sound(&[143])?;
    ensure(most.saturating_sub(before) < MOST, || format!("{before} bytes after {SETTLED} updates, {most} later"))?;
    ensure(speeds.iter().all(|speed| *speed > 0.0), || format!("it stood still: {speeds:?} steps/s"))
}
