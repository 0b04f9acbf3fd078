//! DeepSea: sink through an N × N grid to the treasure in its lower right corner. Osband et al. (2017), rules of
//! bsuite (2020), deterministic.
//!
//! ```text
//!   row' = row + 1      right: column' = min(column + 1, N − 1), r = −c/N, and + 1 if column = N − 1
//!                       left:  column' = max(column − 1, 0),     r = 0          the end where row' = N
//! ```
//!
//! State: (row, column); observation: one-hot row, then one-hot column, 0 after the end. Which action moves right is
//! drawn for each cell by a hash of the mapping's seed.

use super::Step;

/// Rows and columns, N.
pub const SIZE: usize = 10;
/// Cost c of N moves to the right.
pub const UNSCALED_MOVE_COST: f64 = 0.01;
/// Seed of the mapping; with 0 action 1 moves right everywhere.
pub const MAPPING_SEED: u32 = 42;

/// The action that moves right in a cell.
pub fn right_action(row: usize, column: usize, mapping_seed: u32) -> u32 {
    if mapping_seed == 0 {
        return 1;
    }
    let cell = (row * SIZE + column) as u32;
    let mut x = mapping_seed.wrapping_mul(0x9e37_79b9).wrapping_add(cell);
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x >> 31
}

/// One step from `state` with action 0 or 1; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    let (row, column) = (state[0] as usize, state[1] as usize);
    let right = action[0] as u32 == right_action(row, column, MAPPING_SEED);
    let (next, reward) = if right {
        let treasure = f64::from(column == SIZE - 1);
        ((column + 1).min(SIZE - 1), treasure - UNSCALED_MOVE_COST / SIZE as f64)
    } else {
        (column.saturating_sub(1), 0.0)
    };
    Step { state: vec![(row + 1) as f64, next as f64], reward, terminated: row + 1 == SIZE }
}

/// One-hot row, then one-hot column; 0 after the end.
pub fn observe(state: &[f64]) -> Vec<f64> {
    let mut observation = vec![0.0; 2 * SIZE];
    let (row, column) = (state[0] as usize, state[1] as usize);
    if row < SIZE {
        observation[row] = 1.0;
        observation[SIZE + column] = 1.0;
    }
    observation
}

/// The upper left corner; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0, 0.0]
}

/// The best return of an episode, by dynamic programming from the last row up.
pub fn optimal_return() -> f64 {
    let mut random = || unreachable!("DeepSea draws nothing");
    let mut values = vec![0.0; SIZE];
    for row in (0..SIZE).rev() {
        let mut best = |column: usize| {
            let after = |action: f64| {
                let step = step(&[row as f64, column as f64], &[action], &mut random);
                step.reward + values[step.state[1] as usize]
            };
            [0.0, 1.0].map(after).into_iter().fold(f64::NEG_INFINITY, f64::max)
        };
        values = (0..SIZE).map(&mut best).collect();
    }
    values[0]
}
