//! Random actions that depend on nothing but their place: seed, step, world and component.

use crate::env::ActionSpace;
use crate::reference::philox::{philox4x32_10, uniform};

/// What the words are drawn for.
const PURPOSE: u32 = 0x0063_6865;
/// Bounds this far apart stand for none: nobody means a billion, and numbers of size 1 are tried.
const UNBOUNDED: f32 = 1e6;

fn words(seed: u32, step: u32, world: u32, component: u32) -> [u32; 4] {
    philox4x32_10([world, step, component, 0], [seed, PURPOSE])
}

/// Bounds that a number is drawn between.
pub(super) fn bounds(low: f32, high: f32) -> (f32, f32) {
    if high - low >= UNBOUNDED { (-1.0, 1.0) } else { (low, high) }
}

/// Actions `[component][world]` as bits. Of real numbers and choices a quarter are at an end of their range, in the first
/// `even` worlds none: there they are uniform.
pub(super) fn actions(space: &ActionSpace, worlds: u32, even: u32, step: u32, seed: u32) -> Vec<u32> {
    let number = |component: u32, world: u32| {
        let words = words(seed, step, world, component);
        let is_even = world < even;
        let (u, extreme, upper) = (uniform(words[0]) as f32, !is_even && words[1].is_multiple_of(4), words[1] & 4 != 0);
        let i = component as usize;
        match space {
            ActionSpace::Box { low, high } => {
                let (least, most) = if is_even { bounds(low[i], high[i]) } else { (low[i], high[i]) };
                match (extreme, upper) {
                    (true, true) => high[i],
                    (true, false) => low[i],
                    _ => least * (1.0 - u) + most * u,
                }
                .to_bits()
            }
            _ => match (extreme, upper) {
                (true, true) => space.counts()[i] - 1,
                (true, false) => 0,
                _ => words[0] % space.counts()[i],
            },
        }
    };
    (0..space.words()).flat_map(|component| (0..worlds).map(move |world| number(component, world))).collect()
}

/// Puts an allowed action in the place of each that is not, all alike likely: `masks` is `[word][world]`.
pub(super) fn make_legal(space: &ActionSpace, actions: &mut [u32], masks: &[u32], step: u32, seed: u32) {
    if !space.masked() {
        return;
    }
    let n = actions.len() / space.words() as usize;
    let allowed = |choice: usize, world: usize| masks[choice / 32 * n + world] >> (choice % 32) & 1 == 1;
    let mut first = 0;
    for (component, (row, count)) in actions.chunks_exact_mut(n).zip(space.counts()).enumerate() {
        for (world, action) in
            row.iter_mut().enumerate().filter(|(world, action)| !allowed(first + **action as usize, *world))
        {
            let legal: Vec<u32> = (0..count).filter(|&a| allowed(first + a as usize, world)).collect();
            if !legal.is_empty() {
                let word = words(seed, step, world as u32, component as u32)[2];
                *action = legal[word as usize % legal.len()];
            }
        }
        first += count as usize;
    }
}
