//! The plain f64 reference: every kernel's algebra once more, as ordinary functions on slices.
//!
//! No GPU types, no state outside the arguments, no speed: one loop per sum, in the order of the
//! textbook. Tests and checks compare the kernels with these functions; these functions are compared
//! with closed forms, finite differences and `PyTorch` in `tests/reference/basics.rs`.
//!
//! Conventions, said once:
//! - all numbers are `f64`; actions and flags are integers and `bool`;
//! - a batch is row-major with the sample first: `[sample][feature]`, `[steps][worlds]` (step `t` of
//!   world `n` lies at `t * worlds + n`); the kernels' feature-major layout is the caller's to turn;
//! - a gradient of `y` by `x` is named `d_y_d_x`; a plain `gradient` is that of the loss by the
//!   parameters;
//! - slices of unequal or impossible lengths are a bug of the caller's and panic.

pub mod adam;
pub mod baseline;
pub mod cartpole;
pub mod categorical;
pub mod env;
pub mod estimate;
pub mod fisher;
pub mod gae;
pub mod gaussian;
pub mod importance;
pub mod mlp;
pub mod moments;
pub mod normaliser;
pub mod off_policy;
pub mod permute;
pub mod philox;
pub mod ppo;
pub mod reparametrised;
pub mod replay;
pub mod returns;
pub mod rmsprop;
pub mod search;
pub mod squashed;
pub mod state_dependent;
