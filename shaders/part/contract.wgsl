//! What an environment gives back. What it is given: `Action` and `ActionMask` in slot `action`, what it draws in
//! part/random.wgsl (rng_uniform, rng_range, rng_below, rng_normal, rng_u32), functions in part/math.wgsl.

/// What a step returns: its reward, and whether it ended the episode for good. Time limits are the engine's.
struct Outcome { reward: f32, terminated: bool }

/// What the policy sees.
alias Observation = array<f32, OBSERVATION_DIM>;
