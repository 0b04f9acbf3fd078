//! SpaceInvaders: shoot waves of aliens with a cannon and evade their bullets, on a grid of 10 × 10 cells.
//! Source: MinAtar (Young & Tian 2019); every rule as in MinAtar 1.0.15, written anew.
//!
//! One step, in this order: the cannon (row 9) moves or fires; its bullets rise one row, the aliens' fall one; a bullet
//! or an alien in the cannon's cell terminates the episode. When their timer is 0 the aliens move one column or, with
//! one in the last column ahead, turn round and descend a row; one in row 9 then terminates, and so does one that comes
//! into the cannon's cell. Every 10 steps the lowest alien of the nearest column (the left one of two) fires from its
//! cell. An alien in a cell with a bullet of ours goes with it: reward 1. A wave of 24 follows a cleared one.
//! Aliens move every min(how many are left, interval) steps; the interval is 12 and a step shorter with each wave, down
//! to 6; without `ramping` (MinAtar's difficulty_ramping) it stays 12. The cannon fires at most every 5 steps.
//! Observation i = 100 · channel + 10 · row + column, 0 or 1: cannon, aliens, aliens moving left, aliens moving right,
//! our bullets, theirs. The timers are not observed. That is (channel, row, column), channel first; MinAtar's `state()`,
//! its Gymnasium environments and gymnax have (row, column, channel), channel last.
//! Actions: 0 nothing, 1 left, 2 right, 3 fire (MinAtar's minimal set); with `sticky_action_prob` the last one acts
//! again. MinAtar sets no step limit here (2,500 is its Freeway's; MAX_EPISODE_STEPS 0 lifts it) and lets the last action
//! outlive a reset; here not.
//!
//! Observation: cannon[..], aliens[..], leftward[..], rightward[..], our bullets[..], their bullets[..]
//! Actions: nothing, left, right, fire

const OBSERVATION_DIM: u32 = 600u;
const ACTION_COUNT: u32 = 4u;
override MAX_EPISODE_STEPS: u32 = 2500u; // 0 = none, as in MinAtar

override sticky_action_prob: f32 = 0.1; // probability, 0 = the agent's action always acts
override ramping: bool = true;          // 0 = waves do not get faster

// A set of cells is four words of three rows; the cell of row r and column c is bit 10 (r % 3) + c of word r / 3.
const ALL_ROWS: vec4<u32> = vec4<u32>(0x3fffffffu, 0x3fffffffu, 0x3fffffffu, 0x3ffu);
const WAVE: vec4<u32> = vec4<u32>(0x0fc3f0fcu, 0xfcu, 0u, 0u); // rows 0 to 3, columns 2 to 7
const COLUMN_0: u32 = 0x00100401u;                              // in each row of a word

struct State {
    aliens: vec4<u32>, bullets: vec4<u32>, alien_bullets: vec4<u32>,
    cannon: u32, moving_right: bool, interval: u32, move_timer: u32, alien_timer: u32, cannon_timer: u32,
    last_action: u32,
}

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(WAVE, vec4<u32>(0u), vec4<u32>(0u), 5u, false, 12u, 12u, 10u, 0u, 0u);
}

/// Rows move by one; what leaves the grid is gone.
fn risen(cells: vec4<u32>) -> vec4<u32> {
    return (cells >> vec4<u32>(10u)) | ((vec4<u32>(cells.yzw, 0u) & vec4<u32>(0x3ffu)) << vec4<u32>(20u));
}
fn fallen(cells: vec4<u32>) -> vec4<u32> {
    return ((cells << vec4<u32>(10u)) & ALL_ROWS) | (vec4<u32>(0u, cells.xyz) >> vec4<u32>(20u));
}

/// Columns with a cell of the set, bit c for column c.
fn occupied(cells: vec4<u32>) -> u32 {
    let rows = cells.x | cells.y | cells.z | cells.w;
    return (rows | (rows >> 10u) | (rows >> 20u)) & 0x3ffu;
}

fn count(cells: vec4<u32>) -> u32 {
    let bits = countOneBits(cells);
    return bits.x + bits.y + bits.z + bits.w;
}

