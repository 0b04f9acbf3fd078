//! Runs side by side: grouped by what they have in common, and each group's curve over its seeds.

use super::{Point, Run, draw, write};
use crate::error::{Error, Result};
use crate::statistics::Interquartile;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Points of a curve over several runs, at most.
const PLACES: usize = 80;
/// Resamples of each of its intervals.
const RESAMPLES: u32 = 2000;

/// What curves are drawn against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// Steps of all worlds.
    #[default]
    Steps,
    /// Wall seconds.
    Seconds,
}

/// What is compared of which runs.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The runs.
    pub runs: Vec<Run>,
    /// The number that is drawn: `evaluation`, or a name in `metrics.jsonl`.
    pub number: String,
    /// What groups are made by: `algo`, `env`, `seed` or a setting; by whatever differs where there is none.
    pub by: Option<String>,
    /// Points that are averaged into one; 1 = none.
    pub smooth: usize,
    /// What curves are drawn against.
    pub across: Across,
}

/// Runs of one environment that have something in common, and their curve.
pub(super) struct Group {
    pub name: String,
    pub runs: usize,
    /// (steps or seconds, middle, lower end, upper end)
    pub curve: Vec<[f64; 4]>,
}

/// What is drawn of one environment.
pub(super) struct Sheet {
    pub env: String,
    pub threshold: Option<f32>,
    pub groups: Vec<Group>,
}

impl Comparison {
    /// Draws the comparison into files that end in `.svg` or `.png`.
    ///
    /// # Errors
    /// [`Error::Setting`] where runs do not have the number, or what they are grouped by; [`Error::File`].
    pub fn draw(&self, paths: &[&Path]) -> Result<()> {
        let sheets = self.sheets()?;
        write(&draw::of_comparison(self, &sheets), paths)
    }

