//! Catch: move a paddle under a falling ball, on a board of 10 rows and 5 columns.
//! Source: Mnih et al. (2014), Recurrent Models of Visual Attention; rules of bsuite (2020), environments/catch.py.
//! The ball starts in row 0 of a random column and falls one row each step, straight down; the paddle starts in the
//! middle of row 9. Actions: 0 left, 1 stay, 2 right; the sides hold. The paddle moves first, then the ball. An episode
//! terminates in its ninth step, when the ball reaches row 9: reward 1 if the paddle is there, −1 if not, and 0 on the
//! steps before. No step limit is needed. The optimum is 1; standing still gets −0.6 in the mean.
//! Observation: the board by rows, number 5 · row + column, 1 where the ball or the paddle is.
//!
//! Observation: board[..]
//! Actions: left, stay, right

const OBSERVATION_DIM: u32 = 50u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 10u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 0.95;

const ROWS: u32 = 10u; // other numbers need another list in env_observe
const COLUMNS: u32 = 5u;

struct State { ball_row: u32, ball_column: u32, paddle: u32 } // paddle: its column

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0u, min(u32(f32(COLUMNS) * rng_uniform(rng)), COLUMNS - 1u), COLUMNS / 2u);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let paddle = min(max(old.paddle + action, 1u) - 1u, COLUMNS - 1u);
    (*s).paddle = paddle;
    (*s).ball_row = old.ball_row + 1u;
    let landed = old.ball_row + 1u == ROWS - 1u;
    let reward = select(-1.0, 1.0, paddle == old.ball_column);
    return Outcome(select(0.0, reward, landed), landed);
}

fn tile(ball: u32, paddle: u32, i: u32) -> f32 { return f32(i == ball || i == paddle); }

fn env_observe(s: State) -> Observation {
    let b = s.ball_row * COLUMNS + s.ball_column;
    let p = (ROWS - 1u) * COLUMNS + s.paddle;
    return Observation(
        tile(b, p, 0u), tile(b, p, 1u), tile(b, p, 2u), tile(b, p, 3u), tile(b, p, 4u),
        tile(b, p, 5u), tile(b, p, 6u), tile(b, p, 7u), tile(b, p, 8u), tile(b, p, 9u),
        tile(b, p, 10u), tile(b, p, 11u), tile(b, p, 12u), tile(b, p, 13u), tile(b, p, 14u),
        tile(b, p, 15u), tile(b, p, 16u), tile(b, p, 17u), tile(b, p, 18u), tile(b, p, 19u),
        tile(b, p, 20u), tile(b, p, 21u), tile(b, p, 22u), tile(b, p, 23u), tile(b, p, 24u),
        tile(b, p, 25u), tile(b, p, 26u), tile(b, p, 27u), tile(b, p, 28u), tile(b, p, 29u),
        tile(b, p, 30u), tile(b, p, 31u), tile(b, p, 32u), tile(b, p, 33u), tile(b, p, 34u),
        tile(b, p, 35u), tile(b, p, 36u), tile(b, p, 37u), tile(b, p, 38u), tile(b, p, 39u),
        tile(b, p, 40u), tile(b, p, 41u), tile(b, p, 42u), tile(b, p, 43u), tile(b, p, 44u),
        tile(b, p, 45u), tile(b, p, 46u), tile(b, p, 47u), tile(b, p, 48u), tile(b, p, 49u));
}
