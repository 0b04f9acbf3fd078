//! Catch: move a paddle under a falling ball. Mnih et al. (2014), rules of bsuite (2020).
//!
//! ```text
//!   p' = clamp(p + a − 1, 0, 4)       y' = y + 1       a = 0 left, 1 stay, 2 right
//!   the end where y' = 9, with r = 1 if p' = x and −1 if not; r = 0 before
//! ```
//!
//! State: (y, x, p), row and column of the ball and column of the paddle, which is in row 9. Observation: the board by
//! rows, 1 where the ball or the paddle is.

use super::Step;

/// Rows of the board.
pub const ROWS: usize = 10;
/// Columns of the board.
pub const COLUMNS: usize = 5;

/// One step from `state` with action 0, 1 or 2; draws nothing.
pub fn step(state: &[f64], action: &[f64], _random: &mut dyn FnMut() -> f64) -> Step {
    let (row, column) = (state[0] as usize + 1, state[1] as usize);
    let paddle = (state[2] + action[0] - 1.0).clamp(0.0, (COLUMNS - 1) as f64);
    let terminated = row == ROWS - 1;
    let reward = match (terminated, paddle as usize == column) {
        (false, _) => 0.0,
        (true, true) => 1.0,
        (true, false) => -1.0,
    };
    Step { state: vec![row as f64, state[1], paddle], reward, terminated }
}

/// The board by rows.
pub fn observe(state: &[f64]) -> Vec<f64> {
    let [row, column, paddle] = [0, 1, 2].map(|word: usize| state[word] as usize);
    let mut board = vec![0.0; ROWS * COLUMNS];
    board[row * COLUMNS + column] = 1.0;
    board[(ROWS - 1) * COLUMNS + paddle] = 1.0;
    board
}

/// The ball at the top of any column alike, the paddle in the middle; one draw.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![0.0, (COLUMNS as f64 * random()).floor(), (COLUMNS / 2) as f64]
}
