//! Slot `source`: the value targets of the batch, and in a second row what the values of the rollout leave of them, target − value.

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_source_count(row: u32) -> u32 { return mw_blocks.count; }
fn mw_source(row: u32, i: u32) -> Element {
    let rows = row / 2u * MW_ROWS;
    let target_ = bitcast<f32>(mw_samples[(rows + MW_ROW_TARGET) * mw_blocks.count + i]);
    let value = bitcast<f32>(mw_samples[(rows + MW_ROW_VALUE) * mw_blocks.count + i]);
    return mw_single(select(target_, target_ - value, row % 2u == 1u));
}
