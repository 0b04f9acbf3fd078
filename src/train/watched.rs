//! What a run tells besides, now and then, where somebody watches: where the time goes, and what is done. Nothing of it changes
//! a result: timestamps stand around passes that the run makes anyway, and actions are copied behind them.

use crate::algo::{ActionRows, Learning};
use crate::gpu::{Arrived, Gpu, MOST_SPANS, Recording, Span, Stopwatch};
use serde::Serialize;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How often it is told, at most.
const EVERY: Duration = Duration::from_secs(2);

/// A part of the work of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stage {
    /// Worlds step under the policy, or those of members of a search.
    Rollout,
    /// Values of observations, advantages, importance weights, and moments of them.
    Values,
    /// Minibatches, gradients, optimiser, line search.
    Gradients,
    /// A generation is drawn, ranked and recombined.
    Population,
    /// Whole updates, where an adapter has no timestamps.
    Updates,
    /// Evaluations; no part of an update.
    Evaluation,
}

impl Stage {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Rollout, Self::Values, Self::Gradients, Self::Population, Self::Updates, Self::Evaluation];

    /// In a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rollout => "rollout",
            Self::Values => "values",
            Self::Gradients => "gradients",
            Self::Population => "population",
            Self::Updates => "updates",
            Self::Evaluation => "evaluation",
        }
    }

    /// That of a kernel; none where it is of what follows it: layers of wide networks serve all stages.
    fn of(kernel: &str) -> Option<Self> {
        match kernel {
            "reduce episodes" => return Some(Self::Rollout),
            "reduce measures" => return Some(Self::Gradients),
            "finish generation" => return Some(Self::Population),
            _ => {}
        }
        match kernel.split(' ').next().unwrap_or_default() {
            "layer" | "observe" => None,
            "restart" | "rollout" | "act" | "interact" | "remember" | "evaluate" | "fitness" => Some(Self::Rollout),
            "perturb" | "rank" | "weigh" | "recombine" => Some(Self::Population),
            "value" | "gae" | "returns" | "segment" | "ratio" | "whole" | "per" | "log" | "reduce" | "discount"
            | "merge" => Some(Self::Values),
            _ => Some(Self::Gradients),
        }
    }
}

/// What a watched run tells besides.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Watched {
    /// Device time of the stages of the last update, and of the evaluation behind it if that was timed. Where the adapter has
    /// no timestamps: the host's time of [`Stage::Updates`] and [`Stage::Evaluation`].
    pub stages: Vec<(Stage, Duration)>,
    /// Actions that worlds of the first agent took in the last update, some thousand of them, `[word][action]` as
    /// [`crate::layout::Row::Action`] has them; empty where none are kept, as in searches.
    pub actions: Vec<Vec<u32>>,
}

/// A run that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    stopwatch: Option<Stopwatch>,
    /// An update, part by part.
    update: Vec<(Stage, Recording)>,
    /// When an update, and when an evaluation was timed last.
    timed: [Option<Instant>; 2],
}

/// What of it a submission takes along.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Stages of its timed spans, in order.
    stages: Vec<Stage>,
    /// Whether the update was timed.
    pub update: bool,
    /// Whether the evaluation was timed.
    pub evaluation: bool,
    /// Where it lies among the sources that are read.
    first: usize,
    /// How many sources a word of an action has, and how many words there are.
    actions: [usize; 2],
}

/// Runs of neighbours of the same stage.
fn parts(update: &Recording) -> Vec<(Stage, Recording)> {
    let mut stages: Vec<Stage> = Vec::with_capacity(update.passes().len());
    let mut next = Stage::Gradients;
    for pass in update.passes().iter().rev() {
        next = Stage::of(pass.kernel()).unwrap_or(next);
        stages.push(next);
    }
    let mut parts: Vec<(Stage, Recording)> = Vec::new();
    for (pass, stage) in update.passes().iter().zip(stages.into_iter().rev()) {
        match parts.last_mut() {
            Some((last, part)) if *last == stage => part.push(pass),
            _ => {
                let mut part = Recording::default();
                part.push(pass);
                parts.push((stage, part));
            }
        }
    }
    parts
}

impl Watch {
    pub fn new(gpu: &Gpu, learning: &Learning) -> Self {
        let update = parts(&learning.update);
        let stopwatch = Stopwatch::new(gpu, update.len() + 1);
        Self { stopwatch, update, timed: [None; 2] }
    }