    pub(super) fn sheets(&self) -> Result<Vec<Sheet>> {
        let by = match &self.by {
            Some(by) => vec![by.clone()],
            None => self.differing(),
        };
        let mut sheets: Vec<Sheet> = Vec::new();
        let mut grouped: BTreeMap<(String, String), Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            grouped.entry((run.env.clone(), Self::label(run, &by)?)).or_default().push(run);
        }
        for ((env, name), runs) in grouped {
            let series = runs.iter().map(|run| self.series(run)).collect::<Result<Vec<_>>>()?;
            let group = Group { name, runs: runs.len(), curve: curve(&series) };
            match sheets.iter_mut().find(|sheet| sheet.env == env) {
                Some(sheet) => sheet.groups.push(group),
                None => sheets.push(Sheet { env, threshold: runs[0].threshold, groups: vec![group] }),
            }
        }
        Ok(sheets)
    }

    /// What differs between the runs, the seed left out; the algorithm alone where that differs, since its defaults do too.
    fn differing(&self) -> Vec<String> {
        let Some(first) = self.runs.first() else { return Vec::new() };
        if self.runs.iter().any(|run| run.algo != first.algo) {
            return vec!["algo".to_owned()];
        }
        let differs = |name: &&String| {
            *name != "seed" && self.runs.iter().any(|run| run.settings.get(*name) != first.settings.get(*name))
        };
        first.settings.keys().filter(differs).cloned().collect()
    }

    /// What a run is called by these names.
    fn label(run: &Run, by: &[String]) -> Result<String> {
        if by.is_empty() {
            return Ok(run.algo.clone());
        }
        let part = |name: &String| {
            let value = match name.as_str() {
                "algo" => return Ok(run.algo.clone()),
                "env" => return Ok(run.env.clone()),
                "run" => return Ok(run.folder.display().to_string()),
                "seed" => Value::from(run.seed),
                name => run.settings.get(name).cloned().ok_or_else(|| {
                    let reason = format!(
                        "{} has no setting of this name; algo, env, run, seed and settings can be grouped by",
                        run.folder.display()
                    );
                    Error::setting(name, reason)
                })?,
            };
            Ok(format!("{name} = {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        Ok(by.iter().map(part).collect::<Result<Vec<_>>>()?.join(", "))
    }

    /// The number of a run: (steps or seconds, value, standard error).
    fn series(&self, run: &Run) -> Result<Vec<[f64; 3]>> {
        let points = run.points(&self.number);
        if points.is_empty() {
            let names = run.names().join(", ");
            let reason = format!("{} has no such numbers; it has evaluation, {names}", run.folder.display());
            return Err(Error::setting(&self.number, reason));
        }
        let at = |point: &Point| match self.across {
            Across::Steps => point.step,
            Across::Seconds => point.seconds,
        };
        let series: Vec<[f64; 3]> =
            points.iter().map(|point| [at(point), point.value, point.error.unwrap_or(0.0)]).collect();
        Ok(smoothed(&series, self.smooth))
    }
}

/// Means over so many neighbouring points, fewer at the ends.
fn smoothed(series: &[[f64; 3]], points: usize) -> Vec<[f64; 3]> {
    let (before, behind) = (points.saturating_sub(1) / 2, points / 2);
    let mean = |n: usize| {
        let near = &series[n.saturating_sub(before)..(n + behind + 1).min(series.len())];
        let count = near.len() as f64;
        let value = near.iter().map(|point| point[1]).sum::<f64>() / count;
        let error = near.iter().map(|point| point[2].powi(2)).sum::<f64>().sqrt() / count;
        [series[n][0], value, error]
    };
    (0..series.len()).map(mean).collect()
}

/// The curve of a group. Of one run it is that run's, with 1.96 standard errors where it has any; of several it is the interquartile
/// mean with its 95 % interval, where all of them have values.
pub(super) fn curve(series: &[Vec<[f64; 3]>]) -> Vec<[f64; 4]> {
    if let [single] = series {
        return single
            .iter()
            .map(|&[at, value, error]| [at, value, value - 1.96 * error, value + 1.96 * error])
            .collect();
    }
    let first = series.iter().filter_map(|run| run.first()).map(|point| point[0]).fold(f64::MIN, f64::max);
    let last = series.iter().filter_map(|run| run.last()).map(|point| point[0]).fold(f64::MAX, f64::min);
    let places: Vec<f64> = match series.iter().min_by_key(|run| run.len()) {
        // where all were looked at at the same places, these are kept
        Some(fewest)
            if fewest.len() <= PLACES && series.iter().all(|run| fewest.iter().all(|point| has(run, point[0]))) =>
        {
            fewest.iter().map(|point| point[0]).collect()
        }
        _ if first < last => (0..PLACES).map(|n| first + (last - first) * n as f64 / (PLACES - 1) as f64).collect(),
        _ => vec![last],
    };
    let at = |&place: &f64| {
        let values: Vec<f64> = series.iter().map(|run| interpolated(run, place)).collect();
        let found = Interquartile::with(&values, RESAMPLES);
        [place, found.mean, found.low, found.high]
    };
    places.iter().map(at).collect()
}

fn has(run: &[[f64; 3]], place: f64) -> bool {
    run.binary_search_by(|point| point[0].total_cmp(&place)).is_ok()
}

/// The value at a place, between neighbours, and that of an end beyond it.
fn interpolated(run: &[[f64; 3]], place: f64) -> f64 {
    let behind = run.partition_point(|point| point[0] < place);
    match (behind.checked_sub(1).and_then(|before| run.get(before)), run.get(behind)) {
        (Some(a), Some(b)) => a[1] + (b[1] - a[1]) * (place - a[0]) / (b[0] - a[0]).max(f64::MIN_POSITIVE),
        (Some(end), None) | (None, Some(end)) => end[1],
        (None, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::{curve, interpolated, smoothed};

    #[test]
    fn curves_of_several_runs_are_their_interquartile_mean_where_all_have_values() {
        let run = |level: f64| vec![[10.0, level, 0.5], [20.0, level + 1.0, 0.5]];
        let single = curve(&[run(3.0)]);
        assert_eq!(single[1].map(f64::to_bits), [20.0, 4.0, 4.0 - 0.98, 4.0 + 0.98_f64].map(f64::to_bits));
        let several = curve(&[run(0.0), run(1.0), run(2.0), run(100.0)]);
        assert_eq!(several.len(), 2, "the places that all have");
        assert_eq!((several[0][1], several[1][1]), (1.5, 2.5), "lowest and highest quarter left out");
        assert!(several[0][2] < 1.5 && several[0][3] > 1.5);
        let apart = curve(&[run(0.0), vec![[12.0, 5.0, 0.0], [18.0, 5.0, 0.0]]]);
        assert_eq!((apart[0][0], apart[apart.len() - 1][0]), (12.0, 18.0));
        assert!((apart[0][1] - 2.6).abs() < 1e-12, "{:?}", apart[0]);
    }

    #[test]
    fn numbers_between_points_lie_on_the_line() {
        let run = [[10.0, 1.0, 0.0], [20.0, 3.0, 0.0]];
        let found = [5.0, 10.0, 15.0, 20.0, 25.0].map(|at| interpolated(&run, at));
        assert!(found.iter().zip([1.0, 1.0, 2.0, 3.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        let series: Vec<[f64; 3]> = (0..5).map(|n| [f64::from(n), f64::from(n * n), 3.0]).collect();
        let means: Vec<f64> = smoothed(&series, 3).iter().map(|point| point[1]).collect();
        assert_eq!(means, [0.5, 5.0 / 3.0, 14.0 / 3.0, 29.0 / 3.0, 12.5]);
        assert!((smoothed(&series, 3)[1][2] - 3_f64.sqrt()).abs() < 1e-12);
        assert_eq!(smoothed(&series, 1), series);
    }
}
