//! Slot `source`: what each world counted of the episodes that ended in the rollout.

@bind var<storage, read> mw_world: array<vec4<u32>>;           // [agent][vec4][world], the counts are the last one, low words before

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element {
    let at = (agent + 1u) * (mw_blocks.stride / 4u) - mw_blocks.count + i;
    let counts = bitcast<vec4<f32>>(mw_world[at]);
    let low = bitcast<vec4<f32>>(mw_world[at - mw_blocks.count]);
    return counts + vec4<f32>(0.0, low.y, 0.0, 0.0);
}
