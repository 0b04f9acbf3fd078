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

/// Rows and columns, N, by default.
pub const SIZE: usize = 10;
/// Cost c of N moves to the right.
pub const UNSCALED_MOVE_COST: f64 = 0.01;
/// Seed of the mapping by default; with 0 action 1 moves right everywhere.
pub const MAPPING_SEED: u32 = 42;

/// A grid and its mapping of actions.
#[derive(Clone, Copy, Debug)]
pub struct DeepSea {
    /// Rows and columns, N.
    pub size: usize,
    /// Seed of the mapping; with 0 action 1 moves right everywhere.
    pub mapping_seed: u32,
}

impl Default for DeepSea {
    fn default() -> Self {
        Self { size: SIZE, mapping_seed: MAPPING_SEED }
    }
}

impl DeepSea {
    /// The action that moves right in a cell.
    pub fn right_action(self, row: usize, column: usize) -> u32 {
        if self.mapping_seed == 0 {
            return 1;
        }
        let cell = (row * self.size + column) as u32;
        let mut x = self.mapping_seed.wrapping_mul(0x9e37_79b9).wrapping_add(cell);
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x >> 31
    }

    /// One step from `state` with action 0 or 1; draws nothing.
    pub fn step(self, state: &[f64], action: &[f64]) -> Step {
        let (row, column, last) = (state[0] as usize, state[1] as usize, self.size - 1);
        let right = action[0] as u32 == self.right_action(row, column);
        let (next, reward) = if right {
            let treasure = f64::from(column == last);
            ((column + 1).min(last), treasure - UNSCALED_MOVE_COST / self.size as f64)
        } else {
            (column.saturating_sub(1), 0.0)
        };
        Step { state: vec![(row + 1) as f64, next as f64], reward, terminated: row == last }
    }

    /// One-hot row, then one-hot column; 0 after the end.
    pub fn observe(self, state: &[f64]) -> Vec<f64> {
        let mut observation = vec![0.0; 2 * self.size];
        let (row, column) = (state[0] as usize, state[1] as usize);
        if row < self.size {
            observation[row] = 1.0;
            observation[self.size + column] = 1.0;
        }
        observation
    }

    /// The best return of an episode, by dynamic programming from the last row up.
    pub fn optimal_return(self) -> f64 {
        let mut values = vec![0.0; self.size];
        for row in (0..self.size).rev() {
            let best = |column: usize| {
                let after = |action: f64| {
                    let step = self.step(&[row as f64, column as f64], &[action]);
                    step.reward + values[step.state[1] as usize]
                };
                [0.0, 1.0].map(after).into_iter().fold(f64::NEG_INFINITY, f64::max)
            };
            values = (0..self.size).map(best).collect();
        }
        values[0]
    }
}

/// The action that moves right in a cell of the grid of [`SIZE`].
pub fn right_action(row: usize, column: usize, mapping_seed: u32) -> u32 {
    DeepSea { size: SIZE, mapping_seed }.right_action(row, column)
}

/// [`DeepSea::step`] of the default.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    DeepSea::default().step(state, action)
}

/// [`DeepSea::observe`] of the default.
pub fn observe(state: &[f64]) -> Vec<f64> {
    DeepSea::default().observe(state)
}

/// The upper left corner; draws nothing.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0, 0.0]
}

/// [`DeepSea::optimal_return`] of the default.
pub fn optimal_return() -> f64 {
    DeepSea::default().optimal_return()
}
