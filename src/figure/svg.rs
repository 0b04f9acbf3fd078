//! A figure as SVG. Every letter that occurs is defined once and used by its place; texts carry what they say for readers
//! who do not see them.

use super::text::{Piece, letter, onto, places};
use super::{Colour, Figure, Point, Shape};
use std::collections::BTreeSet;

impl Figure {
    /// The figure as SVG.
    pub fn to_svg(&self) -> String {
        let [width, height] = self.size;
        let mut body = String::new();
        let mut used = BTreeSet::new();
        for shape in &self.shapes {
            match shape {
                Shape::Lines { runs, closed, fill, pen, clip } => {
                    let path: String = runs.iter().map(|run| through(run, *closed)).collect();
                    let fill = fill.map_or("fill=\"none\"".to_owned(), |(colour, opacity)| {
                        format!("fill=\"{}\"{}", hex(colour), opaque("fill-opacity", opacity))
                    });
                    let pen = pen.map_or(String::new(), |pen| {
                        let faint = opaque("stroke-opacity", pen.opacity);
                        format!(" stroke=\"{}\" stroke-width=\"{}\"{faint}", hex(pen.colour), short(pen.width))
                    });
                    let clip = clip.map_or(String::new(), |clip| format!(" clip-path=\"url(#p{clip})\""));
                    body += &format!("<path {fill}{pen}{clip} d=\"{path}\"/>\n");
                }
                Shape::Text { text, at, size, anchor, turned, colour } => {
                    let map = onto(*at, *size, *turned).map(short).join(" ");
                    let label = text.replace('&', "&amp;").replace('<', "&lt;");
                    body += &format!(
                        "<g role=\"img\" aria-label=\"{label}\" fill=\"{}\" transform=\"matrix({map})\">",
                        hex(*colour)
                    );
                    for (c, x) in places(text, *anchor).into_iter().filter(|(c, _)| *c != ' ') {
                        used.insert(c);
                        body += &format!("<use href=\"#g{:x}\" x=\"{}\"/>", c as u32, short(x));
                    }
                    body += "</g>\n";
                }
            }
        }
        let glyph = |c: &char| format!("<path id=\"g{:x}\" d=\"{}\"/>\n", *c as u32, outline(&letter(*c).pieces));
        let glyphs: String = used.iter().map(glyph).collect();
        let clip = |(i, [x, y, w, h]): (usize, &[f64; 4])| {
            format!(
                "<clipPath id=\"p{i}\"><path d=\"{}\"/></clipPath>\n",
                through(&super::rectangle([*x, *y, *w, *h]), true)
            )
        };
        let clips: String = self.clips.iter().enumerate().map(clip).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\">\n<title>{}</title>\n<defs>\n{clips}{glyphs}</defs>\n\
             <g stroke-linejoin=\"round\" stroke-linecap=\"round\">\n{body}</g>\n</svg>\n",
            self.title
        )
    }
}

/// A number with as many digits as can be seen.
fn short(x: f64) -> String {
    let text = format!("{x:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The same for places on the paper.
fn place([x, y]: Point) -> String {
    let tenth = |x: f64| short((x * 10.0).round() / 10.0);
    format!("{} {}", tenth(x), tenth(y))
}

fn through(run: &[Point], closed: bool) -> String {
    let points: Vec<String> = run.iter().map(|point| place(*point)).collect();
    format!("M{}{}", points.join("L"), if closed { "Z" } else { "" })
}

fn outline(pieces: &[Piece]) -> String {
    let n = |x: f32| short(f64::from(x));
    let piece = |piece: &Piece| match *piece {
        Piece::Move(x, y) => format!("M{} {}", n(x), n(y)),
        Piece::Line(x, y) => format!("L{} {}", n(x), n(y)),
        Piece::Curve(a, b, x, y) => format!("Q{} {} {} {}", n(a), n(b), n(x), n(y)),
        Piece::Close => "Z".to_owned(),
    };
    pieces.iter().map(piece).collect()
}

fn hex(Colour(r, g, b): Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn opaque(name: &str, opacity: f64) -> String {
    if opacity < 1.0 { format!(" {name}=\"{}\"", short(opacity)) } else { String::new() }
}