/// The cell of the lowest alien in the column nearest to the cannon.
fn shooter(aliens: vec4<u32>, cannon: u32) -> vec4<u32> {
    let left = occupied(aliens) & ((2u << cannon) - 1u);
    let right = occupied(aliens) >> cannon;
    let to_left = select(99u, cannon - firstLeadingBit(left), left != 0u);
    let to_right = select(99u, firstTrailingBit(right), right != 0u);
    let column = select(cannon + to_right, cannon - to_left, to_left <= to_right);
    let c = aliens & vec4<u32>(COLUMN_0 << column);
    let last = vec4<bool>((c.y | c.z | c.w) == 0u, (c.z | c.w) == 0u && c.y != 0u, c.w == 0u && c.z != 0u, c.w != 0u);
    return select(vec4<u32>(0u), vec4<u32>(1u) << (firstLeadingBit(c) & vec4<u32>(31u)), last);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let acting = select(action, old.last_action, rng_uniform(rng) < sticky_action_prob);
    let fires = acting == 3u && old.cannon_timer == 0u;
    let cannon = clamp(old.cannon + 1u + select(0u, 1u, acting == 2u) - select(0u, 1u, acting == 1u), 1u, 10u) - 1u;
    let cannon_cell = 1u << cannon; // in the word of row 9
    let muzzle = vec4<u32>(0u, 0u, 0u, select(0u, cannon_cell, fires));
    let bullets = risen(old.bullets | muzzle);
    let falling = fallen(old.alien_bullets);

    let moves = old.move_timer == 0u;
    let descends = moves && (occupied(old.aliens) & select(1u, 0x200u, old.moving_right)) != 0u;
    let sideways = select(old.aliens >> vec4<u32>(1u), old.aliens << vec4<u32>(1u), old.moving_right);
    // row 9 goes round to row 0, as in MinAtar: that step is the last
    let moved = select(sideways, fallen(old.aliens) | vec4<u32>(old.aliens.w, 0u, 0u, 0u), descends);
    let aliens = select(old.aliens, moved, moves);
    let caught = ((falling.w | old.aliens.w | aliens.w) & cannon_cell) != 0u || (descends && old.aliens.w != 0u);

    let alien_fires = old.alien_timer == 0u;
    let hit = aliens & bullets;
    let left = aliens & ~hit;
    let cleared = count(left) == 0u;
    (*s).aliens = select(left, WAVE, cleared);
    (*s).bullets = bullets & ~hit;
    (*s).alien_bullets = falling | select(vec4<u32>(0u), shooter(aliens, cannon), alien_fires);
    (*s).cannon = cannon;
    (*s).moving_right = old.moving_right != descends;
    (*s).interval = select(old.interval, max(old.interval, 7u) - 1u, cleared && ramping);
    (*s).move_timer = select(old.move_timer, min(count(old.aliens), old.interval), moves) - 1u;
    (*s).alien_timer = select(old.alien_timer, 10u, alien_fires) - 1u;
    (*s).cannon_timer = max(select(old.cannon_timer, 5u, fires), 1u) - 1u;
    (*s).last_action = acting;
    return Outcome(f32(count(hit)), caught);
}

fn env_feature(s: State, i: u32) -> f32 {
    let channel = i / 100u;
    let cell = i % 100u;
    var cells = select(vec4<u32>(0u), vec4<u32>(0u, 0u, 0u, 1u << s.cannon), channel == 0u);
    cells = select(cells, s.aliens, channel == 1u || channel == select(2u, 3u, s.moving_right));
    cells = select(select(cells, s.bullets, channel == 4u), s.alien_bullets, channel == 5u);
    let word = select(select(cells.x, cells.y, cell >= 30u), select(cells.z, cells.w, cell >= 90u), cell >= 60u);
    return f32((word >> (cell % 30u)) & 1u);
}

/// Whether a cell, 10 row + column, is in a set.
fn has(cells: vec4<u32>, cell: u32) -> bool {
    let word = select(select(cells.x, cells.y, cell >= 30u), select(cells.z, cells.w, cell >= 90u), cell >= 60u);
    return ((word >> (cell % 30u)) & 1u) == 1u;
}

/// Picture: aliens, the cannon, its bullets (yellow) and theirs (red), on the grid.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let place = 5.0 * vec2<f32>(p.x + 1.0, 1.0 - p.y);
    let at = clamp(vec2<u32>(place), vec2<u32>(0u), vec2<u32>(9u));
    let cell = 10u * at.y + at.x;
    let within = place - vec2<f32>(at) - vec2<f32>(0.5); // half a cell is 0.5, downwards
    // an alien is 8 × 6 dots, mirrored about its middle: rows of four bits
    let dot_ = vec2<u32>(vec2<i32>(i32(abs(within.x) * 9.0), i32(floor(within.y * 8.0 + 3.0))));
    let rows = array<u32, 6>(0x4u, 0x3u, 0xbu, 0x7u, 0x2u, 0x4u);
    let solid = array<u32, 6>(0x1u, 0x7u, 0xdu, 0xfu, 0x2u, 0x5u);
    let shape = dot_.x < 4u && dot_.y < 6u && ((select(rows[min(dot_.y, 5u)], solid[min(dot_.y, 5u)], s.moving_right) >> dot_.x) & 1u) == 1u;
    let body = select(0.0, 1.0, shape);
    let small = pixel_size() > 0.06; // dots cannot be told apart
    let blob = pixel_box(0.2 * within, vec2<f32>(0.0), vec2<f32>(0.07, 0.06));
    var colour = vec3<f32>(0.04, 0.05, 0.09);
    colour = pixel_over(colour, vec3<f32>(0.45, 0.85, 0.5), select(0.0, select(body, blob, small), has(s.aliens, cell)));
    let mine = pixel_box(0.2 * within, vec2<f32>(0.0), vec2<f32>(0.012, 0.06));
    colour = pixel_over(colour, vec3<f32>(0.98, 0.9, 0.35), select(0.0, mine, has(s.bullets, cell)));
    let theirs = pixel_line(0.2 * within, vec2<f32>(-0.02, -0.05), vec2<f32>(0.02, 0.05), 0.03);
    colour = pixel_over(colour, vec3<f32>(0.95, 0.35, 0.35), select(0.0, theirs, has(s.alien_bullets, cell)));
    let base = max(pixel_box(0.2 * within, vec2<f32>(0.0, 0.045), vec2<f32>(0.085, 0.04)), pixel_box(0.2 * within, vec2<f32>(0.0, -0.03), vec2<f32>(0.02, 0.05)));
    let cannon = at.y == 9u && at.x == s.cannon;
    let ready = select(vec3<f32>(0.3, 0.5, 0.75), vec3<f32>(0.45, 0.75, 1.0), s.cannon_timer == 0u);
    return pixel_over(colour, ready, select(0.0, base, cannon));
}
