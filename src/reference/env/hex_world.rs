//! HexWorld: 24 hexes, three of them with rewards. Kochenderfer, Wheeler & Wray (2022); map and rewards of
//! DecisionMakingProblems.jl.
//!
//! ```text
//!   elsewhere        d = a with probability 0.7, a + 1 or a − 1 (mod 6) with 0.15 each
//!                    s' = neighbour of s in direction d, r = 0      or, if there is none,      s' = s, r = −1
//!   in a reward hex  s' = s, r = its reward, the end
//!
//!   V*(s)  = max_a Σ p (r + γ V*(s'))                  V_π(s) = Σ_a π(a | s) Σ p (r + γ V_π(s'))
//! ```
//!
//! State: (cell), which counts the hexes row by row; observation: its one-hot vector. Deliberately absent: truncation
//! after 100 steps, which is the rollout's.

use super::Step;

/// Axial coordinates (i, j) of the cells; a hex lies at (i + j/2, j √3/2).
#[rustfmt::skip]
pub const HEXES: [(i32, i32); 24] = [
    (0, 0), (1, 0), (2, 0), (3, 0), (5, 0), (6, 0), (7, 0), (9, 0),
    (0, 1), (1, 1), (2, 1), (4, 1), (7, 1), (8, 1),
    (-1, 2), (0, 2), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (7, 2), (8, 2),
];
/// What to add to (i, j) for actions 0 (east) to 5 (south-east), anticlockwise.
pub const DIRECTIONS: [(i32, i32); 6] = [(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)];
/// Probability of the intended direction.
pub const INTENDED: f64 = 0.7;
/// Reward of a move off the map.
pub const BUMP_REWARD: f64 = -1.0;
/// Reward in cell 8, (0, 1).
pub const LEFT_REWARD: f64 = 5.0;
/// Reward in cell 2, (2, 0).
pub const HAZARD_REWARD: f64 = -10.0;
/// Reward in cell 7, (9, 0).
pub const RIGHT_REWARD: f64 = 10.0;

/// The reward of a cell that ends the episode.
fn prize(cell: usize) -> Option<f64> {
    match HEXES[cell] {
        (0, 1) => Some(LEFT_REWARD),
        (2, 0) => Some(HAZARD_REWARD),
        (9, 0) => Some(RIGHT_REWARD),
        _ => None,
    }
}

/// Where a move from `cell` in `direction` arrives, and its reward.
fn arrive(cell: usize, direction: usize) -> (usize, f64) {
    let ((i, j), (right, up)) = (HEXES[cell], DIRECTIONS[direction]);
    match HEXES.iter().position(|&hex| hex == (i + right, j + up)) {
        Some(next) => (next, 0.0),
        None => (cell, BUMP_REWARD),
    }
}

/// One step from `state` with an action from 0 to 5; one draw, also in a reward hex.
pub fn step(state: &[f64], action: &[f64], random: &mut dyn FnMut() -> f64) -> Step {
    let (cell, action) = (state[0] as usize, action[0] as usize);
    let u = random();
    if let Some(reward) = prize(cell) {
        return Step { state: state.to_vec(), reward, terminated: true };
    }
    let veer = match u {
        u if u < INTENDED => 0,
        u if u < INTENDED + 0.5 * (1.0 - INTENDED) => 1,
        _ => 5,
    };
    let (next, reward) = arrive(cell, (action + veer) % 6);
    Step { state: vec![next as f64], reward, terminated: false }
}

/// One-hot of the cell.
pub fn observe(state: &[f64]) -> Vec<f64> {
    (0..HEXES.len()).map(|cell| f64::from(cell == state[0] as usize)).collect()
}

/// Any cell alike; one draw.
pub fn reset(random: &mut dyn FnMut() -> f64) -> Vec<f64> {
    vec![(HEXES.len() as f64 * random()).floor()]
}

/// Σ p (r + γ V(s')) of an action in a cell.
pub fn action_value(cell: usize, action: usize, values: &[f64], gamma: f64) -> f64 {
    if let Some(reward) = prize(cell) {
        return reward;
    }
    let veer = 0.5 * (1.0 - INTENDED);
    let outcomes = [(action, INTENDED), ((action + 1) % 6, veer), ((action + 5) % 6, veer)];
    let one = |(direction, probability): (usize, f64)| {
        let (next, reward) = arrive(cell, direction);
        probability * (reward + gamma * values[next])
    };
    outcomes.into_iter().map(one).sum()
}

/// The optimal values of the 24 cells, without a step limit, to 1e-12 for `gamma` up to 0.99 (rounding ends it earlier
/// nearer to 1).
pub fn value_iteration(gamma: f64) -> Vec<f64> {
    fixed_point(gamma, |cell, values| {
        (0..6).map(|action| action_value(cell, action, values, gamma)).fold(f64::NEG_INFINITY, f64::max)
    })
}

/// The values of the 24 cells under `policy`, `[cell][action]` probabilities, as exact as [`value_iteration`].
pub fn policy_value(policy: &[[f64; 6]], gamma: f64) -> Vec<f64> {
    assert_eq!(policy.len(), HEXES.len(), "HexWorld has 24 cells, the policy has {}", policy.len());
    fixed_point(gamma, |cell, values| {
        (0..6).map(|action| policy[cell][action] * action_value(cell, action, values, gamma)).sum()
    })
}

/// Applies `backup` to all cells until what is left to move, at most γ/(1 − γ) times the last move, is below 1e-12.
fn fixed_point(gamma: f64, backup: impl Fn(usize, &[f64]) -> f64) -> Vec<f64> {
    assert!((0.0..1.0).contains(&gamma), "iteration converges for a discount in [0, 1), not {gamma}");
    // numbers from 8 to 16 are multiples of 2⁻⁴⁹: moves of a few of these are rounding
    let enough = (1e-12 * (1.0 - gamma)).max(4.0 * 2_f64.powi(-49));
    let mut values = vec![0.0; HEXES.len()];
    loop {
        let next: Vec<f64> = (0..values.len()).map(|cell| backup(cell, &values)).collect();
        let moved = values.iter().zip(&next).map(|(old, new)| (old - new).abs()).fold(0.0, f64::max);
        values = next;
        if moved <= enough {
            return values;
        }
    }
}
