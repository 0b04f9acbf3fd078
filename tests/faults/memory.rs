//! Less memory than a run needs: it succeeds, or ends with an error of its own.

use super::harness::{Plan, Running, Score, Verdict, behind, ensure};
use super::reference::Reference;

pub fn inject(plan: &Plan, score: &mut Score) {
    let reference = Reference::new(6, &["eval_every=3"]);
    // MiB of address space, of which a driver that compiles takes most
    let sizes: Vec<u64> = vec![16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 2048];
    for size in plan.some(3, sizes) {
        let out = reference.path(&format!("{size}"));
        let script = format!("ulimit -c 0; ulimit -v {}; exec \"$@\"", size << 10);
        let ended = Running::start(behind(&script, &reference.train(&out))).end();
        let verdict = match ended.code {
            Some(0) => reference.is_the_end(&out, &ended, true),
            Some(_) => ended.is_sound(&[1, 2, 3]).and_then(|()| left(&reference, &out)),
            // a library that cannot go on without memory ends the process; what is left must do for all that
            None => {
                ensure(!ended.hung && ended.signal != Some(9), || ended.shown()).and_then(|()| left(&reference, &out))
            }
        };
        score.judge(format!("{size} MiB of memory"), verdict);
    }
}

fn left(reference: &Reference, out: &std::path::Path) -> Verdict {
    reference.goes_on(out)
}
