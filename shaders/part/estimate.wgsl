//! What `estimate.wgsl` hands to its slots.

/// A number for each parameter of the policy.
alias Theta = array<f32, MW_THETA>;

/// What a policy did.
struct MwDrawn {
    action: Action,
    score: Theta,        // ∇ log π_θ(action | what it saw)
}

/// One step of a rollout.
struct MwMade {
    agent: u32,
    rollout: u32,
    k: u32,              // number of the step, from 0
    ell: Theta,          // ℓ_k
    reward: f32,         // r_k
    seen: f32,           // first number of the observation that the policy acted on
    next: f32,           // and of the one after the step
    goes_on: bool,       // whether the rollout has a step after this one
}
