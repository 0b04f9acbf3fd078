//! A replay ring that all worlds write at every step, and n-step windows in it.
//!
//! ```text
//!   slot(t, w) = (t · worlds + w) mod capacity         step t of world w; a newer write takes the slot over
//!
//!   window at (t, w), k ≤ n steps of the same world, ended behind the first ending and behind the newest step:
//!     R        = Σ_{i<k} γ^i r_{t+i}
//!     discount = 0 if step t+k−1 terminated, else γᵏ
//!     y        = R + discount · V(next observation of step t+k−1)
//! ```
//!
//! Kept as an unbounded log of all steps: which of them the ring still holds is looked up, and a window simply goes on
//! to the next step of the log. At capacity c, the last c writes are held, whether or not the worlds divide c.

use crate::layout::{TERMINATED, TRUNCATED};

/// One step of one world.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// What the policy saw, `[feature]`.
    pub observation: Vec<f64>,
    /// What it did, as words: a choice, or the bits of an `f32`.
    pub action: Vec<u32>,
    /// r
    pub reward: f64,
    /// [`TERMINATED`] and [`TRUNCATED`], none, one or both; other bits are not looked at.
    pub ending: u32,
    /// What came of it, `[feature]`: of a step that ended its episode the final observation, not the next episode's first.
    pub next_observation: Vec<f64>,
}

impl Transition {
    /// Whether the world's next step belongs to another episode.
    pub fn ended(&self) -> bool {
        self.ending & (TERMINATED | TRUNCATED) != 0
    }

    /// Whether what comes next is worth 0; true also of a step that is truncated besides.
    pub fn terminated(&self) -> bool {
        self.ending & TERMINATED != 0
    }
}

/// The ring.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayBuffer {
    /// Slots, at least one for each world.
    pub capacity: usize,
    /// Worlds, each of which writes one slot at every step.
    pub worlds: usize,
    /// Every step ever stored, `[step][world]`.
    pub steps: Vec<Vec<Transition>>,
}

/// What up to n steps of one world add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Σ γ^i r_i
    pub reward: f64,
    /// γᵏ, or 0 where the last step terminated.
    pub discount: f64,
    /// Slot of the last step, whose next observation is the one to bootstrap from.
    pub last: usize,
    /// k, at least 1.
    pub steps: usize,
}

impl ReplayBuffer {
    /// An empty ring.
    pub fn new(capacity: usize, worlds: usize) -> Self {
        assert!(worlds > 0 && capacity >= worlds, "{capacity} slots do not hold a step of {worlds} worlds");
        Self { capacity, worlds, steps: vec![] }
    }

    /// Stores the next step of all worlds, `[world]`.
    pub fn push(&mut self, step: Vec<Transition>) {
        assert_eq!(step.len(), self.worlds, "a transition of each world");
        self.steps.push(step);
    }

    /// Number of slots that hold a transition; they are the first ones.
    pub fn len(&self) -> usize {
        (self.steps.len() * self.worlds).min(self.capacity)
    }

    /// Whether nothing has been stored.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The slot that a step of a world is written to.
    pub fn slot(&self, step: usize, world: usize) -> usize {
        (step * self.worlds + world) % self.capacity
    }

    /// (step, world) that a slot holds, the newest written to it.
    pub fn holds(&self, slot: usize) -> Option<(usize, usize)> {
        let mut newest_first = (0..self.steps.len()).rev().flat_map(|t| (0..self.worlds).rev().map(move |w| (t, w)));
        newest_first.find(|&(t, w)| self.slot(t, w) == slot)
    }

    /// The transition that a slot holds.
    pub fn transition(&self, slot: usize) -> Option<&Transition> {
        self.holds(slot).map(|(t, w)| &self.steps[t][w])
    }

    /// The window of up to `n` ≥ 1 steps that begins with the step in `slot`; `None` where that holds nothing.
    pub fn window(&self, slot: usize, n: usize, gamma: f64) -> Option<Window> {
        assert!(n > 0, "a window of no steps");
        let (first, world) = self.holds(slot)?;
        let mut window = Window { reward: 0.0, discount: 1.0, last: slot, steps: 0 };
        for t in first..self.steps.len().min(first + n) {
            let transition = &self.steps[t][world];
            window.reward += window.discount * transition.reward;
            window.discount *= gamma;
            window.last = self.slot(t, world);
            window.steps += 1;
            if transition.terminated() {
                window.discount = 0.0;
            }
            if transition.ended() {
                break;
            }
        }
        Some(window)
    }
}
