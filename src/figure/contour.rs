//! Lines of equal height by marching squares, and their joining to runs.

use super::Point;
use std::collections::HashMap;

/// Heights at the corners of a grid of squares.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    /// Places of the columns and of the rows.
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// `[row][column]`
    pub height: Vec<f64>,
}

impl Grid {
    /// A grid of so many squares over a rectangle, with the heights of a function.
    pub fn new(x: [f64; 2], y: [f64; 2], squares: usize, height: impl Fn(f64, f64) -> f64) -> Self {
        let places = |[low, high]: [f64; 2]| -> Vec<f64> {
            (0..=squares).map(|i| low + (high - low) * i as f64 / squares as f64).collect()
        };
        let (x, y) = (places(x), places(y));
        let height = y.iter().flat_map(|&y| x.iter().map(move |&x| (x, y))).map(|(x, y)| height(x, y)).collect();
        Self { x, y, height }
    }
}

/// An edge of the grid: its first corner, and whether it goes up instead of right.
type Edge = (usize, usize, bool);

/// Runs of points at one level.
pub(crate) fn contours(grid: &Grid, level: f64) -> Vec<Vec<Point>> {
    let columns = grid.x.len();
    let height = |c: usize, r: usize| grid.height[r * columns + c] - level;
    let point = |(c, r, up): Edge| {
        let (other_c, other_r) = if up { (c, r + 1) } else { (c + 1, r) };
        let (a, b) = (height(c, r), height(other_c, other_r));
        let t = a / (a - b);
        [grid.x[c] + t * (grid.x[other_c] - grid.x[c]), grid.y[r] + t * (grid.y[other_r] - grid.y[r])]
    };
    // which edges of which squares a line joins
    let mut joined: HashMap<Edge, Vec<Edge>> = HashMap::new();
    for r in 0..grid.y.len() - 1 {
        for c in 0..columns - 1 {
            let edges = [(c, r, false), (c + 1, r, true), (c, r + 1, false), (c, r, true)];
            let corners = [(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)];
            let above = corners.map(|(c, r)| height(c, r) > 0.0);
            let crossed: Vec<Edge> = (0..4).filter(|&i| above[i] != above[(i + 1) % 4]).map(|i| edges[i]).collect();
            // of a saddle, the edges around its first corner are left together
            let pairs: &[[usize; 2]] = if crossed.len() == 4 { &[[0, 3], [1, 2]] } else { &[[0, 1]] };
            for &[a, b] in pairs.iter().filter(|_| !crossed.is_empty()) {
                joined.entry(crossed[a]).or_default().push(crossed[b]);
                joined.entry(crossed[b]).or_default().push(crossed[a]);
            }
        }
    }
    // ends at the border come first, then closed lines; in the order of the grid, so that runs repeat
    let mut starts: Vec<Edge> = joined.keys().copied().collect();
    starts.sort_by_key(|edge| (joined[edge].len(), *edge));
    let mut runs = Vec::new();
    for start in starts {
        let mut run = Vec::new();
        let mut next = joined.contains_key(&start).then_some(start);
        while let Some(edge) = next {
            run.push(point(edge));
            let others = joined.remove(&edge).unwrap_or_default();
            next = others.into_iter().find(|other| joined.contains_key(other));
            if next.is_none() && run.len() > 2 && edge != start && closes(edge, start) {
                run.push(run[0]);
            }
        }
        if run.len() > 1 {
            runs.push(run);
        }
    }
    runs
}

/// Whether two edges belong to one square.
fn closes((c, r, _): Edge, (other_c, other_r, _): Edge) -> bool {
    c.abs_diff(other_c) <= 1 && r.abs_diff(other_r) <= 1
}

#[cfg(test)]
mod tests {
    use super::{Grid, contours};

    #[test]
    fn a_cone_has_circles_for_contours() {
        let grid = Grid::new([-2.0, 2.0], [-2.0, 2.0], 101, f64::hypot);
        let runs = contours(&grid, 1.0);
        assert_eq!(runs.len(), 1, "one circle");
        let ([x, y], [end_x, end_y]) = (runs[0][0], runs[0][runs[0].len() - 1]);
        assert!((x - end_x).hypot(y - end_y) < 1e-12, "it is closed");
        // linear between corners a square of s = 4/101 away: off by at most s²/8 over the radius, once for each axis
        let most = 2.0 * (4.0f64 / 101.0).powi(2) / 8.0;
        for [x, y] in &runs[0] {
            assert!((x.hypot(*y) - 1.0).abs() <= most, "({x}, {y}) is no point of the circle");
        }
        let plane = contours(&Grid::new([0.0, 1.0], [0.0, 1.0], 7, |x, _| x), 0.4);
        assert_eq!(plane.len(), 1, "a line from border to border");
        assert!(plane[0].len() == 8 && plane[0].iter().all(|[x, _]| (x - 0.4).abs() < 1e-12), "{plane:?}");
    }
}
