//! SIGINT, SIGTERM and SIGHUP: while kernels are compiled, in training, twice, and where they are ignored.

use super::harness::{Draw, Ended, Plan, Running, Score, Verdict, behind, ensure, names};
use super::reference::Reference;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

pub fn inject(plan: &Plan, score: &mut Score) {
    let reference = Reference::new(300, &["eval_every=100"]);
    let mut draw = Draw(plan.seed);
    let trains = |out: &Path| std::fs::metadata(out.join("metrics.jsonl")).is_ok_and(|file| file.len() > 0);
    for round in 0..plan.pick(1, 10) {
        for (signal, code) in SIGNALS {
            let out = reference.path(&format!("{signal:?} {round}"));
            let mut child = Running::start(reference.train(&out));
            let (began, late) = (child.wait_until(|| trains(&out)), draw.below(60));
            child.sleep(Duration::from_millis(late));
            child.signal(signal);
            let verdict = ensure(began, || "it did not begin".to_owned())
                .and_then(|()| saved(&reference, &out, &child.end(), code));
            score.judge(format!("{signal:?} in training, {late} ms late"), verdict);
        }
    }
    // while it makes ready, which takes its time where nothing was compiled before
    for (n, (signal, code)) in plan.some(1, SIGNALS.to_vec()).into_iter().enumerate() {
        let out = reference.path(&format!("parent/{n}"));
        let mut command = reference.train(&out);
        command.env("MESA_SHADER_CACHE_DIR", reference.path(&format!("cache {n}")));
        let mut child = Running::start(command);
        child.wait_until(|| out.join("run.lock").exists());
        child.signal(signal);
        let verdict = after_compiling(&reference, &out, &child.end(), code);
        score.judge(format!("{signal:?} while compiling"), verdict);
    }
    // twice: it ends, saved or not, and what is there is whole
    for round in 0..plan.pick(1, 20) {
        let out = reference.path(&format!("twice {round}"));
        let mut child = Running::start(reference.train(&out));
        child.wait_until(|| trains(&out));
        child.sleep(Duration::from_millis(draw.below(40)));
        child.signal(Signal::INT);
        child.sleep(Duration::from_millis(draw.below(15)));
        child.signal(Signal::TERM);
        let ended = child.end();
        let verdict = ended.is_sound(&[0, 130, 143]).and_then(|()| match ended.code {
            Some(0) => reference.is_the_end(&out, &ended, true),
            _ => reference.goes_on(&out),
        });
        score.judge("two signals", verdict);
    }
    // nohup, and a shell that ignores it
    for script in plan.some(1, vec!["exec nohup \"$@\"", "trap '' HUP INT TERM; exec \"$@\""]) {
        let out = reference.path("ignoring");
        let _ = std::fs::remove_dir_all(&out);
        let mut child = Running::start(behind(script, &reference.train(&out)));
        let began = child.wait_until(|| trains(&out));
        child.signal(Signal::HUP);
        let ended = child.end();
        let verdict = ensure(began, || ended.shown()).and_then(|()| reference.is_the_end(&out, &ended, true));
        score.judge(format!("SIGHUP under {script}"), verdict);
    }
}

/// It was told to end in training: what was done is saved, how to go on is said, and that leads to the end.
fn saved(reference: &Reference, out: &Path, ended: &Ended, code: i32) -> Verdict {
    if ended.code == Some(0) && ended.hash().is_some() {
        // it was quicker than the signal
        return reference.is_the_end(out, ended, true);
    }
    ended.is_sound(&[code])?;
    let done = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default().lines().count();
    if done < reference.updates as usize {
        ensure(ended.err.contains("resume with: manyworlds train --resume"), || ended.shown())?;
        let newest = names(&out.join("checkpoints")).pop().unwrap_or_default();
        ensure(newest == format!("{done:010}"), || format!("{done} updates are done, saved is '{newest}'"))?;
    }
    reference.goes_on(out)
}

/// It was told to end before it trained, and nothing is left; or just after that, and all is saved.
fn after_compiling(reference: &Reference, out: &Path, ended: &Ended, code: i32) -> Verdict {
    ended.is_sound(&[code])?;
    if out.exists() {
        return saved(reference, out, ended, code);
    }
    let parent = out.parent().unwrap();
    ensure(!parent.exists(), || format!("{:?} is left", names(parent)))
}
