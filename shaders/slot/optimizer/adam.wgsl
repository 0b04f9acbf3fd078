//! Slot `optimizer`: Adam (Kingma & Ba 2015).
//!
//!   m ← m + (1 − β₁)(g − m)     v ← v + (1 − β₂)(g² − v)
//!   direction = (m / c₁) / (√(v / c₂) + ε)               c_i = 1 − β_i^t
//!
//! Reference: src/reference/adam.rs.

fn mw_remember(past: MwPast, g: vec4<f32>) -> MwPast {
    return MwPast(fma(vec4<f32>(mw_run.decay1), g - past.m, past.m), fma(vec4<f32>(mw_run.decay2), g * g - past.v, past.v));
}

fn mw_direction(past: MwPast, g: vec4<f32>, correction: vec2<f32>) -> vec4<f32> {
    return (past.m / correction.x) / (sqrt(past.v / correction.y) + vec4<f32>(mw_run.optimizer_eps));
}
