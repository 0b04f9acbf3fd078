//! How learning curves look. Colours are those of Okabe & Ito (2008), which readers who see fewer colours can tell apart.

use super::compare::{Across, Comparison, Sheet, curve};
use super::{Point, Run};
use crate::error::shown;
use crate::figure::{Anchor, Axis, Colour, Figure, Panel, Pen, polygon};

pub(super) const COLOURS: [Colour; 7] = [
    Colour(0, 114, 178),
    Colour(213, 94, 0),
    Colour(0, 140, 105),
    Colour(204, 121, 167),
    Colour(86, 180, 233),
    Colour(230, 159, 0),
    Colour(90, 90, 90),
];
pub(super) const INK: Colour = Colour::grey(40);
pub(super) const QUIET: Colour = Colour::grey(90);
/// Size of a panel, and of the cell that it lies in.
const PANEL: [f64; 2] = [420.0, 270.0];
const CELL: [f64; 2] = [520.0, 330.0];
const LEFT: f64 = 76.0;
const TOP: f64 = 80.0;
/// Height of a line of the legend.
const ENTRY: f64 = 18.0;
/// Points of a line that are drawn at most; of longer ones, means.
const MOST: usize = 1500;

/// The curve of one run, or of several seeds: against steps, and against seconds.
pub(super) fn of_run(runs: &[Run]) -> Figure {
    let Some(first) = runs.first() else { return Figure::new(640.0, 100.0, "no run") };
    let several = runs.len() > 1;
    let (width, height) = (LEFT + 2.0 * CELL[0], TOP + CELL[1] + 2.0 * ENTRY);
    let of = if several { format!("{} seeds", runs.len()) } else { format!("seed {}", first.seed) };
    let head = format!("{} on {}, {of}", first.algo, shown(&first.env));
    let mut figure = Figure::new(width, height, &head);
    figure.text(&head, [LEFT, 32.0], 17.0, Anchor::Start, INK);
    let last = runs.iter().filter_map(|run| run.points("evaluation").last().copied());
    let best = last.map(|point| point.value).fold(f64::NAN, f64::max);
    let told = match (best.is_nan(), several) {
        (true, _) => "Mean return of the latest episodes. There was no evaluation.".to_owned(),
        (false, false) => format!("Mean return. The last evaluation returned {best:.1} on average."),
        (false, true) => {
            format!("Mean return of each seed. The last evaluations returned {best:.1} on average at best.")
        }
    };
    figure.text(&told, [LEFT, 53.0], 12.0, Anchor::Start, QUIET);
    let training: Vec<Vec<Point>> = runs.iter().map(|run| thinned(&run.points("mean_return"))).collect();
    let evaluations: Vec<Vec<Point>> = runs.iter().map(|run| run.points("evaluation")).collect();
    let all = training.iter().chain(&evaluations).flatten();
    let values = all.clone().flat_map(interval).chain(first.threshold.map(f64::from));
    let y = Axis::over("mean return", values);
    for (n, name) in ["steps", "seconds"].into_iter().enumerate() {
        let at = |point: &Point| if n == 0 { point.step } else { point.seconds };
        let place = [LEFT + CELL[0] * n as f64, TOP, PANEL[0], PANEL[1]];
        let x = Axis::over(name, all.clone().map(at).chain([0.0])).counted();
        let panel = Panel { place, x, y: y.clone() };
        figure.clip(Some(place));
        ground(&mut figure, &panel, first.threshold);
        for (n, (training, evaluations)) in training.iter().zip(&evaluations).enumerate() {
            let colour = COLOURS[n % COLOURS.len()];
            let on_paper = |point: &Point| panel.at([at(point), point.value]);
            let faint = Pen { colour, width: 1.0, opacity: if several { 0.35 } else { 0.55 } };
            figure.line(training.iter().map(on_paper).collect(), faint);
            if several {
                figure.line(evaluations.iter().map(on_paper).collect(), Pen { opacity: 0.8, ..Pen::new(colour, 1.2) });
            }
        }
        let series = |evaluations: &Vec<Point>| -> Vec<[f64; 3]> {
            evaluations.iter().map(|point| [at(point), point.value, point.error.unwrap_or(0.0)]).collect()
        };
        let series: Vec<_> = evaluations.iter().map(series).filter(|series| !series.is_empty()).collect();
        if !series.is_empty() {
            let middle = curve(&series);
            banded(&mut figure, &panel, &middle, if several { INK } else { COLOURS[0] });
        }
        figure.clip(None);
        panel.frame(&mut figure, "", INK);
    }
    let y = TOP + CELL[1] + 10.0;
    let colour = COLOURS[0];
    let strong = if several { INK } else { colour };
    let mut x = LEFT;
    let mut entry = |figure: &mut Figure, text: &str, mark: &dyn Fn(&mut Figure, f64)| {
        mark(figure, x);
        figure.text(text, [x + 30.0, y + 4.0], 12.0, Anchor::Start, INK);
        x += 54.0 + Figure::width(text, 12.0);
    };
    entry(&mut figure, "episodes of training", &|figure, x| {
        figure.line(vec![[x, y], [x + 24.0, y]], Pen { colour, width: 1.0, opacity: 0.55 });
    });
    if several {
        entry(&mut figure, "evaluations of a seed", &|figure, x| {
            figure.line(vec![[x, y], [x + 24.0, y]], Pen { opacity: 0.8, ..Pen::new(colour, 1.2) });
        });
    }
    let told =
        if several { "their interquartile mean, 95 %" } else { "evaluations, with the 95 % interval of their mean" };
    entry(&mut figure, told, &|figure, x| {
        let band = vec![[x, y - 6.0], [x + 24.0, y - 6.0], [x + 24.0, y + 6.0], [x, y + 6.0]];
        figure.area(vec![band], strong, 0.18);
        figure.line(vec![[x, y], [x + 24.0, y]], Pen::new(strong, 1.8));
    });
    if let Some(threshold) = first.threshold {
        entry(&mut figure, &format!("solved: {threshold}"), &|figure, x| dashed(figure, [x, y], [x + 24.0, y]));
    }
    figure
}

