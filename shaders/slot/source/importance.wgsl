//! Slot `source`: importance weights and their squares.

@bind var<storage, read> mw_importance: array<f32>;            // [agent][step][world]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element {
    let weight = mw_importance[agent * mw_blocks.count + i];
    return vec4<f32>(weight, weight * weight, 0.0, 0.0);
}
