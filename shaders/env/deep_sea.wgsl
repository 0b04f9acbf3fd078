//! DeepSea: sink through a 10 × 10 grid, one row each step, and end in the lower right corner, where the treasure is.
//! Source: Osband et al. (2017), Deep Exploration via Randomized Value Functions; rules of bsuite (2020),
//! environments/deep_sea.py, in its deterministic form.
//!
//! The diver starts at (row 0, column 0). One of the two actions moves right, the other left; the sides hold. Moving
//! right costs 0.01/N, also where the side holds; moving left costs nothing. Moving right in the last column, which
//! only N − 1 moves to the right reach, finds the treasure of 1. The episode terminates after N steps. The optimum is
//! 1 − 0.01 = 0.99, the only other return that is not negative is 0 (always left), and a uniformly random policy
//! finds the treasure once in 2ᴺ episodes.
//! Which action moves right is drawn for each cell, as in bsuite, here by a hash of `mapping_seed` and not by NumPy,
//! so the tables differ; with `mapping_seed` 0 it is action 1 everywhere (bsuite's randomize_actions=False).
//! Observation: one-hot row, then one-hot column (2 N numbers; bsuite: one-hot cell, N × N). All 0 after the end.

const OBSERVATION_DIM: u32 = 20u;
const ACTION_COUNT: u32 = 2u;
const MAX_EPISODE_STEPS: u32 = 11u;  // never comes into play: the environment ends before
const REWARD_THRESHOLD: f32 = 0.95;

const SIZE: u32 = 10u; // N; another N needs other lists in env_observe

override unscaled_move_cost: f32 = 0.01; // of N moves to the right
override mapping_seed: f32 = 42.0;       // whole number, 0 … 2²⁴; 0: action 1 moves right everywhere

struct State { row: u32, column: u32 }

/// The action that moves right. Hash: C. Wellons (2018), lowbias32.
fn right_action(row: u32, column: u32) -> u32 {
    var x = u32(mapping_seed) * 0x9e3779b9u + row * SIZE + column;
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
    let treasure = right && old.column == SIZE - 1u;

    (*s).row = old.row + 1u;
    (*s).column = select(max(old.column, 1u) - 1u, min(old.column + 1u, SIZE - 1u), right);
    let reward = f32(treasure) - select(0.0, unscaled_move_cost / f32(SIZE), right);
    return Outcome(reward, old.row + 1u == SIZE);
}

fn hot(place: u32, i: u32) -> f32 { return f32(place == i); }

fn env_observe(s: State) -> Observation {
    let r = s.row;
    let c = select(SIZE, s.column, s.row < SIZE);
    return Observation(
        hot(r, 0u), hot(r, 1u), hot(r, 2u), hot(r, 3u), hot(r, 4u),
        hot(r, 5u), hot(r, 6u), hot(r, 7u), hot(r, 8u), hot(r, 9u),
        hot(c, 0u), hot(c, 1u), hot(c, 2u), hot(c, 3u), hot(c, 4u),
        hot(c, 5u), hot(c, 6u), hot(c, 7u), hot(c, 8u), hot(c, 9u));
}
