//! The table of budgets, and what is judged by it.

use crate::Failure;
use crate::device::{DEVICES, Device};
use crate::vulkan::Statistics;
use manyworlds::plan::{Description, Run};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `budgets.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budgets {
    /// The driver that exceptions were recorded with.
    pub driver: String,
    /// Of every kernel, by the driver's names.
    kernel: BTreeMap<String, Bound>,
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// An algorithm on an environment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub algo: String,
    pub env: String,
    pub settings: Vec<String>,
    dispatches: Dispatches,
    #[serde(default, rename = "exception")]
    exceptions: Vec<Exception>,
}

/// Largest numbers of dispatches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dispatches {
    /// Of an update.
    update: Option<usize>,
    /// Of a gradient step and the steps of worlds that belong to it: of the loop that makes most of an update.
    gradient_step: Option<usize>,
}

/// Kernels that may do worse.
#[derive(Deserialize)]
struct Exception {
    reason: String,
    /// Figures by device, kernel, and the driver's names.
    #[serde(flatten)]
    figures: BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>>,
}

impl Bound {
    fn allows(&self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= *bound,
            Self::AtLeast(bound) => value >= *bound,
        }
    }

    /// The same kind of bound at another value.
    fn at(&self, value: f64) -> Self {
        match self {
            Self::AtMost(_) => Self::AtMost(value),
            Self::AtLeast(_) => Self::AtLeast(value),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::AtLeast(bound) => format!("at least {bound}"),
        }
    }
}

impl Budgets {
    pub fn read() -> Result<Self, Failure> {
        let told = |error: String| Failure::new(1, format!("benches/budget/budgets.toml: {error}"));
        let budgets: Self = toml::from_str(include_str!("budgets.toml")).map_err(|error| told(error.to_string()))?;
        for case in &budgets.cases {
            for (device, kernels) in case.exceptions.iter().flat_map(|exception| &exception.figures) {
                if !DEVICES.iter().any(|known| known.name == device && known.driver.judged) {
                    let message = format!("{}: exception for a GPU '{device}' that has no budgets", case.name);
                    return Err(told(message));
                }
                let mut names = kernels.values().flat_map(BTreeMap::keys);
                if let Some(name) = names.find(|name| !budgets.kernel.contains_key(*name)) {
                    return Err(told(format!("{}: exception from a budget '{name}' that there is not", case.name)));
                }
            }
        }
        Ok(budgets)
    }

    /// Prints what a driver says of a case's kernels, and collects what is not within the budgets; `recorded` where this is the
    /// driver of the exceptions.
    pub fn judge(
        &self,
        case: &Case,
        device: &Device,
        compiled: &[(&str, &Statistics)],
        recorded: bool,
        broken: &mut Vec<String>,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let driver = device.driver;
        let titles = driver.columns.iter().map(|(title, _)| *title);
        let mut rows = vec![["kernel"].into_iter().chain(titles).map(str::to_owned).collect()];
        let place = format!("{}, {}", device.name, case.name);
        for (kernel, statistics) in compiled {
            let says = |name: &str| {
                let missing = || {
                    let says: Vec<&str> = statistics.keys().map(String::as_str).collect();
                    let (needed, says) = (driver.needed(), says.join(", "));
                    Failure::new(3, format!("{kernel}: this driver says nothing of '{name}', but {says}; {needed}"))
                };
                statistics.get(name).copied().ok_or_else(missing)
            };
            let mut row = vec![(*kernel).to_owned()];
            for (_, name) in driver.columns {
                row.push(says(name)?.to_string());
            }
            let mut mark = "";
            for (name, bound) in self.kernel.iter().filter(|_| driver.judged) {
                let (value, budget) = (says(name)?, bound.words());
                let exception = case.exception(device, kernel, name);
                let found = format!("{place}, {kernel}: {name} {value}, {budget} is the budget");
                match exception {
                    None if bound.allows(value) => {}
                    None => {
                        mark = "BROKEN";
                        broken.push(found);
                    }
                    Some((figure, _)) if bound.allows(value) => {
                        let message = format!("{found}: the exception that allows {figure} is not needed; take it out");
                        if recorded { broken.push(message) } else { notes.push(message) }
                    }
                    Some((figure, reason)) if !bound.at(figure).allows(value) => {
                        mark = "BROKEN";
                        broken.push(format!("{found}, {} the exception ({reason})", bound.at(figure).words()));
                    }
                    Some((figure, _)) => {
                        mark = if mark.is_empty() { "exception" } else { mark };
                        if bound.at(value).words() != bound.at(figure).words() {
                            notes.push(format!("{found}: the exception allows {figure}"));
                        }
                    }
                }
            }
            row.push(mark.to_owned());
            rows.push(row);
        }
        print_table(&rows);
        let excepted = case.exceptions.iter().filter_map(|exception| exception.figures.get(device.name));
        for kernel in excepted.flat_map(BTreeMap::keys) {
            if !compiled.iter().any(|(name, _)| name == kernel) {
                broken.push(format!(
                    "{place}: exception for '{kernel}', a kernel that the plan does not have; take it out"
                ));
            }
        }
        Ok(())
    }
}

impl Case {
    /// The figure that a kernel is allowed instead of a budget, and why.
    fn exception(&self, device: &Device, kernel: &str, name: &str) -> Option<(f64, &str)> {
        self.exceptions.iter().find_map(|exception| {
            let figure = exception.figures.get(device.name)?.get(kernel)?.get(name)?;
            Some((*figure, exception.reason.as_str()))
        })
    }

    /// Each number of dispatches with a budget, in words, and that budget.
    fn dispatches(&self, plan: &Description) -> Vec<(&'static str, usize, usize)> {
        let update = plan.recordings.iter().find(|recording| recording.name == "update");
        let loops = update.map(manyworlds::plan::RecordingDescription::folded).unwrap_or_default();
        let loops = loops.iter().filter_map(|run| match run {
            Run::Pass(_) => None,
            Run::Times(times, runs) => Some((times * length(runs), length(runs))),
        });
        let of_loop = loops.max().map_or(0, |(_, length)| length);
        let of_update = update.map_or(0, |recording| recording.passes.len());
        let budgets = [
            ("an update", of_update, self.dispatches.update),
            ("a gradient step", of_loop, self.dispatches.gradient_step),
        ];
        budgets.into_iter().filter_map(|(of, dispatches, budget)| Some((of, dispatches, budget?))).collect()
    }

    pub fn judge_dispatches(&self, plan: &Description, broken: &mut Vec<String>, notes: &mut Vec<String>) {
        for (of, dispatches, budget) in self.dispatches(plan) {
            let message = format!("{}: {dispatches} dispatches of {of}, at most {budget} is the budget", self.name);
            match dispatches.cmp(&budget) {
                std::cmp::Ordering::Greater => broken.push(message),
                std::cmp::Ordering::Less => notes.push(message),
                std::cmp::Ordering::Equal => {}
            }
        }
    }

    pub fn heading(&self, plan: &Description) -> String {
        let dispatches = self.dispatches(plan).into_iter();
        let dispatches: Vec<_> =
            dispatches.map(|(of, dispatches, _)| format!("{dispatches} dispatches of {of}")).collect();
        let (algo, env, settings) = (&self.algo, &self.env, self.settings.join(" "));
        format!("{}: {algo} on {env}, {settings}; {}", self.name, dispatches.join(", "))
    }
}

/// Passes of runs, repetitions included.
fn length(runs: &[Run]) -> usize {
    let of = |run: &Run| match run {
        Run::Pass(_) => 1,
        Run::Times(times, runs) => times * length(runs),
    };
    runs.iter().map(of).sum()
}

/// Names to the left, numbers to the right; the first row are titles.
fn print_table(rows: &[Vec<String>]) {
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    for row in rows {
        let mut line = format!("{:1$}", row[0], widths[0]);
        for (cell, width) in row[1..].iter().zip(&widths[1..]) {
            line += &format!("  {cell:>width$}");
        }
        let mark = row.get(widths.len()).map_or("", String::as_str);
        println!("  {}", format!("{line}  {mark}").trim_end());
    }
}
