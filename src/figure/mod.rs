//! Figures as plain data: a list of shapes that is written as SVG and painted as PNG, so that both show the same.
//!
//! Letters are outlines of one font that is built in; nothing is asked of the system. All lengths are pixels of the SVG,
//! y downwards; a PNG has [`SCALE`] of its own to each.

mod axes;
mod contour;
mod paint;
mod svg;
mod text;

pub(crate) use axes::{Axis, Panel};
pub(crate) use contour::{Grid, contours};

/// Pixels of a PNG to one of the SVG.
const SCALE: f32 = 2.0;

/// A place (x, y).
pub(crate) type Point = [f64; 2];

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    pub const BLACK: Self = Self(0, 0, 0);
    pub const WHITE: Self = Self(255, 255, 255);

    /// A grey from 0 (black) to 255 (white).
    pub const fn grey(level: u8) -> Self {
        Self(level, level, level)
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen {
    pub colour: Colour,
    pub width: f64,
    /// From 0 to 1.
    pub opacity: f64,
}

impl Pen {
    /// An opaque line.
    pub const fn new(colour: Colour, width: f64) -> Self {
        Self { colour, width, opacity: 1.0 }
    }
}

/// Where a text begins, or what of it lies at its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// What lies on the paper.
#[derive(Clone, Debug)]
enum Shape {
    /// Runs of straight lines; closed ones can be filled (colour, opacity), where they overlap only once.
    Lines { runs: Vec<Vec<Point>>, closed: bool, fill: Option<(Colour, f64)>, pen: Option<Pen>, clip: Option<usize> },
    /// A line of text, its baseline turned about its place by degrees.
    Text { text: String, at: Point, size: f64, anchor: Anchor, turned: f64, colour: Colour },
}

/// A figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    size: [f64; 2],
    title: String,
    shapes: Vec<Shape>,
    /// Rectangles (x, y, width, height) that lines are cut off at, by their number.
    clips: Vec<[f64; 4]>,
    /// Where further lines are.
    clip: Option<usize>,
}

impl Figure {
    /// An empty figure; the title is for readers who do not see it.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut figure =
            Self { size: [width, height], title: title.to_owned(), shapes: Vec::new(), clips: Vec::new(), clip: None };
        figure.area(vec![rectangle([0.0, 0.0, width, height])], Colour::WHITE, 1.0);
        figure
    }

    /// Cuts off what follows at a rectangle (x, y, width, height), or no longer.
    pub fn clip(&mut self, rectangle: Option<[f64; 4]>) {
        self.clip = rectangle.map(|rectangle| {
            self.clips.push(rectangle);
            self.clips.len() - 1
        });
    }

    /// A line through points.
    pub fn line(&mut self, points: Vec<Point>, pen: Pen) {
        self.lines(vec![points], pen);
    }

    /// Several lines of one kind.
    pub fn lines(&mut self, runs: Vec<Vec<Point>>, pen: Pen) {
        self.shapes.push(Shape::Lines { runs, closed: false, fill: None, pen: Some(pen), clip: self.clip });
    }

    /// Areas, each with its border through these points; where they overlap they count once.
    pub fn area(&mut self, runs: Vec<Vec<Point>>, colour: Colour, opacity: f64) {
        self.shapes.push(Shape::Lines {
            runs,
            closed: true,
            fill: Some((colour, opacity)),
            pen: None,
            clip: self.clip,
        });
    }

    /// An area with a border.
    pub fn outlined(&mut self, run: Vec<Point>, colour: Colour, pen: Pen) {
        let fill = Some((colour, 1.0));
        self.shapes.push(Shape::Lines { runs: vec![run], closed: true, fill, pen: Some(pen), clip: self.clip });
    }

    /// A line of text.
    pub fn text(&mut self, text: &str, at: Point, size: f64, anchor: Anchor, colour: Colour) {
        self.turned(text, at, size, anchor, colour, 0.0);
    }

    /// The same, turned clockwise by degrees.
    pub fn turned(&mut self, text: &str, at: Point, size: f64, anchor: Anchor, colour: Colour, turned: f64) {
        self.shapes.push(Shape::Text { text: text.to_owned(), at, size, anchor, turned, colour });
    }

    /// Width of a text.
    pub fn width(text: &str, size: f64) -> f64 {
        text::width(text) * size
    }
}

/// The corners of a rectangle (x, y, width, height).
pub(crate) fn rectangle([x, y, width, height]: [f64; 4]) -> Vec<Point> {
    vec![[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
}

/// Corners of a regular polygon, the first one straight up; many of them make a circle.
pub(crate) fn polygon([x, y]: Point, radius: f64, corners: u32) -> Vec<Point> {
    let corner = |i: u32| {
        let angle = std::f64::consts::TAU * f64::from(i) / f64::from(corners);
        [x + radius * angle.sin(), y - radius * angle.cos()]
    };
    (0..corners).map(corner).collect()
}
