//! What an environment with discrete actions is given, and gives back.

/// 0 … ACTION_COUNT − 1.
alias Action = u32;

/// What a step returns: its reward, and whether it ended the episode for good. Time limits are the engine's.
struct Outcome { reward: f32, terminated: bool }

/// What the policy sees.
alias Observation = array<f32, OBSERVATION_DIM>;