/// Curves of groups, a panel for each environment.
pub(super) fn of_comparison(asked: &Comparison, sheets: &[Sheet]) -> Figure {
    let columns = sheets.len().clamp(1, 2);
    let most = sheets.iter().map(|sheet| sheet.groups.len()).max().unwrap_or(0);
    let cell = CELL[1] + ENTRY * most as f64 + 12.0;
    let height = TOP + cell * sheets.len().div_ceil(columns) as f64;
    let what = match asked.number.as_str() {
        "evaluation" => "mean return of evaluations".to_owned(),
        "mean_return" => "mean return of the latest episodes".to_owned(),
        name => name.replace('_', " "),
    };
    let head = format!("{} runs: {what}", asked.runs.len());
    let mut figure = Figure::new((LEFT + CELL[0] * columns as f64).max(760.0), height, &head);
    figure.text(&head, [LEFT, 32.0], 17.0, Anchor::Start, INK);
    let mut told =
        "Interquartile mean over runs with its 95 % interval; a single run with that of its means".to_owned();
    if asked.smooth > 1 {
        told += &format!("; over {} points", asked.smooth);
    }
    figure.text(&told, [LEFT, 53.0], 12.0, Anchor::Start, QUIET);
    for (n, sheet) in sheets.iter().enumerate() {
        let left = LEFT + CELL[0] * (n % columns) as f64;
        let place = [left, TOP + 6.0 + cell * (n / columns) as f64, PANEL[0], PANEL[1]];
        let curves = || sheet.groups.iter().flat_map(|group| &group.curve);
        let values = curves().flat_map(|point| point[1..].to_vec());
        let shows_returns = ["evaluation", "mean_return"].contains(&asked.number.as_str());
        let threshold = sheet.threshold.filter(|_| shows_returns);
        let name = if asked.across == Across::Steps { "steps" } else { "seconds" };
        let panel = Panel {
            place,
            x: Axis::over(name, curves().map(|point| point[0]).chain([0.0])).counted(),
            y: Axis::over(if shows_returns { "mean return" } else { &what }, values.chain(threshold.map(f64::from))),
        };
        figure.clip(Some(place));
        ground(&mut figure, &panel, threshold);
        for (n, group) in sheet.groups.iter().enumerate() {
            banded(&mut figure, &panel, &group.curve, COLOURS[n % COLOURS.len()]);
        }
        figure.clip(None);
        panel.frame(&mut figure, &shown(&sheet.env), INK);
        for (n, group) in sheet.groups.iter().enumerate() {
            let y = place[1] + PANEL[1] + 60.0 + ENTRY * n as f64;
            figure.line(vec![[left, y], [left + 24.0, y]], Pen::new(COLOURS[n % COLOURS.len()], 3.0));
            let runs = if group.runs == 1 { "1 run".to_owned() } else { format!("{} runs", group.runs) };
            let last = group.curve.last().map_or(String::new(), |[_, middle, low, high]| {
                format!(": {} ({} to {}) at the end", digits(*middle), digits(*low), digits(*high)).replace('-', "−")
            });
            let text = format!("{}, {runs}{last}", shown(&group.name));
            figure.text(&text, [left + 32.0, y + 4.0], 12.0, Anchor::Start, INK);
        }
    }
    figure
}

