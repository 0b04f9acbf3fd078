//! Slot `source`: the advantages of a minibatch. A row is one of those of an update, epoch after epoch.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_source_count(row: u32) -> u32 { return mw_minibatch_count(row % mw_run.num_minibatches); }
fn mw_source(row: u32, i: u32) -> Element {
    let agent = row / mw_blocks.rows;
    let minibatch = row % mw_blocks.rows;
    let column = mw_column_of(agent, minibatch / mw_run.num_minibatches, minibatch % mw_run.num_minibatches, i);
    return mw_single(bitcast<f32>(mw_samples[(agent * MW_ROWS + MW_ROW_ADVANTAGE) * mw_run.batch_size + column]));
}
