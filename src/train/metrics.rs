//! `metrics.jsonl`: a line for each update.

use crate::config::Config;
use crate::layout::{Measured, Metrics};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Name of the file in a run directory.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// Episodes that a mean return is over at least, where there were so many: the last of them.
const RECENT: u64 = 100;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Number of the update, from 0.
    pub update: u32,
    /// Steps of all worlds after the update.
    pub step: u64,
    /// Wall seconds of the run, from the start of its process; those between a stop and `--resume` do not count. Updates that
    /// were read together share their time evenly.
    pub seconds: f64,
    /// Mean return of the latest episodes, from this update and as many before it as have 100 together; null before the first has ended.
    pub mean_return: Option<f64>,
    /// Their mean length in steps.
    pub mean_length: Option<f64>,
    /// How many they are.
    pub mean_of: u64,
    /// Mean return of the episodes that ended in this update alone; null where none did.
    pub update_return: Option<f32>,
    /// Their mean length in steps.
    pub update_length: Option<f32>,
    /// How many they are.
    pub episodes: u32,
    /// How many of them terminated.
    pub terminated: u32,
    /// How many of them were truncated.
    pub truncated: u32,
    /// What its algorithm measures, by name, as [`Config::measures`] lists it.
    #[serde(flatten)]
    pub measures: Measures,
    /// Steps per second since the report before.
    pub steps_per_s: f64,
}

/// Numbers by name, in the order in which they are written.
#[derive(Clone, Debug)]
pub struct Measures(Vec<(&'static str, Measured)>);

impl Measures {
    /// The number of this name; none where the algorithm does not measure it.
    pub fn get(&self, name: &str) -> Option<Measured> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }

    /// All of them, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Measured)> {
        self.0.iter().copied()
    }
}

impl Serialize for Measures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// What a run that goes on needs of the lines that it has left.
#[derive(Deserialize)]
pub(super) struct Earlier {
    pub update: u32,
    pub seconds: f64,
    pub episodes: u32,
    pub update_return: Option<f32>,
    pub update_length: Option<f32>,
}

/// The latest episodes of a run: those of its last updates that have so many together.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// (episodes, their mean return, their mean length) of an update, the latest last.
    updates: VecDeque<(u64, f64, f64)>,
    episodes: u64,
}

impl Recent {
    /// An update in which so many episodes ended.
    pub fn add(&mut self, episodes: u32, means: Option<[f32; 2]>) {
        let Some([mean_return, mean_length]) = means.filter(|_| episodes > 0) else { return };
        self.updates.push_back((episodes.into(), mean_return.into(), mean_length.into()));
        self.episodes += u64::from(episodes);
        while let Some(&(oldest, ..)) = self.updates.front()
            && self.episodes - oldest >= RECENT
        {
            self.episodes -= oldest;
            self.updates.pop_front();
        }
    }

    /// How many they are.
    fn episodes(&self) -> u64 {
        self.episodes
    }

    /// Their mean return and their mean length.
    fn means(&self) -> Option<[f64; 2]> {
        let sum = |part: fn(&(u64, f64, f64)) -> f64| -> f64 {
            self.updates.iter().map(|update| update.0 as f64 * part(update)).sum()
        };
        let count = self.episodes as f64;
        (self.episodes > 0).then(|| [sum(|update| update.1) / count, sum(|update| update.2) / count])
    }
}

impl Line {
    /// That of an update, which ended at this step and second; `recent` learns of its episodes.
    pub(super) fn of(
        metrics: &Metrics,
        config: &Config,
        step: u64,
        seconds: f64,
        steps_per_s: f64,
        recent: &mut Recent,
    ) -> Self {
        let episodes = metrics.episodes as u32;
        let means = (metrics.episodes > 0.0)
            .then(|| [metrics.return_sum / metrics.episodes, metrics.length_sum / metrics.episodes]);
        recent.add(episodes, means);
        let latest = recent.means();
        Self {
            update: metrics.update,
            step,
            seconds,
            mean_return: latest.map(|[mean, _]| mean),
            mean_length: latest.map(|[_, mean]| mean),
            mean_of: recent.episodes(),
            update_return: means.map(|[mean, _]| mean),
            update_length: means.map(|[_, mean]| mean),
            episodes,
            terminated: metrics.terminated as u32,
            truncated: (metrics.episodes - metrics.terminated) as u32,
            measures: Measures(config.measures().iter().map(|&name| (name, metrics.measured(name))).collect()),
            steps_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn means_are_over_the_last_hundred_episodes_in_whole_updates() {
        let mut recent = Recent::default();
        assert_eq!((recent.episodes(), recent.means()), (0, None));
        recent.add(0, None);
        recent.add(30, Some([10.0, 1.0]));
        recent.add(10, Some([50.0, 5.0]));
        assert_eq!((recent.episodes(), recent.means()), (40, Some([20.0, 2.0])));
        // the first is needed as long as the others have fewer than 100
        recent.add(89, Some([20.0, 2.0]));
        assert_eq!((recent.episodes(), recent.means()), (129, Some([20.0, 2.0])));
        recent.add(1, Some([50.0, 5.0]));
        let mean = (10.0 * 50.0 + 89.0 * 20.0 + 50.0) / 100.0;
        assert_eq!(recent.episodes(), 100);
        assert!(recent.means().is_some_and(|[found, _]| (found - mean).abs() < 1e-12));
        // an update with more than enough stands alone
        recent.add(2000, Some([7.0, 3.0]));
        assert_eq!((recent.episodes(), recent.means()), (2000, Some([7.0, 3.0])));
    }
}
