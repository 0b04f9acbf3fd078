//! DeepSea: sink through an N × N grid, one row each step, and end in the lower right corner, where the treasure is.
//! Source: Osband et al. (2017), Deep Exploration via Randomized Value Functions; rules of bsuite (2020),
//! environments/deep_sea.py, in its deterministic form.
//!
//! The diver starts at (row 0, column 0). One of the two actions moves right, the other left; the sides hold. Moving
//! right costs 0.01/N, also where the side holds; moving left costs nothing. Moving right in the last column, which
//! only N − 1 moves to the right reach, finds the treasure of 1. The episode terminates after N steps. The optimum is
//! 1 − 0.01 = 0.99, the only other return that is not negative is 0 (always left), and a uniformly random policy
//! finds the treasure once in 2ᴺ episodes.
//! Which action moves right is drawn for each cell, as in bsuite, here by a hash of `mapping_seed` and not by NumPy,
//! so the tables differ; with `mapping_seed` 0 it is action 1 everywhere (bsuite's randomize_actions=False). bsuite's
//! default, another table for every environment that is made, is another `mapping_seed` for every run.
//! Observation: one-hot row, then one-hot column (2 N numbers; bsuite: one-hot cell, N × N). All 0 after the end.
//!
//! Observation: row[..], column[..]
//! Actions: action 0, action 1

override size: u32 = 10u; // N; bsuite's experiment deep_sea has 10, 12, …, 50

override OBSERVATION_DIM: u32 = 2u * size;
const ACTION_COUNT: u32 = 2u;
override MAX_EPISODE_STEPS: u32 = size + 1u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 0.95;

override unscaled_move_cost: f32 = 0.01; // of N moves to the right
override mapping_seed: f32 = 42.0;       // whole number, 0 … 2²⁴; 0: action 1 moves right everywhere

struct State { row: u32, column: u32 }

/// The action that moves right. Hash: C. Wellons (2018), lowbias32.
fn right_action(row: u32, column: u32) -> u32 {
    var x = u32(mapping_seed) * 0x9e3779b9u + row * size + column;
    x = (x ^ (x >> 16u)) * 0x7feb352du;
    x = (x ^ (x >> 15u)) * 0x846ca68bu;
    return select((x >> 31u), 1u, mapping_seed == 0.0);
}

fn env_reset(rng: ptr<function, Rng>) -> State {
    return State(0u, 0u);
}

fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    let old = *s;
    let right = action == right_action(old.row, old.column);
    let treasure = right && old.column == size - 1u;

    (*s).row = old.row + 1u;
    (*s).column = select(max(old.column, 1u) - 1u, min(old.column + 1u, size - 1u), right);
    let reward = f32(treasure) - select(0.0, unscaled_move_cost / f32(size), right);
    return Outcome(reward, old.row + 1u == size);
}

fn env_feature(s: State, i: u32) -> f32 {
    return f32(s.row < size && (i == s.row || i == size + s.column));
}

/// Picture: the grid, darker the deeper, the treasure in the lower right corner, and the diver.
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> {
    let n = f32(size);
    let place = 0.5 * n * vec2<f32>(p.x + 1.0, 1.0 - p.y);
    let cell = clamp(floor(place), vec2<f32>(0.0), vec2<f32>(n - 1.0));
    let within = (place - cell - vec2<f32>(0.5)) * 2.0 / n;
    var colour = mix(vec3<f32>(0.55, 0.8, 0.9), vec3<f32>(0.03, 0.13, 0.32), cell.y / n);
    let line = pixel_cover(1.0 / n - max(abs(within.x), abs(within.y)) - 0.5 * pixel_size());
    colour = pixel_over(colour, 0.8 * colour, line);
    let treasure = cell.x == n - 1.0 && cell.y == n - 1.0;
    colour = pixel_over(colour, vec3<f32>(0.98, 0.8, 0.25), select(0.0, pixel_box(within, vec2<f32>(0.0), vec2<f32>(0.6 / n)), treasure));
    // after its last step the diver is below the grid, and is shown in the last row
    let here = u32(cell.x) == s.column && u32(cell.y) == min(s.row, size - 1u);
    let diver = select(vec3<f32>(0.95, 0.45, 0.2), vec3<f32>(1.0, 0.95, 0.7), s.row >= size);
    return pixel_over(colour, diver, select(0.0, pixel_disc(within, vec2<f32>(0.0), 0.62 / n), here));
}
