//! Slot `source`: discounted sums of rewards, which stand in the row of the advantages (discount_rewards.wgsl).

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element {
    return mw_single(bitcast<f32>(mw_samples[(agent * MW_ROWS + MW_ROW_ADVANTAGE) * mw_blocks.count + i]));
}
