//! Slot `source`: surrogate and divergence of every sample, while the line search goes on.

@bind var<storage, read> mw_line_search: array<MwLineSearch>;           // [agent]
@bind var<storage, read> mw_measures: array<vec2<f32>>;        // [agent][column] (surrogate, KL)

fn mw_source_count(agent: u32) -> u32 { return select(mw_blocks.count, 0u, mw_line_search[agent].accepted != 0u); }
fn mw_source(agent: u32, i: u32) -> Element { return vec4<f32>(mw_measures[agent * mw_blocks.count + i], 0.0, 0.0); }
