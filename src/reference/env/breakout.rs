//! Breakout on a grid of 10 × 10 cells: every rule of MinAtar 1.0.15 (Young & Tian 2019), in plain form.
//!
//! ```text
//!   paddle' = paddle − [left] + [right], held to columns 0 … 9
//!   (x, y)' = (x, y) + velocity, then the first that applies
//!     y' < 0               row 0, downwards
//!     brick, not struck    the brick is gone, reward 1; old row, other way up or down
//!     brick, struck        nothing: the ball is in a second brick running
//!     row 9, old column over the paddle'    old row, upwards
//!     row 9, new column over the paddle'    old row, upwards and to the other side
//!     row 9                                 terminated
//!   x' outside 0 … 9: held to it, and the other side way (before all of these)
//! ```
//!
//! The bricks are new when the ball comes to row 9 and none is left. With probability [`STICKY_ACTION_PROB`] the last
//! action acts instead of the given one. The first state has last action 0 (MinAtar's outlives a reset).

use super::Step;

/// Probability that the last action acts again.
pub const STICKY_ACTION_PROB: f64 = 0.1;

type Grid = [[bool; 10]; 10];

struct Game {
    ball: (i32, i32),
    trail: (i32, i32),
    velocity: (i32, i32),
    paddle: i32,
    /// `[row][column]`.
    bricks: Grid,
    struck: bool,
    last_action: u32,
}

/// Rows 1 to 3.
fn wall() -> Grid {
    std::array::from_fn(|row| [(1..4).contains(&row); 10])
}

impl Game {
    /// From ball, trail and velocity as (column, row), paddle, bricks (bit 10 (row − 1) + column), struck, last action.
    fn from_words(words: &[f64]) -> Self {
        assert_eq!(words.len(), 10, "words of Breakout's state");
        let pair = |i: usize| (words[i] as i32, words[i + 1] as i32);
        let mut bricks = Grid::default();
        for bit in 0..30 {
            bricks[1 + bit / 10][bit % 10] = words[7] as u32 >> bit & 1 == 1;
        }
        Self {
            ball: pair(0),
            trail: pair(2),
            velocity: pair(4),
            paddle: words[6] as i32,
            bricks,
            struck: words[8] != 0.0,
            last_action: words[9] as u32,
        }
    }

    fn words(&self) -> Vec<f64> {
        let bricks = (0..30).map(|bit| u32::from(self.bricks[1 + bit / 10][bit % 10]) << bit).sum::<u32>();
        let pairs = [self.ball, self.trail, self.velocity].map(|(x, y)| [f64::from(x), f64::from(y)]);
        let rest =
            [f64::from(self.paddle), f64::from(bricks), f64::from(u8::from(self.struck)), f64::from(self.last_action)];
        [&pairs.concat()[..], &rest].concat()
    }
}

/// One step. Actions: 0 nothing, 1 left, 2 right. Draws one number, for the sticky action.
pub fn step(state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    let mut game = Game::from_words(state);
    if random() >= STICKY_ACTION_PROB {
        game.last_action = action[0] as u32;
    }
    match game.last_action {
        0 => {}
        1 => game.paddle = (game.paddle - 1).max(0),
        2 => game.paddle = (game.paddle + 1).min(9),
        other => panic!("Breakout has actions 0 to 2, got {other}"),
    }

    game.trail = game.ball;
    let (old_x, old_y) = game.ball;
    let (mut x, mut y) = (old_x + game.velocity.0, old_y + game.velocity.1);
    if !(0..=9).contains(&x) {
        x = x.clamp(0, 9);
        game.velocity.0 = -game.velocity.0;
    }
    let mut reward = 0.0;
    let mut terminated = false;
    let mut in_brick = false;
    if y < 0 {
        y = 0;
        game.velocity.1 = 1;
    } else if game.bricks[y as usize][x as usize] {
        in_brick = true;
        if !game.struck {
            reward = 1.0;
            game.bricks[y as usize][x as usize] = false;
            y = old_y;
            game.velocity.1 = -game.velocity.1;
        }
    } else if y == 9 {
        if !game.bricks.iter().flatten().any(|brick| *brick) {
            game.bricks = wall();
        }
        if old_x == game.paddle {
            game.velocity.1 = -1;
            y = old_y;
        } else if x == game.paddle {
            game.velocity = (-game.velocity.0, -1);
            y = old_y;
        } else {
            terminated = true;
        }
    }
    game.struck = in_brick;
    game.ball = (x, y);
    Step { state: game.words(), reward, terminated }
}

/// `[channel][row][column]`, 0 or 1: paddle, ball, trail (the ball one step ago), bricks.
pub fn observe(state: &[f64]) -> Vec<f64> {
    let game = Game::from_words(state);
    let mut channels = [Grid::default(); 4];
    for (channel, (column, row)) in [(game.paddle, 9), game.ball, game.trail].into_iter().enumerate() {
        channels[channel][row as usize][column as usize] = true;
    }
    channels[3] = game.bricks;
    channels.iter().flatten().flatten().map(|on| f64::from(u8::from(*on))).collect()
}

/// The ball starts in row 3, on its way down from the left wall or (where the number drawn is at least ½) the right one.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let (column, sideways) = if random() < 0.5 { (0, 1) } else { (9, -1) };
    let ball = (column, 3);
    Game { ball, trail: ball, velocity: (sideways, 1), paddle: 4, bricks: wall(), struck: false, last_action: 0 }
        .words()
}
