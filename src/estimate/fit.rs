//! Least squares of small systems, in f64.

/// What is left of a column, as a share of its square, below which it counts as a combination of those before it.
const DEPENDENT: f64 = 1e-10;

/// Solves the normal equations G x = y of least squares, G being symmetric, by elimination. A column that depends on
/// those before it gets 0. Also gives the diagonal of G⁻¹, on the other columns.
pub(super) fn solve(gram: &[Vec<f64>], right: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = right.len();
    // [G | y | I]
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let unit = (0..n).map(|j| if i == j { 1.0 } else { 0.0 });
            gram[i].iter().copied().chain([right[i]]).chain(unit).collect()
        })
        .collect();
    let mut kept = vec![false; n];
    for column in 0..n {
        if rows[column][column] <= DEPENDENT * gram[column][column] {
            continue;
        }
        kept[column] = true;
        let pivot = rows[column][column];
        rows[column].iter_mut().for_each(|x| *x /= pivot);
        let row = rows[column].clone();
        for (i, other) in rows.iter_mut().enumerate() {
            let factor = other[column];
            if i != column {
                other.iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    let pick = |i: usize, column: usize| if kept[i] { rows[i][column] } else { 0.0 };
    ((0..n).map(|i| pick(i, n)).collect(), (0..n).map(|i| pick(i, n + 1 + i)).collect())
}

/// Coefficients of y ≈ c₀ + c₁ x + c₂ x², from pairs (x, y).
pub(super) fn quadratic(pairs: impl Iterator<Item = (f64, f64)>) -> [f64; 3] {
    let (mut gram, mut right) = (vec![vec![0.0; 3]; 3], [0.0; 3]);
    for (x, y) in pairs {
        let powers = [1.0, x, x * x];
        for (i, a) in powers.iter().enumerate() {
            right[i] += a * y;
            gram[i].iter_mut().zip(powers).for_each(|(sum, b)| *sum += a * b);
        }
    }
    let solution = solve(&gram, &right).0;
    [solution[0], solution[1], solution[2]]
}

/// A linear fit and how far its slopes can be trusted.
pub(super) struct Slopes {
    pub slopes: Vec<f64>,
    /// Standard errors, from what the fit leaves.
    pub errors: Vec<f64>,
}

/// Slopes of y ≈ c + g · x, x being `[point][parameter]`; points number at least two more than slopes.
pub(super) fn slopes(x: &[Vec<f64>], y: &[f64]) -> Slopes {
    let (count, n) = (y.len() as f64, x[0].len());
    let mean = |i: usize| x.iter().map(|row| row[i]).sum::<f64>() / count;
    let means: Vec<f64> = (0..n).map(mean).collect();
    let mean_y = y.iter().sum::<f64>() / count;
    let centred: Vec<Vec<f64>> = x.iter().map(|row| row.iter().zip(&means).map(|(x, m)| x - m).collect()).collect();
    let sum = |f: &dyn Fn(usize) -> f64| (0..y.len()).map(f).sum::<f64>();
    let gram: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| sum(&|p| centred[p][i] * centred[p][j])).collect()).collect();
    let right: Vec<f64> = (0..n).map(|i| sum(&|p| centred[p][i] * (y[p] - mean_y))).collect();
    let (slopes, inverse) = solve(&gram, &right);
    let left = |p: usize| y[p] - mean_y - centred[p].iter().zip(&slopes).map(|(x, g)| x * g).sum::<f64>();
    let variance = sum(&|p| left(p).powi(2)) / (count - n as f64 - 1.0);
    Slopes { errors: inverse.iter().map(|d| (variance * d).sqrt()).collect(), slopes }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)] // what is left out is exactly 0

    use super::{quadratic, slopes};

    #[test]
    fn fits_find_what_points_were_made_from() {
        let points = (0..20).map(|i| f64::from(i) / 7.0);
        let [a, b, c] = quadratic(points.map(|x| (x, 2.0 - 3.0 * x + 0.5 * x * x)));
        // the powers of twenty points up to 3 have a condition number below 1e4
        assert!((a - 2.0).abs() + (b + 3.0).abs() + (c - 0.5).abs() < 1e-10, "{a} {b} {c}");
        // one point over and over: x and x² say no more than the constant
        let [a, b, c] = quadratic([(1.0, 4.0), (1.0, 6.0)].into_iter());
        assert!((a - 5.0).abs() < 1e-12 && b == 0.0 && c == 0.0, "{a} {b} {c}");
        let x: Vec<Vec<f64>> = (0..9).map(|i| vec![f64::from(i % 3), f64::from(i / 3)]).collect();
        let y: Vec<f64> = x.iter().map(|x| 1.0 + 4.0 * x[0] - 2.0 * x[1]).collect();
        let fit = slopes(&x, &y);
        assert!((fit.slopes[0] - 4.0).abs() + (fit.slopes[1] + 2.0).abs() < 1e-12, "{:?}", fit.slopes);
        assert!(fit.errors.iter().all(|e| *e < 1e-12), "points on a plane leave nothing: {:?}", fit.errors);
    }
}
