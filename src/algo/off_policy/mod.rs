//! Algorithms that learn from a ring of transitions.

mod agents;
mod steps;

pub use agents::OffPolicy;
