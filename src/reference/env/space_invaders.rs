//! Space Invaders on a grid of 10 × 10 cells: every rule of MinAtar 1.0.15 (Young & Tian 2019), in plain form.
//!
//! One step, in this order:
//! 1. the cannon moves or fires from its cell; its bullets rise a row, the aliens' fall a row;
//! 2. a bullet or an alien in the cannon's cell terminates;
//! 3. every min(aliens left, interval) steps the aliens move a column, or turn round and descend a row where one is in
//!    the last column ahead; one in row 9 at a descent, or in the cannon's cell after a move, terminates;
//! 4. every 10 steps the lowest alien of the column nearest to the cannon (the left one of two) fires from its cell;
//! 5. an alien in a cell with a bullet of ours goes with it, reward 1; after the last a new wave of 24 comes, and
//!    interval, 12 at first, falls by one, to no less than 6 (with difficulty ramping; else it stays).
//!
//! With probability [`STICKY_ACTION_PROB`] the last action acts instead of the given one. The first state has last
//! action 0 (MinAtar's outlives a reset).

use super::Step;

/// Probability that the last action acts again.
pub const STICKY_ACTION_PROB: f64 = 0.1;

/// Steps between two shots of the cannon, at least.
const CANNON_INTERVAL: u32 = 5;
/// Steps between two shots of the aliens.
const ALIEN_SHOT_INTERVAL: u32 = 10;
/// Most steps between two moves of the aliens, in the first wave and at last.
const MOVE_INTERVALS: (u32, u32) = (12, 6);

/// `[row][column]`.
type Grid = [[bool; 10]; 10];

struct Game {
    aliens: Grid,
    bullets: Grid,
    alien_bullets: Grid,
    cannon: usize,
    moving_right: bool,
    interval: u32,
    move_timer: u32,
    alien_timer: u32,
    cannon_timer: u32,
    last_action: u32,
}

/// Rows 0 to 3, columns 2 to 7.
fn wave() -> Grid {
    std::array::from_fn(|row| std::array::from_fn(|column| row < 4 && (2..8).contains(&column)))
}

/// From four words of three rows: row r and column c is bit 10 (r % 3) + c of word r / 3.
fn grid(words: &[f64]) -> Grid {
    std::array::from_fn(|row| std::array::from_fn(|column| words[row / 3] as u32 >> (10 * (row % 3) + column) & 1 == 1))
}

fn grid_words(grid: &Grid) -> [f64; 4] {
    let mut words = [0.0; 4];
    for (row, cells) in grid.iter().enumerate() {
        for column in (0..10).filter(|column| cells[*column]) {
            words[row / 3] += f64::from(1_u32 << (10 * (row % 3) + column));
        }
    }
    words
}

fn count(grid: &Grid) -> u32 {
    grid.iter().flatten().map(|on| u32::from(*on)).sum()
}

impl Game {
    /// From aliens, bullets, the aliens' bullets (four words each), and the other fields in order.
    fn from_words(words: &[f64]) -> Self {
        assert_eq!(words.len(), 19, "words of Space Invaders' state");
        let number = |i: usize| words[i] as u32;
        Self {
            aliens: grid(&words[0..4]),
            bullets: grid(&words[4..8]),
            alien_bullets: grid(&words[8..12]),
            cannon: words[12] as usize,
            moving_right: words[13] != 0.0,
            interval: number(14),
            move_timer: number(15),
            alien_timer: number(16),
            cannon_timer: number(17),
            last_action: number(18),
        }
    }

    fn words(&self) -> Vec<f64> {
        let numbers = [
            self.cannon as u32,
            u32::from(self.moving_right),
            self.interval,
            self.move_timer,
            self.alien_timer,
            self.cannon_timer,
            self.last_action,
        ];
        let mut words = [&self.aliens, &self.bullets, &self.alien_bullets].map(grid_words).concat();
        words.extend(numbers.map(f64::from));
        words
    }

    /// Whether the aliens' next move would take one out of the grid.
    fn at_edge(&self) -> bool {
        self.aliens.iter().any(|row| if self.moving_right { row[9] } else { row[0] })
    }

