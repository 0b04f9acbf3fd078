//! Slot `place`: the samples of a window are those of the current minibatch from `first` on; past its end they are its last one.

@bind var<uniform> mw_run: MwRun;

fn mw_place_column(agent: u32, s: u32) -> u32 {
    let count = mw_minibatch_count(mw_progress[agent].minibatch);
    return mw_minibatch_column(agent, min(mw_sample_range.first + s, count - 1u));
}

fn mw_place_columns() -> u32 { return mw_run.batch_size; }
