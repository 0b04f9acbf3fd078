//! Slot `policy`: a ~ N(θ₁ s, θ₂²), one real number for one observed number.
//!
//!   ∂ log π/∂θ₁ = s (a − θ₁ s)/θ₂² = s ε/θ₂      ∂ log π/∂θ₂ = ((a − θ₁ s)² − θ₂²)/θ₂³ = (ε² − 1)/θ₂
//!
//! ε is drawn as a Gaussian policy network draws it: Box & Muller (1958), the cosine of the first two uniforms.
//! Reference: src/reference/estimate.rs.

fn mw_policy_draw(theta: Theta, s: f32, key: vec2<u32>, world: u32, step: u32) -> MwDrawn {
    let words = mw_world_words(key, world, step, MW_PURPOSE_ACTION, 0u);
    let noise = sqrt(-2.0 * log_(mw_uniform(words.x))) * cos_(6.2831853 * mw_uniform(words.y));
    let action = Action(fma(theta[1], noise, theta[0] * s));
    return MwDrawn(action, Theta(s * noise / theta[1], fma(noise, noise, -1.0) / theta[1]));
}

/// The nearest parameters with a deviation of at least `least`.
fn mw_policy_held(theta: Theta, least: f32) -> Theta { return Theta(theta[0], max(theta[1], least)); }
