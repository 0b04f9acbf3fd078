//! `manyworlds train --seeds`: several seeds in one launch.

use super::say::{print_json, say};
use super::tensorboard::TensorBoard;
use super::train::{Task, Train, picture};
use super::tui::Shown;
use super::{ranks, signals};
use crate::algo;
use crate::cli::ExitCode;
use crate::error::shown;
use crate::train::{Event, Options, RESULTS_FILE, RunDirectory, Seeds, SeedsOutcome, SeedsSummary, Stop, run_seeds};
use crate::{Config, Environment, Error, Result};
use indicatif::HumanCount;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Most seeds of a launch.
const MOST: usize = 1 << 16;

/// `1..10` (both ends), `3`, and several of them with commas between.
///
/// # Errors
/// [`Error::Setting`] where that is not what is written, or a seed is there twice.
pub fn parse(text: &str) -> Result<Vec<u32>> {
    let refuse = |reason: String| Err(Error::Setting { name: "seeds".to_owned(), reason });
    let mut seeds = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once("..").unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) else {
            return refuse(format!("'{part}' is not allowed; write 1..10, or 1,2,5"));
        };
        if last < first {
            return refuse(format!("'{part}' ends before it begins; write {last}..{first}"));
        }
        if (last - first) as usize >= MOST || seeds.len() + (last - first) as usize >= MOST {
            return refuse(format!("{text} are more than {MOST} seeds"));
        }
        seeds.extend(first..=last);
    }
    let mut known = HashSet::new();
    match seeds.iter().find(|seed| !known.insert(**seed)) {
        Some(twice) => refuse(format!("{twice} is there twice")),
        None => Ok(seeds),
    }
}

/// So many seeds from one on.
///
/// # Errors
/// [`Error::Setting`] where there are none, or none so large.
pub fn from(first: u32, agents: u32) -> Result<Vec<u32>> {
    let refuse = |reason: String| Err(Error::Setting { name: "agents".to_owned(), reason });
    if agents == 0 || agents as usize > MOST {
        return refuse(format!("{agents} is not allowed; it must be from 1 to {MOST}"));
    }
    match first.checked_add(agents - 1) {
        Some(last) => Ok((first..=last).collect()),
        None => refuse(format!("there are not {agents} seeds from {first} on; the largest is {}", u32::MAX)),
    }
}

impl Train {
    /// Agents of these seeds, side by side.
    pub(super) fn train_seeds(
        &self,
        task: &Task,
        directory: &RunDirectory,
        options: &Options,
        seeds: &[u32],
    ) -> Result<ExitCode> {
        let Task { env, config, .. } = task;
        self.begin_log(Some(directory.path()))?;
        let out = directory.path().display().to_string();
        say(format_args!("run directory: {out}"));
        let sizes = ranks::agree(algo::sizes(config, env, seeds.len() as u32))?;
        let gpu = self.open_for(sizes.largest(), Some(seeds))?;
        let progress = Shown::new(self.tui, env, config, seeds, directory.path(), &gpu)?;
        let command = std::env::args().collect::<Vec<String>>().join(" ");
        let folder = |seed: &u32| directory.path().join(format!("seed-{seed}"));
        let mut board = TensorBoard::new(env, config, seeds.iter().map(folder).collect());
        let seeds = Seeds { seeds, command: &command };
        let outcome = run_seeds(&gpu, env, config, seeds, directory, options, |event| {
            if let Event::Begins { .. } = event {
                signals::train();
            }
            board.event(&event).iter().for_each(|trouble| progress.above(trouble));
            let wish = progress.event(&event);
            if signals::code().is_some() { ControlFlow::Break(Stop::Save) } else { ControlFlow::Continue(wish) }
        });
        progress.end();
        picture(directory);
        let summary = match outcome? {
            SeedsOutcome::Finished(summary) => summary,
            SeedsOutcome::Stopped { updates } => {
                say(format_args!("interrupted after update {updates}; policies of the last evaluation are in {out}"));
                return Ok(ExitCode::from(signals::code().unwrap_or(1)));
            }
        };
        self.told(&summary, env, config, options.until_solved)
    }

    fn told(&self, summary: &SeedsSummary, env: &Environment, config: &Config, until_solved: bool) -> Result<ExitCode> {
        for of_seed in &summary.seeds {
            let best = of_seed.eval_of_best.map_or(String::new(), |best| format!("; best member {best}"));
            let solved = if of_seed.solved { ", solved" } else { "" };
            say(format_args!("seed {}: return {}{best}{solved}", of_seed.seed, of_seed.eval));
        }
        let middle = &summary.interquartile_mean;
        say(format_args!(
            "{}: {} seeds of {} in {:.1} s, {} steps each: interquartile mean {:.1} (95 % from {:.1} to {:.1}){}",
            shown(env.name()),
            summary.seeds.len(),
            config.algo.name(),
            summary.wall_s,
            HumanCount(summary.env_steps),
            middle.mean,
            middle.low,
            middle.high,
            match env.spec().reward_threshold {
                Some(_) => format!("; {} of {} solved", summary.solved, summary.seeds.len()),
                None => String::new(),
            }
        ));
        say(format_args!("saved to {}, all results in {RESULTS_FILE}", summary.run_dir.display()));
        if self.json {
            print_json(summary)?;
        }
        let all = summary.solved == summary.seeds.len();
        Ok(if until_solved && !all { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

#[cfg(test)]
mod tests {
    use super::{from, parse};

    #[test]
    fn seeds_are_lists_and_ranges() {
        for (text, seeds) in
            [("1..4", vec![1, 2, 3, 4]), ("7", vec![7]), ("3, 1..2,9", vec![3, 1, 2, 9]), ("5..5", vec![5])]
        {
            assert_eq!(parse(text).ok(), Some(seeds), "{text}");
        }
        for (text, word) in [
            ("", "''"),
            ("1..", "'1..'"),
            ("4..1", "write 1..4"),
            ("1,2,1", "1 is there twice"),
            ("-1", "'-1'"),
            ("0..4294967295", "more than"),
            ("4294967296", "write 1..10"),
        ] {
            let refused = parse(text).expect_err(text).to_string();
            assert!(refused.contains(word), "{text}: {refused}");
        }
        assert_eq!(from(4, 3).ok(), Some(vec![4, 5, 6]));
        assert!(from(u32::MAX, 2).is_err() && from(1, 0).is_err());
        assert_eq!(from(u32::MAX, 1).ok(), Some(vec![u32::MAX]));
    }
}
