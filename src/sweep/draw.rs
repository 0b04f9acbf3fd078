//! The picture of a sweep: the return against every setting that varied, and, where they are few, every two settings with
//! the return as colour. Colours of returns are those of cividis (Nuñez, Anderton & Renslow 2018) at five places.

use super::{Found, Trial, Values, Vary, short};
use crate::error::Result;
use crate::figure::{Anchor, Axis, Colour, Figure, Panel, Pen, Point, polygon, rectangle};
use crate::file;
use std::path::Path;

/// Size of a panel, and of the cell that it lies in.
const PANEL: [f64; 2] = [250.0, 190.0];
const CELL: [f64; 2] = [340.0, 266.0];
/// Where the first cell begins.
const TOP: f64 = 78.0;
const LEFT: f64 = 72.0;
/// Room for the legend.
const FOOT: f64 = 34.0;
/// Panels side by side.
const COLUMNS: usize = 3;
/// Most settings of which every two are drawn.
const MOST_PAIRS: usize = 4;
const INK: Colour = Colour::grey(40);
const FINAL: Colour = Colour(213, 94, 0);

impl Found {
    /// Writes `sweep.svg` and `sweep.png` into a directory; each appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File).
    pub fn write_picture(&self, out: &Path) -> Result<()> {
        let figure = self.draw();
        let (svg, png) = (figure.to_svg(), figure.to_png()?);
        file::replace_all(&[(&out.join("sweep.svg"), svg.as_bytes()), (&out.join("sweep.png"), &png)])
    }

    fn draw(&self) -> Figure {
        let pairs: Vec<(usize, usize)> = match self.vary.len() {
            2..=MOST_PAIRS => (0..self.vary.len()).flat_map(|a| (0..a).map(move |b| (b, a))).collect(),
            _ => Vec::new(),
        };
        let panels = self.vary.len() + pairs.len();
        let columns = panels.min(COLUMNS);
        let width = LEFT + CELL[0] * columns as f64;
        let height = TOP + CELL[1] * panels.div_ceil(COLUMNS) as f64 + FOOT;
        let head = format!("Sweep of {} on {}", self.algo, self.env);
        let mut figure = Figure::new(width.max(640.0), height, &head);
        figure.text(&head, [LEFT, 30.0], 17.0, Anchor::Start, INK);
        let told = format!("{} trials, each by its mean return in its last round", self.trials.len());
        figure.text(&told, [LEFT, 50.0], 12.0, Anchor::Start, Colour::grey(90));
        let place = |n: usize| {
            let (row, column) = ((n / COLUMNS) as f64, (n % COLUMNS) as f64);
            [LEFT + CELL[0] * column, TOP + CELL[1] * row, PANEL[0], PANEL[1]]
        };
        for (n, vary) in self.vary.iter().enumerate() {
            self.returns(&mut figure, vary, place(n));
        }
        for (n, &(a, b)) in pairs.iter().enumerate() {
            self.pair(&mut figure, [&self.vary[a], &self.vary[b]], place(self.vary.len() + n));
        }
        self.legend(&mut figure, !pairs.is_empty(), height - 14.0);
        figure
    }

