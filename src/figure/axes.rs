//! Axes: from numbers to places on the paper, with ticks and names.

use super::{Anchor, Colour, Figure, Pen, Point, rectangle};

/// An axis: its ends, and its ticks with what they are called. Ends may fall.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub name: String,
    pub ends: [f64; 2],
    pub ticks: Vec<(f64, String)>,
}

/// A rectangle (x, y, width, height) of the paper with its axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub place: [f64; 4],
    pub x: Axis,
    pub y: Axis,
}

impl Axis {
    /// An axis over some numbers, with a little room at both ends.
    pub fn over(name: &str, numbers: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) =
            numbers.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let room = if high > low { 0.06 * (high - low) } else { 0.5 };
        let ends = [low - room, high + room];
        // 1, 2 or 5 times a power of ten apart, at most six of them
        let least = (ends[1] - ends[0]) / 6.0;
        let power = 10_f64.powf(least.log10().floor());
        let apart = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|apart| *apart >= least);
        let apart = apart.unwrap_or(10.0 * power);
        let decimals = (-apart.log10().floor()).max(0.0) as usize;
        let tick = |n: i64| (n as f64 * apart, format!("{:.decimals$}", n as f64 * apart).replace('-', "−"));
        let ticks = ((ends[0] / apart).ceil() as i64..=(ends[1] / apart).floor() as i64).map(tick).collect();
        Self { name: name.to_owned(), ends, ticks }
    }

    /// The same axis with large numbers at its ticks in thousands or millions.
    pub fn counted(mut self) -> Self {
        let largest = self.ends.iter().fold(0.0_f64, |largest, end| largest.max(end.abs()));
        let (unit, letter) = match largest {
            1e9.. => (1e9, "G"),
            1e6.. => (1e6, "M"),
            1e4.. => (1e3, "k"),
            _ => return self,
        };
        let apart = self.ticks.windows(2).map(|pair| pair[1].0 - pair[0].0).next().unwrap_or(unit) / unit;
        let decimals = (-(apart * (1.0 + 1e-9)).log10().floor()).max(0.0) as usize;
        for (value, name) in &mut self.ticks {
            *name = if *value == 0.0 { "0".to_owned() } else { format!("{:.decimals$}{letter}", *value / unit) };
        }
        self
    }

    /// An axis of decimal logarithms between two numbers above 0, with a little room at both ends.
    pub fn logarithmic(name: &str, low: f64, high: f64) -> Self {
        let (low, high) = (low.log10(), high.log10());
        let room = 0.04 * (high - low);
        let tick =
            |power: i32, times: f64| (f64::from(power) + times.log10(), format!("{}", times * 10_f64.powi(power)));
        let ticks = |times: &[f64]| -> Vec<(f64, String)> {
            let powers = low.floor() as i32..=high.ceil() as i32;
            let all = powers.flat_map(|power| times.iter().map(move |times| tick(power, *times)));
            all.filter(|(at, _)| (low - 1e-9..=high + 1e-9).contains(at)).collect()
        };
        let (decades, thirds) = (ticks(&[1.0]), ticks(&[1.0, 2.0, 5.0]));
        let ticks = if decades.len() < 2 { thirds } else { decades };
        Self { name: name.to_owned(), ends: [low - room, high + room], ticks }
    }

    /// An axis with names at 0, 1, 2, …
    pub fn of_names(name: &str, names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(n, name)| (n as f64, name.clone())).collect();
        Self { name: name.to_owned(), ends: [-0.5, names.len() as f64 - 0.5], ticks }
    }
}

/// Size of the letters at ticks, and of names.
const TICK: f64 = 11.0;
const NAME: f64 = 13.0;
const INK: Colour = Colour::grey(60);

impl Panel {
    /// Where a pair of numbers lies on the paper.
    pub fn at(&self, [x, y]: Point) -> Point {
        let [left, top, width, height] = self.place;
        let share = |axis: &Axis, x: f64| (x - axis.ends[0]) / (axis.ends[1] - axis.ends[0]);
        [left + width * share(&self.x, x), top + height * (1.0 - share(&self.y, y))]
    }

    /// Draws the frame, ticks, their names, and the axes' names where they are wanted.
    pub fn frame(&self, figure: &mut Figure, title: &str, title_colour: Colour) {
        let [left, top, width, height] = self.place;
        let (bottom, thin) = (top + height, Pen::new(INK, 1.0));
        let mut border = rectangle(self.place);
        border.push(border[0]);
        figure.line(border, thin);
        for (value, name) in &self.x.ticks {
            let [x, _] = self.at([*value, self.y.ends[0]]);
            figure.line(vec![[x, bottom], [x, bottom + 4.0]], thin);
            figure.text(name, [x, bottom + 6.0 + TICK], TICK, Anchor::Middle, INK);
        }
        for (value, name) in &self.y.ticks {
            let [_, y] = self.at([self.x.ends[0], *value]);
            figure.line(vec![[left - 4.0, y], [left, y]], thin);
            figure.text(name, [left - 7.0, y + 0.36 * TICK], TICK, Anchor::End, INK);
        }
        figure.text(&self.x.name, [left + width / 2.0, bottom + 36.0], NAME, Anchor::Middle, INK);
        let widest = self.y.ticks.iter().map(|(_, name)| Figure::width(name, TICK)).fold(0.0, f64::max);
        let beside = left - f64::max(44.0, widest + 18.0);
        figure.turned(&self.y.name, [beside, top + height / 2.0], NAME, Anchor::Middle, INK, -90.0);
        figure.text(title, [left, top - 9.0], NAME, Anchor::Start, title_colour);
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn ticks_are_round() {
        let names = |axis: Axis| axis.ticks.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(Axis::over("x", [0.0, 500.0])), ["0", "100", "200", "300", "400", "500"]);
        assert_eq!(names(Axis::over("x", [-0.12, 0.1])), ["−0.10", "−0.05", "0.00", "0.05", "0.10"]);
        assert_eq!(names(Axis::over("x", [7.0])), ["6.6", "6.8", "7.0", "7.2", "7.4"]);
        assert_eq!(names(Axis::logarithmic("x", 1e-4, 1e-2)), ["0.0001", "0.001", "0.01"]);
        assert_eq!(names(Axis::logarithmic("x", 0.1, 0.6)), ["0.1", "0.2", "0.5"]);
        assert_eq!(names(Axis::over("x", [0.0, 4e6]).counted()), ["0", "1M", "2M", "3M", "4M"]);
        assert_eq!(names(Axis::over("x", [0.0, 1.2e6]).counted()), ["0", "0.5M", "1.0M"]);
        assert_eq!(names(Axis::over("x", [0.0, 5e4]).counted()), ["0", "10k", "20k", "30k", "40k", "50k"]);
        let (low, high) = (Axis::over("x", []).ends[0], Axis::over("x", []).ends[1]);
        assert!(low < high);
    }
}