    /// (row, column) of the alien that fires.
    fn shooter(&self) -> Option<(usize, usize)> {
        let lowest = |column: usize| (0..10).rev().find(|row| self.aliens[*row][column]);
        let nearest = (0..10).filter(|column| lowest(*column).is_some()).min_by_key(|c| self.cannon.abs_diff(*c))?;
        Some((lowest(nearest)?, nearest))
    }
}

/// One step with difficulty ramping. Actions: 0 nothing, 1 left, 2 right, 3 fire. Draws one number, for the sticky action.
pub fn step(state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    step_with(true, state, action, random)
}

/// One step, with difficulty ramping or without.
pub fn step_with(ramping: bool, state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    let mut game = Game::from_words(state);
    if random() >= STICKY_ACTION_PROB {
        game.last_action = action[0] as u32;
    }
    match game.last_action {
        1 => game.cannon = game.cannon.saturating_sub(1),
        2 => game.cannon = (game.cannon + 1).min(9),
        3 if game.cannon_timer == 0 => {
            game.bullets[9][game.cannon] = true;
            game.cannon_timer = CANNON_INTERVAL;
        }
        0 | 3 => {}
        other => panic!("Space Invaders has actions 0 to 3, got {other}"),
    }
    game.bullets.rotate_left(1);
    game.bullets[9] = [false; 10];
    game.alien_bullets.rotate_right(1);
    game.alien_bullets[0] = [false; 10];
    let mut terminated = game.alien_bullets[9][game.cannon] || game.aliens[9][game.cannon];

    if game.move_timer == 0 {
        game.move_timer = count(&game.aliens).min(game.interval);
        if game.at_edge() {
            terminated |= game.aliens[9].contains(&true);
            game.moving_right = !game.moving_right;
            // row 9 goes round to row 0, as in MinAtar: the episode is over then
            game.aliens.rotate_right(1);
        } else {
            for row in &mut game.aliens {
                if game.moving_right {
                    row.rotate_right(1);
                } else {
                    row.rotate_left(1);
                }
            }
        }
        terminated |= game.aliens[9][game.cannon];
    }
    if game.alien_timer == 0 {
        game.alien_timer = ALIEN_SHOT_INTERVAL;
        if let Some((row, column)) = game.shooter() {
            game.alien_bullets[row][column] = true;
        }
    }

    let mut hits = 0;
    for (alien, bullet) in game.aliens.iter_mut().flatten().zip(game.bullets.iter_mut().flatten()) {
        if *alien && *bullet {
            (*alien, *bullet) = (false, false);
            hits += 1;
        }
    }
    game.cannon_timer = game.cannon_timer.saturating_sub(1);
    game.move_timer -= 1;
    game.alien_timer -= 1;
    if count(&game.aliens) == 0 {
        if ramping {
            game.interval = (game.interval - 1).max(MOVE_INTERVALS.1);
        }
        game.aliens = wave();
    }
    Step { state: game.words(), reward: f64::from(hits), terminated }
}

/// `[channel][row][column]`, 0 or 1: cannon, aliens, aliens moving left, aliens moving right, our bullets, theirs.
pub fn observe(state: &[f64]) -> Vec<f64> {
    let game = Game::from_words(state);
    let mut cannon = Grid::default();
    cannon[9][game.cannon] = true;
    let (left, right) = if game.moving_right { (Grid::default(), game.aliens) } else { (game.aliens, Grid::default()) };
    let channels = [cannon, game.aliens, left, right, game.bullets, game.alien_bullets];
    channels.iter().flatten().flatten().map(|on| f64::from(u8::from(*on))).collect()
}

/// Always the same: the wave moves left first, the cannon is in column 5.
pub fn reset(_random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    Game {
        aliens: wave(),
        bullets: Grid::default(),
        alien_bullets: Grid::default(),
        cannon: 5,
        moving_right: false,
        interval: MOVE_INTERVALS.0,
        move_timer: MOVE_INTERVALS.0,
        alien_timer: ALIEN_SHOT_INTERVAL,
        cannon_timer: 0,
        last_action: 0,
    }
    .words()
}