    /// Lowest and highest return of a trial.
    fn ends(&self) -> [f64; 2] {
        let scores = self.trials.iter().filter_map(|trial| trial.score);
        let ends = scores.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], x| [a.min(x), b.max(x)]);
        if ends[0] < ends[1] { ends } else { [ends[0], ends[0] + 1.0] }
    }

    /// Rounds that there were.
    fn rounds(&self) -> u32 {
        self.trials.iter().map(|trial| trial.round).max().unwrap_or(0) + 1
    }

    /// The return of all trials against a setting; finalists with their intervals.
    fn returns(&self, figure: &mut Figure, vary: &Vary, place: [f64; 4]) {
        let intervals = self.finalists.iter().filter_map(|of| of.interquartile_mean);
        let all = self.trials.iter().filter_map(|trial| trial.score);
        let all: Vec<f64> = all.chain(intervals.flat_map(|of| [of.low, of.high])).collect();
        let panel = Panel { place, x: axis(vary), y: Axis::over("return", all) };
        figure.clip(Some(place));
        for (value, _) in &panel.y.ticks {
            let line = panel.x.ends.map(|x| panel.at([x, *value]));
            figure.line(line.to_vec(), Pen::new(Colour::grey(232), 1.0));
        }
        for trial in &self.trials {
            let x = at(vary, trial);
            match trial.score {
                Some(score) => circle(figure, panel.at([x, score]), self.shade(trial.round)),
                None => cross(figure, above(panel.at([x, panel.y.ends[0]]))),
            }
        }
        for finalist in &self.finalists {
            let Some(mean) = finalist.interquartile_mean else { continue };
            let x = at(vary, &finalist.trial);
            figure.line(vec![panel.at([x, mean.low]), panel.at([x, mean.high])], Pen::new(FINAL, 1.6));
            diamond(figure, panel.at([x, mean.mean]));
        }
        figure.clip(None);
        panel.frame(figure, "", INK);
    }

    /// All trials by two settings, the better ones above.
    fn pair(&self, figure: &mut Figure, [a, b]: [&Vary; 2], place: [f64; 4]) {
        let panel = Panel { place, x: axis(a), y: axis(b) };
        let ends = self.ends();
        figure.clip(Some(place));
        let mut trials: Vec<&Trial> = self.trials.iter().collect();
        trials.sort_by(|a, b| a.score.unwrap_or(f64::MIN).total_cmp(&b.score.unwrap_or(f64::MIN)));
        for trial in trials {
            let at = panel.at([at(a, trial), at(b, trial)]);
            match trial.score {
                Some(score) => circle(figure, at, of_return((score - ends[0]) / (ends[1] - ends[0]))),
                None => cross(figure, at),
            }
        }
        for finalist in &self.finalists {
            let at = panel.at([at(a, &finalist.trial), at(b, &finalist.trial)]);
            let mut ring = polygon(at, 7.0, 24);
            ring.push(ring[0]);
            figure.line(ring, Pen::new(FINAL, 1.6));
        }
        figure.clip(None);
        panel.frame(figure, "", INK);
    }

    /// The colour of a round: the later, the darker.
    fn shade(&self, round: u32) -> Colour {
        let share = f64::from(round + 1) / f64::from(self.rounds());
        mix(Colour(190, 205, 220), Colour(0, 90, 150), if self.rounds() == 1 { 1.0 } else { share })
    }

    fn legend(&self, figure: &mut Figure, pairs: bool, y: f64) {
        let mut x = LEFT;
        let mut entry = |figure: &mut Figure, text: &str, mark: &dyn Fn(&mut Figure, Point)| {
            mark(figure, [x + 6.0, y - 4.0]);
            figure.text(text, [x + 16.0, y], 11.0, Anchor::Start, INK);
            x += 34.0 + Figure::width(text, 11.0);
        };
        for round in 0..self.rounds() {
            let text = if self.rounds() == 1 { "a trial".to_owned() } else { format!("round {}", round + 1) };
            entry(figure, &text, &|figure, at| circle(figure, at, self.shade(round)));
        }
        if self.trials.iter().any(|trial| trial.score.is_none()) {
            entry(figure, "not finite", &|figure, at| cross(figure, at));
        }
        entry(figure, "fresh seeds: interquartile mean, 95 %", &|figure, at| diamond(figure, at));
        if pairs {
            let [low, high] = self.ends().map(|end| short(&format!("{end:.1}")).replace('-', "−"));
            figure.text(&low, [x, y], 11.0, Anchor::Start, INK);
            x += 6.0 + Figure::width(&low, 11.0);
            for n in 0..40 {
                let strip = rectangle([x + 2.0 * f64::from(n), y - 10.0, 2.2, 11.0]);
                figure.area(vec![strip], of_return(f64::from(n) / 39.0), 1.0);
            }
            figure.text(&format!("{high} return"), [x + 86.0, y], 11.0, Anchor::Start, INK);
        }
    }
}

/// The axis of a setting.
fn axis(vary: &Vary) -> Axis {
    match &vary.values {
        Values::Uniform(low, high) => Axis::over(&vary.name, [*low, *high]),
        Values::Log(low, high) => Axis::logarithmic(&vary.name, *low, *high),
        Values::Choices(choices) => Axis::of_names(&vary.name, choices),
    }
}

/// Where a trial lies on the axis of a setting.
fn at(vary: &Vary, trial: &Trial) -> f64 {
    let value = trial.values.get(&vary.name).map_or("", String::as_str);
    let number = || value.parse().unwrap_or(0.0);
    match &vary.values {
        Values::Uniform(..) => number(),
        Values::Log(..) => f64::log10(number()),
        Values::Choices(choices) => {
            // trials of one choice side by side, by their numbers
            let apart = f64::from(trial.number.wrapping_mul(2_654_435_769)) / f64::from(u32::MAX) - 0.5;
            choices.iter().position(|choice| choice == value).unwrap_or(0) as f64 + 0.5 * apart
        }
    }
}

fn circle(figure: &mut Figure, at: Point, colour: Colour) {
    figure.outlined(polygon(at, 4.0, 14), colour, Pen::new(Colour::WHITE, 0.7));
}

fn diamond(figure: &mut Figure, at: Point) {
    figure.outlined(polygon(at, 5.5, 4), FINAL, Pen::new(Colour::WHITE, 0.8));
}

fn cross(figure: &mut Figure, [x, y]: Point) {
    let runs = vec![vec![[x - 3.5, y - 3.5], [x + 3.5, y + 3.5]], vec![[x - 3.5, y + 3.5], [x + 3.5, y - 3.5]]];
    figure.lines(runs, Pen::new(Colour::grey(110), 1.4));
}

/// The colour of a share from 0 to 1 of the way from the lowest to the highest return.
fn of_return(share: f64) -> Colour {
    const PLACES: [Colour; 5] =
        [Colour(0, 34, 78), Colour(64, 77, 107), Colour(124, 123, 120), Colour(187, 175, 113), Colour(254, 232, 56)];
    let at = share.clamp(0.0, 1.0) * 4.0;
    let n = (at as usize).min(3);
    mix(PLACES[n], PLACES[n + 1], at - n as f64)
}

fn mix(a: Colour, b: Colour, share: f64) -> Colour {
    let part = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    Colour(part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}

/// A little above a place.
fn above([x, y]: Point) -> Point {
    [x, y - 7.0]
}
