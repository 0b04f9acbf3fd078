//! Slot `optimizer`: plain gradient descent; direction = g.

fn mw_remember(past: MwPast, g: vec4<f32>) -> MwPast { return past; }
fn mw_direction(past: MwPast, g: vec4<f32>, correction: vec2<f32>) -> vec4<f32> { return g; }
