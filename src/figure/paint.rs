//! A figure as PNG.

use super::text::{Piece, letter, onto, places};
use super::{Colour, Figure, Point, SCALE, Shape, rectangle};
use crate::error::{Error, Result};
use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

impl Figure {
    /// The figure as the bytes of a PNG.
    ///
    /// # Errors
    /// [`Error::File`] where it has no size or too much of it.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let failed = |reason: String| Error::File { action: "write", path: "figure.png".into(), reason };
        let [width, height] = self.size.map(|x| (x * f64::from(SCALE)) as u32);
        let mut paper = Pixmap::new(width, height).ok_or_else(|| failed(format!("{width} × {height} pixels")))?;
        let scaled = Transform::from_scale(SCALE, SCALE);
        for shape in &self.shapes {
            match shape {
                Shape::Lines { runs, closed, fill, pen, clip } => {
                    let Some(path) = through(runs, *closed) else { continue };
                    let mask = clip.and_then(|clip| {
                        let mut mask = Mask::new(width, height)?;
                        mask.fill_path(
                            &through(&[rectangle(self.clips[clip])], true)?,
                            FillRule::Winding,
                            true,
                            scaled,
                        );
                        Some(mask)
                    });
                    if let Some((colour, opacity)) = fill {
                        paper.fill_path(&path, &paint(*colour, *opacity), FillRule::Winding, scaled, mask.as_ref());
                    }
                    if let Some(pen) = pen {
                        let stroke = Stroke {
                            width: pen.width as f32,
                            line_cap: LineCap::Round,
                            line_join: LineJoin::Round,
                            ..Stroke::default()
                        };
                        let ink = paint(pen.colour, pen.opacity);
                        paper.stroke_path(&path, &ink, &stroke, scaled, mask.as_ref());
                    }
                }
                Shape::Text { text, at, size, anchor, turned, colour } => {
                    let [a, b, c, d, e, f] = onto(*at, *size, *turned).map(|x| x as f32);
                    let map = Transform::from_row(a, b, c, d, e, f).post_concat(scaled);
                    for (c, x) in places(text, *anchor) {
                        let Some(path) = outline(&letter(c).pieces) else { continue };
                        let map = map.pre_translate(x as f32, 0.0);
                        paper.fill_path(&path, &paint(*colour, 1.0), FillRule::Winding, map, None);
                    }
                }
            }
        }
        paper.encode_png().map_err(|error| failed(error.to_string()))
    }
}

fn paint(Colour(r, g, b): Colour, opacity: f64) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, (255.0 * opacity).round() as u8);
    paint
}

fn through(runs: &[Vec<Point>], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for run in runs {
        for (i, [x, y]) in run.iter().enumerate() {
            if i == 0 { builder.move_to(*x as f32, *y as f32) } else { builder.line_to(*x as f32, *y as f32) }
        }
        if closed {
            builder.close();
        }
    }
    builder.finish()
}

fn outline(pieces: &[Piece]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for piece in pieces {
        match *piece {
            Piece::Move(x, y) => builder.move_to(x, y),
            Piece::Line(x, y) => builder.line_to(x, y),
            Piece::Curve(a, b, x, y) => builder.quad_to(a, b, x, y),
            Piece::Close => builder.close(),
        }
    }
    builder.finish()
}
