//! The minibatch that is being worked on: which columns of the batch it holds.
//!
//! An epoch visits every column once. Minibatches have `minibatch_size` columns; a last short one has the rest. Where one
//! pass is all there is, nothing is shuffled: the columns are every `stride`-th.

fn mw_minibatch_count(minibatch: u32) -> u32 {
    return min(mw_run.minibatch_size, mw_run.batch_size - minibatch * mw_run.minibatch_size);
}

fn mw_minibatch_column(agent: u32, place: u32) -> u32 {
    if mw_run.stride > 0u { return place * mw_run.stride; }
    let progress = &mw_progress[agent];
    return mw_shuffled((*progress).minibatch * mw_run.minibatch_size + place, mw_run.batch_size, mw_run.tile,
        (*progress).seed, (*progress).update, (*progress).epoch);
}
