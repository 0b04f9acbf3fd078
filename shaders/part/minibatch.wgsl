//! The minibatch that is being worked on: which columns of the batch it holds.
//!
//! An epoch visits every column once. Minibatches have `minibatch_size` columns; a last short one has the rest. Where one
//! pass is all there is, nothing is shuffled: the columns are every `stride`-th.
//!
//! A rank has MW_SHARDS blocks of the run's worlds. Each is shuffled by itself, and a minibatch has as many columns of every one, so
//! that samples are learned from together whatever the number of ranks.

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
    if MW_SHARDS == 1u {
        return mw_shuffled(minibatch * mw_run.minibatch_size + place, mw_run.batch_size, mw_run.tile,
            (*progress).seed, (*progress).update, epoch, MW_FIRST_SHARD);
    }
    let each = mw_run.minibatch_size / MW_SHARDS;
    let shard = place / each;
    let column = mw_shuffled(minibatch * each + place % each, mw_run.batch_size / MW_SHARDS, mw_run.tile,
        (*progress).seed, (*progress).update, epoch, MW_FIRST_SHARD + shard);
    let worlds = mw_run.num_envs / MW_SHARDS;
    return column / worlds * mw_run.num_envs + shard * worlds + column % worlds;
}

/// Where its moments lie, [agent][epoch][minibatch].
fn mw_moments_at(agent: u32) -> u32 {
    let progress = &mw_progress[agent];
    return (agent * mw_run.epochs + (*progress).epoch) * mw_run.num_minibatches + (*progress).minibatch;
}
