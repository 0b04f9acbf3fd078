//! Slot `source`: what each world counted of the episodes that ended in the rollout.

@bind var<storage, read> mw_world: array<u32>;                 // [agent][word][world], the counts are the last four words

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element {
    let n = mw_blocks.count;
    let at = (agent + 1u) * mw_blocks.stride - 4u * n + i;
    return bitcast<vec4<f32>>(vec4<u32>(mw_world[at], mw_world[at + n], mw_world[at + 2u * n], mw_world[at + 3u * n]));
}
