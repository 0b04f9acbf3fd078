//! Slot `product`: the square of a sample's share of the gradient of a weight, (δ u)², times Φ where MW_WEIGHTED.

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_sample_weight(agent: u32, place: u32, count: u32) -> f32 {
    if MW_WEIGHTED == 0u { return 1.0; }
    let column = mw_minibatch_column(agent, min(place, count - 1u));
    return bitcast<f32>(mw_samples[(agent * MW_ROWS + MW_ROW_ADVANTAGE) * mw_run.batch_size + column]);
}

fn mw_delta_factor(delta: vec4<f32>, weight: f32) -> vec4<f32> { return delta * delta * weight; }
fn mw_unit_factor(unit: vec4<f32>) -> vec4<f32> { return unit * unit; }
