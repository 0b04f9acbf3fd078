//! `kill -9` at random moments, of runs and of runs that go on after one.

use super::harness::{Draw, Failure, Plan, Running, Score, Verdict, copy, ensure};
use super::reference::{Reference, claims_a_checkpoint, resume};
use manyworlds::train::Policy;
use std::path::Path;
use std::time::{Duration, Instant};

pub fn inject(plan: &Plan, score: &mut Score) {
    // saving is half of what it does
    let reference = Reference::new(60, &["eval_every=1", "learning_rate=0.0005"]);
    let time = duration(&reference);
    let mut draw = Draw(plan.seed);
    let wanted = plan.pick(4, 200);
    let (mut killed, mut chain) = (0, 0);
    while killed < wanted {
        chain += 1;
        let out = reference.path(&format!("chain {chain}"));
        let mut before = 0;
        // one run, killed again and again until it gets to its end
        for link in 0..plan.pick(2, 6) {
            let command = if claims_a_checkpoint(&out) { resume(&out) } else { reference.train(&out) };
            let mut child = Running::start(command);
            // one in five at any time since it began, the others once it trains
            let moment = if draw.below(5) == 0 {
                time.mul_f64(2.0 * draw.share())
            } else {
                let trains = || std::fs::metadata(out.join("metrics.jsonl")).is_ok_and(|file| file.len() > 0);
                child.wait_until(trains);
                time.mul_f64(0.5 * draw.share())
            };
            let hit = child.sleep(moment);
            child.kill();
            let ended = child.end();
            if !hit || ended.signal != Some(9) {
                break;
            }
            killed += 1;
            let name = format!("kill {killed} (run {chain}, its {link}th resumption, after {moment:?})");
            let verdict = judge(&reference, &out, &mut before);
            let lost = verdict.is_err();
            score.judge(name, verdict);
            if lost || killed == wanted || nothing_to_go_on_with(&out) {
                break;
            }
        }
        let _ = std::fs::remove_dir_all(&out);
        assert!(chain < 20 * wanted, "runs end before they can be killed");
    }
}

/// How long the updates of a run take.
fn duration(reference: &Reference) -> Duration {
    let out = reference.path("timed");
    let mut child = Running::start(reference.train(&out));
    child.wait_until(|| out.join("metrics.jsonl").exists());
    let began = Instant::now();
    child.end();
    began.elapsed()
}

/// A run that began and was killed before its first checkpoint leaves lines of metrics: no new run begins there.
fn nothing_to_go_on_with(out: &Path) -> bool {
    !claims_a_checkpoint(out) && out.join("config.toml").exists()
}

/// What is left is whole, never older than before, and goes on to the end; the original stays as it is.
fn judge(reference: &Reference, out: &Path, before: &mut u32) -> Verdict {
    if claims_a_checkpoint(out) {
        let policy = Policy::load(out).map_err(|error| Failure::Seen(error.to_string()))?;
        ensure(policy.updates >= *before, || format!("update {before} was there, now {} is", policy.updates))?;
        *before = policy.updates;
    }
    let other = reference.path("continued");
    let _ = std::fs::remove_dir_all(&other);
    if out.exists() {
        copy(out, &other);
    }
    reference.goes_on(&other)
}
