//! Algorithms, one file each; each reads from top to bottom like its pseudocode.

pub mod ppo;

pub use ppo::Ppo;
