//! Slot `product`: a sample's share of the gradient of a weight is δ u.

fn mw_sample_weight(agent: u32, place: u32, count: u32) -> f32 { return 1.0; }
fn mw_delta_factor(delta: vec4<f32>, weight: f32) -> vec4<f32> { return delta; }
fn mw_unit_factor(unit: vec4<f32>) -> vec4<f32> { return unit; }