/// A curve (place, middle, lower end, upper end) with what lies between its ends; with its points where they are few.
fn banded(figure: &mut Figure, panel: &Panel, curve: &[[f64; 4]], colour: Colour) {
    /// Points that are shown one by one, at most.
    const FEW: usize = 40;
    let line = |end: usize| curve.iter().map(move |point| [point[0], point[end]]);
    let around: Vec<[f64; 2]> = line(2).chain(line(3).rev()).map(|point| panel.at(point)).collect();
    figure.area(vec![around], colour, 0.18);
    figure.line(line(1).map(|point| panel.at(point)).collect(), Pen::new(colour, 1.8));
    if curve.len() <= FEW {
        for point in line(1) {
            figure.outlined(polygon(panel.at(point), 3.2, 16), colour, Pen::new(Colour::WHITE, 0.8));
        }
    }
}

/// A number with as many digits as tell it apart: one behind the point from 10 on, else three that count.
fn digits(x: f64) -> String {
    let decimals =
        if x.abs() >= 10.0 || x == 0.0 { 1 } else { (2.0 - x.abs().log10().floor()).clamp(1.0, 6.0) as usize };
    format!("{x:.decimals$}")
}

/// The 95 % interval of a mean, by its standard error.
fn interval(point: &Point) -> [f64; 2] {
    let half = 1.96 * point.error.unwrap_or(0.0);
    [point.value - half, point.value + half]
}

/// Lines behind the curves, and the threshold.
fn ground(figure: &mut Figure, panel: &Panel, threshold: Option<f32>) {
    for (value, _) in &panel.y.ticks {
        let line = panel.x.ends.map(|x| panel.at([x, *value]));
        figure.line(line.to_vec(), Pen::new(Colour::grey(232), 1.0));
    }
    if let Some(threshold) = threshold {
        let [a, b] = panel.x.ends.map(|x| panel.at([x, f64::from(threshold)]));
        dashed(figure, a, b);
    }
}

pub(super) fn dashed(figure: &mut Figure, [left, y]: [f64; 2], [right, _]: [f64; 2]) {
    let runs = (0..((right - left) / 8.0).ceil() as u32).map(|n| {
        let from = left + 8.0 * f64::from(n);
        vec![[from, y], [(from + 4.5).min(right), y]]
    });
    figure.lines(runs.collect(), Pen::new(Colour::grey(120), 1.0));
}

/// Fewer points, each the mean of as many as it stands for.
fn thinned(points: &[Point]) -> Vec<Point> {
    let mean = |near: &[Point]| {
        let count = near.len() as f64;
        let of = |part: fn(&Point) -> f64| near.iter().map(part).sum::<f64>() / count;
        Point { step: of(|p| p.step), seconds: of(|p| p.seconds), value: of(|p| p.value), error: None }
    };
    points.chunks(points.len().div_ceil(MOST).max(1)).map(mean).collect()
}
