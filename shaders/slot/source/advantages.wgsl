//! Slot `source`: the advantages of the current minibatch.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_source_count(agent: u32) -> u32 { return mw_minibatch_count(mw_progress[agent].minibatch); }
fn mw_source(agent: u32, i: u32) -> Element {
    let column = mw_minibatch_column(agent, i);
    return mw_single(bitcast<f32>(mw_samples[(agent * MW_ROWS + MW_ROW_ADVANTAGE) * mw_run.batch_size + column]));
}
