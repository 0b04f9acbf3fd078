//! Slot `policy`: π(0) = p, π(1) = 1 − p with p = clamp(θ, 0, 1), two actions whatever is observed.
//!
//!   ∂ log π(0)/∂θ = 1/θ      ∂ log π(1)/∂θ = −1/(1 − θ)      both 0 outside (0, 1)
//!
//! The action is drawn as a categorical policy network draws it: 1 where the uniform is above p.
//! Reference: src/reference/estimate.rs.

fn mw_policy_draw(theta: Theta, s: f32, key: vec2<u32>, world: u32, step: u32) -> MwDrawn {
    let action = select(0u, 1u, mw_action_uniform(key, world, step) > theta[0]);
    let inside = theta[0] > 0.0 && theta[0] < 1.0;
    let score = select(1.0 / theta[0], 1.0 / (theta[0] - 1.0), action == 1u);
    return MwDrawn(action, Theta(select(0.0, score, inside)));
}

/// The nearest parameters that are a probability; there is no deviation to hold.
fn mw_policy_held(theta: Theta, least: f32) -> Theta { return Theta(clamp(theta[0], 0.0, 1.0)); }
