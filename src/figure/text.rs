//! Letters as outlines of the font that is built in.

use super::{Anchor, Point};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use ttf_parser::{Face, OutlineBuilder};

/// The characters of DejaVu Sans that figures use; its licence lies beside it.
const FONT: &[u8] = include_bytes!("dejavu_sans.ttf");

/// A piece of an outline, y upwards, in units of the font's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece {
    Move(f32, f32),
    Line(f32, f32),
    Curve(f32, f32, f32, f32),
    Close,
}

/// A letter: its outline and how far it moves on.
#[derive(Clone, Debug, Default)]
pub(super) struct Letter {
    pub pieces: Vec<Piece>,
    pub advance: f64,
}

struct Pen {
    pieces: Vec<Piece>,
    unit: f32,
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.pieces.push(Piece::Move(x * self.unit, y * self.unit));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.pieces.push(Piece::Line(x * self.unit, y * self.unit));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.pieces.push(Piece::Curve(x1 * self.unit, y1 * self.unit, x * self.unit, y * self.unit));
    }
    fn curve_to(&mut self, _: f32, _: f32, x2: f32, y2: f32, x: f32, y: f32) {
        // TrueType outlines have quadratic curves only
        self.quad_to(x2, y2, x, y);
    }
    fn close(&mut self) {
        self.pieces.push(Piece::Close);
    }
}

/// Every letter of the font.
fn letters() -> &'static BTreeMap<char, Letter> {
    static LETTERS: OnceLock<BTreeMap<char, Letter>> = OnceLock::new();
    LETTERS.get_or_init(|| {
        let Ok(face) = Face::parse(FONT, 0) else { return BTreeMap::new() };
        let unit = 1.0 / f32::from(face.units_per_em());
        let letter = |c: char| {
            let glyph = face.glyph_index(c)?;
            let mut pen = Pen { pieces: Vec::new(), unit };
            face.outline_glyph(glyph, &mut pen);
            let advance = f64::from(face.glyph_hor_advance(glyph)?) * f64::from(unit);
            Some((c, Letter { pieces: pen.pieces, advance }))
        };
        (' '..='\u{22ff}').filter_map(letter).collect()
    })
}

/// A letter; one that the font lacks is an empty place.
pub(super) fn letter(c: char) -> Letter {
    letters().get(&c).cloned().unwrap_or(Letter { pieces: Vec::new(), advance: 0.5 })
}

/// Width of a text of size 1.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(|c| letter(c).advance).sum()
}

/// Each letter of a text of size 1 with its place on the baseline, from the anchor on.
pub(super) fn places(text: &str, anchor: Anchor) -> Vec<(char, f64)> {
    let mut x = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width(text) / 2.0,
        Anchor::End => -width(text),
    };
    let place = |c: char| {
        let at = x;
        x += letter(c).advance;
        (c, at)
    };
    text.chars().map(place).collect()
}

/// (a, b, c, d, e, f) of the map (x, y) → (a x + c y + e, b x + d y + f) from a text of size 1, y upwards, to the paper.
pub(super) fn onto(at: Point, size: f64, turned: f64) -> [f64; 6] {
    let (sin, cos) = turned.to_radians().sin_cos();
    [size * cos, size * sin, size * sin, -size * cos, at[0], at[1]]
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn the_font_has_the_letters_of_formulas() {
        for c in "azAZ09θγλσ₁₂²∇Σ∂−±·…→".chars() {
            let letter = letters().get(&c);
            assert!(letter.is_some_and(|letter| !letter.pieces.is_empty() && letter.advance > 0.0), "{c}");
        }
    }
}
