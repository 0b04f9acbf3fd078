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

fn tile(ball: u32, paddle: u32, i: u32) -> f32 { return f32((i == ball) | (i == paddle)); }

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

/// Picture: the board, the ball, and the paddle, which is green or red once the ball has landed.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    // cells are square, and the board is half as wide as high
    let place = 0.5 * f32(ROWS) * vec2<f32>(p.x, 1.0 - p.y) + vec2<f32>(0.5 * f32(COLUMNS), 0.0);
    let cell = floor(place);
    let board = cell.x >= 0.0 && cell.x < f32(COLUMNS);
    let within = (place - cell - vec2<f32>(0.5)) * 2.0 / f32(ROWS);
    var colour = select(vec3<f32>(0.07, 0.08, 0.11), vec3<f32>(0.13, 0.15, 0.2), board);
    colour = pixel_over(colour, vec3<f32>(0.17, 0.19, 0.25), select(0.0, pixel_box(within, vec2<f32>(0.0), vec2<f32>(0.085)), board));
    let landed = s.ball_row >= ROWS - 1u;
    let caught = select(vec3<f32>(0.9, 0.3, 0.25), vec3<f32>(0.3, 0.8, 0.4), s.paddle == s.ball_column);
    let paddle = cell == vec2<f32>(f32(s.paddle), f32(ROWS - 1u));
    let bar = pixel_box(within, vec2<f32>(0.0, 0.05), vec2<f32>(0.1, 0.04));
    colour = pixel_over(colour, select(vec3<f32>(0.35, 0.6, 0.95), caught, landed), select(0.0, bar, all(paddle)));
    let ball = cell == vec2<f32>(f32(s.ball_column), f32(min(s.ball_row, ROWS - 1u)));
    return pixel_over(colour, vec3<f32>(0.98, 0.85, 0.3), select(0.0, pixel_disc(within, vec2<f32>(0.0, select(0.0, -0.03, landed)), 0.06), all(ball)));
}
