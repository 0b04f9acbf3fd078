//! Slot `optimizer`: RMSprop (Tieleman & Hinton 2012), as PyTorch has it: ε outside the root, no momentum.
//!
//!   v ← v + (1 − α_r)(g² − v)     direction = g / (√v + ε)
//!
//! Reference: src/reference/rmsprop.rs.

fn mw_remember(past: MwPast, g: vec4<f32>) -> MwPast {
    return MwPast(past.m, fma(vec4<f32>(mw_run.decay2), g * g - past.v, past.v));
}

fn mw_direction(past: MwPast, g: vec4<f32>, correction: vec2<f32>) -> vec4<f32> {
    return g / (sqrt(past.v) + vec4<f32>(mw_run.optimizer_eps));
}
