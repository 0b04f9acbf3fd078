//! Work that is timed: whole, or in part where the whole takes longer than anybody waits.

use crate::error::Result;
use crate::gpu::{PassTime, Recording};
use std::time::Instant;

/// Timed runs that are enough.
pub(super) const RUNS: usize = 5;

/// Seconds after which no further timed run begins, and a run ends after a part, where `seconds` are asked for.
pub(super) fn limit(seconds: f64) -> f64 {
    (3.0 * seconds).max(1.0)
}

/// Whether there is to be another run after so many, which took `spent` seconds together.
pub(super) fn wants_more(runs: usize, spent: f64, seconds: f64) -> bool {
    runs == 0 || spent < seconds || runs < RUNS && spent < limit(seconds)
}

/// A recording, and a part that follows itself in it some times.
#[derive(Debug)]
pub(super) struct Work {
    pub all: Recording,
    before: Recording,
    part: Recording,
    times: u32,
    after: Recording,
}

/// What a run took.
#[derive(Debug)]
pub(super) struct Run {
    /// Seconds of the whole.
    pub seconds: f64,
    /// Share of them in which something ran; the rest are parts that would have been like those that ran.
    pub timed_share: f64,
    /// The same of its kernels, where they were asked for: of the whole.
    pub kernels: Vec<PassTime>,
}

impl Work {
    /// A recording of which one run is whole.
    pub fn of(all: Recording) -> Self {
        Self::with(all, Recording::default())
    }

    /// A recording of which a run may stop after some of these parts.
    pub fn with(all: Recording, part: Recording) -> Self {
        let (before, times, after) = all.around(&part);
        Self { all, before, part, times, after }
    }

    /// Runs it by `go`, which gives times of kernels or none: the whole if that takes no more than `limit` seconds, else
    /// as many of its parts as do, one at least.
    pub fn run(&self, limit: f64, mut go: impl FnMut(&Recording) -> Result<Vec<PassTime>>) -> Result<Run> {
        let mut timed = |recording: &Recording| -> Result<(f64, Vec<PassTime>)> {
            if recording.passes().is_empty() {
                return Ok((0.0, Vec::new()));
            }
            let began = Instant::now();
            let kernels = go(recording)?;
            Ok((began.elapsed().as_secs_f64(), kernels))
        };
        let (before, mut kernels) = timed(&self.before)?;
        let (first, mut of_parts) = if self.times == 0 { (0.0, Vec::new()) } else { timed(&self.part)? };
        // the same work again takes the same time
        let more = fitting(limit - before - first, first, self.times.saturating_sub(1));
        let mut rest = Recording::default();
        (0..more).for_each(|_| rest.extend(&self.part));
        let (rest, of_rest) = timed(&rest)?;
        let (after, of_after) = timed(&self.after)?;

        let scale = f64::from(self.times) / f64::from(more + 1);
        add(&mut of_parts, of_rest);
        for kernel in &mut of_parts {
            kernel.dispatches = (f64::from(kernel.dispatches) * scale).round() as u32;
            kernel.time = kernel.time.mul_f64(scale);
        }
        add(&mut kernels, of_parts);
        add(&mut kernels, of_after);
        let parts = first + rest;
        let seconds = before + parts * scale + after;
        Ok(Run { seconds, timed_share: (before + parts + after) / seconds, kernels })
    }
}

/// How many of at most `most` things that take `each` seconds fit into `left`.
fn fitting(left: f64, each: f64, most: u32) -> u32 {
    if each > 0.0 { (left / each).clamp(0.0, most.into()) as u32 } else { most }
}

/// Adds times of kernels to those that are known.
fn add(known: &mut Vec<PassTime>, more: Vec<PassTime>) {
    for one in more {
        match known.iter_mut().find(|known| known.kernel == one.kernel) {
            Some(known) => (known.dispatches, known.time) = (known.dispatches + one.dispatches, known.time + one.time),
            None => known.push(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Work, wants_more};
    use crate::gpu::{Pass, PassTime, Recording};
    use std::time::Duration;

    /// A beginning, sixteen parts of two passes, and an end.
    fn work() -> Work {
        let pass = |name| Pass::declared(name, 1, 1);
        let of = |passes: &[&Pass]| {
            let mut recording = Recording::default();
            for pass in passes {
                recording.push(pass);
            }
            recording
        };
        let [rollout, gradient, adam, finish] = ["rollout", "gradient", "adam", "finish"].map(pass);
        let part = of(&[&gradient, &adam]);
        let mut all = of(&[&rollout]);
        (0..16).for_each(|_| all.extend(&part));
        all.push(&finish);
        Work::with(all, part)
    }

    /// Runs it where every pass takes `each` seconds; how many ran beside what came out.
    fn run(work: &Work, limit: f64, each: f64) -> (usize, super::Run) {
        let mut ran = 0;
        let run = work.run(limit, |recording| {
            ran += recording.passes().len();
            std::thread::sleep(Duration::from_secs_f64(each * recording.passes().len() as f64));
            let time = |pass: &Pass| PassTime {
                kernel: pass.kernel().to_owned(),
                dispatches: 1,
                time: Duration::from_secs_f64(each),
            };
            let mut kernels = Vec::new();
            super::add(&mut kernels, recording.passes().iter().map(time).collect());
            Ok(kernels)
        });
        (ran, run.expect("nothing fails"))
    }

    #[test]
    fn a_run_that_fits_is_whole_and_of_a_longer_one_a_part_stands_for_the_whole() {
        let work = work();
        let dispatches = |run: &super::Run| run.kernels.iter().map(|one| one.dispatches).collect::<Vec<_>>();
        let (ran, whole) = run(&work, 60.0, 0.001);
        assert_eq!((ran, whole.timed_share, dispatches(&whole)), (34, 1.0, vec![1, 16, 16, 1]));

        // 34 passes of 10 ms are 340 ms; before the limit of 100 ms there is time for the rollout and a few parts
        let (ran, part) = run(&work, 0.1, 0.01);
        assert!((4..=10).contains(&ran), "{ran} passes ran");
        assert!(part.seconds >= 0.34 && part.timed_share < 0.7, "{part:?}");
        assert_eq!(dispatches(&part), [1, 16, 16, 1]);
        let gradient = part.kernels[1].time.as_secs_f64();
        assert!((gradient - 0.16).abs() < 1e-6, "{gradient}");

        // where nothing fits there is one part
        let (ran, least) = run(&work, 0.0, 0.001);
        assert_eq!((ran, dispatches(&least)), (4, vec![1, 16, 16, 1]));
    }

    #[test]
    fn work_without_parts_is_run_whole() {
        let (ran, run) = run(&Work::of(work().all), 0.0, 0.001);
        assert_eq!((ran, run.timed_share), (34, 1.0));
    }

    #[test]
    fn a_long_run_is_enough_and_of_short_ones_five_are() {
        assert!(wants_more(0, 0.0, 0.0) && wants_more(4, 0.5, 0.0) && !wants_more(5, 0.5, 0.0));
        assert!(wants_more(100, 1.9, 2.0) && !wants_more(5, 2.1, 2.0));
        assert!(wants_more(2, 3.0, 2.0) && !wants_more(1, 8.0, 2.0));
    }
}
