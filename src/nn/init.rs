//! Orthogonal initialisation (Saxe, McClelland & Ganguli 2014).

use crate::reference::philox::{philox4x32_10, uniform};

/// Purpose word of the random numbers that networks begin with; environments use 0 to 3.
const PURPOSE_INIT: u32 = 4;

/// A matrix `[rows][columns]` whose rows (or columns, if there are fewer) are orthogonal vectors of length `gain`,
/// uniformly distributed among these. `place` is (seed, network, layer).
pub fn orthogonal(rows: usize, columns: usize, gain: f64, place: [u32; 3]) -> Vec<f32> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    // normal vectors, made orthogonal one after the other (modified Gram-Schmidt, twice for accuracy)
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    for v in 0..count {
        let mut vector = normals(length, [v as u32, place[1] << 16 | place[2]], place[0]);
        for _ in 0..2 {
            for earlier in &vectors {
                let overlap: f64 = vector.iter().zip(earlier).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(earlier).for_each(|(a, b)| *a -= overlap * b);
            }
        }
        let norm = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
        for a in &mut vector {
            *a /= norm;
        }
        vectors.push(vector);
    }
    let at = |row: usize, column: usize| if rows <= columns { vectors[row][column] } else { vectors[column][row] };
    (0..rows * columns).map(|i| (gain * at(i / columns, i % columns)) as f32).collect()
}

/// Standard normal numbers (Box & Muller 1958).
fn normals(count: usize, place: [u32; 2], seed: u32) -> Vec<f64> {
    let block = |i: usize| philox4x32_10([place[0], place[1], PURPOSE_INIT, i as u32], [seed, 0]);
    let pair = |a: u32, b: u32| {
        let (radius, angle) = ((-2.0 * uniform(a).ln()).sqrt(), std::f64::consts::TAU * uniform(b));
        [radius * angle.cos(), radius * angle.sin()]
    };
    (0..count.div_ceil(4))
        .flat_map(|i| {
            let [a, b, c, d] = block(i);
            let ([w, x], [y, z]) = (pair(a, b), pair(c, d));
            [w, x, y, z]
        })
        .take(count)
        .collect()
}
