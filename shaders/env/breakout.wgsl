//! Breakout: return a ball with a paddle and break three rows of bricks, on a grid of 10 × 10 cells.
//! Source: MinAtar (Young & Tian 2019); every rule as in MinAtar 1.0.15, written anew.
//!
//! The ball moves one cell along a diagonal each step; (0, 0) is the upper left cell, rows grow downwards. After the
//! paddle has moved:
//! - a side wall reflects the ball in its own column, the ceiling in row 0;
//! - a brick breaks (reward 1) and sends the ball back up or down in its old row, unless the step before was in a
//!   brick too: then the ball passes through it;
//! - in row 9 it bounces off the paddle below its old column, and turns back the way it came from one below its new
//!   column; otherwise the episode terminates. The wall of bricks is new when the ball comes to row 9 and none is left.
//! Observation i = 100 · channel + 10 · row + column, 0 or 1: paddle, ball, trail (the ball one step ago), bricks. That is
//! (channel, row, column), channel first; MinAtar's `state()`, its Gymnasium environments and gymnax have (row, column,
//! channel), channel last.
//! Actions: 0 nothing, 1 left, 2 right (MinAtar's minimal set); with `sticky_action_prob` the last one acts again.
//! MinAtar sets no step limit here (2,500 is its Freeway's; MAX_EPISODE_STEPS 0 lifts it), has no difficulty ramping in
//! this game, and lets the last action outlive a reset; here not.
//!
//! Observation: paddle[..], ball[..], trail[..], bricks[..]
//! Actions: nothing, left, right

const OBSERVATION_DIM: u32 = 400u;
const ACTION_COUNT: u32 = 3u;
override MAX_EPISODE_STEPS: u32 = 2500u; // 0 = none, as in MinAtar

override sticky_action_prob: f32 = 0.1; // probability, 0 = the agent's action always acts

/// Rows 1 to 3: the brick of row r and column c is bit 10 (r − 1) + c.
const WALL: u32 = 0x3fffffffu;

/// Ball, trail and velocity are (column, row); `struck`: the last step ended in a brick.
struct State {
    ball: vec2<i32>, trail: vec2<i32>, velocity: vec2<i32>,
    paddle: i32, bricks: u32, struck: bool, last_action: u32,
}

fn env_reset(rng: ptr<function, Rng>) -> State {
    let from_left = rng_uniform(rng) < 0.5;
    let ball = select(vec2<i32>(9, 3), vec2<i32>(0, 3), from_left);
    let velocity = select(vec2<i32>(-1, 1), vec2<i32>(1, 1), from_left);
    return State(ball, ball, velocity, 4, WALL, false, 0u);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let acting = select(action, old.last_action, rng_uniform(rng) < sticky_action_prob);
    let paddle = clamp(old.paddle + select(0, 1, acting == 2u) - select(0, 1, acting == 1u), 0, 9);

    let ahead = old.ball + old.velocity;
    let x = clamp(ahead.x, 0, 9);
    let at_ceiling = ahead.y < 0;
    let behind_wall = ahead.y < 1 || ahead.y > 3;
    let brick = select(1u << u32(clamp(10 * (ahead.y - 1) + x, 0, 29)), 0u, behind_wall) & old.bricks;
    let breaks = brick != 0u && !old.struck;
    let at_floor = ahead.y == 9;
    let bounces = at_floor && old.ball.x == paddle;
    let turns_back = at_floor && !bounces && x == paddle;
    let returned = breaks || bounces || turns_back;

    let turn_x = (x != ahead.x) != turns_back;
    let turn_y = at_ceiling || returned;
    (*s).ball = vec2<i32>(x, select(max(ahead.y, 0), old.ball.y, returned));
    (*s).trail = old.ball;
    (*s).velocity = select(old.velocity, -old.velocity, vec2<bool>(turn_x, turn_y));
    (*s).paddle = paddle;
    (*s).bricks = select(select(old.bricks, old.bricks ^ brick, breaks), WALL, at_floor && old.bricks == 0u);
    (*s).struck = brick != 0u;
    (*s).last_action = acting;
    return Outcome(select(0.0, 1.0, breaks), at_floor && !returned);
}

fn env_feature(s: State, i: u32) -> f32 {
    let cell = i % 100u;
    let place = vec2<i32>(vec2<u32>(cell % 10u, cell / 10u));
    let brick = cell >= 10u && cell < 40u && ((s.bricks >> ((cell - 10u) & 31u)) & 1u) == 1u;
    let on = vec4<bool>(
        all(place == vec2<i32>(s.paddle, 9)), all(place == s.ball), all(place == s.trail), brick);
    let channel = vec4<u32>(i / 100u) == vec4<u32>(0u, 1u, 2u, 3u);
    return select(0.0, 1.0, any(on & channel));
}

/// Picture: bricks, ball with its trail, paddle, on the grid.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let place = 5.0 * vec2<f32>(p.x + 1.0, 1.0 - p.y);
    let cell = clamp(vec2<i32>(place), vec2<i32>(0), vec2<i32>(9));
    let within = 0.2 * (place - vec2<f32>(cell) - vec2<f32>(0.5));
    var colour = vec3<f32>(0.06, 0.07, 0.11);
    let row = cell.y - 1;
    let wall = row >= 0 && row < 3;
    let brick = wall && ((s.bricks >> u32(clamp(10 * row + cell.x, 0, 31))) & 1u) == 1u;
    let fill = select(select(vec3<f32>(0.35, 0.7, 0.4), vec3<f32>(0.95, 0.65, 0.2), row == 1), vec3<f32>(0.85, 0.3, 0.3), row == 0);
    colour = pixel_over(colour, fill, select(0.0, pixel_box(within, vec2<f32>(0.0), vec2<f32>(0.088)), brick));
    let paddle = all(cell == vec2<i32>(s.paddle, 9));
    colour = pixel_over(colour, vec3<f32>(0.4, 0.65, 0.98), select(0.0, pixel_box(within, vec2<f32>(0.0, 0.05), vec2<f32>(0.1, 0.035)), paddle));
    let centre = vec2<f32>(-0.9, 0.9) + vec2<f32>(0.2, -0.2) * vec2<f32>(s.trail);
    colour = pixel_over(colour, vec3<f32>(0.45, 0.45, 0.5), pixel_disc(p, centre, 0.04));
    let ball = vec2<f32>(-0.9, 0.9) + vec2<f32>(0.2, -0.2) * vec2<f32>(s.ball);
    return pixel_over(colour, vec3<f32>(1.0), pixel_disc(p, ball, 0.075));
}
