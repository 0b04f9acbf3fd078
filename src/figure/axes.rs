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
        figure.turned(&self.y.name, [left - 44.0, top + height / 2.0], NAME, Anchor::Middle, INK, -90.0);
        figure.text(title, [left, top - 9.0], NAME, Anchor::Start, title_colour);
    }
}
