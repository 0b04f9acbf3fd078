//! Slot `source`: what the values of the rollout leave unexplained, target − value, over the batch.

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_source_count(agent: u32) -> u32 { return mw_blocks.count; }
fn mw_source(agent: u32, i: u32) -> Element {
    let rows = agent * MW_ROWS;
    let target_ = bitcast<f32>(mw_samples[(rows + MW_ROW_TARGET) * mw_blocks.count + i]);
    let value = bitcast<f32>(mw_samples[(rows + MW_ROW_VALUE) * mw_blocks.count + i]);
    return mw_single(target_ - value);
}