    /// The work of a submission, in spans, and what is to be told of it: of its last update, and of its evaluation.
    pub fn spans(&mut self, updates: &[&Recording], evaluation: Recording) -> (Vec<Span>, Wanted) {
        let is_due = |last: Option<Instant>| last.is_none_or(|last| last.elapsed() >= EVERY);
        let mut wanted = Wanted::default();
        let now = Instant::now();
        let (mut plain, mut spans) = (Recording::default(), Vec::new());
        wanted.update = !updates.is_empty() && is_due(self.timed[0]);
        let before = updates.len() - usize::from(wanted.update);
        for update in &updates[..before] {
            plain.extend(update);
        }
        spans.push(Span { passes: plain, timed: false });
        if wanted.update {
            self.timed[0] = Some(now);
            for (stage, passes) in &self.update {
                spans.push(Span { passes: passes.clone(), timed: true });
                wanted.stages.push(*stage);
            }
        }
        if !evaluation.passes().is_empty() {
            wanted.evaluation = is_due(self.timed[1]);
            if wanted.evaluation {
                self.timed[1] = Some(now);
                wanted.stages.push(Stage::Evaluation);
            }
            spans.push(Span { passes: evaluation, timed: wanted.evaluation });
        }
        wanted.stages.truncate(MOST_SPANS);
        (spans, wanted)
    }

    pub fn stopwatch(&self) -> Option<&Stopwatch> {
        self.stopwatch.as_ref()
    }

    /// Adds what is read of it to the sources of a submission.
    pub fn read<'a>(
        &'a self,
        wanted: &mut Wanted,
        rows: Option<ActionRows<'a>>,
        sources: &mut Vec<(&'a wgpu::Buffer, Range<u64>)>,
    ) {
        wanted.first = sources.len();
        if let Some(stopwatch) = self.stopwatch.as_ref().filter(|_| !wanted.stages.is_empty()) {
            sources.push(stopwatch.source(wanted.stages.len()));
        }
        if let Some(ActionRows { buffer, words }) = rows.filter(|_| wanted.update) {
            wanted.actions = [words.first().map_or(0, Vec::len), words.len()];
            sources.extend(words.into_iter().flatten().map(|bytes| (buffer, bytes)));
        }
    }

    /// What has arrived of it; without timestamps an update took `update`, and the evaluation so long.
    pub fn arrived(&self, wanted: &Wanted, arrived: &Arrived, [update, evaluation]: [Option<Duration>; 2]) -> Watched {
        let mut watched = Watched::default();
        let mut first = wanted.first;
        match &self.stopwatch {
            Some(stopwatch) if !wanted.stages.is_empty() => {
                for (stage, time) in wanted.stages.iter().zip(stopwatch.times(&arrived.take::<u64>(first))) {
                    match watched.stages.iter_mut().find(|(known, _)| known == stage) {
                        Some((_, sum)) => *sum += time,
                        None => watched.stages.push((*stage, time)),
                    }
                }
                first += 1;
            }
            Some(_) => {}
            None => {
                let host =
                    [(Stage::Updates, wanted.update, update), (Stage::Evaluation, wanted.evaluation, evaluation)];
                let told = host.into_iter().filter(|(_, wanted, _)| *wanted);
                watched.stages = told.filter_map(|(stage, _, time)| Some((stage, time?))).collect();
            }
        }
        let [pieces, words] = wanted.actions;
        let word = |n: usize| (0..pieces).flat_map(|piece| arrived.take::<u32>(first + n * pieces + piece)).collect();
        watched.actions = (0..words).map(word).collect();
        watched
    }
}

#[cfg(test)]
mod tests {
    use super::{Stage, parts};
    use crate::gpu::{Pass, Recording};

    #[test]
    fn layers_are_of_the_stage_that_they_serve() {
        let kernels = ["rollout", "rollout", "observe", "layer forward", "value", "gae", "observe", "layer forward"];
        let mut update = Recording::default();
        for kernel in kernels.into_iter().chain(["gradient actor", "adam", "finish update"]) {
            update.push(&Pass::declared(kernel, 1, 1));
        }
        let parts = parts(&update);
        let found: Vec<(Stage, usize)> = parts.iter().map(|(stage, part)| (*stage, part.passes().len())).collect();
        assert_eq!(found, [(Stage::Rollout, 2), (Stage::Values, 4), (Stage::Gradients, 5)]);
        let again: Vec<usize> = parts.iter().flat_map(|(_, part)| part.passes()).map(Pass::identity).collect();
        assert_eq!(again, update.passes().iter().map(Pass::identity).collect::<Vec<_>>());
    }
}
