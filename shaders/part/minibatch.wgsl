//! The minibatch that is being worked on: which columns of the batch it holds.
//!
//! An epoch visits every column once. Minibatches have `minibatch_size` columns; a last short one has the rest. Where one
//! pass is all there is, nothing is shuffled: the columns are every `stride`-th.

fn mw_minibatch_count(minibatch: u32) -> u32 {
    return min(mw_run.minibatch_size, mw_run.batch_size - minibatch * mw_run.minibatch_size);
}

fn mw_minibatch_column(agent: u32, place: u32) -> u32 {
    return mw_column_of(agent, mw_progress[agent].epoch, mw_progress[agent].minibatch, place);
}

/// The column at a place of any minibatch of the update.
fn mw_column_of(agent: u32, epoch: u32, minibatch: u32, place: u32) -> u32 {
    if mw_run.stride > 0u { return place * mw_run.stride; }
    let progress = &mw_progress[agent];
    return mw_shuffled(minibatch * mw_run.minibatch_size + place, mw_run.batch_size, mw_run.tile,
        (*progress).seed, (*progress).update, epoch);
}

/// Where its moments lie, [agent][epoch][minibatch].
fn mw_moments_at(agent: u32) -> u32 {
    let progress = &mw_progress[agent];
    return (agent * mw_run.epochs + (*progress).epoch) * mw_run.num_minibatches + (*progress).minibatch;
}
