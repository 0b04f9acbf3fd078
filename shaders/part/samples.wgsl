//! The samples of an invocation: what the rollout kept of them.

@bind var<storage, read> mw_samples: array<u32>;               // [agent][row][step][world]

fn mw_sample_words(samples: MwSamples, row: u32) -> LaneWord {
    var word: array<u32, MW_LANES>;
    @unroll for i in 0..MW_LANES {
        word[i] = mw_samples[(samples.agent * MW_ROWS + row) * mw_run.batch_size + samples.column[i]];
    }
    return mw_lane_from_words(word);
}

fn mw_sample(samples: MwSamples, row: u32) -> Lane { return bitcast<Lane>(mw_sample_words(samples, row)); }
